// A repair, from beginning to end.

#include "verify/repair.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "verify/engine.h"
#include "verify/repair_foreign_keys.h"
#include "verify/repair_guards.h"
#include "verify/repair_output.h"
#include "verify/repair_plan.h"
#include "verify/sequences.h"
#include "verify/side.h"

namespace verify {
namespace {

using base::ErrorKind;

constexpr size_t kMostNamed = 10;

class Mending {
 public:
  Mending(const RepairOptions& options, Progress& progress, base::Stop stop)
      : options_(options), progress_(progress), stop_(std::move(stop)) {}

  Repair run() {
    find_differences();
    plan();
    if (!repair_.steps.empty()) prepare();
    if (repair_.steps.empty() || (!options_.apply && !options_.script)) return std::move(repair_);
    refuse_another_database();
    if (options_.apply && options_.confirm && !options_.confirm(repair_))
      throw base::Error(ErrorKind::usage, "the repair was not confirmed", "nothing was changed");
    mend();
    if (repair_.applied) look_again();
    return std::move(repair_);
  }

 private:
  void find_differences();
  void plan();
  void plan_sequences();
  void prepare();
  bool may_take_replica_role();
  bool has_deferrable_constraints();
  void refuse_another_database() const;
  void mend();
  void write_transaction(RepairOutput& out);
  void lock_tables(RepairOutput& out);
  void mend_table(RepairOutput& out, const TableWork& work);
  void open_source();
  void check_target(RepairOutput& out);
  void look_again();
  Outcome compare_again();

