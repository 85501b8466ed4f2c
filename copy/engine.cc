#include "copy/engine.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/crash_point.h"
#include "base/memory.h"
#include "base/text.h"
#include "copy/durability.h"
#include "copy/end_state.h"
#include "copy/finish.h"
#include "copy/finished_run.h"
#include "copy/load.h"
#include "copy/outcome.h"
#include "copy/overwrite.h"
#include "copy/preflight.h"
#include "copy/quiet.h"
#include "copy/resume.h"
#include "copy/target_session.h"
#include "copy/target_watch.h"

namespace copy {

using base::ErrorKind;

namespace {

constexpr const char* kPlanApplication = "cutover";

pg::SessionOptions source_session(std::string name) {
  return {.role = pg::Role::source, .application_name = std::move(name)};
}
pg::SessionOptions target_session(std::string name) {
  return {.role = pg::Role::target, .application_name = std::move(name)};
}

// The plan's own are kept with it; the others are of this look at both sides.
std::vector<Finding> all_findings(const Plan& plan, std::vector<Finding> others) {
  others.insert(others.end(), plan.findings.begin(), plan.findings.end());
  return others;
}

// One run of the engine, in the order of its public methods.
class Run {
 public:
  Run(const Options& options, Progress& progress, base::Stop stop)
      : options_(options),
        progress_(progress),
        stop_(std::move(stop)),
        dir_(options.run_dir),
        started_(Progress::Clock::now()),
        tools_(options, stop_) {}

  Outcome copy(const Confirm& confirm);
  Outcome export_archive();
  Outcome import_archive(const Confirm& confirm);

 private:
  void require_whole_run() const;
  void start_new();
  void reopen();
  void store_new_run(const pg::SnapshotMark& mark, const pg::DigestKey& key);
  void open_archive();
  void make_context();
  void open_target();
  void meet_ledger();
  void prepare_target();
  void load_schema_items();
  void load();
  void go_on_after_loss();
  void restore();
  void finish_target();
  void store_end_state();
  Outcome outcome(int exit_code);
  Outcome finished_before();
  template <typename Body>
  Outcome guarded(Body body);

