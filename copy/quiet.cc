#include "copy/quiet.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace copy {
namespace {

constexpr const char* kTable = R"(
  CREATE TABLE IF NOT EXISTS cutover.quieted (
    run_id text NOT NULL, kind text NOT NULL, schema text NOT NULL, relation text NOT NULL, name text NOT NULL,
    definition text NOT NULL, comment text,
    PRIMARY KEY (run_id, kind, schema, relation, name)))";

// The tables that rows go into, and the partitioned ones above them, which foreign keys and triggers are
// declared on.
std::string planned_tables(const Plan& plan) {
  std::string values;
  const auto add = [&](const pg::QualifiedName& name) {
    values += fmt::format("{}({}, {})", values.empty() ? "" : ", ", pg::quote_literal(name.schema),
                          pg::quote_literal(name.name));
  };
  for (const auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::table) add(relation.name);
  for (const auto& table : plan.partitioned_tables) add(table);
  if (values.empty()) values = "(NULL, NULL)";
  return fmt::format(
      "planned AS (SELECT c.oid, n.nspname, c.relname FROM (VALUES {}) v(schema, name) "
      "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
      "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name)",
      values);
}

std::string quieted_row(const Context& context, std::string_view kind, const pg::Result& rows, int row) {
  const auto comment = rows.optional_text(row, 4);
  return fmt::format("INSERT INTO cutover.quieted VALUES ({}, {}, {}, {}, {}, {}, {})",
                     pg::quote_literal(context.ledger.run_id()), pg::quote_literal(kind),
                     pg::quote_literal(rows.text(row, 0)), pg::quote_literal(rows.text(row, 1)),
                     pg::quote_literal(rows.text(row, 2)), pg::quote_literal(rows.text(row, 3)),
                     comment ? pg::quote_literal(*comment) : "NULL");
}

void drop_foreign_keys(const Context& context, pg::Connection& target) {
  const auto rows = target.exec(
      fmt::format("WITH {} SELECT n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid), "
                  "pg_catalog.obj_description(k.oid, 'pg_constraint') FROM pg_catalog.pg_constraint k "
                  "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid "
                  "= c.relnamespace "
                  "WHERE k.contype = 'f' AND k.conparentid = 0 "
                  "AND (k.conrelid IN (SELECT oid FROM planned) OR k.confrelid IN (SELECT oid FROM planned))",
                  planned_tables(context.plan)));
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    target.exec(fmt::format("{}; ALTER TABLE {} DROP CONSTRAINT {}",
                            quieted_row(context, "foreign key", rows, row), table.sql(),
                            pg::quote_identifier(rows.text(row, 2))));
  }
}

// Where session_replication_role is replica, only those that fire even then. ONLY, since a partition's
// triggers are listed by themselves, and may be in another state than their parent's.
void disable_triggers(const Context& context, pg::Connection& target) {
  const auto rows = target.exec(fmt::format(
      "WITH {} SELECT p.nspname, p.relname, t.tgname, t.tgenabled, NULL FROM pg_catalog.pg_trigger t "
      "JOIN planned p ON p.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R'{})",
      planned_tables(context.plan), context.replica_role ? "" : ", 'O'"));
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    target.exec(fmt::format("{}; ALTER TABLE ONLY {} DISABLE TRIGGER {}",
                            quieted_row(context, "trigger", rows, row), table.sql(),
                            pg::quote_identifier(rows.text(row, 2))));
  }
}

std::string restore_sql(const pg::Result& rows, int row) {
  const pg::QualifiedName table{rows.string(row, 1), rows.string(row, 2)};
  const auto name = pg::quote_identifier(rows.text(row, 3));
  if (rows.text(row, 0) == "trigger") {
    const char how = rows.character(row, 4);
    const auto* mode = how == 'A' ? "ALWAYS " : how == 'R' ? "REPLICA " : "";
    return fmt::format("ALTER TABLE ONLY {} ENABLE {}TRIGGER {}", table.sql(), mode, name);
  }
  auto sql = fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table.sql(), name, rows.text(row, 4));
  if (!rows.is_null(row, 5))
    sql += fmt::format("; COMMENT ON CONSTRAINT {} ON {} IS {}", name, table.sql(),
                       pg::quote_literal(rows.text(row, 5)));
  return sql;
}

