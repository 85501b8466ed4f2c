#include "copy/options.h"

#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace copy {
namespace {

/// Takes a quoted identifier off the front of `text`. None, and `text` untouched, when it does not start with
/// one that is closed and followed by a dot or the end.
std::optional<std::string> take_quoted(std::string_view& text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string name;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[i++];
    } else {
      if (i + 1 < text.size() && text[i + 1] != '.') return std::nullopt;
      text.remove_prefix(i + 1);
      return name;
    }
  }
  return std::nullopt;
}

/// Matches the part of `pattern` before its first dot (all of it when `is_last`) and takes it off. In a
/// quoted part
/// * and ? are themselves.
bool take_match(std::string_view& pattern, std::string_view name, bool is_last) {
  if (is_last) {
    std::string_view rest = pattern;
    const auto quoted = take_quoted(rest);
    return quoted && rest.empty() ? *quoted == name : base::glob_match(pattern, name);
  }
  if (const auto quoted = take_quoted(pattern)) return *quoted == name;
  const std::string_view part = pattern.substr(0, pattern.find('.'));
  pattern.remove_prefix(part.size());
  return base::glob_match(part, name);
}

/// The schema that the pattern names and no other; nothing: it may match several.
std::optional<std::string> named_schema(std::string_view pattern) {
  std::string_view rest = pattern;
  if (auto quoted = take_quoted(rest)) return quoted;
  const auto schema = pattern.substr(0, pattern.find('.'));
  return schema.find_first_of("*?") == std::string_view::npos ? std::optional<std::string>(schema)
                                                              : std::nullopt;
}

bool matches(std::string_view pattern, std::string_view schema, std::string_view table) {
  if (!take_match(pattern, schema, false)) return false;
  if (pattern.empty()) return true;  // no dot: the whole schema
  if (table.empty()) return false;   // asked about the schema itself: "a.*" selects what is in it
  pattern.remove_prefix(1);
  return take_match(pattern, table, true);
}

}  // namespace

std::map<std::string, std::string> selection_of(const Options& options) {
  const auto list = [](std::vector<std::string> patterns) {
    std::ranges::sort(patterns);
    patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
    return fmt::format("{}", fmt::join(patterns, ","));
  };
  const auto pairs = [](const std::map<std::string, std::string>& values) {
    std::vector<std::string> all;
    for (const auto& [key, value] : values) all.push_back(fmt::format("{}={}", key, value));
    return fmt::format("{}", fmt::join(all, ","));
  };
  return {{"--schema", options.schema == SchemaMode::dump ? "dump" : "none"},
          {"--include", list(options.include)},
          {"--exclude", list(options.exclude)},
          {"--where", pairs(options.row_filters)},
          {"--role-map", pairs(options.role_map)},
          {"--no-owners", options.owners ? "" : "given"},
          {"--no-grants", options.grants ? "" : "given"}};
}

std::set<std::string> named_schemas(const Options& options) {
  std::set<std::string> names;
  for (const auto& pattern : options.include)
    if (auto name = named_schema(pattern)) names.insert(std::move(*name));
  return names;
}

std::optional<std::string> reason_to_skip(const Options& options, std::span<const pg::QualifiedName> names) {
  const auto any_matches = [&](const std::vector<std::string>& patterns) {
    return std::ranges::any_of(
        names, [&](const auto& name) { return matches_any(patterns, name.schema, name.name); });
  };
  if (!options.include.empty() && !any_matches(options.include)) return "not selected by --include";
  if (any_matches(options.exclude)) return "left out by --exclude";
  return std::nullopt;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view schema, std::string_view table) {
  return std::ranges::any_of(patterns,
                             [&](const std::string& pattern) { return matches(pattern, schema, table); });
}

}  // namespace copy
