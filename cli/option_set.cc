#include "cli/option_set.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "cli/config_file.h"
#include "cli/option_values.h"
#include "cli/secret_reference.h"

namespace cli {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Of a value that is looked up as a whole, or not at all.
OptionSet::SetWithSecrets plainly(OptionSet::Set set) {
  return [set = std::move(set)](const std::string& text, SecretResolver*) { set(text); };
}

/// Says the file what was given as arguments?
bool agrees(const std::vector<OptionSet::Entry>& entries, const ConfigFile& file) {
  return std::ranges::all_of(entries, [&](const OptionSet::Entry& entry) {
    const auto values = entry.option->results();
    if (entry.name.starts_with("--") || values.empty() || entry.key.empty()) return true;
    const auto said = file.values().find(entry.key);
    return said != file.values().end() && said->second.texts == values;
  });
}

}  // namespace

std::string OptionSet::Entry::variable() const {
  if (is_positional()) return {};
  std::string out = "CUTOVER_";
  for (const char c : name.substr(2))
    out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string> OptionSet::Entry::choices() const {
  if (!words.empty()) return words;
  std::vector<std::string> found;
  std::string_view rest = value_name;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('|'), rest.size());
    const auto choice = rest.substr(0, std::min(rest.find('['), end));
    const auto spells_out = [](unsigned char c) { return std::islower(c) || std::isdigit(c); };
    if (std::ranges::any_of(choice, spells_out)) found.emplace_back(choice);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return found;
}

OptionSet::Entry& OptionSet::Entry::in(const std::string& section) {
  return at(section + key.substr(key.find('.')));
}

OptionSet::Entry& OptionSet::add(std::string name, std::string value_name, std::string help,
                                 std::string default_text, SetWithSecrets set) {
  std::string key;
  if (name.starts_with("--")) {
    key = fmt::format("{}.{}", section_, name.substr(2));
    std::ranges::replace(key, '-', '_');
  }
  entries_.push_back({group_, std::move(name), std::move(value_name), std::move(help),
                      std::move(default_text), false, nullptr, std::move(set), std::move(key)});
  entries_.back().needed = needed_;
  return entries_.back();
}

OptionSet::Entry& OptionSet::positional(const std::string& value_name, std::string help,
                                        std::string default_text, Set set) {
  auto& entry = add(value_name, "", std::move(help), std::move(default_text), plainly(std::move(set)));
  entry.option = app_.add_option(value_name)->expected(1);
  return entry;
}

OptionSet::Entry& OptionSet::value(std::string name, std::string value_name, std::string help,
                                   std::string default_text, Set set) {
  auto& entry = add(std::move(name), std::move(value_name), std::move(help), std::move(default_text),
                    plainly(std::move(set)));
  entry.option =
      app_.add_option(entry.name)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return entry;
}

OptionSet::Entry& OptionSet::list(std::string name, std::string value_name, std::string help, Set set) {
  return list(std::move(name), std::move(value_name), std::move(help), plainly(std::move(set)));
}

OptionSet::Entry& OptionSet::list(std::string name, std::string value_name, std::string help,
                                  SetWithSecrets set) {
  auto& entry = add(std::move(name), std::move(value_name), std::move(help), "", std::move(set));
  entry.repeatable = true;
  entry.option =
      app_.add_option(entry.name)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return entry;
}

OptionSet::Entry& OptionSet::flag(std::string name, std::string help, bool& value) {
  return flag(std::move(name), std::move(help), [&value](bool given) { value = given; });
}

OptionSet::Entry& OptionSet::flag(std::string name, std::string help, std::function<void(bool)> set) {
  auto& entry = add(std::move(name), "", std::move(help), "",
                    plainly([set = std::move(set)](const std::string& text) { set(parse_bool(text)); }));
  entry.option = app_.add_flag(entry.name)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return entry;
}

const OptionSet::Entry* OptionSet::find(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &Entry::name);
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<OptionSet::Given> OptionSet::given(const Entry& entry, const ConfigFile* file, Caller caller) {
  if (auto values = entry.option->results(); !values.empty()) return Given{entry.name, std::move(values)};
  const bool belongs_to_one_run = entry.key.empty();
  const auto variable = belongs_to_one_run && caller == Caller::command ? std::string() : entry.variable();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
  const char* text = variable.empty() ? nullptr : std::getenv(variable.c_str());
  if (text && *text)
    return Given{variable, entry.repeatable ? lines_of(text) : std::vector<std::string>{text}};
  if (!file || belongs_to_one_run) return std::nullopt;
  const auto found = file->values().find(entry.key);
  if (found == file->values().end()) return std::nullopt;
  auto values = found->second.texts;
  // "A,B,C=D" is one value with commas: an array says the same.
  const bool has_commas = entry.value_name.find(',') != std::string::npos;
  if (found->second.is_list && has_commas) values = {fmt::format("{}", fmt::join(values, ","))};
  if (found->second.is_list && !entry.repeatable && !has_commas)
    throw base::Error(base::ErrorKind::usage, file->place(entry.key) + ": it takes one value, not several");
  return Given{file->place(entry.key), std::move(values)};
}

std::vector<ConfigFile> OptionSet::views(const ConfigFile& file) const {
  if (!is_repeatable()) return {file};
  auto all = file.each(section_);
  if (all.size() == 1) return all;
  const auto& own = *find(own_);
  std::vector<ConfigFile> meant;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!agrees(entries_, all[i])) continue;
    meant.push_back(std::move(all[i]));
    meant.back().add_default(own.key, fmt::format("{}-{}", own.default_text, i + 1));
  }
  if (meant.empty()) return {file};
  if (meant.size() > 1 && given(own, nullptr))
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} names one for all of the {} [[{}]]", given(own, nullptr)->origin,
                                  meant.size(), section_),
                      "leave it out: each has its own; or name one of them by its arguments");
  return meant;
}

void OptionSet::apply(const Entry& entry, const ConfigFile* file, SecretResolver* secrets, Caller caller) {
  if (entry.needed && !entry.needed()) return;
  auto found = given(entry, file, caller);
  if (!found) return;
  auto& values = found->values;
  if (!entry.repeatable && !values.empty()) values.erase(values.begin(), values.end() - 1);
  base::during(found->origin, [&] {
    for (const auto& value : values)
      entry.set(entry.secret && secrets ? secrets->resolve(value) : value, secrets);
  });
}

void OptionSet::apply(const ConfigFile* file, SecretResolver* secrets, Caller caller) const {
  for (const auto& entry : entries_) apply(entry, file, secrets, caller);
  for (const auto& rule : rules_) rule();
}

}  // namespace cli
