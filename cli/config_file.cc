#include "cli/config_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <toml++/toml.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/secret_reference.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void reject_value(const std::filesystem::path& path, const toml::node& node,
                               const std::string& key, const std::string& hint) {
  throw Error(ErrorKind::usage,
              fmt::format("{}:{}: {} holds a value that no option takes", path.string(),
                          node.source().begin.line, key),
              hint);
}

/// A scalar as text. The caller handles what is none.
std::string scalar_text(const std::filesystem::path& path, const toml::node& node, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  reject_value(path, node, key, "write it as a string, in quotes");
}

nlohmann::json object_of(const std::filesystem::path& path, const toml::table& table,
                         const std::string& key) {
  auto object = nlohmann::json::object();
  for (const auto& [name, member] : table) {
    const auto member_key = fmt::format("{}.{}", key, name.str());
    auto& value = object[std::string(name.str())];
    if (const auto* inner = member.as_table())
      value = object_of(path, *inner, member_key);
    else
      value = scalar_text(path, member, member_key);
  }
  return object;
}

std::string element_text(const std::filesystem::path& path, const toml::node& node, const std::string& key) {
  const auto* table = node.as_table();
  return table ? object_of(path, *table, key).dump() : scalar_text(path, node, key);
}

ConfigFile::Value value_of(const std::filesystem::path& path, const toml::node& node,
                           const std::string& key) {
  ConfigFile::Value value{.texts = {}, .is_list = false, .line = node.source().begin.line};
  if (const auto* array = node.as_array()) {
    value.is_list = true;
    for (const auto& element : *array) value.texts.push_back(element_text(path, element, key));
  } else if (const auto* table = node.as_table()) {
    value.is_list = true;
    for (const auto& [name, element] : *table)
      value.texts.push_back(fmt::format("{}={}", name.str(), scalar_text(path, element, key)));
  } else {
    value.texts.push_back(scalar_text(path, node, key));
  }
  return value;
}

void add_table(std::map<std::string, ConfigFile::Value>& values, const std::filesystem::path& path,
               const std::string& section, const toml::table& table) {
  for (const auto& [name, element] : table) {
    const auto key = fmt::format("{}.{}", section, name.str());
    values.emplace(key, value_of(path, element, key));
  }
}

toml::table parse_toml(const std::filesystem::path& path, const std::string& text) {
  try {
    return toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    // What it quotes may be a part of a secret: keep what stands before the first quote.
    const auto said = error.description().substr(0, error.description().find_first_of("'\""));
    const auto& at = error.source().begin;
    throw Error(
        ErrorKind::usage,
        fmt::format("{}:{}: not valid TOML at column {}: {}", path.string(), at.line, at.column, said),
        "texts stand in quotes");
  }
}

}  // namespace

ConfigFile ConfigFile::read(const std::filesystem::path& path) {
  std::string text;
  try {
    text = base::read_file(path);
  } catch (Error& error) {
    error.kind(ErrorKind::usage).during("configuration");
    throw;
  }
  ConfigFile file;
  file.path_ = path;
  for (const auto& [name, node] : parse_toml(path, text)) {
    const std::string section(name.str());
    const auto* array = node.as_array();
    if (const auto* table = node.as_table()) {
      add_table(file.values_, path, section, *table);
    } else if (array && !array->empty() && array->is_homogeneous<toml::table>()) {
      auto& tables = file.tables_[section];
      tables.line = node.source().begin.line;
      for (const auto& element : *array)
        add_table(tables.all.emplace_back(), path, section, *element.as_table());
    } else {
      file.values_.emplace(section, value_of(path, node, section));
    }
  }
  return file;
}

std::string ConfigFile::place(const std::string& key) const {
  return fmt::format("{}:{}: {}", path_.string(), values_.at(key).line, sanitized_line(key));
}

void ConfigFile::check_keys(const std::vector<std::string>& known,
                            const std::vector<std::string>& repeatable) const {
  check_known(values_, known);
  for (const auto& [section, tables] : tables_) {
    if (std::ranges::find(repeatable, section) == repeatable.end())
      throw Error(ErrorKind::usage,
                  fmt::format("{}:{}: {} is no key of the configuration", path_.string(), tables.line,
                              sanitized_line(section)),
                  fmt::format("a section stands in single brackets, but for [[{}]]",
                              fmt::join(repeatable, "]], [[")));
    for (const auto& table : tables.all) check_known(table, known);
  }
}

void ConfigFile::check_known(const Values& values, const std::vector<std::string>& known) const {
  const auto unknown = [&](const auto& value) {
    return std::ranges::find(known, value.first) == known.end();
  };
  const auto found = std::ranges::find_if(values, unknown);
  if (found == values.end()) return;
  throw Error(ErrorKind::usage,
              fmt::format("{}:{}: {} is no key of the configuration", path_.string(), found->second.line,
                          sanitized_line(found->first)),
              did_you_mean(found->first, known, "cutover config template shows all keys"));
}

std::vector<ConfigFile> ConfigFile::each(const std::string& section) const {
  const auto found = tables_.find(section);
  if (found == tables_.end()) return {*this};
  std::vector<ConfigFile> out;
  for (const auto& table : found->second.all) {
    out.push_back(*this);
    out.back().values_.insert(table.begin(), table.end());
    out.back().tables_.erase(section);
  }
  return out;
}

bool ConfigFile::refers_to(const std::string& reference) const {
  const auto is_in = [&](const Values& values) {
    return std::ranges::any_of(values, [&](const auto& entry) {
      return std::ranges::any_of(entry.second.texts,
                                 [&](const auto& text) { return mentions(text, reference); });
    });
  };
  return is_in(values_) || std::ranges::any_of(tables_, [&](const auto& section) {
           return std::ranges::any_of(section.second.all, is_in);
         });
}

void ConfigFile::add_default(const std::string& key, std::string text) {
  values_.emplace(key, Value{.texts = {std::move(text)}, .is_list = false, .line = 0});
}

}  // namespace cli
