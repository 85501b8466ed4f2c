// A repair, from beginning to end.

#include "verify/repair.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "pg/foreign_key_check.h"
#include "verify/engine.h"
#include "verify/repair_guards.h"
#include "verify/repair_output.h"
#include "verify/repair_plan.h"
#include "verify/sequences.h"
#include "verify/side.h"

namespace verify {
namespace {

using base::ErrorKind;

constexpr size_t kKeysPerStatement = 500;
constexpr const char* kPermissionDenied = "42501";

class Mending {
 public:
  Mending(const RepairOptions& options, Progress& progress, base::Stop stop)
      : options_(options), progress_(progress), stop_(std::move(stop)) {}

  Repair run() {
    find_differences();
    plan();
    if (!repair_.steps.empty()) prepare();
    if (repair_.steps.empty() || (!options_.apply && !options_.script)) return std::move(repair_);
    if (options_.apply && options_.confirm && !options_.confirm(repair_))
      throw base::Error(ErrorKind::usage, "the repair was not confirmed", "nothing was changed");
    mend();
    if (options_.apply) look_again();
    return std::move(repair_);
  }

 private:
  void find_differences();
  void plan();
  void plan_sequences();
  void prepare();
  void take_replica_role();
  void mend();
  void write_transaction(RepairOutput& out);
  void lock_tables(RepairOutput& out);
  void mend_table(RepairOutput& out, const TableWork& work);
  void check_foreign_keys();
  void look_again();

