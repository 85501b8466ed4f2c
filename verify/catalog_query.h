#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "verify/catalog.h"

namespace verify {

// What is read of a database is a table of these: one query per kind of object. A property is a name and an
// SQL expression; the versions that know it stand beside it.

/// How a property's text becomes a value.
enum class Form {
  text,     ///< as it is
  sql,      ///< deparsed SQL: white space and needless quotes do not count
  list,     ///< a text[] whose order does not count
  entries,  ///< a text[] of "key\x03value": each is a property of its own, "name key"
  options,  ///< a text[] of "key=value", as it is: each is a property of its own, "name key"
};

struct PropertyColumn {
  std::string name;
  std::string expression;  ///< text, or text[] for list and entries; NULL: the default
  Form form = Form::text;
  int since = 0;  ///< major version
  int until = 99;
};

struct ObjectQuery {
  std::vector<std::string> kinds;  ///< that it can yield
  std::string kind;                ///< an expression; empty: the one of `kinds`
  std::string catalog;             ///< pg_class, …: what comments and extensions refer to by `oid`
  std::string oid;
  std::string subid = "0";     ///< within it, for comments
  std::string member_catalog;  ///< what may belong to an extension, when that is not the object itself
  std::string member_oid;
  std::string name;
  std::string schema = "''";
  std::string relation = "''";
  std::string other_schema = "''";
  std::string other_relation = "''";
  std::string from;
  std::string where = "true";
  std::vector<PropertyColumn> properties;
  int since = 0;
  int until = 99;

  std::string sql(int major) const;
  /// The properties that sql(major) reads, in its order, behind the fixed columns: kind, name, schema,
  /// relation, other schema, other relation.
  std::vector<PropertyColumn> columns(int major) const;
};
inline constexpr int kFixedColumns = 6;

/// One row of what ObjectQuery::sql() gives.
std::pair<CatalogKey, CatalogObject> read_object(const std::vector<PropertyColumn>& columns,
                                                 const pg::Result& rows, int row);

// Pieces of SQL that many queries share.

/// A role between its marks, see CatalogObject.
std::string role(std::string_view oid);
/// schema.name, quoted, from a pg_namespace alias and an expression for the name.
std::string qualified(std::string_view name, std::string_view space = "n");
/// A function's name with its argument types, from a regproc column; NULL for none.
std::string function_name(std::string_view column);
/// What the user made: not the system's schemas, and not our ledger's.
std::string in_user_schema(std::string_view space = "n");
/// Not what the server made together with a type: a range's constructors, a multirange's casts.
std::string comes_with_no_type(std::string_view catalog, std::string_view oid);
/// One entry per grantee, from the ACL or from what it defaults to. `type` is acldefault()'s letter.
PropertyColumn grants(std::string_view acl, char type, std::string_view owner);
PropertyColumn owner(std::string_view oid);
/// "yes" where the condition holds.
PropertyColumn flag(std::string name, std::string_view condition, int since = 0);

/// Names of the user mappings whose options pg_user_mappings hides from this role.
std::string hidden_user_mappings_sql();

// The table itself, by theme.
std::vector<ObjectQuery> relation_queries();
std::vector<ObjectQuery> type_queries();
std::vector<ObjectQuery> routine_queries();
std::vector<ObjectQuery> search_queries();
std::vector<ObjectQuery> database_queries();
std::vector<ObjectQuery> privilege_queries();

/// All of them, in the order of their oids; not part of the table, see verify/catalog_large_objects.h.
ObjectQuery large_object_query();

}  // namespace verify