  const Options& options_;
  Progress& progress_;
  base::Stop stop_;
  RunDir dir_;
  Progress::Clock::time_point started_;
  std::chrono::milliseconds copy_elapsed_{0};
  std::vector<Finding> findings_;  // beside the plan's
  Problems problems_;
  Plan plan_;
  PgToolFinder tools_;
  std::optional<pg::DigestKey> key_;
  std::optional<Ledger> ledger_;
  std::optional<Archive> archive_;
  std::optional<Context> context_;
  SchemaItems schema_;  // nothing, with SchemaMode::none
  std::optional<ItemRunner> items_;
  std::optional<pg::Connection> target_;  // until the parallel phase begins; none in an export
  std::optional<TargetSession> session_;  // from then on
  std::optional<TargetWatch> watch_;      // of both
  SourceView source_;
  std::string target_version_;
  std::string resumed_;
  uint64_t chunks_before_ = 0;
  bool from_archive_ = false;  // an import: there is no source server
};

// ------------------------------------------------------------------------------------------------- start

void Run::store_new_run(const pg::SnapshotMark& mark, const pg::DigestKey& key) {
  key_ = key;
  ledger_.emplace(base::random_id());
  plan_.selection = selection_of(options_);
  dir_.store_plan(plan_);
  dir_.store_key(*key_);
  RunState state;
  state.run_id = ledger_->run_id();
  state.tool_version = CUTOVER_VERSION;
  state.source = options_.source.redacted();
  state.target = target_ ? options_.target.redacted() : std::string();
  state.started = dir_.time_to_start();
  base::crash_point("plan_written.before");
  // The run's own record comes last: without it there is no run, with it there must be a snapshot.
  dir_.record(record::snapshot(0, {mark, plan_.source_version}));
  dir_.record(record::run(state));
  dir_.sync();
  base::crash_point("plan_written.after");
}

void Run::require_whole_run() const {
  if (options_.restart || !dir_.state().is_discarded()) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("run {} of {} was to be started over, and part of what it made on the target "
                                "is removed already",
                                dir_.state().run_id, dir_.path().string()),
                    "end that: give --restart again");
}

void Run::open_target() {
  target_.emplace(pg::open_first_session(options_.target, target_session(kPlanApplication), stop_));
  target_version_ = server_version(*target_);
  check_target_alone(*target_, findings_);
  // A new run tells of these with all else that is in its way. What one has made is not touched through them.
  if (dir_.has_run()) throw_blockers(findings_);
}

void Run::start_new() {
  auto source = pg::open_first_session(options_.source, source_session(kPlanApplication), stop_);
  check_source_server(source, options_, findings_);
  if (target_) check_both_servers(source, *target_, findings_);
  throw_blockers(findings_);
  auto keeper = open_keeper(options_, kPlanApplication, stop_);
  plan_ = make_plan(keeper->connection(), options_);
  base::give_free_memory_back();  // the catalog's
  if (target_ && server_encoding(*target_) == "SQL_ASCII") plan_.client_encoding = plan_.database.encoding;
  check_source_privileges(keeper->connection(), plan_, findings_);
  check_connections(source, "source", options_.jobs + 1, findings_);
  if (target_) {
    check_target_content(*target_, plan_, options_, findings_);
    check_connections(*target_, "target", options_.jobs + options_.effective_index_jobs(), findings_);
  }
  check_local(options_, plan_, tools_, findings_);
  throw_blockers(all_findings(plan_, findings_));

  store_new_run(keeper->mark(), pg::DigestKey::random());
  // By that name a later process of the run finds it, should this one vanish without a word.
  keeper->connection().exec("SELECT pg_catalog.set_config('application_name', $1, false)",
                            {Context::application_name(*ledger_)});
  source_.keeper = std::make_unique<KeeperWatch>(std::move(keeper), plan_, stop_);
  if (plan_.schema == SchemaMode::dump) {
    progress_.set_phase("schema");
    dump_schema(options_, plan_, source_.keeper->id(), tools_.get(), dir_.schema_dump(), stop_);
    dir_.record_schema_dump();
  }
}

void Run::reopen() {
  auto plan = dir_.load_plan();
  if (!plan)
    throw base::Error(ErrorKind::corrupt, fmt::format("{} has a journal but no plan", dir_.path().string()),
                      "start over with --restart");
  plan_ = std::move(*plan);
  require_same_selection(options_, plan_, dir_);
  key_ = dir_.load_key();
  ledger_.emplace(dir_.state().run_id);
  if (dir_.torn_bytes() > 0)
    spdlog::warn(
        "the journal's last record was cut short by a crash: {} bytes dropped; the ledger on the target is "
        "right",
        dir_.torn_bytes());
  dir_.check_schema_dump();
  if (plan_.schema == SchemaMode::dump && !dir_.state().schema && !from_archive_) {
    // Killed before pg_dump was done: then nothing else was done either.
    if (!dir_.state().chunks.empty())
      base::fail(ErrorKind::corrupt, "{} has chunks but no schema", dir_.path().string());
    dir_.erase();
    plan_ = Plan();
    start_new();
    return;
  }
  // Since they were read, others may have written to the target, and event triggers that acted on what was
  // made after them.
  if (!dir_.state().proofs.empty()) dir_.record(record::unproven());
  resumed_ = "nothing had been copied yet";
}

void Run::open_archive() {
  if (!options_.archive) return;
  archive_.emplace(*options_.archive, ledger_->run_id());
  archive_->begin(dir_, plan_, *key_);
}

void Run::make_context() {
  context_.emplace(Context{.options = options_,
                           .plan = plan_,
                           .key = *key_,
                           .ledger = *ledger_,
                           .dir = dir_,
                           .archive = archive_ ? &*archive_ : nullptr,
                           .tools = tools_,
                           .progress = progress_,
                           .problems = problems_,
                           .stop = stop_});
  for (const auto& [key, chunk] : dir_.state().chunks) {
    const auto& relation = plan_.relations.at(key >> 32);
    progress_.bytes_expected_done += relation.bytes / relation.chunks;
  }
  if (target_) session_.emplace(*context_, stop_);
  chunks_before_ = dir_.state().chunks.size();
  progress_.bytes_total = plan_.total_bytes();
  progress_.chunks_total = plan_.total_chunks();
  progress_.chunks_done = chunks_before_;
}

void Run::load_schema_items() {
  if (plan_.schema == SchemaMode::none) return;
  schema_ = load_schema(options_, plan_, tools_.get(), dir_.schema_dump(), stop_, findings_);
  base::give_free_memory_back();
}

// ------------------------------------------------------------------------------------------------ target

// What the target has of the run. It is not changed yet: the run may still be refused.
void Run::meet_ledger() {
  progress_.set_phase("schema");
  end_leftover_sessions(*target_, context_->application_name());
  const auto runs = Ledger::runs(*target_);
  if (std::ranges::find(runs, ledger_->run_id()) != runs.end()) {
    for (const auto& note : reconcile_with_ledger(plan_, dir_, ledger_->chunks(*target_)))
      spdlog::info("{}", note);
    return;
  }
  if (!dir_.state().chunks.empty())
    throw base::Error(
        ErrorKind::usage, "the target does not know this run: its ledger (schema cutover) is not there",
        "check --target; after a `clean`, or for a new target, name another --run-dir or use --restart");
  if (resumed_.empty()) return;
  // Killed before the ledger was made: this may be another target than the one that was looked at then.
  check_target_content(*target_, plan_, options_, findings_);
  throw_blockers(findings_);
}

void Run::prepare_target() {
  watch_.emplace(*context_);
  ledger_->create(*target_, options_.source.redacted(), CUTOVER_VERSION);
  if (plan_.schema == SchemaMode::dump) {
    items_.emplace(*context_, *target_);
    make_pre_data(*context_, *items_, schema_);
    // What the target's tables had before this run, and triggers that an earlier process of it has made. The
    // foreign keys stand until --overwrite is through: they tell which other table would lose its references.
    quiet_target(*context_, *target_, {.foreign_keys = false});
    overwrite_tables(*context_, *target_);
    quiet_target(*context_, *target_, {.kept = foreign_keys_made(*context_, schema_, *target_)});
    ledger_->make_durable(
        *target_);  // a target that crashes now loses chunks, but not the tables they go into
    items_->was_made_durable();
    schema_.pre_data.clear();
    schema_.pre_data.shrink_to_fit();
  } else {
    context_->replica_role = loads_in_replica_role(*target_, plan_);
    quiet_target(*context_, *target_,
                 {.foreign_keys = !context_->replica_role, .replica_role = context_->replica_role});
    overwrite_tables(*context_, *target_);
  }
  renew_unlogged(*context_, schema_, *target_);
}

// The parallel phase. A snapshot that is lost on the way is replaced like one of an earlier process.
void Run::load() {
  progress_.set_phase("data");
  const auto data_started = Progress::Clock::now();
  target_.reset();
  bool again = false;
  for (int lost = 0;; again = true) {
    const auto chunks_before = progress_.chunks_done.load();
    try {
      if (again) go_on_after_loss();
      Load::Work work;
      work.source = source_.open;
      work.snapshot = source_.snapshot;
      work.has_target = session_.has_value();
      work.items = items_ ? &*items_ : nullptr;
      work.schema = &schema_;
      work.when_read = [&] {
        if (source_.keeper) source_.keeper->release();
        copy_elapsed_ =
            std::chrono::duration_cast<std::chrono::milliseconds>(Progress::Clock::now() - data_started);
      };
      Load(*context_, std::move(work)).run();
      if (session_) make_durable(*context_, schema_, *session_);
      dir_.checkpoint();
      return;
    } catch (const SnapshotLost&) {
      lost = progress_.chunks_done == chunks_before ? lost + 1 : 1;
      replace_lost_snapshot(lost);
    } catch (const ChunksLost&) {
      spdlog::warn("the target lost its last commits in a crash; copying those chunks again");
    }
    source_.keeper.reset();
    if (!session_)
      throw base::Error(ErrorKind::permanent, "the source's snapshot was lost: an export is of one moment",
                        "run the export again");
  }
}

void Run::go_on_after_loss() {
  session_->run("ledger", [&](pg::Connection& target) {
    reconcile_with_ledger(plan_, dir_, ledger_->chunks(target));
    renew_unlogged(*context_, schema_, target);
  });
  if (!from_archive_) {
    source_ =
        resume_source(*context_, plan_, schema_, session_->connection(), look_at_source(*context_, plan_));
    spdlog::info("going on: {}", source_.explanation);
  }
  if (!items_) return;
  // What the ledger has by now is not looked for again at the end, so a crash must not take it either.
  session_->run("ledger", [&](pg::Connection& target) { ledger_->make_durable(target); });
  items_.emplace(*context_, session_->connection());
}

void Run::store_end_state() {
  std::vector<pg::QualifiedName> dropped;
  base::retry(options_.retry, stop_, context_->retry_notice("sequences"), [&] {
    auto source = context_->open_source(stop_);
    Archive::store_end_state(dir_.path(),
                             [&](const auto& store) { read_end_state(source, plan_, store, dropped); });
  });
  for (const auto& sequence : dropped)
    problems_.add({Problem::Kind::failed,
                   "sequence " + sequence.display(),
                   "was dropped at the source while the copy ran; its value could not be read",
                   {}});
  if (archive_ && &archive_->dir() != &dir_)
    Archive::store_end_state(archive_->dir().path(),
                             [&](const auto& store) { Archive::for_each_end_record(dir_.path(), store); });
}

void Run::restore() {
  session_->run("what was put aside", [&](pg::Connection& target) { restore_target(*context_, target); });
}

void Run::finish_target() {
  progress_.set_phase("constraints");
  if (!from_archive_) store_end_state();
  if (items_) {
    add_constraints(*context_, *items_, schema_);
    // First the target's own: what it had is left as it is, as of every other object.
    restore();
    make_the_rest(*context_, *items_, schema_);
    add_foreign_keys(*context_, *items_, schema_);
    progress_.set_phase("finish");
    refresh_materialized_views(*context_);
  } else {
    progress_.set_phase("finish");
    restore();
    refresh_materialized_views(*context_);
    if (context_->replica_role)
      for (auto& problem : session_->run(
               "foreign keys", [&](pg::Connection& target) { return violated_foreign_keys(target, plan_); }))
        problems_.add(std::move(problem));
  }
  apply_end_state(*context_, from_archive_ ? *options_.archive : dir_.path());
  if (items_) make_event_triggers(*context_, *items_, schema_);
  analyze_parents(*context_);
  watch_.reset();
  session_->run("finish", [&](pg::Connection& target) {
    ledger_->finish(target);
    confirm_durable(*context_, schema_, items_ ? &*items_ : nullptr, target);
  });
}

// ----------------------------------------------------------------------------------------------- outcome

Outcome Run::outcome(int exit_code) {
  auto out = outcome_of(dir_.state(), plan_);
  out.exit_code = exit_code;
  out.target_version = target_version_;
  out.resumed = resumed_;
  out.chunks_before = chunks_before_;
  out.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Progress::Clock::now() - started_);
  out.copy_elapsed = copy_elapsed_;
  out.copy_cpu = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds(progress_.copy_cpu_nanoseconds));
  out.findings = all_findings(plan_, findings_);
  out.problems = problems_.list();
  return out;
}

