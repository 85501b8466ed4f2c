#include "tests/support/database_digest.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/support/process.h"
#include "tests/support/sql.h"

namespace support {
namespace {

constexpr const char* kComparable =
    "SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';"
    "SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmlbinary = 'base64'; SET lc_monetary = 'C';"
    "SET statement_timeout = 0; SET row_security = off; SET client_encoding = 'UTF8';"
    "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

// bytea goes in as its md5: as hexadecimal text a large one would not fit into a text value.
constexpr const char* kTables = R"(
  SELECT n.nspname, c.relname, c.relkind, c.relkind = 'm' AND NOT c.relispopulated,
         coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C"), ''),
         coalesce(string_agg(CASE WHEN a.atttypid = 'bytea'::regtype
                                  THEN format('pg_catalog.md5(%1$I) AS %1$I', a.attname)
                                  ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attname COLLATE "C"), '')
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
     AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover')
   GROUP BY c.oid, n.nspname, c.relname, c.relkind, c.relispopulated)";

constexpr const char* kSequences = R"(
  SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
     AND n.nspname NOT IN ('information_schema', 'cutover'))";

std::string table_digest(Session& session, const std::string& name, const std::string& kind,
                         const std::string& columns) {
  const auto row = session.exec(fmt::format(
      "SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric), 0) "
      "FROM (SELECT {} FROM {}{}) t",
      columns, kind == "p" ? "" : "ONLY ", name))[0];
  return fmt::format("{} rows, digest {}", *row[0], *row[1]);
}

// What pg_dump writes around the schema itself.
bool is_incidental(std::string_view line) {
  static constexpr std::array<std::string_view, 7> kStarts = {
      "-- Name: ",     "-- Dumped ", "-- PostgreSQL database dump",  "\\restrict ",
      "\\unrestrict ", "SET ",       "SELECT pg_catalog.set_config("};
  return line.empty() || line == "--" ||
         std::ranges::any_of(kStarts, [&](std::string_view start) { return line.starts_with(start); });
}

// pg_dump lists a policy's roles as they lie in pg_authid, where each server has them in an order of its own.
std::string with_sorted_roles(const std::string& line) {
  constexpr std::string_view kTo = " TO ";
  const auto to = line.find(kTo);
  if (!line.starts_with("CREATE POLICY ") || to == std::string::npos) return line;
  const auto begin = to + kTo.size();
  const auto end = std::min(
      {line.find(" USING (", begin), line.find(" WITH CHECK (", begin), line.find(';', begin), line.size()});
  std::set<std::string> roles;
  std::istringstream list(line.substr(begin, end - begin));
  for (std::string role; std::getline(list >> std::ws, role, ',');) roles.insert(role);
  return fmt::format("{}{}{}", line.substr(0, begin), fmt::join(roles, ", "), line.substr(end));
}

}  // namespace

std::map<std::string, std::string> database_digest(const std::string& url) {
  Session session(url);
  session.exec(kComparable);
  std::map<std::string, std::string> found;
  for (const auto& table : session.exec(kTables)) {
    const auto name = sql_identifier(*table[0]) + "." + sql_identifier(*table[1]);
    const auto digest =
        *table[3] == "t" ? "not populated" : table_digest(session, name, *table[2], *table[5]);
    found[fmt::format("table {}.{}", *table[0], *table[1])] =
        fmt::format("columns ({}): {}", *table[4], digest);
  }
  for (const auto& sequence : session.exec(kSequences)) {
    const auto row = session.exec(fmt::format("SELECT last_value, is_called FROM {}.{}",
                                              sql_identifier(*sequence[0]), sql_identifier(*sequence[1])))[0];
    found[fmt::format("sequence {}.{}", *sequence[0], *sequence[1])] =
        fmt::format("last_value {}, is_called {}", *row[0], *row[1]);
  }
  for (const auto& row :
       session.exec("SELECT oid, length(lo_get(oid)), md5(lo_get(oid)) FROM pg_largeobject_metadata"))
    found["large object " + *row[0]] = fmt::format("{} bytes, md5 {}", *row[1], *row[2]);
  return found;
}

std::string schema_dump(const std::string& url) {
  std::istringstream dump(run_or_throw("/usr/lib/postgresql/15/bin/pg_dump",
                                       {"--schema-only", "--exclude-schema=cutover", "--dbname", url}));
  std::string kept;
  for (std::string line; std::getline(dump, line);)
    if (!is_incidental(line)) kept += with_sorted_roles(line) + '\n';
  return kept;
}

}  // namespace support
