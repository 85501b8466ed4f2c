#include "cli/declared.h"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "cli/config_file.h"

namespace cli {

std::vector<DeclaredUpload> declared_uploads(const GlobalOptions& globals) {
  if (globals.config.empty()) return {};
  const auto views = ConfigFile::read(globals.config).each("upload");
  std::vector<DeclaredUpload> out;
  for (size_t i = 0; i < views.size(); ++i) {
    const auto text = [&](const char* key) {
      const auto found = views[i].values().find(key);
      return found == views[i].values().end() || found->second.texts.size() != 1
                 ? std::string()
                 : found->second.texts.front();
    };
    const DeclaredUpload upload{text("upload.from"), text("upload.to")};
    if (std::ranges::find(out, upload) != out.end())
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("{}: {} is to be uploaded to {} twice", globals.config.string(),
                                    upload.from, upload.to),
                        "declare it once; include and exclude in it may have many globs");
    if (!upload.from.empty() && !upload.to.empty()) {
      out.push_back(upload);
    } else if (views.size() > 1 || !(upload.from.empty() && upload.to.empty())) {
      throw base::Error(
          base::ErrorKind::usage,
          fmt::format("{}: upload {} lacks its directory or its bucket", globals.config.string(), i + 1),
          R"(write from = "DIR" and to = "s3://BUCKET/PREFIX")");
    }
  }
  return out;
}

bool is_declared(const GlobalOptions& globals, std::string_view command, std::string_view option) {
  const auto found = std::ranges::find_if(commands(), [&](const auto& one) { return command == one.name; });
  CLI::App app;
  OptionSet set(app, found->name);
  const auto owner = found->set_up(set);
  const auto file = globals.config.empty() ? std::nullopt : std::optional(ConfigFile::read(globals.config));
  return OptionSet::given(*set.find(option), file ? &*file : nullptr).has_value();
}

}  // namespace cli
