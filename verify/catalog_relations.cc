// Schemas, and relations with what belongs to them.

#include <fmt/format.h>

#include "verify/catalog_query.h"

namespace verify {
namespace {

constexpr const char* kRelation = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/// schema.table.part
std::string part_of_relation(std::string_view part) {
  return fmt::format("{} || '.' || quote_ident({})", qualified("c.relname"), part);
}

/// A query for what belongs to a relation `c` in a schema `n`, and to an extension only together with it.
ObjectQuery part(std::string kind, std::string catalog, std::string alias, std::string_view relation_column,
                 std::string_view name) {
  ObjectQuery query;
  query.kinds = {std::move(kind)};
  query.oid = alias + ".oid";
  query.member_catalog = "pg_class";
  query.member_oid = "c.oid";
  query.name = part_of_relation(name);
  query.schema = "n.nspname";
  query.relation = "c.relname";
  query.from =
      fmt::format("{0} {1} JOIN pg_class c ON c.oid = {1}.{2} JOIN pg_namespace n ON n.oid = c.relnamespace",
                  catalog, alias, relation_column);
  query.catalog = std::move(catalog);
  query.where = in_user_schema() + " AND c.relpersistence <> 't'";
  return query;
}

std::string enabled_state(std::string_view column) {
  return fmt::format(
      "CASE {} WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END", column);
}

// The schema public belongs to the bootstrap superuser, from version 15 on to pg_database_owner. As long as
// it does it has its default.
std::string public_owner(std::string_view is_default) {
  return fmt::format("CASE WHEN n.nspname = 'public' AND {} THEN NULL ELSE {} END", is_default,
                     role("n.nspowner"));
}

ObjectQuery schemas() {
  ObjectQuery query;
  query.kinds = {"schema"};
  query.catalog = "pg_namespace";
  query.oid = "n.oid";
  query.name = "quote_ident(n.nspname)";
  query.schema = "n.nspname";
  query.from = "pg_namespace n";
  query.where = in_user_schema();
  query.properties = {
      {"owner", public_owner("n.nspowner = 10"), Form::text, 0, 14},
      {"owner", public_owner("pg_get_userbyid(n.nspowner) = 'pg_database_owner'"), Form::text, 15},
      grants("n.nspacl", 'n', "n.nspowner"),
  };
  return query;
}

ObjectQuery tables() {
  ObjectQuery query;
  query.kinds = {"table", "view", "materialized view", "foreign table"};
  query.kind =
      "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' "
      "ELSE 'table' END";
  query.catalog = "pg_class";
  query.oid = "c.oid";
  query.name = qualified("c.relname");
  query.schema = "n.nspname";
  query.relation = "c.relname";
  query.from = fmt::format(
      "{} LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid LEFT JOIN pg_foreign_table f ON f.ftrelid "
      "= c.oid "
      "LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver LEFT JOIN pg_am am ON am.oid = c.relam",
      kRelation);
  query.where = in_user_schema() + " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'";
  query.properties = {
      owner("c.relowner"),
      {"persistence", "CASE c.relpersistence WHEN 'u' THEN 'unlogged' END"},
      {"access method", "nullif(am.amname, 'heap')"},
      {"replica identity",
       "CASE WHEN c.relkind IN ('r', 'p', 'm') THEN CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN "
       "'nothing' "
       "WHEN 'i' THEN 'an index' END END"},
      flag("row security", "c.relrowsecurity"),
      flag("forced row security", "c.relforcerowsecurity"),
      {"options", "c.reloptions", Form::list},
      {"toast options", "toast.reloptions", Form::list},
      {"partitioned by", "CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END", Form::sql},
      {"partition bound", "pg_get_expr(c.relpartbound, c.oid)", Form::sql},
      {"inherits",
       fmt::format("(SELECT string_agg({}, ', ' ORDER BY i.inhseqno) FROM pg_inherits i "
                   "JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace "
                   "WHERE i.inhrelid = c.oid)",
                   qualified("p.relname", "pn")),
       Form::sql},
      flag("half detached",
           "EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhdetachpending)", 14),
      {"type", "CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END", Form::sql},
      {"definition", "CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END", Form::sql},
      flag("without data", "c.relkind = 'm' AND NOT c.relispopulated"),
      {"server", "quote_ident(s.srvname)", Form::sql},
      {"option", "f.ftoptions", Form::options},
      grants("c.relacl", 'r', "c.relowner"),
  };
  return query;
}

// Servers since the minor releases of 2026 keep a column's version among its options, for themselves.
constexpr const char* kColumnOptions =
    "CASE WHEN a.attoptions IS NOT NULL THEN ARRAY(SELECT o FROM unnest(a.attoptions) o WHERE o !~ "
    "'^pg_attver=') END";

ObjectQuery columns() {
  auto query = part("column", "pg_attribute", "a", "attrelid", "a.attname");
  query.catalog = "pg_class";
  query.oid = "a.attrelid";
  query.subid = "a.attnum";
  query.from +=
      " JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum "
      "= "
      "a.attnum LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation "
      "LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace";
  query.where += " AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped";
  query.relation =
      "CASE c.relkind WHEN 'c' THEN '' ELSE c.relname END";  // a type's attributes go with the type
  auto own_grants = grants("a.attacl", 'c', "c.relowner");
  own_grants.expression = fmt::format("CASE WHEN a.attacl IS NOT NULL THEN {} END", own_grants.expression);
  query.properties = {
      {"type", "format_type(a.atttypid, a.atttypmod)", Form::sql},
      flag("not null", "a.attnotnull"),
      {"default", "CASE WHEN a.attgenerated = '' THEN pg_get_expr(ad.adbin, ad.adrelid) END", Form::sql},
      {"generated",
       "CASE a.attgenerated WHEN '' THEN NULL WHEN 'v' THEN 'virtual ' ELSE 'stored ' END || "
       "pg_get_expr(ad.adbin, ad.adrelid)",
       Form::sql},
      {"identity", "CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END"},
      {"collation", qualified("co.collname", "cn"), Form::sql},
      {"storage", "CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END"},
      {"compression", "nullif(a.attcompression::text, '')", Form::text, 14},
      {"statistics target", "nullif(a.attstattarget, -1)"},
      {"options", kColumnOptions, Form::list},
      {"option", "a.attfdwoptions", Form::options},
      // A partition's columns are all inherited.
      flag("inherited", "NOT a.attislocal AND NOT c.relispartition"),
      own_grants,
  };
  return query;
}

// The extension covers its tables, but not who may see which of their rows.
ObjectQuery row_security() {
  ObjectQuery query;
  query.kinds = {"row security"};
  query.name = qualified("c.relname");
  query.schema = "n.nspname";
  query.relation = "c.relname";
  query.from = kRelation;
  query.where = in_user_schema() +
                " AND (c.relrowsecurity OR c.relforcerowsecurity) AND EXISTS (SELECT FROM pg_depend e WHERE "
                "e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')";
  query.properties = {flag("enabled", "c.relrowsecurity"), flag("forced", "c.relforcerowsecurity")};
  return query;
}

// What pg_get_constraintdef() adds behind the definition itself has properties of its own.
constexpr const char* kConstraintDefinition =
    "regexp_replace(pg_get_constraintdef(k.oid), "
    "'( DEFERRABLE)?( INITIALLY DEFERRED)?( NOT ENFORCED)?( NOT VALID)?$', '')";
constexpr const char* kConstraintType =
    "CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key' "
    "WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not null' END";

std::vector<PropertyColumn> constraint_properties() {
  return {
      {"type", kConstraintType},
      {"definition", kConstraintDefinition, Form::sql},
      flag("not valid", "NOT k.convalidated"),
      flag("deferrable", "k.condeferrable"),
      flag("initially deferred", "k.condeferred"),
      flag("not enforced", "NOT k.conenforced", 18),
  };
}

// ALTER TABLE … DISABLE TRIGGER ALL leaves a foreign key, or a deferrable unique or exclusion constraint,
// that checks nothing and looks as before; ENABLE ALWAYS one that checks what a replica applies. The server
// makes up the names of these triggers, not those of their functions, each of which a constraint has once.
constexpr const char* kChangedTriggers =
    "pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid WHERE g.tgconstraint = k.oid AND g.tgisinternal AND "
    "g.tgenabled <> 'O'";

// A foreign key that a partition has because its parent has it is covered by its parent's, since the server
// makes up its name; but not one that is switched on or off by itself.
ObjectQuery table_constraints() {
  auto query = part("constraint", "pg_constraint", "k", "conrelid", "k.conname");
  query.from +=
      " LEFT JOIN pg_class r ON r.oid = k.confrelid LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace";
  query.other_schema = "coalesce(rn.nspname, '')";
  query.other_relation = "coalesce(r.relname, '')";
  query.where += fmt::format(
      " AND k.contype IN ('c', 'f', 'p', 'u', 'x', 'n') AND (k.contype <> 'f' OR k.conparentid = "
      "0 OR EXISTS (SELECT FROM {}))",
      kChangedTriggers);
  query.properties = constraint_properties();
  query.properties.push_back(flag("inherited", "NOT k.conislocal AND NOT c.relispartition"));
  query.properties.push_back({"triggers",
                              fmt::format("ARRAY(SELECT f.proname || ' ' || {} FROM {})",
                                          enabled_state("g.tgenabled"), kChangedTriggers),
                              Form::list});
  return query;
}

ObjectQuery domain_constraints() {
  ObjectQuery query;
  query.kinds = {"constraint"};
  query.catalog = "pg_constraint";
  query.oid = "k.oid";
  query.member_catalog = "pg_type";
  query.member_oid = "t.oid";
  query.name = qualified("t.typname") + " || '.' || quote_ident(k.conname)";
  query.schema = "n.nspname";
  query.from =
      "pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace";
  query.where = in_user_schema();
  query.properties = constraint_properties();
  return query;
}

ObjectQuery indexes() {
  auto query = part("index", "pg_index", "i", "indrelid", "x.relname");
  query.from += " JOIN pg_class x ON x.oid = i.indexrelid";
  query.catalog = "pg_class";
  query.oid = "i.indexrelid";
  query.name = qualified("x.relname");
  query.where += " AND c.relkind IN ('r', 'p', 'm')";
  query.properties = {
      {"table", qualified("c.relname"), Form::sql},
      {"definition", "pg_get_indexdef(i.indexrelid)", Form::sql},
      flag("not valid", "NOT (i.indisvalid AND i.indisready AND i.indislive)"),
      flag("replica identity", "i.indisreplident"),
      flag("clustered on", "i.indisclustered"),
      {"attached to",
       fmt::format(
           "(SELECT {} FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn "
           "ON pn.oid = p.relnamespace WHERE h.inhrelid = i.indexrelid)",
           qualified("p.relname", "pn")),
       Form::sql},
      {"statistics target of column",
       "ARRAY(SELECT xa.attnum || chr(3) || xa.attstattarget FROM pg_attribute xa WHERE xa.attrelid = "
       "i.indexrelid "
       "AND xa.attstattarget >= 0)",
       Form::entries},
  };
  return query;
}

ObjectQuery sequences() {
  ObjectQuery query;
  query.kinds = {"sequence"};
  query.catalog = "pg_class";
  query.oid = "c.oid";
  query.name = qualified("c.relname");
  query.schema = "n.nspname";
  query.relation = "c.relname";
  query.other_schema = "coalesce(tn.nspname, '')";
  query.other_relation = "coalesce(t.relname, '')";
  query.from = fmt::format(
      "pg_sequence s JOIN {} ON c.oid = s.seqrelid LEFT JOIN pg_depend o ON o.classid = 'pg_class'::regclass "
      "AND o.objid = c.oid AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i') AND "
      "o.refobjsubid > 0 "
      "LEFT JOIN pg_class t ON t.oid = o.refobjid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace "
      "LEFT JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid",
      "(pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace)");
  query.where = in_user_schema() + " AND c.relpersistence <> 't'";
  query.properties = {
      owner("c.relowner"),
      {"persistence", "CASE c.relpersistence WHEN 'u' THEN 'unlogged' END"},
      {"type", "format_type(s.seqtypid, NULL)"},
      {"start", "s.seqstart"},
      {"increment", "s.seqincrement"},
      {"minimum", "s.seqmin"},
      {"maximum", "s.seqmax"},
      {"cache", "s.seqcache"},
      flag("cycle", "s.seqcycle"),
      {"owned by",
       fmt::format(
           "CASE o.deptype WHEN 'i' THEN 'identity of ' ELSE '' END || {} || '.' || quote_ident(a.attname)",
           qualified("t.relname", "tn")),
       Form::sql},
      grants("c.relacl", 's', "c.relowner"),
  };
  return query;
}

// The copies of a trigger that partitions have follow their parent's trigger, unless one of them is switched
// on or off by itself. Before version 15 they count as internal.
ObjectQuery triggers() {
  auto query = part("trigger", "pg_trigger", "t", "tgrelid", "t.tgname");
  constexpr const char* kIsCopy =
      "EXISTS (SELECT FROM pg_depend p WHERE p.classid = 'pg_trigger'::regclass AND p.objid = t.oid "
      "AND p.deptype IN ('P', 'S'))";
  query.where += fmt::format(
      " AND (NOT t.tgisinternal OR t.tgenabled <> 'O') AND (NOT t.tgisinternal AND NOT {0} OR "
      "t.tgenabled <> 'O' AND t.tgconstrindid = 0 AND {0})",
      kIsCopy);
  query.properties = {
      {"definition", "pg_get_triggerdef(t.oid)", Form::sql},
      {"enabled", enabled_state("t.tgenabled")},
  };
  return query;
}

ObjectQuery rules() {
  auto query = part("rule", "pg_rewrite", "r", "ev_class", "r.rulename");
  query.where += " AND r.rulename <> '_RETURN'";
  query.properties = {
      {"definition", "pg_get_ruledef(r.oid)", Form::sql},
      {"enabled", enabled_state("r.ev_enabled")},
  };
  return query;
}

// Those of an extension's tables too: the extension does not bring what the user has made there.
ObjectQuery policies() {
  auto query = part("policy", "pg_policy", "p", "polrelid", "p.polname");
  query.member_catalog = query.catalog;
  query.member_oid = query.oid;
  query.properties = {
      {"command",
       "CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN "
       "'DELETE' END"},
      flag("restrictive", "NOT p.polpermissive"),
      {"role",
       fmt::format("ARRAY(SELECT CASE u.id WHEN 0 THEN 'PUBLIC' ELSE {} END || chr(3) || 'yes' "
                   "FROM unnest(p.polroles) u(id))",
                   role("u.id")),
       Form::entries},
      {"using", "pg_get_expr(p.polqual, p.polrelid)", Form::sql},
      {"check", "pg_get_expr(p.polwithcheck, p.polrelid)", Form::sql},
  };
  return query;
}

ObjectQuery statistics() {
  auto query = part("statistics", "pg_statistic_ext", "s", "stxrelid", "s.stxname");
  query.from += " JOIN pg_namespace sn ON sn.oid = s.stxnamespace";
  query.name = qualified("s.stxname", "sn");
  query.properties = {
      owner("s.stxowner"),
      {"definition", "pg_get_statisticsobjdef(s.oid)", Form::sql},
      {"statistics target", "nullif(s.stxstattarget, -1)", Form::text, 13},
  };
  return query;
}

}  // namespace

std::vector<ObjectQuery> relation_queries() {
  return {schemas(),   tables(),   columns(), table_constraints(), domain_constraints(), indexes(),
          sequences(), triggers(), rules(),   policies(),          row_security(),       statistics()};
}

}  // namespace verify
