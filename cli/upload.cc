#include <memory>
#include <stop_token>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/authentication.h"
#include "cli/commands.h"
#include "cli/engine_run.h"
#include "cli/errors.h"
#include "cli/report.h"
#include "cli/report_section.h"
#include "cli/run_report.h"
#include "cli/s3_session.h"
#include "cli/throughput.h"
#include "cli/upload_options.h"
#include "cli/upload_report.h"
#include "cli/upload_section.h"
#include "cli/upload_view.h"
#include "s3/uploader.h"

namespace cli {
namespace {

/// Where --refs looks, with its authentication.
pg::Conninfo references_database(const Invocation& invocation, const UploadCommand& command) {
  const auto& given = command.upload.references.database;
  if (!given.parameters().empty())
    return with_authentication(given, "database", command.database_authentication, invocation.stop);
  const auto& move = command.move;
  auto database = move.copy.target;
  if (!move.databases.empty()) database = database.with("dbname", move.databases.front().target);
  return with_authentication(database, "target", move.target_authentication, invocation.stop);
}

/// What is told of an upload beside its outcome.
struct UploadRecord {
  s3::Endpoint endpoint;
  Throughput throughput;
};

s3::Outcome run_in_its_region(const Invocation& invocation, const UploadCommand& command,
                              UploadRecord& record) {
  return in_its_region(command, invocation.stop, [&](const std::shared_ptr<s3::Session>& session) {
    s3::Progress progress;
    record = {session->endpoint(), {}};
    const auto look = [&] {
      auto snapshot = progress.snapshot();
      record.throughput.add(s3::Progress::Clock::now() - snapshot.started, snapshot.bytes_sent,
                            snapshot.files_done);
      return snapshot;
    };
    const UploadView view(look, invocation, command.verify_only ? "" : command.upload.run_dir);
    return command.verify_only ? s3::verify_only(command.upload, session, progress, invocation.stop)
                               : s3::upload(command.upload, session, progress, invocation.stop);
  });
}

int show_dry_run(const Invocation& invocation, const UploadCommand& command) {
  const auto endpoint = open_session(command, "", invocation.stop)->endpoint();
  const auto plan = s3::dry_run(command.upload, endpoint, invocation.stop);
  const auto report = dry_run_json(plan);
  invocation.print(command.json ? json_text(report, 2) + "\n" : dry_run_text(report));
  return exit_code_of(plan);
}

int run_upload(const Invocation& invocation, UploadCommand command) {
  if (command.dry_run) return show_dry_run(invocation, command);
  auto& references = command.upload.references;
  if (!references.queries.empty()) references.database = references_database(invocation, command);
  const auto& run_dir = command.upload.run_dir;
  // A comparison leaves nothing behind: CUTOVER_RUN_DIR may be that of the run which it is a check of.
  if (!command.verify_only) refuse_run_root(run_dir);
  const ReportContext context{"upload", command.verify_only ? "" : run_dir.string(), invocation.again};
  const std::stop_callback announcement(invocation.stop.token(), [] {
    spdlog::warn("stopping cleanly; run the same command again to resume (again to quit at once)");
  });
  try {
    UploadRecord record;
    const auto outcome = run_in_its_region(invocation, command, record);
    auto report = upload_report(outcome, command.upload, record.endpoint, context);
    if (!command.verify_only) report["throughput"] = record.throughput.json();
    if (!command.verify_only) keep_report(run_dir, report);
    invocation.print(command.json ? json_text(report, 2) + "\n"
                                  : section_text(upload_section(report), wants_colours(STDOUT_FILENO)));
    invocation.on_result(upload_line(report), report);
    return exit_code_of(outcome);
  } catch (const base::Error& error) {
    if (!command.verify_only) keep_report(run_dir, error_report(error, exit_code_of(error), context));
    throw;
  }
}

}  // namespace

Run set_up_upload(OptionSet& set) {
  auto command = std::make_shared<UploadCommand>();
  set.describe(
      "Uploads a directory to a bucket, and makes the server check what it received. A second run only sends "
      "what has changed: run it once while the application lives, and again when its writers are stopped. "
      "Whatever interrupts it, the same command goes on where it stopped; of large files no part is sent "
      "twice.");
  set.example("uploads of an application", "cutover upload /srv/app/uploads s3://app-uploads/files");
  set.example("a static site",
              "cutover upload ./public s3://www.example --delete --cache-control max-age=300 "
              "--cache-control 'assets/**=max-age=31536000, immutable'");
  set.example("another S3 server",
              "cutover upload ./data s3://bucket --endpoint-url https://minio.example:9000");
  set.example("is everything there, and what the database mentions?",
              "cutover upload ./uploads s3://bucket/uploads --verify-only --database postgres://app@new/app "
              "--refs documents.file_path --refs-prefix /uploads/");
  add_upload_options(set, *command);
  set.require([command] { complete_upload_options(*command); });
  return [command](const Invocation& invocation) { return run_upload(invocation, *command); };
}

}  // namespace cli
