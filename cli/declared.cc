#include "cli/declared.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/command_set.h"
#include "cli/config_file.h"

namespace cli {
std::vector<DeclaredUpload> declared_uploads(const GlobalOptions& globals) {
  if (globals.config.empty()) return {};
  const auto views = ConfigFile::read(globals.config).each("upload");
  const CommandSet set;
  std::vector<DeclaredUpload> out;
  for (size_t i = 0; i < views.size(); ++i) {
    const auto text = [&](const char* key) {
      const auto found = views[i].values().find(key);
      return found == views[i].values().end() || found->second.texts.size() != 1
                 ? std::string()
                 : found->second.texts.front();
    };
    const auto verify = OptionSet::given(*set.options_of("upload")->find("--verify"), &views[i]);
    const DeclaredUpload upload{text("upload.from"), text("upload.to"),
                                verify ? verify->values.back() : std::string()};
    const auto is_same = [&](const auto& one) { return one.from == upload.from && one.to == upload.to; };
    if (std::ranges::any_of(out, is_same))
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

void require_one_meaning(std::span<const std::string_view> names) {
  struct Variable {
    std::string_view command;
    OptionSet::Entry entry;
  };
  const CommandSet set;
  std::map<std::string, Variable> variables;
  for (const auto name : names)
    for (const auto& entry : set.options_of(name)->entries()) {
      // What belongs to one run is not the environment's to say for a command that another one runs.
      if (entry.key.empty() || !OptionSet::given(entry, nullptr)) continue;
      const auto [found, is_new] = variables.emplace(entry.variable(), Variable{name, entry});
      if (is_new || found->second.entry.means_the_same(entry)) continue;
      throw base::Error(
          base::ErrorKind::usage,
          fmt::format("{} means one thing to cutover {} and another to cutover {}", entry.variable(),
                      found->second.command, name),
          fmt::format("unset it, and write {} and {} in cutover.toml", found->second.entry.key, entry.key));
    }
}

bool is_declared(const GlobalOptions& globals, std::string_view command, std::string_view option) {
  const CommandSet set;
  const auto file = globals.config.empty() ? std::nullopt : std::optional(ConfigFile::read(globals.config));
  return OptionSet::given(*set.options_of(command)->find(option), file ? &*file : nullptr).has_value();
}

}  // namespace cli
