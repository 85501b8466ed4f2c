#include "verify/repair_guards.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pg/quote.h"

namespace verify {
namespace {

using pg::quote_identifier;

std::string with_planned(std::span<const pg::Oid> tables) {
  return fmt::format(
      "WITH given AS (SELECT pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) AS oid), planned AS ("
      "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c "
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN (SELECT oid FROM given "
      "UNION SELECT a.relid FROM given, pg_catalog.pg_partition_ancestors(given.oid) a(relid) "
      "UNION SELECT t.relid FROM given, pg_catalog.pg_partition_tree(given.oid) t)) ",
      fmt::join(tables, ","));
}

const char* mode_of(std::string_view enabled) {
  return enabled == "A" ? "ALWAYS " : enabled == "R" ? "REPLICA " : "";
}

// Rows of (schema, table, name, pg_trigger.tgenabled or pg_rewrite.ev_enabled). ONLY, since each partition's
// triggers are listed by themselves.
void add_switches(std::vector<Guard>& out, const pg::Result& rows, std::string_view noun,
                  std::string_view keyword) {
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    const auto name = rows.string(row, 2);
    const auto alter = fmt::format("ALTER TABLE {}{} ", keyword == "TRIGGER" ? "ONLY " : "", table.sql());
    out.push_back({fmt::format("{} {} of {}", noun, pg::display_identifier(name), table.display()),
                   fmt::format("{}DISABLE {} {}", alter, keyword, quote_identifier(name)),
                   fmt::format("{}ENABLE {}{} {}", alter, mode_of(rows.text(row, 3)), keyword,
                               quote_identifier(name))});
  }
}

void add_foreign_keys(std::vector<Guard>& out, const pg::Result& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    const auto name = rows.string(row, 2);
    Guard guard{fmt::format("foreign key {} of {}", pg::display_identifier(name), table.display()),
                fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table.sql(), quote_identifier(name)),
                fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table.sql(), quote_identifier(name),
                            rows.text(row, 3))};
    if (const auto comment = rows.optional_text(row, 4))
      guard.restore += fmt::format("; COMMENT ON CONSTRAINT {} ON {} IS {}", quote_identifier(name),
                                   table.sql(), pg::quote_literal(*comment));
    out.push_back(std::move(guard));
  }
}

}  // namespace

std::vector<Guard> read_guards(pg::Connection& target, std::span<const pg::Oid> tables, bool replica_role) {
  std::vector<Guard> out;
  const auto planned = with_planned(tables);
  const auto* also_ordinary = replica_role ? "" : ", 'O'";
  // Servers before 15 call a partition's copies of triggers internal, like those of constraints.
  add_switches(
      out,
      target.exec(fmt::format(
          "{}SELECT p.nspname, p.relname, t.tgname, t.tgenabled FROM pg_catalog.pg_trigger t "
          "JOIN planned p ON p.oid = t.tgrelid WHERE t.tgenabled IN ('A', 'R'{}) AND NOT EXISTS "
          "(SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't') "
          "ORDER BY 1, 2, 3",
          planned, also_ordinary)),
      "trigger", "TRIGGER");
  add_switches(
      out,
      target.exec(fmt::format(
          "{}SELECT p.nspname, p.relname, w.rulename, w.ev_enabled FROM pg_catalog.pg_rewrite w "
          "JOIN planned p ON p.oid = w.ev_class WHERE w.ev_type = '4' AND w.ev_enabled IN ('A', 'R'{}) "
          "ORDER BY 1, 2, 3",
          planned, also_ordinary)),
      "rule", "RULE");
  if (!replica_role)
    add_foreign_keys(
        out, target.exec(planned +
                         "SELECT n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid), "
                         "pg_catalog.obj_description(k.oid, 'pg_constraint') FROM pg_catalog.pg_constraint k "
                         "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
                         "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                         "WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.conrelid IN (SELECT oid FROM "
                         "planned) OR k.confrelid IN (SELECT oid FROM planned)) ORDER BY 1, 2, 3"));
  return out;
}

}  // namespace verify
