#include "copy/quiet.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "pg/foreign_key_check.h"

namespace copy {
namespace {

constexpr const char* kTable = R"(
  CREATE TABLE IF NOT EXISTS cutover.quieted (
    run_id text NOT NULL, kind text NOT NULL, schema text NOT NULL, relation text NOT NULL, name text NOT NULL,
    definition text NOT NULL, comment text,
    PRIMARY KEY (run_id, kind, schema, relation, name)))";
constexpr std::string_view kForeignKey = "foreign key";
constexpr std::string_view kTrigger = "trigger";

// The tables that rows go into, and the partitioned ones above them, which foreign keys and triggers are
// declared on.
std::vector<pg::QualifiedName> planned_tables(const Plan& plan) {
  std::vector<pg::QualifiedName> tables;
  for (const auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::table) tables.push_back(relation.name);
  tables.insert(tables.end(), plan.partitioned_tables.begin(), plan.partitioned_tables.end());
  return tables;
}

std::string with_planned(const std::vector<pg::QualifiedName>& tables) {
  return fmt::format(
      "WITH planned AS (SELECT c.oid, c.relowner, n.nspname, c.relname FROM (VALUES {}) v(schema, name) "
      "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
      "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name) ",
      pg::name_rows(tables));
}

// Of a row (schema, relation, name, definition, comment).
std::string quieted_row(const std::string& run_id, std::string_view kind, const pg::Result& rows, int row) {
  const auto comment = rows.optional_text(row, 4);
  return fmt::format("INSERT INTO cutover.quieted VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT DO NOTHING",
                     pg::quote_literal(run_id), pg::quote_literal(kind), pg::quote_literal(rows.text(row, 0)),
                     pg::quote_literal(rows.text(row, 1)), pg::quote_literal(rows.text(row, 2)),
                     pg::quote_literal(rows.text(row, 3)), comment ? pg::quote_literal(*comment) : "NULL");
}

// Rows for quieted_row(); after them, by what quieting this role would be stopped: the table's owner, if it
// is not this role's to alter, and the table that a foreign key refers to, if it may not.
pg::Result read_foreign_keys(pg::Connection& target, const std::string& planned) {
  return target.exec(
      planned +
      "SELECT n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid), "
      "pg_catalog.obj_description(k.oid, 'pg_constraint'), "
      "CASE WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN "
      "pg_catalog.pg_get_userbyid(c.relowner) END, "
      "CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'REFERENCES') THEN rn.nspname END, r.relname "
      "FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "JOIN pg_catalog.pg_class r ON r.oid = k.confrelid "
      "JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace "
      "WHERE k.contype = 'f' AND k.conparentid = 0 "
      "AND (k.conrelid IN (SELECT oid FROM planned) OR k.confrelid IN (SELECT oid FROM planned))");
}

// ONLY where they are changed, since a partition's triggers are listed by themselves, and may be in another
// state than their parent's. Servers before 15 call those internal, like the triggers of constraints: of the
// latter, only the ones that CREATE CONSTRAINT TRIGGER made are meant here.
pg::Result read_triggers(pg::Connection& target, const std::string& planned, bool replica_role) {
  return target.exec(fmt::format(
      "{}SELECT p.nspname, p.relname, t.tgname, t.tgenabled, NULL, "
      "CASE WHEN NOT pg_catalog.pg_has_role(p.relowner, 'USAGE') THEN "
      "pg_catalog.pg_get_userbyid(p.relowner) END, NULL, NULL FROM pg_catalog.pg_trigger t "
      "JOIN planned p ON p.oid = t.tgrelid WHERE t.tgenabled IN ('A', 'R'{}) AND NOT EXISTS "
      "(SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't')",
      planned, replica_role ? "" : ", 'O'"));
}

void drop_foreign_keys(pg::Connection& target, const std::string& run_id, const std::string& planned,
                       const std::set<ForeignKeyName>& kept) {
  const auto rows = read_foreign_keys(target, planned);
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    if (kept.contains({table, rows.string(row, 2)})) continue;
    base::during(fmt::format("put foreign key {} of {} aside", pg::display_identifier(rows.text(row, 2)),
                             table.display()),
                 [&] {
                   target.exec(fmt::format("{}; ALTER TABLE {} DROP CONSTRAINT {}",
                                           quieted_row(run_id, kForeignKey, rows, row), table.sql(),
                                           pg::quote_identifier(rows.text(row, 2))));
                 });
  }
}

