#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/config_file.h"
#include "cli/config_keys.h"
#include "cli/errors.h"
#include "cli/option_values.h"
#include "cli/output.h"
#include "cli/secret_reference.h"
#include "cli/text.h"

namespace cli {
namespace {

enum class ConfigAction { none, check, show_template };

struct ConfigOptions {
  ConfigAction action = ConfigAction::none;
  bool json = false;
};

std::string config_text(const EffectiveConfig& config) {
  size_t keys = 0;
  size_t values = 0;
  constexpr size_t kWidestValue = 48;
  for (const auto& value : config.values) {
    keys = std::max(keys, value.key.size());
    values = std::max(values, std::min(kWidestValue, display_width(value.value)));
  }
  std::string out;
  for (const auto& value : config.values)
    out += fmt::format("{}  {}  {}\n", left_aligned(value.key, keys), left_aligned(value.value, values),
                       value.origin);
  return out;
}

Json config_json(const EffectiveConfig& config) {
  Json out{{"version", 1}, {"values", Json::array()}};
  for (const auto& value : config.values)
    out["values"].push_back({{"key", value.key}, {"value", value.value}, {"origin", value.origin}});
  return out;
}

int check_config(const Invocation& invocation, const ConfigOptions& options) {
  const auto& path = invocation.globals.config;
  const auto file = path.empty() ? std::nullopt : std::optional(ConfigFile::read(path));
  SecretResolver secrets(invocation.stop);
  const auto config = effective_config(file ? &*file : nullptr, secrets);
  print(options.json ? json_text(config_json(config), 2) + "\n" : config_text(config));
  int exit_code = kEqual;
  for (const auto& error : config.errors) {
    invocation.log.report(error);
    exit_code = worse(exit_code, exit_code_of(error));
  }
  return exit_code;
}

}  // namespace

Run set_up_config(OptionSet& set) {
  auto options = std::make_shared<ConfigOptions>();
  set.describe(
      "check: reads cutover.toml and the environment as every command would, looks up the secrets that they "
      "refer to, and shows what is in force and who says so; passwords are left out. Nothing is connected "
      "to. "
      "template: prints a cutover.toml with every key, commented out.");
  set.example("a file to begin with", "cutover config template > cutover.toml");
  set.example("what is in force?", "CUTOVER_JOBS=8 cutover config check");
  set.group("What to do");
  set.positional("ACTION", "check or template", "",
                 [options](const std::string& text) {
                   options->action = parse_choice<ConfigAction>(
                       text, {{"check", ConfigAction::check}, {"template", ConfigAction::show_template}});
                 })
      .takes({"check", "template"});
  set.group("Result");
  set.flag("--json", "check: JSON instead of text on standard output", options->json).not_in_file();
  return [options](const Invocation& invocation) {
    if (options->action == ConfigAction::none)
      throw base::Error(base::ErrorKind::usage, "config needs to know what to do",
                        "cutover config check or cutover config template");
    if (options->action == ConfigAction::check) return check_config(invocation, *options);
    print(config_template());
    return kEqual;
  };
}

}  // namespace cli
