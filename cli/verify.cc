#include <memory>
#include <stop_token>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/engine_run.h"
#include "cli/errors.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/upload_run.h"
#include "cli/verify_options.h"
#include "cli/verify_report.h"
#include "copy/recorded.h"
#include "copy/run_dir.h"
#include "pg/provider.h"
#include "s3/upload_run.h"
#include "verify/engine.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

/// The copy's memory of the source, in the comparison's terms.
verify::Recorded recorded_by(copy::RecordedRun run) {
  verify::Recorded out{.run_id = run.run_id,
                       .key = run.key,
                       .snapshot = run.snapshot.mark,
                       .source = run.source,
                       .source_version = run.snapshot.source_version,
                       .encoding = run.plan.client_encoding,
                       .left_out = run.plan.excluded_tables};
  for (auto& unit : run.units) {
    const auto& relation = run.plan.relations[unit.unit.relations.front()];
    out.tables.push_back({.name = relation.load_into,
                          .whole_tree = relation.via_root(),
                          .large_objects = relation.kind == copy::Relation::Kind::large_objects,
                          .condition = relation.condition,
                          .columns = relation.columns,
                          .shape = relation.shape,
                          .digest = std::move(unit.digest)});
  }
  if (run.end_state) {
    out.sequences.emplace();
    for (const auto& sequence : run.end_state->sequences)
      out.sequences->push_back({sequence.name, sequence.last_value, sequence.is_called});
  }
  return out;
}

/// What is left out, and why: what a copy leaves out too.
std::optional<std::string> reason_to_skip(const copy::Options& options, const pg::QualifiedName& name) {
  if (pg::is_vendor_schema(name.schema)) return "it belongs to the provider";
  if (!options.include.empty() && !copy::matches_any(options.include, name.schema, name.name))
    return "not selected by --include";
  if (copy::matches_any(options.exclude, name.schema, name.name)) return "left out by --exclude";
  return std::nullopt;
}

/// The same for definitions: an empty relation stands for the schema and what lies in it without being a
/// table.
bool is_selected(const copy::Options& options, const std::string& schema, const std::string& relation) {
  if (pg::is_vendor_schema(schema)) return false;
  if (!options.include.empty() && !copy::matches_any(options.include, schema, relation)) return false;
  return !copy::matches_any(options.exclude, schema, relation);
}

verify::Options engine_options(const VerifyOptions& options, const copy::Options& database) {
  verify::Options out;
  out.source = database.source;
  out.target = database.target;
  out.level = options.level;
  out.jobs = database.jobs;
  if (database.split_size) out.split_size = *database.split_size;
  out.skip = [&database](const pg::QualifiedName& name) { return reason_to_skip(database, name); };
  out.row_filters = database.row_filters;
  out.catalog.selects = [&database](std::string_view schema, std::string_view relation) {
    return is_selected(database, std::string(schema), std::string(relation));
  };
  out.catalog.role_map = database.role_map;
  out.catalog.owners = database.owners;
  out.catalog.grants = database.grants;
  out.catalog.waivers = options.waivers;
  out.strong = options.strong;
  out.recheck = options.recheck;
  out.max_rows = options.max_rows;
  out.show_values = options.show_values;
  out.retry = database.retry;
  return out;
}

/// The comparison's progress in the terms that are shown for every command.
copy::Progress::Snapshot shown(verify::Progress& progress) {
  copy::Progress::Snapshot out;
  out.phase = progress.phase();
  out.started = out.data_started = progress.started;
  out.bytes_total = progress.bytes_total;
  out.bytes_expected_done = progress.bytes_done;
  out.bytes_copied = progress.bytes_read;
  out.rows_copied = progress.rows_read;
  out.chunks_total = progress.slices_total;
  out.chunks_done = progress.slices_done;
  out.proofs_total = progress.tables_total;
  out.proofs_done = progress.tables_done;
  out.retries = progress.retries;
  for (auto& activity : progress.activities())
    out.activities.push_back({std::move(activity.what), activity.bytes, activity.since});
  return out;
}

void write_report(const VerifyOptions& options, const VerifyContext& context, const Json& report) {
  if (!context.run_dir.empty()) keep_report(context.run_dir, report);
  if (options.report_file) base::replace_file(*options.report_file, json_text(report, 2) + "\n");
}

