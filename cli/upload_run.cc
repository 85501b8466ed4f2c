#include "cli/upload_run.h"

#include <memory>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/comparison.h"
#include "cli/confirm.h"
#include "cli/report.h"
#include "cli/report_section.h"
#include "cli/s3_session.h"
#include "cli/text.h"
#include "cli/upload_options.h"
#include "cli/upload_report.h"
#include "cli/upload_section.h"
#include "cli/upload_view.h"
#include "s3/upload_run.h"
#include "s3/uploader.h"

namespace cli {
namespace {

/// As it was given to `cutover upload`. Profile and region come from the environment.
UploadCommand command_of(const std::filesystem::path& run_dir, const s3::UploadState& state) {
  UploadCommand out;
  out.upload = s3::options_of(run_dir, state);
  if (state.run->endpoint != "aws") out.endpoint_url = state.run->endpoint;
  out.requester_pays = state.selection && state.selection->requester_pays;
  return out;
}

std::string question_of(const s3::UploadState& state, const std::string& run_dir) {
  std::string out;
  if (!state.finished) out += "NOT finished: what is uploaded would be compared, not known, by another run. ";
  if (const auto open = state.uploads.size(); open > 0)
    out += fmt::format("Abort {} of s3://{}/{}? ", counted(open, "unfinished upload"), state.run->bucket,
                       state.run->prefix);
  return out + fmt::format("Remove {}? The objects stay.", run_dir);
}

}  // namespace

int verify_upload(const Invocation& invocation, const VerifyOptions& options) {
  const auto run_dir = options.run_dir->string();
  auto command = command_of(run_dir, s3::read_upload_run(run_dir));
  set_verification(command.upload, options.objects);
  const ReportContext context{"verify", run_dir, invocation.again};
  s3::Endpoint endpoint;
  const auto outcome =
      in_its_region(command, invocation.stop, [&](const std::shared_ptr<s3::Session>& session) {
        endpoint = session->endpoint();
        s3::Progress progress;
        const UploadView view([&] { return progress.snapshot(); }, invocation, command.upload.run_dir);
        return s3::verify_only(command.upload, session, progress, invocation.stop, true);
      });
  const auto report = upload_report(outcome, command.upload, endpoint, context);
  keep_result(options, run_dir, "verify-report.json", report);
  invocation.print(options.run.json ? json_text(report, 2) + "\n"
                                    : section_text(upload_section(report), wants_colours(STDOUT_FILENO)));
  invocation.on_result(upload_line(report), report);
  return exit_code_of(outcome);
}

std::string clean_upload(const Invocation& invocation, const std::filesystem::path& run_dir, bool yes) {
  const auto state = s3::read_upload_run(run_dir);
  if (!confirmation(invocation, yes)(question_of(state, run_dir.string())))
    throw base::Error(base::ErrorKind::usage, "not confirmed; nothing was changed");
  const auto clean = [&](const s3::Connect& connect) {
    return s3::clean_upload_run(run_dir, state, connect, invocation.stop);
  };
  const bool has_open = state.run && !(state.uploads.empty() && state.intended.empty());
  const auto done =
      has_open ? in_its_region(command_of(run_dir, state), invocation.stop,
                               [&](const auto& session) { return clean([&] { return session; }); })
               : clean([]() -> std::shared_ptr<s3::Session> {
                   throw base::Error(base::ErrorKind::usage, "another process has gone on with the upload");
                 });
  std::string out;
  if (done.aborted > 0) out += fmt::format("aborted {}\n", counted(done.aborted, "unfinished upload"));
  out += done.removed
             ? fmt::format("removed {}\n", run_dir.string())
             : fmt::format("removed the upload from {}, where other files are left\n", run_dir.string());
  return out;
}

}  // namespace cli