// A stop leaves a resumable run; so does every failure after the plan was stored.
template <typename Body>
Outcome Run::guarded(Body body) {
  try {
    body();
  } catch (const base::Error& error) {
    if (dir_.has_run()) dir_.sync();
    if (!stop_.requested()) throw;
    if (error.kind() != ErrorKind::cancelled) spdlog::debug("while stopping: {}", error.what());
    return outcome(4);
  }
  const int exit_code = verdict(dir_.state(), plan_, problems_, session_.has_value());
  if (exit_code != 3) dir_.record(record::finished(exit_code));
  dir_.checkpoint();
  // A copy's archive is whole, and can be imported, when it has every chunk.
  if (exit_code == 0 && archive_ && &archive_->dir() != &dir_ &&
      archive_->dir().state().chunks.size() == plan_.total_chunks()) {
    archive_->dir().record(record::finished(exit_code));
    archive_->dir().checkpoint();
  }
  progress_.set_phase("done");
  return outcome(exit_code);
}

Outcome Run::finished_before() {
  require_same_databases(options_, dir_, !from_archive_);
  plan_ = dir_.load_plan().value_or(Plan());
  require_same_selection(options_, plan_, dir_);
  auto out = outcome(*dir_.state().finished);
  out.already_finished = true;
  auto target = pg::open_first_session(options_.target, target_session(kPlanApplication), stop_);
  out.finished_at = require_still_there(target, plan_, dir_);
  return out;
}

