// Functions, procedures and aggregates; the languages they are written in; triggers of the database.

#include <fmt/format.h>

#include "verify/catalog_query.h"

namespace verify {
namespace {

// The name holds the types of the input arguments, which is what SQL tells functions apart by.
ObjectQuery routines() {
  ObjectQuery query;
  query.kinds = {"function", "procedure", "aggregate"};
  query.kind = "CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END";
  query.catalog = "pg_proc";
  query.oid = "p.oid";
  query.name = qualified("p.proname") + " || '(' || oidvectortypes(p.proargtypes) || ')'";
  query.schema = "n.nspname";
  query.from =
      "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang "
      "LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid";
  query.where = in_user_schema() + " AND " + comes_with_no_type("pg_proc", "p.oid");
  const auto function = [](std::string_view column) {
    return fmt::format("nullif(a.{}::regprocedure::text, '-')", column);
  };
  const auto modify = [](std::string_view column, std::string_view plain) {
    return fmt::format("nullif(a.{}::text, '{}')", column, plain);
  };
  query.properties = {
      owner("p.proowner"),
      {"arguments", "pg_get_function_arguments(p.oid)", Form::sql},
      {"result", "pg_get_function_result(p.oid)", Form::sql},
      {"language", "quote_ident(l.lanname)", Form::sql},
      {"body", "CASE WHEN p.prokind <> 'a' THEN p.prosrc END", Form::text, 0, 13},
      {"body", "CASE WHEN p.prokind <> 'a' AND p.prosqlbody IS NULL THEN p.prosrc END", Form::text, 14},
      {"parsed body", "pg_get_function_sqlbody(p.oid)", Form::sql, 14},
      {"library", "p.probin"},
      flag("window", "p.prokind = 'w'"),
      {"volatility", "CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END"},
      flag("strict", "p.proisstrict"),
      flag("security definer", "p.prosecdef"),
      flag("leakproof", "p.proleakproof"),
      {"parallel", "CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END"},
      {"cost", "p.procost"},
      {"rows", "nullif(p.prorows, 0)"},
      {"support function", "nullif(p.prosupport::regprocedure::text, '-')", Form::sql},
      {"settings", "p.proconfig", Form::list},
      {"transforms", "ARRAY(SELECT format_type(t, NULL) FROM unnest(p.protrftypes) t)", Form::list},
      {"aggregate kind", "CASE a.aggkind WHEN 'o' THEN 'ordered-set' WHEN 'h' THEN 'hypothetical-set' END"},
      {"direct arguments", "nullif(a.aggnumdirectargs, 0)"},
      {"state function", function("aggtransfn"), Form::sql},
      {"state type", "format_type(a.aggtranstype, NULL)", Form::sql},
      {"state space", "nullif(a.aggtransspace, 0)"},
      {"initial state", "a.agginitval"},
      {"final function", function("aggfinalfn"), Form::sql},
      flag("final function takes arguments", "a.aggfinalextra"),
      {"final function modifies", "a.aggfinalmodify"},
      {"combine function", function("aggcombinefn"), Form::sql},
      {"serial function", function("aggserialfn"), Form::sql},
      {"deserial function", function("aggdeserialfn"), Form::sql},
      {"moving state function", function("aggmtransfn"), Form::sql},
      {"moving inverse function", function("aggminvtransfn"), Form::sql},
      {"moving state type", "CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END",
       Form::sql},
      {"moving state space", "nullif(a.aggmtransspace, 0)"},
      {"moving initial state", "a.aggminitval"},
      {"moving final function", function("aggmfinalfn"), Form::sql},
      flag("moving final function takes arguments", "a.aggmfinalextra"),
      {"moving final function modifies", "a.aggmfinalmodify"},
      {"sort operator", modify("aggsortop::regoperator", "0"), Form::sql},
      grants("p.proacl", 'f', "p.proowner"),
  };
  return query;
}

ObjectQuery languages() {
  ObjectQuery query;
  query.kinds = {"language"};
  query.catalog = "pg_language";
  query.oid = "l.oid";
  query.name = "quote_ident(l.lanname)";
  query.from = "pg_language l";
  query.where = "l.lanispl";
  query.properties = {
      owner("l.lanowner"),
      flag("trusted", "l.lanpltrusted"),
      {"handler", function_name("l.lanplcallfoid"), Form::sql},
      {"inline handler", function_name("l.laninline"), Form::sql},
      {"validator", function_name("l.lanvalidator"), Form::sql},
      grants("l.lanacl", 'l', "l.lanowner"),
  };
  return query;
}

ObjectQuery transforms() {
  ObjectQuery query;
  query.kinds = {"transform"};
  query.catalog = "pg_transform";
  query.oid = "t.oid";
  query.name = "'(' || format_type(t.trftype, NULL) || ', ' || quote_ident(l.lanname) || ')'";
  query.from = "pg_transform t JOIN pg_language l ON l.oid = t.trflang";
  query.properties = {
      {"from sql", function_name("t.trffromsql"), Form::sql},
      {"to sql", function_name("t.trftosql"), Form::sql},
  };
  return query;
}

ObjectQuery access_methods() {
  ObjectQuery query;
  query.kinds = {"access method"};
  query.catalog = "pg_am";
  query.oid = "a.oid";
  query.name = "quote_ident(a.amname)";
  query.from = "pg_am a";
  query.where = "a.oid >= 16384";
  query.properties = {
      {"type", "CASE a.amtype WHEN 't' THEN 'table' ELSE 'index' END"},
      {"handler", function_name("a.amhandler"), Form::sql},
  };
  return query;
}

ObjectQuery event_triggers() {
  ObjectQuery query;
  query.kinds = {"event trigger"};
  query.catalog = "pg_event_trigger";
  query.oid = "t.oid";
  query.name = "quote_ident(t.evtname)";
  query.from = "pg_event_trigger t";
  query.properties = {
      owner("t.evtowner"),
      {"event", "t.evtevent"},
      {"tags", "t.evttags", Form::list},
      {"function", function_name("t.evtfoid"), Form::sql},
      {"enabled",
       "CASE t.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' "
       "END"},
  };
  return query;
}

}  // namespace

std::vector<ObjectQuery> routine_queries() {
  return {routines(), languages(), transforms(), access_methods(), event_triggers()};
}

}  // namespace verify
