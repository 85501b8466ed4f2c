#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace verify {

// Deparsed SQL as text. Servers write the same definition in different ways: indented otherwise, or with
// quotes around a word that only the newer version reserves. What is inside a literal always counts.

/// Runs of white space as one blank, none at either end; "name" without quotes where it is plain lower case.
/// Literals, other quoted names and marked roles are left as they are.
std::string normalised_sql(std::string_view sql);

/// True when `newer` is `older` without some of the qualifiers of its columns: "SELECT t.id FROM t" and
/// "SELECT id FROM t". Both are normalised.
bool same_without_qualifiers(std::string_view older, std::string_view newer);

/// The first role that is marked in a text (see CatalogObject).
std::optional<std::string> marked_role(std::string_view text);

/// Marked roles by their names, mapped where `roles` has them.
std::string with_roles(std::string_view text, const std::map<std::string, std::string>& roles);

}  // namespace verify