void disable_triggers(pg::Connection& target, const std::string& run_id, const std::string& planned,
                      bool replica_role) {
  const auto rows = read_triggers(target, planned, replica_role);
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    base::during(
        fmt::format("disable trigger {} of {}", pg::display_identifier(rows.text(row, 2)), table.display()),
        [&] {
          target.exec(fmt::format("{}; ALTER TABLE ONLY {} DISABLE TRIGGER {}",
                                  quieted_row(run_id, kTrigger, rows, row), table.sql(),
                                  pg::quote_identifier(rows.text(row, 2))));
        });
  }
}

// --------------------------------------------------------------------------------------------- restoring

std::string label_of(std::string_view kind, std::string_view name, const pg::QualifiedName& table) {
  return fmt::format("{} {} of {}", kind, pg::display_identifier(name), table.display());
}

struct Quieted {
  std::string run_id;
  std::string kind;
  pg::QualifiedName table;
  std::string name;
  std::string definition;  // of a foreign key; of a trigger, its pg_trigger.tgenabled
  std::optional<std::string> comment;
  bool exists = false;              // a trigger itself; of a foreign key, its table
  std::optional<std::string> twin;  // definition of a constraint of that name that is there now

  std::string label() const { return label_of(kind, name, table); }
};

std::vector<Quieted> read_quieted(pg::Connection& target, const std::string& run_id) {
  if (target.exec("SELECT pg_catalog.to_regclass('cutover.quieted')").is_null(0, 0)) return {};
  const auto rows = target.exec(
      "SELECT q.run_id, q.kind, q.schema, q.relation, q.name, q.definition, q.comment, "
      "c.oid IS NOT NULL AND (q.kind <> 'trigger' OR EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE "
      "t.tgrelid = c.oid AND t.tgname = q.name)), "
      "pg_catalog.pg_get_constraintdef(k.oid) FROM cutover.quieted q "
      "LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = q.schema "
      "LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = q.relation "
      "LEFT JOIN pg_catalog.pg_constraint k ON q.kind = 'foreign key' AND k.conrelid = c.oid AND k.conname = "
      "q.name "
      "WHERE $1 IN ('', q.run_id) ORDER BY q.kind, q.schema, q.relation, q.name",
      {run_id});
  std::vector<Quieted> list;
  for (int row = 0; row < rows.rows(); ++row)
    list.push_back({rows.string(row, 0),
                    rows.string(row, 1),
                    {rows.string(row, 2), rows.string(row, 3)},
                    rows.string(row, 4),
                    rows.string(row, 5),
                    rows.optional_text(row, 6),
                    rows.boolean(row, 7),
                    rows.optional_text(row, 8)});
  return list;
}

std::string without_not_valid(std::string definition) {
  constexpr std::string_view kNotValid = " NOT VALID";
  if (definition.ends_with(kNotValid)) definition.resize(definition.size() - kNotValid.size());
  return definition;
}

// Empty: nothing is left to do.
std::string restore_sql(const Quieted& object) {
  const auto table = object.table.sql();
  const auto name = pg::quote_identifier(object.name);
  if (!object.exists) return {};  // dropped since
  if (object.kind == kTrigger) {
    const auto* mode = object.definition == "A" ? "ALWAYS " : object.definition == "R" ? "REPLICA " : "";
    return fmt::format("ALTER TABLE ONLY {} ENABLE {}TRIGGER {}", table, mode, name);
  }
  std::string sql;
  if (!object.twin || without_not_valid(*object.twin) != without_not_valid(object.definition)) {
    sql = fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table, name, object.definition);
  } else if (!object.definition.ends_with(" NOT VALID")) {
    sql = fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", table, name);
  }
  if (object.comment)
    sql += fmt::format("{}COMMENT ON CONSTRAINT {} ON {} IS {}", sql.empty() ? "" : "; ", name, table,
                       pg::quote_literal(*object.comment));
  return sql;
}

std::string forget_sql(const Quieted& object) {
  return fmt::format(
      "DELETE FROM cutover.quieted WHERE run_id = {} AND kind = {} AND schema = {} AND relation = {} AND "
      "name = {}",
      pg::quote_literal(object.run_id), pg::quote_literal(object.kind),
      pg::quote_literal(object.table.schema), pg::quote_literal(object.table.name),
      pg::quote_literal(object.name));
}

}  // namespace

