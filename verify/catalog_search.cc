// Text search.

#include <fmt/format.h>

#include "verify/catalog_query.h"

namespace verify {
namespace {

ObjectQuery text_search(std::string kind, std::string catalog, std::string_view prefix) {
  ObjectQuery query;
  query.kinds = {std::move(kind)};
  query.oid = "t.oid";
  query.name = qualified(fmt::format("t.{}name", prefix));
  query.schema = "n.nspname";
  query.from = fmt::format("{} t JOIN pg_namespace n ON n.oid = t.{}namespace", catalog, prefix);
  query.catalog = std::move(catalog);
  query.where = in_user_schema();
  return query;
}

PropertyColumn function(std::string name, std::string_view column) {
  return {std::move(name), fmt::format("nullif(t.{}::regproc::text, '-')", column), Form::sql};
}

ObjectQuery parsers() {
  auto query = text_search("text search parser", "pg_ts_parser", "prs");
  query.properties = {function("start", "prsstart"), function("token", "prstoken"), function("end", "prsend"),
                      function("headline", "prsheadline"), function("token types", "prslextype")};
  return query;
}

ObjectQuery templates() {
  auto query = text_search("text search template", "pg_ts_template", "tmpl");
  query.properties = {function("init", "tmplinit"), function("lexize", "tmpllexize")};
  return query;
}

ObjectQuery dictionaries() {
  auto query = text_search("text search dictionary", "pg_ts_dict", "dict");
  query.from +=
      " JOIN pg_ts_template m ON m.oid = t.dicttemplate JOIN pg_namespace mn ON mn.oid = m.tmplnamespace";
  query.properties = {owner("t.dictowner"),
                      {"template", qualified("m.tmplname", "mn"), Form::sql},
                      {"options", "t.dictinitoption"}};
  return query;
}

// A mapping is named by its token's number: a parser has the same numbers everywhere.
ObjectQuery configurations() {
  auto query = text_search("text search configuration", "pg_ts_config", "cfg");
  query.from += " JOIN pg_ts_parser p ON p.oid = t.cfgparser JOIN pg_namespace pn ON pn.oid = p.prsnamespace";
  query.properties = {
      owner("t.cfgowner"),
      {"parser", qualified("p.prsname", "pn"), Form::sql},
      {"dictionaries for token",
       fmt::format("ARRAY(SELECT m.maptokentype || chr(3) || string_agg({}, ', ' ORDER BY m.mapseqno) "
                   "FROM pg_ts_config_map m JOIN pg_ts_dict d ON d.oid = m.mapdict JOIN pg_namespace dn "
                   "ON dn.oid = d.dictnamespace WHERE m.mapcfg = t.oid GROUP BY m.maptokentype)",
                   qualified("d.dictname", "dn")),
       Form::entries}};
  return query;
}

}  // namespace

std::vector<ObjectQuery> search_queries() {
  return {parsers(), templates(), dictionaries(), configurations()};
}

}  // namespace verify
