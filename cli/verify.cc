#include <memory>
#include <stop_token>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/comparison.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/progress_view.h"
#include "cli/upload_run.h"
#include "cli/verify_options.h"
#include "cli/verify_report.h"
#include "cli/verify_section.h"
#include "copy/recorded.h"
#include "copy/run_dir.h"
#include "s3/upload_run.h"
#include "verify/engine.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

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
    auto engine = comparison_options(options, database);
    if (options.run_dir && !options.independent) {
      auto run = copy::read_recorded_run(database.run_dir);
      base::during("look at the target",
                   [&] { copy::refuse_source_as_target(run, database.target, invocation.stop); });
      engine.recorded = recorded_by(std::move(run));
      require_recorded_filters(engine.row_filters, *engine.recorded);
      engine.row_filters.clear();
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
    keep_result(options, context.run_dir, "verify-report.json", report);
    if (!options.run.json)
      invocation.print(section_text(verify_section(report), wants_colours(STDOUT_FILENO)));
    return {outcome.exit_code(), verify_line(report), std::move(report)};
  } catch (const Error& error) {
    keep_result(options, context.run_dir, "verify-report.json",
                verify_error_report(error, exit_code_of(error), context));
    throw;
  }
}

/// What cannot be had of a copy's digests.
void refuse_with_recorded(const VerifyOptions& options) {
  const auto refuse = [](bool given, const char* option, const char* why) {
    if (given)
      throw Error(ErrorKind::usage,
                  fmt::format("{} cannot be used with the digests of a copy, {}", option, why),
                  "add --independent, or leave --run-dir out");
  };
  refuse(options.level == verify::Level::catalog, "--level catalog", "which has none of definitions");
  refuse(options.strong, "--strong", "which are of XXH3-128");
  refuse(options.server_side, "--server-side", "which are of XXH3-128");
  refuse(options.recheck > 0, "--recheck", "which do not move");
  refuse(options.resume.has_value(), "--resume", "which goes on by itself");
}

bool is_of_upload(const VerifyOptions& options) {
  return options.run_dir && s3::is_upload_run(*options.run_dir);
}

void check(const VerifyOptions& options) {
  const bool reads_source = !options.run_dir || options.independent;
  if (reads_source || !options.run.copy.source.parameters().empty()) {
    require_both(options.run.copy, options.run.databases);
  } else {
    require_target(options.run.copy);
  }
  if (!reads_source) refuse_with_recorded(options);
  if (options.server_side && (options.strong || options.resume))
    throw Error(ErrorKind::usage,
                "--server-side cannot be used with --strong or --resume: the servers keep no digests",
                "leave one of them out");
  if (options.recheck > 0 && options.resume)
    throw Error(ErrorKind::usage, "--recheck cannot be used with --resume: it is for sides that change",
                "leave one of them out");
  if (!options.run.databases.empty() &&
      (options.report_file || options.page_file || options.differences_file || options.resume))
    throw Error(
        ErrorKind::usage,
        "--report, --html, --differences and --resume name one file, which each of --databases would replace",
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
  set.require([options] {
    if (!is_of_upload(*options)) check(*options);
  });
  return [options](const Invocation& invocation) {
    if (is_of_upload(*options)) return verify_upload(invocation, *options);
    if (options->run_dir) options->run.copy.run_dir = *options->run_dir;
    return for_each_database(invocation, options->run, [&](const copy::Options& database) {
      return verify_one(invocation, *options, database);
    });
  };
}

}  // namespace cli
