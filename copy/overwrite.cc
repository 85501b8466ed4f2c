#include "copy/overwrite.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/crash_point.h"
#include "copy/quiet.h"
#include "copy/resume.h"
#include "pg/reserved_schema.h"

namespace copy {
namespace {

bool exists(pg::Connection& target, const std::string& sql_name) {
  return !target.exec("SELECT pg_catalog.to_regclass($1)", {sql_name}).is_null(0, 0);
}

bool any_chunk_done(const Context& context, uint32_t relation) {
  for (uint32_t chunk = 0; chunk < context.plan.relations[relation].chunks; ++chunk)
    if (context.dir.has_chunk(relation, chunk)) return true;
  return false;
}

}  // namespace

void overwrite_tables(const Context& context, pg::Connection& target) {
  std::string truncated;
  for (uint32_t i = 0; i < context.plan.relations.size(); ++i) {
    const auto& relation = context.plan.relations[i];
    if (relation.kind != Relation::Kind::table || any_chunk_done(context, i)) continue;
    if (!matches_any(context.options.overwrite, relation.name.schema, relation.name.name)) continue;
    if (!exists(target, relation.name.sql())) continue;
    spdlog::info("emptying {} on the target (--overwrite)", relation.display());
    if (relation.condition.empty()) {
      truncated += fmt::format("{}ONLY {}", truncated.empty() ? "" : ", ", relation.name.sql());
    } else {
      target.exec(without_rules_sql(
          target, relation.name,
          fmt::format("DELETE FROM ONLY {} WHERE {}", relation.name.sql(), relation.condition)));
    }
  }
  if (truncated.empty()) return;
  try {
    target.exec("TRUNCATE " + truncated);
  } catch (base::Error& error) {
    if (error.sqlstate() == "0A000")
      error.hint("a foreign key of another table refers to them: name that table with --overwrite too");
    throw error.during("empty the tables named by --overwrite");
  }
}

namespace {

using Written = std::map<uint32_t, std::vector<LedgerChunk>>;  // by relation

Written written_relations(pg::Connection& target, const std::string& run_id) {
  Written written;
  for (auto& chunk : Ledger(run_id).chunks(target)) written[chunk.relation].push_back(std::move(chunk));
  return written;
}

// Emptying a table is quicker by far than deleting its rows, and right only where all of them are the run's.
bool holds_only_ours(pg::Connection& target, const Relation& relation,
                     const std::vector<LedgerChunk>& chunks) {
  if (relation.via_root()) return false;
  return target
      .exec(fmt::format("SELECT NOT EXISTS (SELECT FROM ONLY {} WHERE NOT {})", relation.name.sql(),
                        is_of_chunks_sql(chunks)))
      .boolean(0, 0);
}

pg::Result made_items(pg::Connection& target, const std::string& run_id) {
  return target.exec(
      "SELECT description, schema, name FROM cutover.item WHERE run_id = $1 ORDER BY item DESC", {run_id});
}

// Tables that the run made, as the dump's tags name them. Others were there before it (an extension's, for
// one).
std::set<pg::QualifiedName> made_tables(const pg::Result& items) {
  std::set<pg::QualifiedName> made;
  for (int row = 0; row < items.rows(); ++row)
    if (items.text(row, 0) == "TABLE" || items.text(row, 0) == "FOREIGN TABLE")
      made.insert({items.string(row, 1), items.string(row, 2)});
  return made;
}

// Tags show line breaks as spaces.
bool is_among(const std::set<pg::QualifiedName>& tags, const pg::QualifiedName& table) {
  auto tag = table.name;
  for (auto& c : tag)
    if (c == '\n' || c == '\r') c = ' ';
  return tags.contains({table.schema, tag});
}

std::vector<std::string> drop_statements(pg::Connection& target, const Plan& plan,
                                         const std::string& run_id) {
  std::vector<std::string> statements;
  const auto items = made_items(target, run_id);
  const auto was_made = [tables = made_tables(items)](const auto& table) { return is_among(tables, table); };
  for (int row = 0; row < items.rows(); ++row)
    if (items.text(row, 0) == "EVENT TRIGGER")
      statements.push_back("DROP EVENT TRIGGER IF EXISTS " + pg::quote_identifier(items.text(row, 2)));
  for (const auto& table : plan.partitioned_tables)
    if (was_made(table)) statements.push_back(fmt::format("DROP TABLE IF EXISTS {} CASCADE", table.sql()));
  for (const auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::table && was_made(relation.name))
      statements.push_back(fmt::format("DROP TABLE IF EXISTS {} CASCADE", relation.name.sql()));
  for (const auto& table : plan.foreign_tables)
    if (was_made(table))
      statements.push_back(fmt::format("DROP FOREIGN TABLE IF EXISTS {} CASCADE", table.sql()));
  for (int row = 0; row < items.rows(); ++row) {
    const auto kind = items.string(row, 0);
    const pg::QualifiedName name{items.string(row, 1), items.string(row, 2)};
    if (kind == "VIEW" || kind == "MATERIALIZED VIEW" || kind == "SEQUENCE")
      statements.push_back(fmt::format("DROP {} IF EXISTS {} CASCADE", kind, name.sql()));
  }
  // What depends on tables is gone by now. A name that needs quotes inside its tag cannot be told apart and
  // stays.
  static constexpr std::array<std::string_view, 5> kKinds = {"FUNCTION", "PROCEDURE", "AGGREGATE", "DOMAIN",
                                                             "TYPE"};
  for (int row = 0; row < items.rows(); ++row) {
    const auto kind = items.string(row, 0);
    if (std::ranges::find(kKinds, kind) == kKinds.end()) continue;
    const auto tag = items.string(row, 2);
    const auto arguments = kind == "DOMAIN" || kind == "TYPE" ? std::string::npos : tag.rfind('(');
    const pg::QualifiedName name{items.string(row, 1), tag.substr(0, arguments)};
    statements.push_back(fmt::format("DROP {} IF EXISTS {}{} CASCADE", kind, name.sql(),
                                     arguments == std::string::npos ? std::string() : tag.substr(arguments)));
  }
  for (int row = 0; row < items.rows(); ++row)
    if (items.text(row, 0) == "SCHEMA" && items.text(row, 2) != "public")
      statements.push_back(
          fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", pg::quote_identifier(items.text(row, 2))));
  return statements;
}

}  // namespace

namespace {

// Where the table was there before the run, only the rows that the ledger knows as the run's go, all or none.
// Foreign keys and triggers are put aside for it and come back in the same transaction: a row of another
// table that refers to one of ours is an error then, and everything stays.
void remove_rows(pg::Connection& target, const Plan& plan, RunDir& dir) {
  const auto& run_id = dir.state().run_id;
  const auto made = plan.schema == SchemaMode::dump ? made_tables(made_items(target, run_id))
                                                    : std::set<pg::QualifiedName>();
  std::vector<pg::QualifiedName> tables;
  std::string truncated;
  std::vector<std::string> statements;
  pg::Transaction transaction(target);
  // From here on it is no finished copy any more, even if the removal of its rows is all that comes about.
  target.exec("UPDATE cutover.run SET finished_at = NULL WHERE run_id = $1", {run_id});
  for (const auto& [index, chunks] : written_relations(target, run_id)) {
    const auto& relation = plan.relations[index];
    if (relation.kind != Relation::Kind::table || is_among(made, relation.name)) continue;
    if (!exists(target, relation.load_into().sql())) continue;
    tables.push_back(relation.name);
    // Nobody adds a row between the look and the removal.
    target.exec(fmt::format("LOCK TABLE {}{} IN SHARE ROW EXCLUSIVE MODE", relation.via_root() ? "" : "ONLY ",
                            relation.load_into().sql()));
    if (holds_only_ours(target, relation, chunks)) {
      truncated += fmt::format("{}ONLY {}", truncated.empty() ? "" : ", ", relation.name.sql());
    } else {
      statements.push_back(remove_rows_sql(target, relation, chunks));
    }
  }
  if (!truncated.empty()) statements.push_back("TRUNCATE " + truncated);
  tables.insert(tables.end(), plan.partitioned_tables.begin(), plan.partitioned_tables.end());
  if (!statements.empty()) put_aside(target, run_id, tables, {});
  for (const auto& statement : statements) target.exec(statement);
  if (const auto left = restore_quieted(target, run_id); !left.empty())
    throw base::Error(base::ErrorKind::permanent,
                      fmt::format("{} {}; nothing was changed", left[0].object, left[0].message),
                      "rows that this run did not write may refer to some that it did: remove them first");
  // What can be refused was not, and what was said of this copy holds no longer.
  dir.record_discard();
  transaction.commit();
  base::crash_point("run_rows_removed.after");
}

void remove_large_objects(pg::Connection& target, const Plan& plan, const std::string& run_id) {
  for (const auto& [index, chunks] : written_relations(target, run_id))
    if (plan.relations[index].kind == Relation::Kind::large_objects)
      for (const auto& chunk : chunks) Ledger(run_id).unlink_large_objects(target, index, chunk.chunk);
}

}  // namespace

void discard_run(const Options& options, RunDir& dir, pg::Connection& target, const Confirm& confirm,
                 const std::optional<std::filesystem::path>& archive) {
  const auto plan = dir.load_plan();
  const auto run_id = dir.state().run_id;
  if (!confirm(fmt::format("Start over: drop what run {} made on {} ({} tables) and empty {}{}?", run_id,
                           options.target.redacted(), plan ? plan->relations.size() : 0, dir.path().string(),
                           archive ? " and the archive " + archive->string() : std::string())))
    throw base::Error(base::ErrorKind::usage, "not confirmed; nothing was changed");
  std::optional<Archive> archived;
  if (archive) archived.emplace(*archive, run_id);
  end_leftover_sessions(target, "cutover " + run_id);
  if (Ledger::exists(target)) {
    Ledger::complete(target);
    if (plan) remove_rows(target, *plan, dir);
    if (plan) remove_large_objects(target, *plan, run_id);
    if (plan && plan->schema == SchemaMode::dump)
      for (const auto& statement : drop_statements(target, *plan, run_id)) target.exec(statement);
    Ledger(run_id).forget_run(target);
  }
  if (archived && archived->dir().has_run()) archived->dir().erase();
  if (!dir.state().is_discarded()) dir.record_discard();
  dir.erase();
  base::crash_point("run_erased.after");
}

namespace {

// A run that did not come to its end has left foreign keys and triggers put aside, and the only record of
// them goes with the ledger: they come back first, or the ledger stays.
void restore_everything(pg::Connection& target, CleanReport& report) {
  for (const auto& run : Ledger::runs(target)) end_leftover_sessions(target, "cutover " + run);
  std::vector<std::string> restored;
  const auto left = restore_quieted(target, {}, &restored);
  for (const auto& object : restored) report.done.push_back("restored " + object);
  if (left.empty()) return;
  std::string message =
      "the ledger stays, since it alone knows what was put aside for the load and cannot come back now:";
  for (const auto& problem : left)
    message += fmt::format("\n  {}: {}\n    {}", problem.object, problem.message, problem.hint);
  throw base::Error(base::ErrorKind::permanent, message,
                    "end the copy first (the same command resumes it), or repair the rows and clean again");
}

// Several databases have a directory each below the one that --run-dir names.
void refuse_several_runs(const std::filesystem::path& directory) {
  if (std::filesystem::exists(directory / "plan.json.zst")) return;
  std::vector<std::string> names;
  for (const auto& run : RunDir::runs_below(directory)) names.push_back(run.filename().string());
  if (names.empty()) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} holds the runs of several databases: {}; nothing was changed",
                                directory.string(), fmt::join(names, ", ")),
                    "name the databases with --databases, or one of these directories with --run-dir");
}