// What a foreign key check would have refused: rows whose key is not there. One anti-join for each key.
void check_foreign_keys(const Context& context, pg::Connection& target) {
  const auto rows =
      target.exec(fmt::format("WITH {} SELECT p.nspname, p.relname, k.conname, rn.nspname, r.relname, "
                              "ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, o) "
                              "JOIN pg_catalog.pg_attribute a "
                              "ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.o), "
                              "ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, o) "
                              "JOIN pg_catalog.pg_attribute a "
                              "ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.o), "
                              "ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM "
                              "unnest(k.conpfeqop) WITH ORDINALITY u(n, o2) "
                              "JOIN pg_catalog.pg_operator o ON o.oid = u.n JOIN pg_catalog.pg_namespace n "
                              "ON n.oid = o.oprnamespace ORDER BY u.o2), "
                              "k.confmatchtype = 'f', (SELECT t.relkind FROM pg_catalog.pg_class t WHERE "
                              "t.oid = k.conrelid), r.relkind "
                              "FROM pg_catalog.pg_constraint k JOIN planned p ON p.oid = k.conrelid "
                              "JOIN pg_catalog.pg_class r ON r.oid = k.confrelid JOIN "
                              "pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace "
                              "WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0",
                              planned_tables(context.plan)));
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    const pg::QualifiedName referenced{rows.string(row, 3), rows.string(row, 4)};
    const auto columns = rows.array(row, 5);
    const auto keys = rows.array(row, 6);
    const auto equals = rows.array(row, 7);
    std::string join;
    std::string present;
    std::string absent;
    for (size_t i = 0; i < columns.size(); ++i) {
      join += fmt::format("{}r.{} {} f.{}", i == 0 ? "" : " AND ", pg::quote_identifier(keys[i]), equals[i],
                          pg::quote_identifier(columns[i]));
      present += fmt::format(" AND f.{} IS NOT NULL", pg::quote_identifier(columns[i]));
      absent += fmt::format("{}f.{} IS NULL", i == 0 ? "" : " AND ", pg::quote_identifier(columns[i]));
    }
    // MATCH FULL allows no key that is NULL in part.
    if (rows.boolean(row, 8)) present = fmt::format(" AND NOT ({})", absent);
    // Rows of tables that inherit do not count; those of partitions do.
    const auto* table_only = rows.character(row, 9) == 'p' ? "" : "ONLY ";
    const auto* referenced_only = rows.character(row, 10) == 'p' ? "" : "ONLY ";
    const auto count =
        target
            .exec(fmt::format("SELECT count(*) FROM {}{} f WHERE NOT EXISTS (SELECT FROM {}{} r WHERE {}){}",
                              table_only, table.sql(), referenced_only, referenced.sql(), join, present))
            .integer(0, 0);
    if (count > 0)
      context.problems.add(
          {Problem::Kind::failed,
           fmt::format("foreign key {} of {}", pg::display_identifier(rows.text(row, 2)), table.display()),
           fmt::format("{} rows refer to keys that {} does not have", count, referenced.display()),
           "the source's data violates it; repair the rows on both sides"});
  }
}

}  // namespace

namespace {
void restore_quieted(const Context& context, pg::Connection& target);
}

void quiet_target(const Context& context, pg::Connection& target) {
  if (context.plan.relations.empty()) return;
  target.exec(kTable);
  if (!context.replica_role) drop_foreign_keys(context, target);
  disable_triggers(context, target);
}

void quiet_triggers(const Context& context, pg::Connection& target) {
  if (context.plan.relations.empty()) return;
  target.exec(kTable);
  disable_triggers(context, target);
}

void restore_triggers(const Context& context, pg::Connection& target) {
  if (!target.exec("SELECT pg_catalog.to_regclass('cutover.quieted')").is_null(0, 0))
    restore_quieted(context, target);
}

void restore_target(const Context& context, pg::Connection& target) {
  if (context.plan.relations.empty()) return;
  restore_quieted(context, target);
  if (context.replica_role) check_foreign_keys(context, target);
}

namespace {

void restore_quieted(const Context& context, pg::Connection& target) {
  const auto rows = target.exec(
      "SELECT kind, schema, relation, name, definition, comment FROM cutover.quieted WHERE run_id = $1 ORDER "
      "BY kind, schema, relation, name",
      {context.ledger.run_id()});
  for (int row = 0; row < rows.rows(); ++row) {
    const auto forget = fmt::format(
        "DELETE FROM cutover.quieted WHERE run_id = {} AND kind = {} AND schema = {} AND relation = {} AND "
        "name = {}",
        pg::quote_literal(context.ledger.run_id()), pg::quote_literal(rows.text(row, 0)),
        pg::quote_literal(rows.text(row, 1)), pg::quote_literal(rows.text(row, 2)),
        pg::quote_literal(rows.text(row, 3)));
    try {
      target.exec(restore_sql(rows, row) + "; " + forget);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent) throw;
      context.problems.add(
          {Problem::Kind::failed,
           fmt::format("{} {} of {}", rows.text(row, 0), pg::display_identifier(rows.text(row, 3)),
                       pg::QualifiedName{rows.string(row, 1), rows.string(row, 2)}.display()),
           "could not be restored: " + error.message(),
           fmt::format("repair the cause, then: {}", restore_sql(rows, row))});
    }
  }
}

}  // namespace

}  // namespace copy