  const RepairOptions& options_;
  Progress& progress_;
  base::Stop stop_;
  KeysByTable differing_;
  Repair repair_;
  std::string encoding_;
  std::optional<Side> source_;
  std::optional<Side> target_;
  std::vector<TableWork> works_;
  std::set<pg::QualifiedName> touched_;
  std::map<std::string, std::string> sequences_;  // statements, by object
  std::optional<pg::Connection> rows_;            // at the source, under the snapshot of what is put in
  std::optional<pg::Connection> session_;         // at the target
  bool replica_role_ = false;
  std::vector<Guard> guards_;
};

void Mending::find_differences() {
  auto options = options_.compare;
  options.on_row = [&](const TableResult& table, const RowDifference& row) {
    differing_[table.name].add(row);
    if (options_.compare.on_row) options_.compare.on_row(table, row);
  };
  repair_.before = compare(options, progress_, stop_);
}

// Under snapshots of their own, which are given back: they and their locks would only be in the way.
void Mending::plan() {
  if (repair_.before.difference_count() == 0) return;
  progress_.set_phase("plan");
  encoding_ = common_encoding(options_.compare.source, options_.compare.target, stop_);
  source_.emplace(Role::source, options_.compare.source, encoding_, stop_);
  target_.emplace(Role::target, options_.compare.target, encoding_, stop_);
  works_ = plan_tables(options_, *source_, *target_, std::move(differing_), repair_);
  plan_sequences();
  source_->connection().exec("ROLLBACK");
  target_->connection().exec("ROLLBACK");
  touched_ = touched_tables(works_, target_->catalog());
}

void Mending::plan_sequences() {
  Outcome found;
  const auto source = read_sequences(*source_, options_.compare);
  verify::compare_sequences(source, read_sequences(*target_, options_.compare),
                            options_.compare.selects_all(), found, &sequences_);
  for (const auto& difference : found.differences) {
    const auto mend = sequences_.find(difference.object);
    if (mend == sequences_.end()) {
      repair_.left.push_back(difference);
      continue;
    }
    RepairStep step;
    step.kind = RepairStep::Kind::sequence;
    step.object = difference.object;
    step.reason = difference.message;
    step.statement = mend->second;
    repair_.steps.push_back(std::move(step));
  }
}

void Mending::prepare() {
  session_.emplace(pg::open_session(
      options_.compare.target,
      {.role = Role::target, .application_name = "cutover repair", .client_encoding = encoding_}, stop_));
  if (session_->exec("SELECT pg_catalog.pg_is_in_recovery()").boolean(0, 0))
    throw base::Error(ErrorKind::usage, "the target is a replica, which cannot be changed",
                      "give the primary server as --target");
  if (works_.empty()) return;
  replica_role_ = may_take_replica_role() && !has_deferrable_constraints();
  std::vector<pg::Oid> tables;
  for (const auto& work : works_) tables.push_back(work.target->oid);
  guards_ = read_guards(*session_, tables, replica_role_);
  for (const auto& guard : guards_) repair_.notes.push_back({guard.label, "stands aside meanwhile"});
}

// Within a transaction: it must not stay set in a session that somebody else gets.
bool Mending::may_take_replica_role() {
  pg::Transaction transaction(*session_);
  try {
    session_->exec("SET LOCAL session_replication_role = replica");
    return true;
  } catch (const base::Error& error) {
    if (!pg::is_insufficient_privilege(error)) throw;
    return false;
  }
}

// A trigger checks them, which does not fire in the replica role.
bool Mending::has_deferrable_constraints() {
  return session_
      ->exec(fmt::format("SELECT EXISTS (SELECT FROM (VALUES {}) v(schema, name) "
                         "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
                         "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                         "JOIN pg_catalog.pg_index i ON i.indrelid = c.oid WHERE NOT i.indimmediate)",
                         pg::name_rows(touched_)))
      .boolean(0, 0);
}

void Mending::refuse_another_database() const {
  const auto& names = repair_.suspicious;
  if (names.empty()) return;
  const size_t shown = std::min<size_t>(names.size(), kMostNamed);
  throw base::Error(
      ErrorKind::usage,
      fmt::format("this may be another database: too much differs in {}{}",
                  fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                  names.size() > shown ? fmt::format(" and {} more tables", names.size() - shown) : ""),
      "nothing was changed; check --source and --target, then let --recopy replace these tables, --exclude "
      "leave them out, or --most allow it");
}

void Mending::mend() {
  progress_.set_phase("repair");
  std::optional<base::FileSink> script;
  if (options_.script) script.emplace(*options_.script);
  RepairOutput out(options_.apply ? &*session_ : nullptr, script ? &*script : nullptr);
  out.comment("psql -X -f THIS-FILE TARGET");
  // After an error psql would go on, and take rows for statements.
  out.psql_command("set ON_ERROR_STOP on");
  // What the rows and the statements are written under; our own session has it already.
  for (const auto* setting : {"client_encoding", "standard_conforming_strings", "DateStyle", "IntervalStyle",
                              "TimeZone", "search_path", "lc_monetary", "array_nulls", "xmlbinary",
                              "xmloption", "row_security", "statement_timeout"})
    out.statement(fmt::format("SELECT pg_catalog.set_config('{}', {}, false)", setting,
                              pg::quote_literal(session_->exec(fmt::format("SHOW {}", setting)).text(0, 0))));
  try {
    write_transaction(out);
  } catch (base::Error& error) {
    error.during("repair the target");
    if (error.hint().empty() && error.kind() != ErrorKind::in_doubt) error.hint("the target is as it was");
    throw;
  }
  repair_.applied = options_.apply;
}

// Of sequences, no transaction undoes what was set: they are the last.
void Mending::write_transaction(RepairOutput& out) {
  out.statement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  check_target(out);
  if (!works_.empty()) {
    lock_tables(out);
    open_source();
  }
  if (replica_role_) out.statement("SET LOCAL session_replication_role = replica");
  for (const auto& guard : guards_)
    base::during("put aside " + guard.label, [&] { out.statement(guard.aside); });
  for (const auto& work : works_)
    base::during("mend " + work.target->name.display(), [&] { mend_table(out, work); });
  rows_.reset();
  out.statement("SET CONSTRAINTS ALL IMMEDIATE");
  for (const auto& guard : guards_)
    base::during("bring back " + guard.label, [&] { out.statement(guard.restore); });
  const auto do_steps = [&](RepairStep::Kind kind) {
    for (const auto& step : repair_.steps)
      if (step.kind == kind) base::during("mend " + step.object, [&] { out.statement(step.statement); });
  };
  do_steps(RepairStep::Kind::refresh);
  if (replica_role_) {
    out.comment("foreign keys are not checked by this script: compare again");
    if (options_.apply) check_foreign_keys(*session_, touched_);
  }
  do_steps(RepairStep::Kind::sequence);
  stop_.check();
  out.commit();
}

// A script may be run anywhere.
void Mending::check_target(RepairOutput& out) {
  const auto& mark = target_->mark();
  auto differs = fmt::format(
      "NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = "
      "pg_catalog.current_database() AND oid = {})",
      mark.database_oid);
  if (!mark.system_identifier.empty())
    differs += fmt::format(" OR (SELECT system_identifier FROM pg_catalog.pg_control_system()) <> {}",
                           mark.system_identifier);
  out.statement(
      fmt::format("DO $check$ BEGIN IF {} THEN RAISE EXCEPTION 'this is not the database that the script was "
                  "made for'; END IF; END $check$",
                  differs));
}

// The rows of one moment, after the target stands still; locked first, since TRUNCATE knows no snapshots.
void Mending::open_source() {
  std::vector<std::string> names;
  for (const auto& work : works_) names.push_back(TableWork::from(*work.source, work.whole_tree));
  rows_.emplace(source_->open_present(stop_));
  rows_->exec(
      fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '10s'; "
                  "LOCK TABLE {} IN ACCESS SHARE MODE; SET LOCAL lock_timeout = 0",
                  fmt::join(names, ", ")));
}

