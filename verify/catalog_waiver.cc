#include <algorithm>

#include <fmt/format.h>

#include "verify/catalog.h"
#include "verify/catalog_query.h"

namespace verify {
namespace {

std::vector<std::string> all_kinds() {
  auto kinds = large_object_query().kinds;
  for (const auto& group : {relation_queries(), type_queries(), routine_queries(), search_queries(),
                            database_queries(), privilege_queries()})
    for (const auto& query : group) kinds.insert(kinds.end(), query.kinds.begin(), query.kinds.end());
  return kinds;
}

void trim(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
}

/// Kinds may have blanks in them, so the longest one that fits is meant.
std::string take_kind(std::string_view& text, std::string_view whole) {
  std::string best;
  for (auto& kind : all_kinds())
    if (kind.size() > best.size() && text.starts_with(kind) &&
        (text.size() == kind.size() || text[kind.size()] == ' '))
      best = std::move(kind);
  if (best.empty()) {
    best = text.substr(0, text.find(' '));
    if (best.find_first_of("*?") == std::string::npos)
      throw base::Error(
          base::ErrorKind::usage, fmt::format("catalog waiver \"{}\" starts with no kind of object", whole),
          "write KIND NAME [PROPERTY] as a difference is reported, with * and ?: \"index public.*\"");
  }
  text.remove_prefix(best.size());
  trim(text);
  return best;
}

std::string take_name(std::string_view& text) {
  size_t depth = 0;
  bool quoted = false;
  size_t end = 0;
  for (; end < text.size() && (quoted || depth > 0 || text[end] != ' '); ++end) {
    if (text[end] == '"') quoted = !quoted;
    if (!quoted && text[end] == '(') ++depth;
    if (!quoted && text[end] == ')' && depth > 0) --depth;
  }
  std::string name(text.substr(0, end));
  text.remove_prefix(end);
  trim(text);
  return name;
}

}  // namespace

CatalogWaiver CatalogWaiver::parse(std::string_view text) {
  auto rest = text;
  trim(rest);
  CatalogWaiver waiver;
  waiver.kind = take_kind(rest, text);
  if (auto name = take_name(rest); !name.empty()) waiver.name = std::move(name);
  if (!rest.empty()) waiver.property = rest;
  return waiver;
}

}  // namespace verify
