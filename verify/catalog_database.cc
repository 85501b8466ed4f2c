// The database itself, its settings and extensions, and what connects it to others.

#include <fmt/format.h>

#include "pg/fence.h"
#include "verify/catalog_query.h"

namespace verify {
namespace {

// Money is stored as a whole number, whose last digits lc_monetary makes decimals of: it counts where there
// is some. What it is without our own setting.
constexpr const char* kMonetaryLocale =
    "CASE WHEN EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.atttypid IN "
    "('money'::regtype, 'money[]'::regtype) AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't') "
    "THEN (SELECT s.reset_val FROM pg_settings s WHERE s.name = 'lc_monetary') END";

ObjectQuery database() {
  ObjectQuery query;
  query.kinds = {"database"};
  query.name = "'database'";
  query.from = "pg_database b";
  query.where = "b.datname = current_database()";
  query.properties = {
      owner("b.datdba"),
      {"encoding", "pg_encoding_to_char(b.encoding)"},
      {"collate", "b.datcollate"},
      {"ctype", "b.datctype"},
      {"locale provider", "nullif(b.datlocprovider::text, 'c')", Form::text, 15},
      {"locale", "b.daticulocale", Form::text, 15, 16},
      {"locale", "b.datlocale", Form::text, 17},
      {"locale rules", "b.daticurules", Form::text, 16},
      {"monetary locale", kMonetaryLocale},
      {"collation version", "b.datcollversion", Form::text, 15},
      {"connection limit", "nullif(b.datconnlimit, -1)"},
      {"comment", "shobj_description(b.oid, 'pg_database')"},
      grants("b.datacl", 'd', "b.datdba"),
  };
  return query;
}

ObjectQuery settings() {
  ObjectQuery query;
  query.kinds = {"setting"};
  query.name = fmt::format(
      "split_part(s.setting, '=', 1) || CASE WHEN s.setrole = 0 THEN '' ELSE '(' || {} || ')' END",
      role("s.setrole"));
  query.from = pg::settings_without_fence() + " s";
  query.properties = {{"value", "substr(s.setting, strpos(s.setting, '=') + 1)"}};
  return query;
}

ObjectQuery extensions() {
  ObjectQuery query;
  query.kinds = {"extension"};
  query.catalog = "pg_extension";
  query.oid = "x.oid";
  query.name = "quote_ident(x.extname)";
  query.from = "pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace";
  query.properties = {
      {"version", "x.extversion"},
      {"schema", "quote_ident(n.nspname)", Form::sql},
      {"configuration table",
       fmt::format("ARRAY(SELECT {} || chr(3) || coalesce(x.extcondition[u.position], '') "
                   "FROM unnest(x.extconfig) WITH ORDINALITY u(id, position) JOIN pg_class c ON c.oid = u.id "
                   "JOIN pg_namespace cn ON cn.oid = c.relnamespace)",
                   qualified("c.relname", "cn")),
       Form::entries},
  };
  return query;
}

// ALTER … DEPENDS ON EXTENSION: whatever it is, it goes when the extension goes.
ObjectQuery extension_dependencies() {
  ObjectQuery query;
  query.kinds = {"extension dependency"};
  query.name = "i.type || ' ' || i.identity || ' ' || quote_ident(x.extname)";
  query.from =
      "pg_depend d JOIN pg_extension x ON x.oid = d.refobjid CROSS JOIN LATERAL "
      "pg_identify_object(d.classid, d.objid, d.objsubid) i";
  query.where = "d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass";
  query.schema = "coalesce(i.schema, '')";
  return query;
}

// Of relations with their columns, of everything else in the database, and of the database itself, whose
// name does not matter. Those of roles and tablespaces belong to the server.
ObjectQuery security_labels() {
  ObjectQuery query;
  query.kinds = {"security label"};
  query.name = "l.object || ' ' || quote_ident(l.provider)";
  query.schema = "l.schema";
  query.relation = "l.relation";
  query.from =
      "(SELECT i.type || ' ' || i.identity AS object, coalesce(i.schema, '') AS schema, "
      "coalesce(c.relname, '') AS relation, s.provider, s.label FROM pg_seclabel s "
      "CROSS JOIN LATERAL pg_identify_object(s.classoid, s.objoid, s.objsubid) i "
      "LEFT JOIN pg_class c ON s.classoid = 'pg_class'::regclass AND c.oid = s.objoid "
      "AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
      "UNION ALL SELECT 'database', '', '', h.provider, h.label FROM pg_shseclabel h JOIN pg_database b "
      "ON b.oid = h.objoid WHERE h.classoid = 'pg_database'::regclass AND b.datname = current_database()) l";
  query.properties = {{"label", "l.label"}};
  return query;
}

// What a publication publishes. Only its parts changed with the versions, so each is a query's property.
ObjectQuery publications() {
  ObjectQuery query;
  query.kinds = {"publication"};
  query.catalog = "pg_publication";
  query.oid = "p.oid";
  query.name = "quote_ident(p.pubname)";
  query.from = "pg_publication p";
  const auto tables = [](std::string_view columns, std::string_view condition) {
    return fmt::format(
        "ARRAY(SELECT {} || chr(3) || {} || {} FROM pg_publication_rel r JOIN pg_class c ON c.oid = "
        "r.prrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid)",
        qualified("c.relname"), columns, condition);
  };
  query.properties = {
      owner("p.pubowner"),
      flag("all tables", "p.puballtables"),
      {"publishes",
       "concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, "
       "CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END)"},
      flag("via partition root", "p.pubviaroot", 13),
      {"generated columns", "nullif(p.pubgencols::text, 'n')", Form::text, 18},
      {"table", tables("'all columns'", "''"), Form::entries, 0, 14},
      {"table",
       tables(
           "coalesce('(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "
           "\"C\") "
           "FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])) || ')', "
           "'all columns')",
           "coalesce(' WHERE ' || pg_get_expr(r.prqual, r.prrelid), '')"),
       Form::entries, 15},
      {"schema",
       "ARRAY(SELECT quote_ident(n.nspname) || chr(3) || 'yes' FROM pg_publication_namespace s JOIN "
       "pg_namespace n "
       "ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)",
       Form::entries, 15},
  };
  return query;
}

// Before version 14 only a superuser sees a subscription's oid, which its comment goes by; this view shows it
// to everybody. Another database's subscription of that name has no comment in this one.
constexpr const char* kSubscriptionComment =
    "(SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_subscription'::regclass AND "
    "d.objsubid = 0 AND d.objoid IN (SELECT v.subid FROM pg_stat_subscription v WHERE v.subname = "
    "s.subname))";

// Without how it connects: that holds a password, and only a superuser may read it.
ObjectQuery subscriptions() {
  ObjectQuery query;
  query.kinds = {"subscription"};
  query.name = "quote_ident(s.subname)";
  query.from = "pg_subscription s";
  query.where = "s.subdbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())";
  query.properties = {
      owner("s.subowner"),
      flag("enabled", "s.subenabled"),
      {"slot", "s.subslotname"},
      {"publications", "s.subpublications", Form::list},
      {"comment", kSubscriptionComment},
  };
  return query;
}

ObjectQuery foreign_data_wrappers() {
  ObjectQuery query;
  query.kinds = {"foreign data wrapper"};
  query.catalog = "pg_foreign_data_wrapper";
  query.oid = "w.oid";
  query.name = "quote_ident(w.fdwname)";
  query.from = "pg_foreign_data_wrapper w";
  query.properties = {
      owner("w.fdwowner"),
      {"handler", function_name("w.fdwhandler"), Form::sql},
      {"validator", function_name("w.fdwvalidator"), Form::sql},
      {"option", "w.fdwoptions", Form::options},
      grants("w.fdwacl", 'F', "w.fdwowner"),
  };
  return query;
}

ObjectQuery servers() {
  ObjectQuery query;
  query.kinds = {"server"};
  query.catalog = "pg_foreign_server";
  query.oid = "s.oid";
  query.name = "quote_ident(s.srvname)";
  query.from = "pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw";
  query.properties = {
      owner("s.srvowner"),
      {"type", "s.srvtype"},
      {"version", "s.srvversion"},
      {"wrapper", "quote_ident(w.fdwname)", Form::sql},
      {"option", "s.srvoptions", Form::options},
      grants("s.srvacl", 'S', "s.srvowner"),
  };
  return query;
}

std::string user_mapping_name() {
  return fmt::format("CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE {} END || '@' || quote_ident(m.srvname)",
                     role("m.umuser"));
}

ObjectQuery user_mappings() {
  ObjectQuery query;
  query.kinds = {"user mapping"};
  query.name = user_mapping_name();
  query.from = "pg_user_mappings m";
  query.properties = {{"option", "m.umoptions", Form::options}};
  return query;
}

}  // namespace

// Who sees them is written in the view's own definition.
std::string hidden_user_mappings_sql() {
  return fmt::format(
      "SELECT {} FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid "
      "WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT CASE m.umuser WHEN 0 "
      "THEN "
      "pg_has_role(s.srvowner, 'USAGE') ELSE pg_get_userbyid(m.umuser) = current_user AND "
      "(pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')) END ORDER BY 1",
      user_mapping_name());
}

std::vector<ObjectQuery> database_queries() {
  return {database(),        settings(),     extensions(),    extension_dependencies(),
          security_labels(), publications(), subscriptions(), foreign_data_wrappers(),
          servers(),         user_mappings()};
}

}  // namespace verify
