#include "cli/option_set.h"

#include <cstdlib>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/option_values.h"

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

}  // namespace

std::string OptionSet::Entry::variable() const {
  if (!name.starts_with("--")) return {};
  std::string out = "CUTOVER_";
  for (const char c : name.substr(2))
    out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

OptionSet::Entry& OptionSet::add(std::string name, std::string value_name, std::string help,
                                 std::string default_text, Set set) {
  entries_.push_back({group_, std::move(name), std::move(value_name), std::move(help),
                      std::move(default_text), false, nullptr, std::move(set)});
  return entries_.back();
}

void OptionSet::positional(const std::string& value_name, std::string help, std::string default_text,
                           Set set) {
  auto& entry = add(value_name, "", std::move(help), std::move(default_text), std::move(set));
  entry.option = app_.add_option(value_name)->expected(1);
}

void OptionSet::value(std::string name, std::string value_name, std::string help, std::string default_text,
                      Set set) {
  auto& entry =
      add(std::move(name), std::move(value_name), std::move(help), std::move(default_text), std::move(set));
  entry.option =
      app_.add_option(entry.name)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void OptionSet::list(std::string name, std::string value_name, std::string help, Set set) {
  auto& entry = add(std::move(name), std::move(value_name), std::move(help), "", std::move(set));
  entry.repeatable = true;
  entry.option =
      app_.add_option(entry.name)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void OptionSet::flag(std::string name, std::string help, bool& value) {
  flag(std::move(name), std::move(help), [&value](bool given) { value = given; });
}

void OptionSet::flag(std::string name, std::string help, std::function<void(bool)> set) {
  auto& entry = add(std::move(name), "", std::move(help), "",
                    [set = std::move(set)](const std::string& text) { set(parse_bool(text)); });
  entry.option = app_.add_flag(entry.name)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void OptionSet::apply() const {
  for (const auto& entry : entries_) {
    std::string name = entry.name;
    std::vector<std::string> values = entry.option->results();
    if (values.empty()) {
      name = entry.variable();
      // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
      const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
      if (!value || !*value) continue;
      values = entry.repeatable ? lines_of(value) : std::vector<std::string>{value};
    }
    if (!entry.repeatable) values.erase(values.begin(), values.end() - 1);
    base::during(name, [&] {
      for (const auto& value : values) entry.set(value);
    });
  }
}

}  // namespace cli