void refuse_to_give_up_others(std::set<std::string> unfinished, const RunDir& dir) {
  if (dir.has_run()) unfinished.erase(dir.state().run_id);
  if (unfinished.empty()) return;
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("the ledger on the target is also that of run {}, which is not finished and not of {}; "
                  "nothing was changed",
                  fmt::join(unfinished, ", run "), dir.path().string()),
      "end that run first, or clean it with its own --run-dir; if nobody wants it any more, leave --yes out "
      "and "
      "answer");
}

// Sessions in replica role loaded rows that no foreign key has looked at yet.
void name_violated_keys(pg::Connection& target, RunDir& dir, CleanReport& report) {
  if (!dir.has_run() || dir.state().finished) return;
  std::optional<Plan> plan;
  try {
    plan = dir.load_plan();
  } catch (const base::Error& error) {
    report.done.push_back(fmt::format("foreign keys were not looked at: {}", error.message()));
  }
  if (!plan || plan->schema != SchemaMode::none) return;
  for (const auto& problem : violated_foreign_keys(target, *plan))
    report.done.push_back(fmt::format("left as it is: {}: {}", problem.object, problem.message));
}

// Before anything is changed: the schema could not be dropped at the end.
void refuse_strangers(pg::Connection& target) {
  const auto strangers = pg::read_strangers(target);
  if (strangers.empty()) return;
  std::vector<std::string> names;
  for (const auto& stranger : strangers) names.push_back(stranger.display());
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("the schema {} at the target has what is not the ledger's: {}",
                                pg::kReservedSchema, fmt::join(names, ", ")),
                    "nothing was changed; move it to another schema first (ALTER … SET SCHEMA …)");
}

}  // namespace