void put_aside(pg::Connection& target, const std::string& run_id,
               const std::vector<pg::QualifiedName>& tables, const Quieting& quieting) {
  if (tables.empty()) return;
  target.exec(kTable);
  const auto planned = with_planned(tables);
  if (quieting.foreign_keys) drop_foreign_keys(target, run_id, planned, quieting.kept);
  disable_triggers(target, run_id, planned, quieting.replica_role);
}

std::vector<NotOurs> not_ours_to_put_aside(pg::Connection& target, const Plan& plan,
                                           const Quieting& quieting) {
  std::vector<NotOurs> objects;
  const auto tables = planned_tables(plan);
  if (tables.empty()) return objects;
  const auto add = [&](std::string_view kind, const pg::Result& rows) {
    for (int row = 0; row < rows.rows(); ++row) {
      if (rows.is_null(row, 5) && rows.is_null(row, 6)) continue;
      NotOurs object;
      object.object = label_of(kind, rows.text(row, 2), {rows.string(row, 0), rows.string(row, 1)});
      object.owner = rows.optional_text(row, 5);
      if (!rows.is_null(row, 6))
        object.referenced = pg::QualifiedName{rows.string(row, 6), rows.string(row, 7)};
      objects.push_back(std::move(object));
    }
  };
  const auto planned = with_planned(tables);
  if (quieting.foreign_keys) add(kForeignKey, read_foreign_keys(target, planned));
  add(kTrigger, read_triggers(target, planned, quieting.replica_role));
  return objects;
}

std::vector<Problem> restore_quieted(pg::Connection& target, const std::string& run_id,
                                     std::vector<std::string>* restored) {
  std::vector<Problem> problems;
  for (const auto& object : read_quieted(target, run_id)) {
    const auto sql = restore_sql(object);
    try {
      target.exec(sql.empty() ? forget_sql(object) : sql + "; " + forget_sql(object));
      if (restored && !sql.empty()) restored->push_back(object.label());
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent) throw;
      problems.push_back({Problem::Kind::failed, object.label(), "could not be restored: " + error.message(),
                          fmt::format("repair the cause, then: {}", sql)});
    }
  }
  return problems;
}

void quiet_target(const Context& context, pg::Connection& target, const Quieting& quieting) {
  put_aside(target, context.ledger.run_id(), planned_tables(context.plan), quieting);
}

void restore_target(const Context& context, pg::Connection& target) {
  // No later look at the ledger would find them missing again.
  target.exec("SET synchronous_commit = on");
  for (auto& problem : restore_quieted(target, context.ledger.run_id()))
    context.problems.add(std::move(problem));
}

std::string without_rules_sql(pg::Connection& target, const pg::QualifiedName& table,
                              const std::string& statement) {
  const auto rules = target.exec(
      "SELECT rulename, CASE ev_enabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END "
      "FROM pg_catalog.pg_rewrite WHERE ev_class = pg_catalog.to_regclass($1) AND ev_type = '4' AND "
      "(ev_enabled = 'A' OR ev_enabled = CASE pg_catalog.current_setting('session_replication_role') WHEN "
      "'replica' THEN 'R' ELSE 'O' END)",
      {table.sql()});
  std::string off;
  std::string on;
  for (int row = 0; row < rules.rows(); ++row) {
    const auto rule = pg::quote_identifier(rules.text(row, 0));
    off += fmt::format("ALTER TABLE {} DISABLE RULE {}; ", table.sql(), rule);
    on += fmt::format("; ALTER TABLE {} ENABLE {}RULE {}", table.sql(), rules.text(row, 1), rule);
  }
  return off + statement + on;
}

std::vector<Problem> violated_foreign_keys(pg::Connection& target, const Plan& plan) {
  std::vector<Problem> problems;
  const auto tables = planned_tables(plan);
  const std::set<pg::QualifiedName> planned(tables.begin(), tables.end());
  for (const auto& key : pg::read_foreign_keys(target)) {
    if (!key.validated || key.inherited || !planned.contains(key.table)) continue;
    auto offending = pg::offending_keys(target, key);
    if (offending.empty()) continue;
    problems.push_back(
        {Problem::Kind::failed,
         fmt::format("foreign key {} of {}", pg::display_identifier(key.name), key.table.display()),
         std::move(offending),
         "the source's data violates it, or --where leaves out what the rows refer to; repair the rows on "
         "both sides"});
  }
  return problems;
}

}  // namespace copy