  const RepairOptions& options_;
  Progress& progress_;
  base::Stop stop_;
  KeysByTable differing_;
  Repair repair_;
  std::string encoding_;
  std::optional<Side> source_;
  std::optional<Side> target_;
  std::vector<TableWork> works_;
  std::optional<pg::Connection> session_;  // at the target
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

// Under snapshots of their own: rows are put in as they are now at the source.
void Mending::plan() {
  if (repair_.before.difference_count() == 0) return;
  progress_.set_phase("plan");
  encoding_ = common_encoding(options_.compare.source, options_.compare.target, stop_);
  source_.emplace(Role::source, options_.compare.source, encoding_, stop_);
  target_.emplace(Role::target, options_.compare.target, encoding_, stop_);
  works_ = plan_tables(options_, *source_, *target_, std::move(differing_), repair_);
  plan_sequences();
  // Its snapshot has served; its locks would be in the way.
  target_->connection().exec("ROLLBACK");
}

void Mending::plan_sequences() {
  Outcome found;
  const auto source = read_sequences(*source_, options_.compare);
  verify::compare_sequences(source, read_sequences(*target_, options_.compare), true, found);
  for (const auto& difference : found.differences) {
    if (difference.hint.empty()) {
      repair_.left.push_back(difference);
      continue;
    }
    RepairStep step;
    step.kind = RepairStep::Kind::sequence;
    step.object = difference.object;
    step.reason = difference.message;
    step.statement = difference.hint.substr(0, difference.hint.rfind(';'));
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
  take_replica_role();
  std::vector<pg::Oid> tables;
  for (const auto& work : works_) tables.push_back(work.target->oid);
  guards_ = read_guards(*session_, tables, replica_role_);
  for (const auto& guard : guards_) repair_.notes.push_back({guard.label, "stands aside meanwhile"});
}

void Mending::take_replica_role() {
  try {
    session_->exec("SET session_replication_role = replica");
    replica_role_ = true;
  } catch (const base::Error& error) {
    if (error.sqlstate() != kPermissionDenied) throw;
  }
}

void Mending::mend() {
  progress_.set_phase("repair");
  std::optional<base::FileSink> script;
  if (options_.script) script.emplace(*options_.script);
  RepairOutput out(options_.apply ? &*session_ : nullptr, script ? &*script : nullptr);
  out.comment("psql -X -v ON_ERROR_STOP=1 -f THIS-FILE TARGET");
  // What the rows are written under; our own session has it already.
  for (const auto* setting : {"client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "search_path"})
    out.statement(fmt::format("SELECT pg_catalog.set_config('{}', {}, false)", setting,
                              pg::quote_literal(session_->exec(fmt::format("SHOW {}", setting)).text(0, 0))));
  try {
    write_transaction(out);
  } catch (base::Error& error) {
    error.during("repair the target");
    if (error.hint().empty()) error.hint("the target is as it was");
    throw;
  }
  if (script) script->finish();
  repair_.applied = options_.apply;
}

void Mending::write_transaction(RepairOutput& out) {
  out.statement("BEGIN");
  if (!works_.empty()) lock_tables(out);
  if (replica_role_) out.statement("SET LOCAL session_replication_role = replica");
  for (const auto& guard : guards_)
    base::during("put aside " + guard.label, [&] { out.statement(guard.aside); });
  for (const auto& work : works_)
    base::during("mend " + work.target->name.display(), [&] { mend_table(out, work); });
  out.statement("SET CONSTRAINTS ALL IMMEDIATE");
  for (const auto& guard : guards_)
    base::during("bring back " + guard.label, [&] { out.statement(guard.restore); });
  for (const auto& step : repair_.steps)
    if (!step.statement.empty()) base::during("mend " + step.object, [&] { out.statement(step.statement); });
  if (replica_role_) {
    out.comment("foreign keys are not checked by this script: compare again");
    if (options_.apply) check_foreign_keys();
  }
  stop_.check();
  try {
    out.statement("COMMIT");
  } catch (base::Error& error) {
    if (error.kind() == ErrorKind::transient)
      error.kind(ErrorKind::in_doubt).hint("whether it was committed is not known: compare again");
    throw;
  }
}

// Readers go on, writers wait.
void Mending::lock_tables(RepairOutput& out) {
  std::vector<std::string> names;
  for (const auto& work : works_) names.push_back(TableWork::from(*work.target, work.whole_tree));
  out.statement("SET LOCAL lock_timeout = '10s'");
  try {
    out.statement(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", fmt::join(names, ", ")));
  } catch (base::Error& error) {
    if (error.sqlstate() == "55P03")
      error.kind(ErrorKind::permanent).hint("somebody writes to the target: stop the writers first");
    throw;
  }
}

// "(a, b) IN (VALUES ('1'::integer, 'x'::text), …)" for as many keys as one statement takes, each.
std::vector<std::string> conditions_of(const std::set<KeyText>& keys, const std::vector<std::string>& columns,
                                       const pg::Table& table) {
  std::vector<std::string> types;
  for (const auto& column : columns)
    types.push_back(std::ranges::find(table.columns, column, &pg::Column::name)->type);
  std::vector<std::string> out;
  std::string values;
  size_t count = 0;
  for (const auto& key : keys) {
    values += values.empty() ? "(" : ", (";
    for (size_t i = 0; i < types.size(); ++i)
      values += fmt::format("{}{}::{}", i == 0 ? "" : ", ", pg::quote_literal(key[i]), types[i]);
    values += ")";
    if (++count % kKeysPerStatement != 0 && count != keys.size()) continue;
    out.push_back(fmt::format("({}) IN (VALUES {})", pg::quote_list(columns), values));
    values.clear();
  }
  return out;
}

// All rows with a key that differs go, and the source's of those keys come, whatever they are by now: so two
// rows may swap what is unique, and a row that is there twice is there once.
void Mending::mend_table(RepairOutput& out, const TableWork& work) {
  Progress::Scope scope(progress_, "mend " + work.target->name.display());
  const auto target = TableWork::from(*work.target, work.whole_tree);
  const auto source = TableWork::from(*work.source, work.whole_tree);
  const auto where = work.condition.empty() ? std::string() : fmt::format(" WHERE {}", work.condition);
  std::vector<std::string> fetch;
  const auto add_query = [&](const std::string& condition) {
    fetch.push_back(
        fmt::format("COPY (SELECT {} FROM {}{}) TO STDOUT", pg::quote_list(work.columns), source, condition));
  };
  if (work.all_rows) {
    out.statement(fmt::format("DELETE FROM {}{}", target, where));
    add_query(where);
  } else {
    for (const auto& keys : conditions_of(work.rows.keys, work.key, *work.target))
      out.statement(fmt::format("DELETE FROM {} WHERE {}", target, keys));
    const auto and_where = work.condition.empty() ? std::string() : fmt::format(" AND ({})", work.condition);
    for (const auto& keys : conditions_of(work.rows.keys, work.key, *work.source))
      add_query(fmt::format(" WHERE {}{}", keys, and_where));
  }
  if (fetch.empty()) return;
  out.copy_rows(fmt::format("COPY {} ({}) FROM STDIN", work.target->name.sql(), pg::quote_list(work.columns)),
                source_->connection(), fetch, scope);
}

void Mending::check_foreign_keys() {
  std::set<pg::QualifiedName> touched;
  for (const auto& work : works_) {
    touched.insert(work.target->name);
    for (auto parent = work.target->parent; parent != 0;) {
      const auto& tables = target_->catalog().tables;
      const auto found = std::ranges::find(tables, parent, &pg::Table::oid);
      if (found == tables.end()) break;
      touched.insert(found->name);
      parent = found->parent;
    }
  }
  for (const auto& key : pg::read_foreign_keys(*session_)) {
    if (!key.validated || key.inherited) continue;
    if (!touched.contains(key.table) && !touched.contains(key.referenced)) continue;
    if (const auto offending = pg::offending_keys(*session_, key); !offending.empty())
      throw base::Error(ErrorKind::permanent,
                        fmt::format("foreign key {} of {} would be violated: {}",
                                    pg::display_identifier(key.name), key.table.display(), offending),
                        "let the repair mend both tables: select them, or allow --recopy");
  }
}

void Mending::look_again() {
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
  const bool sequences = std::ranges::any_of(
      repair_.steps, [](const auto& step) { return step.kind == RepairStep::Kind::sequence; });
  if (sequences) {
    Side source(Role::source, options.source, encoding_, stop_);
    Side target(Role::target, options.target, encoding_, stop_);
    const auto values = read_sequences(source, options_.compare);
    verify::compare_sequences(values, read_sequences(target, options_.compare), true, after);
  }
  repair_.after = std::move(after);
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
