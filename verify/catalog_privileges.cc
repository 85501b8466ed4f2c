// Privileges that are not beside their object: defaults for what will be made, and those on objects that the
// system or an extension brought.

#include <fmt/format.h>

#include "verify/catalog_query.h"

namespace verify {
namespace {

ObjectQuery default_privileges() {
  ObjectQuery query;
  query.kinds = {"default privileges"};
  query.name = fmt::format(
      "{} || '(' || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN "
      "'functions' "
      "WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects' END || "
      "coalesce(' in ' || quote_ident(n.nspname), '') || ')'",
      role("d.defaclrole"));
  query.schema = "coalesce(n.nspname, '')";
  query.from = "pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace";
  query.properties = {grants("d.defaclacl", 'r', "d.defaclrole")};
  return query;
}

// Objects of the system and of extensions keep what they were made with in pg_init_privs; what was granted or
// revoked since is the user's.
struct ChangedGrants {
  const char* kind;
  const char* catalog;
  const char* oid;
  const char* subid;
  const char* name;
  const char* from;
  const char* acl;
  const char* owner;
  char type;           ///< acldefault()'s
  const char* system;  ///< is it the system's?
  /// What initdb grants besides without saying so in pg_init_privs; NULL: nothing.
  const char* granted_by_initdb = "NULL::aclitem[]";
};

ObjectQuery changed_grants(const ChangedGrants& of) {
  ObjectQuery query;
  query.kinds = {of.kind};
  query.name = of.name;
  query.from = fmt::format(
      "{from} LEFT JOIN pg_init_privs i ON i.classoid = '{catalog}'::regclass AND i.objoid = {oid} AND "
      "i.objsubid = {subid} CROSS JOIN LATERAL (SELECT {acl} AS now, coalesce(i.initprivs, "
      "acldefault('{type}', {owner}) || {granted}) AS before) acl",
      fmt::arg("from", of.from), fmt::arg("catalog", of.catalog), fmt::arg("oid", of.oid),
      fmt::arg("subid", of.subid), fmt::arg("acl", of.acl), fmt::arg("type", of.type),
      fmt::arg("owner", of.owner), fmt::arg("granted", of.granted_by_initdb));
  query.where = fmt::format(
      "acl.now IS NOT NULL AND NOT (acl.now @> acl.before AND acl.now <@ acl.before) AND ({} OR EXISTS "
      "(SELECT "
      "FROM pg_depend e WHERE e.classid = '{}'::regclass AND e.objid = {} AND e.deptype = 'e'))",
      of.system, of.catalog, of.oid);
  const auto between = [](std::string_view these, std::string_view those) {
    return fmt::format(
        "ARRAY(SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE {} END || chr(3) || "
        "string_agg(x.privilege_type || "
        "CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', ' ORDER BY x.privilege_type) "
        "FROM aclexplode({}) x WHERE NOT EXISTS (SELECT FROM aclexplode({}) y WHERE y.grantee = x.grantee "
        "AND "
        "y.privilege_type = x.privilege_type AND y.is_grantable = x.is_grantable) GROUP BY x.grantee)",
        role("x.grantee"), these, those);
  };
  query.properties = {{"granted to", between("acl.now", "acl.before"), Form::entries},
                      {"revoked from", between("acl.before", "acl.now"), Form::entries}};
  return query;
}

constexpr const char* kInSystemSchema = "n.nspname IN ('pg_catalog', 'information_schema')";

// As information_schema.sql has it since version 12.
constexpr const char* kOnInformation =
    "CASE WHEN n.nspname = 'information_schema' AND c.relname NOT IN ('sql_parts', 'transforms') AND "
    "c.relname !~ '^_pg_' THEN ARRAY[makeaclitem(0, c.relowner, 'SELECT', false)] END";
constexpr const char* kOnInformationSchema =
    "CASE WHEN n.nspname = 'information_schema' THEN ARRAY[makeaclitem(0, n.nspowner, 'USAGE', false)] END";

constexpr ChangedGrants kChangedGrants[] = {
    {"privileges on a function", "pg_proc", "p.oid", "0",
     "quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')'",
     "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace", "p.proacl", "p.proowner", 'f',
     kInSystemSchema},
    {"privileges on a relation", "pg_class", "c.oid", "0",
     "quote_ident(n.nspname) || '.' || quote_ident(c.relname)",
     "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace", "c.relacl", "c.relowner", 'r',
     kInSystemSchema, kOnInformation},
    {"privileges on a column", "pg_class", "c.oid", "a.attnum",
     "quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname)",
     "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND NOT a.attisdropped JOIN pg_namespace n ON "
     "n.oid = "
     "c.relnamespace",
     "a.attacl", "c.relowner", 'c', kInSystemSchema},
    {"privileges on a type", "pg_type", "t.oid", "0",
     "quote_ident(n.nspname) || '.' || quote_ident(t.typname)",
     "pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace", "t.typacl", "t.typowner", 'T',
     kInSystemSchema},
    {"privileges on a system schema", "pg_namespace", "n.oid", "0", "quote_ident(n.nspname)",
     "pg_namespace n", "n.nspacl", "n.nspowner", 'n', kInSystemSchema, kOnInformationSchema},
    {"privileges on a system language", "pg_language", "l.oid", "0", "quote_ident(l.lanname)",
     "pg_language l", "l.lanacl", "l.lanowner", 'l', "l.oid < 16384"},
    {"privileges on a foreign data wrapper", "pg_foreign_data_wrapper", "w.oid", "0",
     "quote_ident(w.fdwname)", "pg_foreign_data_wrapper w", "w.fdwacl", "w.fdwowner", 'F', "false"},
    {"privileges on a server", "pg_foreign_server", "s.oid", "0", "quote_ident(s.srvname)",
     "pg_foreign_server s", "s.srvacl", "s.srvowner", 'S', "false"},
};

}  // namespace

// Most have the privileges that each has when it is made, which are written out for none of them.
ObjectQuery large_object_query() {
  constexpr const char* kDefault = "acldefault('L', l.lomowner)";
  ObjectQuery query;
  query.kinds = {"large object"};
  query.catalog = "pg_largeobject";
  query.oid = "l.oid";
  query.name = "l.oid";
  query.from = "pg_largeobject_metadata l";
  auto privileges = grants("l.lomacl", 'L', "l.lomowner");
  privileges.expression = fmt::format("CASE WHEN NOT (l.lomacl @> {0} AND l.lomacl <@ {0}) THEN {1} END",
                                      kDefault, privileges.expression);
  query.properties = {owner("l.lomowner"), std::move(privileges)};
  return query;
}

std::vector<ObjectQuery> privilege_queries() {
  std::vector<ObjectQuery> queries{default_privileges()};
  for (const auto& of : kChangedGrants) queries.push_back(changed_grants(of));
  return queries;
}

}  // namespace verify
