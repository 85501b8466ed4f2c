#include "copy/left_out_sequences.h"

#include <algorithm>

#include <fmt/format.h>

namespace copy {
namespace {

// Each name in a text that a default or a function hands to nextval(), and whose it is. Only looked at, never
// resolved: what is no valid name would be an error.
constexpr const char* kNamesInTexts = R"(
  SELECT n.nspname, c.relname,
         pg_catalog.format('the default of %s.%s.%s', n.nspname, c.relname, a.attname) AS used_by,
         pg_catalog.regexp_matches(pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                                   'nextval\(\(''((?:[^'']|'''')+)''::text\)::regclass', 'g') AS name
    FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  UNION ALL
  SELECT n.nspname, '', pg_catalog.format('the function %s.%s', n.nspname, p.proname),
         pg_catalog.regexp_matches(p.prosrc, 'nextval\s*\(\s*''((?:[^'']|'''')+)''', 'gi')
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover'))";

bool is_left_out(const Plan& plan, const pg::QualifiedName& user) {
  return std::ranges::find(plan.excluded_schemas, user.schema) != plan.excluded_schemas.end() ||
         std::ranges::find(plan.excluded_tables, user) != plan.excluded_tables.end();
}

}  // namespace

void warn_of_left_out_sequences(pg::Connection& source, Plan& plan) {
  // Without a schema of the copy's the defaults are the target's own.
  if (plan.excluded_sequences.empty() || plan.schema == SchemaMode::none) return;
  const auto rows = source.exec(fmt::format(
      "SELECT DISTINCT s.schema, s.name, t.nspname, t.relname, t.used_by FROM (VALUES {}) s(schema, name) "
      "JOIN ({}) t ON pg_catalog.replace(t.name[1], '''''', '''') IN (s.name, "
      "pg_catalog.quote_ident(s.name), "
      "s.schema || '.' || s.name, pg_catalog.format('%I.%I', s.schema, s.name), "
      "pg_catalog.format('%s.%I', s.schema, s.name)) ORDER BY 1, 2, 5",
      pg::name_rows(plan.excluded_sequences), kNamesInTexts));
  for (int row = 0; row < rows.rows(); ++row) {
    if (is_left_out(plan, {rows.string(row, 2), rows.string(row, 3)})) continue;
    const pg::QualifiedName sequence{rows.string(row, 0), rows.string(row, 1)};
    plan.findings.push_back(
        {Severity::warning, "sequence " + sequence.display(),
         fmt::format("is left out with the table that owns it, but {} takes values of it by its name: that "
                     "will fail on the target",
                     rows.text(row, 4)),
         fmt::format(
             "at the source: ALTER SEQUENCE {} OWNED BY NONE, and it is copied; or copy its table too",
             sequence.sql())});
  }
}

}  // namespace copy
