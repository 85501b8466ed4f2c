#include "cli/config_keys.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/command_set.h"
#include "cli/config_file.h"
#include "cli/secret_reference.h"
#include "cli/text.h"
#include "pg/conninfo.h"

namespace cli {
namespace {

/// A key with the first option that has it; all of them are the same.
struct DeclaredKey {
  const OptionSet::Entry* entry = nullptr;
  std::vector<std::string> commands;
};

std::string section_of(const std::string& key) {
  const auto dot = key.find('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

/// By sections in the order of the commands; what stands above all sections comes first, as TOML wants it.
std::vector<DeclaredKey> declared_keys(const CommandSet& set) {
  std::vector<DeclaredKey> keys;
  std::vector<std::string> sections{""};
  for (const auto& [command, options] : set.members())
    for (const auto& entry : options.entries()) {
      if (entry.key.empty()) continue;
      auto found = std::ranges::find(keys, entry.key, [](const auto& key) { return key.entry->key; });
      if (found == keys.end()) found = keys.insert(keys.end(), {&entry, {}});
      found->commands.emplace_back(command.name);
      if (const auto section = section_of(entry.key); std::ranges::find(sections, section) == sections.end())
        sections.push_back(section);
    }
  std::ranges::stable_sort(keys, {}, [&](const DeclaredKey& key) {
    return std::ranges::find(sections, section_of(key.entry->key)) - sections.begin();
  });
  return keys;
}

std::string comment(std::string_view text) {
  constexpr size_t kWidth = 100;
  std::string out;
  for (const auto& line : wrapped(text, kWidth)) out += fmt::format("# {}\n", line);
  return out;
}

bool is_positional(const OptionSet::Entry& entry) { return !entry.name.starts_with("--"); }

std::string sample_value(const OptionSet::Entry& entry) {
  if (entry.value_name.empty() && !is_positional(entry)) return "false";
  const auto quoted = fmt::format("\"{}\"", is_positional(entry) ? entry.name : entry.value_name);
  return entry.repeatable ? "[" + quoted + "]" : quoted;
}

std::string template_of(const DeclaredKey& key) {
  const auto& entry = *key.entry;
  std::string out = "\n" + comment(entry.default_text.empty()
                                       ? entry.help
                                       : fmt::format("{} [default: {}]", entry.help, entry.default_text));
  const auto users = key.commands.size() == commands().size()
                         ? "every command"
                         : fmt::format("{}", fmt::join(key.commands, ", "));
  out += comment(is_positional(entry) ? fmt::format("{} of {}", entry.name, users)
                                      : fmt::format("{}, {}: {}", entry.name, entry.variable(), users));
  const auto name = entry.key.substr(section_of(entry.key).empty() ? 0 : entry.key.find('.') + 1);
  return out + fmt::format("#{} = {}\n", name, sample_value(entry));
}

std::string redacted(const OptionSet::Entry& entry, const std::string& value, SecretResolver& secrets) {
  if (!entry.secret) return sanitized_line(without_secret(value));
  try {
    return sanitized_line(pg::Conninfo::parse(secrets.resolve(value)).redacted());
  } catch (const base::Error&) {
    return kHidden;
  }
}

std::optional<EffectiveValue> effective_value(const OptionSet::Entry& entry, const ConfigFile* file,
                                              SecretResolver& secrets) {
  const auto given = OptionSet::given(entry, file);
  if (!given) {
    if (entry.default_text.empty()) return std::nullopt;
    return EffectiveValue{entry.key, entry.default_text, "default"};
  }
  EffectiveValue out{entry.key, {}, given->origin};
  if (const auto key = out.origin.find(": "); key != std::string::npos) out.origin.resize(key);
  for (const auto& value : given->values) {
    out.value += (out.value.empty() ? "" : ", ") + redacted(entry, value, secrets);
    if (entry.secret && is_secret_reference(value)) out.origin += fmt::format(" ({})", sanitized_line(value));
  }
  return out;
}

/// The file once for each time that the section stands in it; one without a value where there is no file.
std::vector<std::optional<ConfigFile>> views_of(const ConfigFile* file, const std::string& section) {
  std::vector<std::optional<ConfigFile>> out;
  if (!file) return {std::nullopt};
  for (auto& view : file->each(section)) out.emplace_back(std::move(view));
  return out;
}

}  // namespace

std::string config_template() {
  std::string out =
      "# cutover.toml: every key. A value in the environment comes before this file, and one on the command\n"
      "# line before both. Connections may be references: env:NAME, file:PATH, secretsmanager:ID#KEY, "
      "ssm:NAME.\n";
  const CommandSet set;
  std::string section;
  for (const auto& key : declared_keys(set)) {
    if (const auto next = section_of(key.entry->key); next != section) {
      section = next;
      out += fmt::format("\n[{}]\n", section);
    }
    out += template_of(key);
  }
  return out;
}

EffectiveConfig effective_config(const ConfigFile* file, SecretResolver& secrets) {
  EffectiveConfig config;
  const CommandSet set;
  const auto refuse = [&](const base::Error& error) {
    const auto same = [&](const base::Error& other) { return other.message() == error.message(); };
    if (std::ranges::none_of(config.errors, same)) config.errors.push_back(error);
  };
  for (const auto& [command, options] : set.members())
    for (const auto& view : views_of(file, options.section()))
      for (const auto& entry : options.entries()) try {
          OptionSet::apply(entry, view ? &*view : nullptr, &secrets);
        } catch (const base::Error& error) {
          refuse(error);
        }
  for (const auto& key : declared_keys(set)) {
    const auto section = section_of(key.entry->key);
    const auto views = views_of(file, section);
    for (size_t i = 0; i < views.size(); ++i) try {
        auto value = effective_value(*key.entry, views[i] ? &*views[i] : nullptr, secrets);
        if (!value) continue;
        if (views.size() > 1) value->key.insert(section.size(), fmt::format("[{}]", i + 1));
        config.values.push_back(std::move(*value));
      } catch (const base::Error& error) {
        refuse(error);
      }
  }
  return config;
}

}  // namespace cli