DatabaseResult verify_one(const Invocation& invocation, const VerifyOptions& options,
                          const copy::Options& database) {
  VerifyContext context;
  context.again = invocation.again;
  std::optional<base::DirectoryLock> lock;
  if (options.run_dir) {
    context.run_dir = database.run_dir.string();
    copy::RunDir::peek(database.run_dir);  // not a run directory: nothing is written into it
    lock.emplace(database.run_dir);
    context.differences_file = (database.run_dir / "differences.jsonl").string();
  }
  if (options.differences_file) context.differences_file = options.differences_file->string();
  const std::stop_callback announcement(
      invocation.stop.token(), [] { spdlog::warn("stopping; nothing was changed (again to quit at once)"); });
  try {
    auto engine = engine_options(options, database);
    if (options.run_dir && !options.independent) {
      engine.recorded = recorded_by(copy::read_recorded_run(database.run_dir));
      engine.journal = database.run_dir / "verify.journal";
    }
    std::optional<base::FileSink> rows;
    if (!context.differences_file.empty()) {
      rows.emplace(context.differences_file);
      engine.on_row = [&](const verify::TableResult& table, const verify::RowDifference& row) {
        const auto line = json_text(row_json(table, row)) + "\n";
        rows->write(std::as_bytes(std::span(line)));
      };
    }
    const auto outcome = [&] {
      verify::Progress progress;
      const ProgressView view([&] { return shown(progress); }, invocation, context.run_dir, "verify");
      return verify::compare(engine, progress, invocation.stop);
    }();
    if (rows) rows->finish();
    auto report = verify_json(outcome, context);
    write_report(options, context, report);
    if (!options.run.json) print(verify_text(outcome, context, wants_colours(STDOUT_FILENO)));
    return {outcome.exit_code(), verify_line(outcome), std::move(report)};
  } catch (const Error& error) {
    write_report(options, context, verify_error_report(error, exit_code_of(error), context));
    throw;
  }
}

void check(const VerifyOptions& options) {
  const bool reads_source = !options.run_dir || options.independent;
  if (reads_source || !options.run.copy.source.parameters().empty()) {
    require_both(options.run.copy, options.run.databases);
  } else {
    require_target(options.run.copy);
  }
  if (!reads_source && !options.run.copy.row_filters.empty())
    throw Error(ErrorKind::usage,
                "--where cannot be used with the digests of a copy, which are of all rows it copied",
                "add --independent, or leave --run-dir out");
  if (!reads_source && options.level == verify::Level::catalog)
    throw Error(ErrorKind::usage,
                "--level catalog cannot be used with the digests of a copy, which has none of definitions",
                "add --independent, or leave --run-dir out");
  if (!reads_source && options.strong)
    throw Error(ErrorKind::usage, "--strong cannot be used with the digests of a copy, which are of XXH3-128",
                "add --independent, or leave --run-dir out");
  if (!reads_source && options.recheck > 0)
    throw Error(ErrorKind::usage, "--recheck cannot be used with the digests of a copy: those do not move",
                "add --independent, or leave --run-dir out");
  if (!options.run.databases.empty() && (options.report_file || options.differences_file))
    throw Error(
        ErrorKind::usage, "--report and --differences name one file, which each of --databases would replace",
        "use --run-dir, where each database has a directory, or --report-json for one document of all");
  if (options.independent && !options.run_dir)
    throw Error(ErrorKind::usage, "--independent is for --run-dir; without it both sides are read anyway",
                "leave --independent out");
}

}  // namespace

Run set_up_verify(OptionSet& set) {
  auto options = std::make_shared<VerifyOptions>();
  set.describe(
      "Compares two databases without writing to either. Every table is read on both sides, each under one "
      "snapshot, "
      "and compared by count and by a keyed digest of every row; where digests differ, the differing rows "
      "are named. "
      "Sequences, large objects and materialized views are compared too. With --run-dir of a finished copy "
      "only the "
      "target is read, and compared with what left the source at the copy's snapshot, so that the source may "
      "go on "
      "being written to. Exit code 0: everything was compared and is equal; 1: differences; 3: something "
      "could not be "
      "compared.");
  set.example(
      "are these two the same?",
      "cutover verify --source postgres://app@old.example/app --target postgres://app@new.example/app");
  set.example("is the target still what was copied?",
              "cutover verify --run-dir cutover-run --target postgres://app@new.example/app");
  set.example("is every uploaded file in the bucket, byte by byte?",
              "cutover verify --run-dir cutover-upload --objects download");
  set.example("counts only, without the audit log, in a pipeline",
              "cutover verify --level counts --exclude 'audit.*' --report verify.json --log-format json");
  add_verify_options(set, *options);
  return [options](const Invocation& invocation) {
    if (options->run_dir && s3::is_upload_run(*options->run_dir))
      return verify_upload(invocation,
                           {*options->run_dir, options->objects, options->run.json, options->report_file});
    if (options->run_dir) options->run.copy.run_dir = *options->run_dir;
    check(*options);
    return for_each_database(invocation, options->run, [&](const copy::Options& database) {
      return verify_one(invocation, *options, database);
    });
  };
}

}  // namespace cli
