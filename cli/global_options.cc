#include "cli/global_options.h"

#include "cli/option_set.h"
#include "cli/option_values.h"

namespace cli {

void add_global_options(OptionSet& set, GlobalOptions& options) {
  set.group("Configuration");
  set.value("--config", "FILE", "read options from this file; cutover config template shows its keys",
            "./cutover.toml, if it is there", [&options](const std::string& text) { options.config = text; })
      .not_in_file();
  set.group("Output");
  set.value("--log-format", "text|json",
            "log lines on standard error for people, or one JSON object per line", "text",
            [&options](const std::string& text) {
              options.log_format =
                  parse_choice<LogFormat>(text, {{"text", LogFormat::text}, {"json", LogFormat::json}});
            })
      .in("output");
  set.value("--log-level", "LEVEL", "debug, info, warning or error", "info",
            [&options](const std::string& text) {
              using spdlog::level::level_enum;
              options.log_level = parse_choice<level_enum>(text, {{"debug", level_enum::debug},
                                                                  {"info", level_enum::info},
                                                                  {"warning", level_enum::warn},
                                                                  {"error", level_enum::err}});
            })
      .in("output");
  set.flag("--quiet", "nothing but errors and the final result", options.quiet).in("output");
  set.flag("--no-progress", "no live display, and no line of progress every 5 seconds",
           [&options](bool given) { options.progress = !given; })
      .in("output");
}

}  // namespace cli
