#include "cli/declared.h"

#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "cli/check_options.h"
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
    if (!upload.from.empty() && !upload.to.empty()) {
      out.push_back(upload);
    } else if (views.size() > 1 || !(upload.from.empty() && upload.to.empty())) {
      throw base::Error(
          base::ErrorKind::usage,
          fmt::format("{}: upload {} lacks its directory or its bucket", globals.config.string(), i + 1),
          "write from = \"DIR\" and to = \"s3://BUCKET/PREFIX\"");
    }
  }
  return out;
}

bool declares_smoke_tests(const GlobalOptions& globals) {
  CLI::App app;
  OptionSet set(app, "check");
  CheckOptions unused;
  add_check_options(set, unused);
  const auto file = globals.config.empty() ? std::nullopt : std::optional(ConfigFile::read(globals.config));
  for (const auto* name : {"--http", "--tcp", "--sql"})
    if (OptionSet::given(*set.find(name), file ? &*file : nullptr)) return true;
  return false;
}

}  // namespace cli
