#pragma once

#include <compare>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace pg {

/// `name` in double quotes, inner quotes doubled: safe for every identifier.
std::string quote_identifier(std::string_view name);
/// An E'' or plain literal, safe whatever standard_conforming_strings says.
std::string quote_literal(std::string_view text);
/// Identifiers, quoted and joined with ", ".
std::string quote_list(std::span<const std::string> names);

struct QualifiedName {
  std::string schema;
  std::string name;

  /// For SQL: "schema"."name".
  std::string sql() const { return quote_identifier(schema) + "." + quote_identifier(name); }
  /// For SQL's VALUES: ('schema', 'name').
  std::string row() const { return "(" + quote_literal(schema) + ", " + quote_literal(name) + ")"; }
  /// For people: quoted only where Postgres itself would need it; control characters escaped.
  std::string display() const;
  auto operator<=>(const QualifiedName&) const = default;  // NOLINT(modernize-use-nullptr): a bug of 14
};

/// The rows of all of them; `name` takes a QualifiedName out of what the range is of.
template <typename Range, typename Name = std::identity>
std::string name_rows(const Range& range, Name name = {}) {
  std::string rows;
  for (const auto& one : range) rows += (rows.empty() ? "" : ", ") + std::invoke(name, one).row();
  return rows;
}

/// An identifier for people, see QualifiedName::display().
std::string display_identifier(std::string_view name);

}  // namespace pg