// Writers wait; also those to the other ends of foreign keys, which are checked here and not by each writer.
void Mending::lock_tables(RepairOutput& out) {
  std::set<std::string> names;
  if (replica_role_) names = other_ends(touched_, target_->catalog());
  for (const auto& work : works_) names.insert(TableWork::from(*work.target, work.whole_tree));
  out.statement("SET LOCAL lock_timeout = '10s'");
  try {
    out.statement(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", fmt::join(names, ", ")));
  } catch (base::Error& error) {
    if (error.sqlstate() == "55P03")
      error.kind(ErrorKind::permanent).hint("somebody writes to the target: stop the writers first");
    throw;
  }
}

// All rows with a key that differs go, and the source's of those keys come, whatever they are by now: so two
// rows may swap what is unique, and a row that is there twice is there once.
void Mending::mend_table(RepairOutput& out, const TableWork& work) {
  Progress::Scope scope(progress_, "mend " + work.target->name.display());
  const auto target = TableWork::from(*work.target, work.whole_tree);
  const auto source = TableWork::from(*work.source, work.whole_tree);
  const auto rows_of = [&](const pg::Table& table) {
    // By key, whatever the condition says of a row: on one side it may hold and on the other not.
    if (!work.all_rows) return " WHERE " + work.has_key(table);
    return work.condition.empty() ? std::string() : " WHERE " + work.condition;
  };
  if (!work.all_rows && work.rows.keys.empty()) return;
  out.statement(fmt::format("DELETE FROM {}{}", target, rows_of(*work.target)));
  out.copy_rows(fmt::format("COPY {} ({}) FROM STDIN", work.target->name.sql(), pg::quote_list(work.columns)),
                *rows_,
                fmt::format("COPY (SELECT {} FROM {}{}) TO STDOUT", pg::quote_list(work.columns), source,
                            rows_of(*work.source)),
                scope);
}

// An error would be taken for a repair that did not happen.
void Mending::look_again() {
  try {
    repair_.after = compare_again();
  } catch (const base::Error& error) {
    repair_.after.emplace();
    repair_.after->unchecked.push_back(
        {"what was mended", "the changes are committed, but could not be compared again: " + error.message(),
         "run `cutover verify`"});
  }
}

Outcome Mending::compare_again() {
  // The session is done: what it holds would only be in the way.
  session_.reset();
  auto options = options_.compare;
  for (const auto& step : repair_.steps)
    if (step.kind != RepairStep::Kind::sequence) options.only.insert(step.object);
  options.on_row = {};
  source_.reset();
  target_.reset();
  Outcome after;
  if (!options.only.empty()) after = compare(options, progress_, stop_);
  for (const auto& name : options.only)
    if (std::ranges::find(after.tables, name, &TableResult::name) == after.tables.end())
      after.unchecked.push_back({name, "was mended, but was not found to be compared again", {}});
  const bool sequences = std::ranges::any_of(
      repair_.steps, [](const auto& step) { return step.kind == RepairStep::Kind::sequence; });
  if (sequences) {
    Side source(Role::source, options.source, encoding_, stop_);
    Side target(Role::target, options.target, encoding_, stop_);
    const auto values = read_sequences(source, options_.compare);
    verify::compare_sequences(values, read_sequences(target, options_.compare),
                              options_.compare.selects_all(), after);
  }
  return after;
}

}  // namespace

int Repair::exit_code() const {
  if (!applied) return before.exit_code();
  if (before.unchecked_count() > 0 || after->unchecked_count() > 0) return 3;
  if (!left.empty() || after->difference_count() > 0) return 1;
  return before.user_waived ? 5 : 0;
}

Repair repair(const RepairOptions& options, Progress& progress, const base::Stop& stop) {
  return Mending(options, progress, stop).run();
}

}  // namespace verify