CleanReport clean(const Options& options, const Confirm& confirm, bool unattended, const base::Stop& stop) {
  CleanReport report;
  refuse_several_runs(options.run_dir);
  RunDir dir(options.run_dir);
  std::optional<pg::Connection> target;
  std::set<std::string> unfinished;
  if (!options.target.parameters().empty()) {
    target.emplace(pg::open_first_session(options.target,
                                          {.role = pg::Role::target, .application_name = "cutover"}, stop));
    for (auto& run : Ledger::unfinished_runs(*target)) unfinished.insert(std::move(run));
  }
  if (target && Ledger::exists(*target)) refuse_strangers(*target);
  if (unattended) refuse_to_give_up_others(unfinished, dir);
  if (dir.has_run() && !dir.state().finished) unfinished.insert(dir.state().run_id);
  if (!confirm(fmt::format("{}Drop the schema cutover from {} and remove {}?",
                           unfinished.empty()
                               ? std::string()
                               : fmt::format("NOT finished, and cannot be resumed afterwards: run {}. ",
                                             fmt::join(unfinished, ", run ")),
                           options.target.redacted(), dir.path().string())))
    throw base::Error(base::ErrorKind::usage, "not confirmed; nothing was changed");
  if (target && Ledger::exists(*target)) {
    restore_everything(*target, report);
    name_violated_keys(*target, dir, report);
    Ledger::drop(*target);
    report.done.push_back("dropped the schema cutover from " + options.target.redacted());
  }
  if (dir.remove()) {
    report.done.push_back("removed " + dir.path().string());
  } else {
    report.done.push_back(
        fmt::format("removed the run from {}, where other files are left", dir.path().string()));
  }
  return report;
}

}  // namespace copy