Outcome Run::copy(const Confirm& confirm) {
  require_whole_run();
  if (dir_.state().finished && !options_.restart) return finished_before();
  return guarded([&] {
    open_target();
    if (options_.restart && dir_.has_run()) discard_run(options_, dir_, *target_, confirm, options_.archive);
    const bool resuming = dir_.has_run();
    if (resuming) {
      reopen();
    } else {
      start_new();
    }
    open_archive();
    make_context();
    load_schema_items();
    meet_ledger();
    SourceNow found;
    if (!source_.keeper) {
      auto source = pg::open_first_session(options_.source, source_session(kPlanApplication), stop_);
      check_source_server(source, options_, findings_);
      throw_blockers(findings_);
      end_leftover_sessions(source, context_->application_name());
      found = look_at_source(*context_, plan_);
    }
    prepare_target();
    if (source_.keeper) {
      source_.open = live_source(*context_, *source_.keeper);
    } else {
      source_ = resume_source(*context_, plan_, schema_, *target_, std::move(found));
      resumed_ = source_.explanation;
      spdlog::info("resuming run {}: {}", ledger_->run_id(), resumed_);
      if (items_) items_.emplace(*context_, *target_);
    }
    load();
    finish_target();
  });
}

Outcome Run::export_archive() {
  return guarded([&] {
    if (dir_.has_run() && !options_.restart) {
      if (dir_.state().finished)
        throw base::Error(ErrorKind::usage, fmt::format("{} holds a finished export", dir_.path().string()),
                          "name another directory, or replace it with --restart");
      // An export is of one moment, and its snapshot died with the process that held it.
      throw base::Error(ErrorKind::usage, fmt::format("{} holds an unfinished export", dir_.path().string()),
                        "its snapshot is gone: start over with --restart, which empties the directory first");
    }
    if (dir_.has_run()) dir_.erase();
    start_new();
    make_context();
    archive_.emplace(dir_);
    context_->archive = &*archive_;
    source_.open = live_source(*context_, *source_.keeper);
    load();
    store_end_state();
    if (plan_.schema == SchemaMode::dump) {
      archive_->store_schema(dir_.schema_dump());
      std::filesystem::remove(dir_.schema_dump());
    }
  });
}

