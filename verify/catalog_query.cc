#include "verify/catalog_query.h"

#include <fmt/format.h>

namespace verify {

std::string role(std::string_view oid) { return fmt::format("chr(1) || pg_get_userbyid({}) || chr(2)", oid); }

std::string qualified(std::string_view name, std::string_view space) {
  return fmt::format("quote_ident({}.nspname) || '.' || quote_ident({})", space, name);
}

std::string function_name(std::string_view column) {
  return fmt::format("nullif({}::regprocedure::text, '-')", column);
}

std::string in_user_schema(std::string_view space) {
  return fmt::format("{0}.nspname !~ '^pg_' AND {0}.nspname NOT IN ('information_schema', 'cutover')", space);
}

std::string comes_with_no_type(std::string_view catalog, std::string_view oid) {
  return fmt::format(
      "NOT EXISTS (SELECT FROM pg_depend w WHERE w.classid = '{}'::regclass AND w.objid = {} AND w.deptype = "
      "'i' "
      "AND w.refclassid = 'pg_type'::regclass)",
      catalog, oid);
}

PropertyColumn grants(std::string_view acl, char type, std::string_view owner) {
  auto expression = fmt::format(
      R"(ARRAY(SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' WHEN {owner} THEN 'the owner' ELSE {grantee} END
                   || CASE WHEN x.grantor <> {owner} THEN ' from ' || {grantor} ELSE '' END || chr(3)
                   || string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
                                 ', ' ORDER BY x.privilege_type)
              FROM aclexplode(coalesce({acl}, acldefault('{type}', {owner}))) x GROUP BY x.grantee, x.grantor))",
      fmt::arg("acl", acl), fmt::arg("type", type), fmt::arg("owner", owner),
      fmt::arg("grantee", role("x.grantee")), fmt::arg("grantor", role("x.grantor")));
  return {"privileges of", std::move(expression), Form::entries};
}

PropertyColumn owner(std::string_view oid) { return {"owner", role(oid)}; }

PropertyColumn flag(std::string name, std::string_view condition, int since) {
  return {std::move(name), fmt::format("CASE WHEN {} THEN 'yes' END", condition), Form::text, since};
}

std::vector<PropertyColumn> ObjectQuery::columns(int major) const {
  std::vector<PropertyColumn> known;
  for (const auto& property : properties)
    if (major >= property.since && major <= property.until) known.push_back(property);
  if (!catalog.empty()) known.push_back({"comment", "d.description"});
  return known;
}

std::string ObjectQuery::sql(int major) const {
  const auto kind_expression = kind.empty() ? fmt::format("'{}'", kinds.front()) : kind;
  auto text = fmt::format("SELECT {}, {}, {}, {}, {}, {}", kind_expression, name, schema, relation,
                          other_schema, other_relation);
  for (const auto& property : columns(major)) text += fmt::format(",\n  {}", property.expression);
  text += "\nFROM " + from;
  if (!catalog.empty())
    text += fmt::format(
        "\nLEFT JOIN pg_description d ON d.classoid = '{}'::regclass AND d.objoid = {} AND d.objsubid = {}",
        catalog, oid, subid);
  text += "\nWHERE " + where;
  const auto& owned_by = member_catalog.empty() ? catalog : member_catalog;
  if (!owned_by.empty())
    text += fmt::format(
        "\nAND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{}'::regclass AND e.objid = {} "
        "AND e.deptype = 'e')",
        owned_by, member_oid.empty() ? oid : member_oid);
  return text;
}

}  // namespace verify