Outcome Run::import_archive(const Confirm& confirm) {
  from_archive_ = true;
  require_whole_run();
  if (dir_.has_run() && !options_.restart) require_same_archive(dir_, *options_.archive);
  if (dir_.state().finished && !options_.restart) return finished_before();
  return guarded([&] {
    const auto archived = RunDir::peek(*options_.archive);
    if (!archived.finished)
      throw base::Error(ErrorKind::usage,
                        fmt::format("the archive {} is not complete", options_.archive->string()),
                        "let the export that makes it end first");
    open_target();
    if (options_.restart && dir_.has_run()) discard_run(options_, dir_, *target_, confirm, {});
    if (dir_.has_run()) {
      reopen();
      resumed_ = "the archive is what it was";
    } else {
      plan_ = RunDir::load_plan(*options_.archive);
      check_target_content(*target_, plan_, options_, findings_);
      check_local(options_, plan_, tools_, findings_);
      throw_blockers(all_findings(plan_, findings_));
      store_new_run(archived.snapshots.back().mark, RunDir::load_key(*options_.archive));
    }
    if (plan_.schema == SchemaMode::dump && !dir_.state().schema) {
      base::replace_file(dir_.schema_dump(), Archive::load_schema(*options_.archive));
      dir_.record_schema_dump();
    }
    make_context();
    load_schema_items();
    meet_ledger();
    prepare_target();
    source_.open = archive_source(*options_.archive, archived);
    load();
    finish_target();
  });
}

}  // namespace

// -------------------------------------------------------------------------------------------- public API

bool PlanReport::blocked() const {
  return std::ranges::any_of(findings,
                             [](const auto& finding) { return finding.severity == Severity::blocker; });
}

PlanReport plan_copy(const Options& options, const base::Stop& stop) {
  PlanReport report;
  auto source = pg::open_first_session(options.source, source_session(kPlanApplication), stop);
  check_source_server(source, options, report.findings);
  if (report.blocked()) return report;
  source.exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  report.plan = make_plan(source, options);
  check_source_privileges(source, report.plan, report.findings);
  source.exec("COMMIT");
  check_connections(source, "source", options.jobs + 1, report.findings);
  if (!options.target.parameters().empty()) {
    auto target = pg::open_first_session(options.target, target_session(kPlanApplication), stop);
    report.target_version = server_version(target);
    check_target_alone(target, report.findings);
    check_both_servers(source, target, report.findings);
    check_target_content(target, report.plan, options, report.findings);
    check_connections(target, "target", options.jobs + options.effective_index_jobs(), report.findings);
  }
  PgToolFinder tools(options, stop);
  check_local(options, report.plan, tools, report.findings);
  report.findings = all_findings(report.plan, std::move(report.findings));
  return report;
}

Outcome run_copy(const Options& options, Progress& progress, const Confirm& confirm, const base::Stop& stop) {
  return Run(options, progress, stop).copy(confirm);
}

Outcome run_export(const Options& options, Progress& progress, const base::Stop& stop) {
  auto into = options;
  into.run_dir = options.archive.value();
  return Run(into, progress, stop).export_archive();
}

Outcome run_import(const Options& options, Progress& progress, const Confirm& confirm,
                   const base::Stop& stop) {
  return Run(options, progress, stop).import_archive(confirm);
}

}  // namespace copy
