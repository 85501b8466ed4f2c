#include "cli/upload_status.h"

#include <fmt/format.h>

#include "base/format.h"
#include "cli/errors.h"
#include "cli/screen.h"
#include "cli/status_file.h"
#include "cli/text.h"
#include "s3/keys.h"
#include "s3/upload_run.h"

namespace cli {
namespace {

using base::human_bytes;
using base::human_count;

std::string uri_of(const s3::RunIdentity& run) { return fmt::format("s3://{}/{}", run.bucket, run.prefix); }

std::string summary_of(const UploadStatus& status) {
  if (!status.progress) return {};
  const auto found = status.progress->find("summary");
  return found != status.progress->end() && found->is_string() ? sanitized_line(found->get<std::string>())
                                                               : std::string();
}

std::string condition_of(const UploadStatus& status) {
  if (status.process) return fmt::format("running (pid {})", *status.process);
  if (!status.state.finished) return "not running, and not finished";
  if (status.state.finished->failures > 0)
    return fmt::format("finished, {} failed", human_count(status.state.finished->failures));
  return status.state.finished->differences > 0 ? "finished, with differences" : "finished, equal";
}

struct UploadSums {
  uint64_t bytes = 0;
  uint64_t open_parts = 0;
  uint64_t open_bytes = 0;
};

UploadSums sums_of(const s3::UploadState& state) {
  UploadSums sums;
  for (const auto& [path, object] : state.objects) sums.bytes += object.size;
  for (const auto& [id, upload] : state.uploads)
    for (const auto& [number, part] : upload.parts) {
      ++sums.open_parts;
      sums.open_bytes += part.size;
    }
  return sums;
}

std::string objects_of(const s3::UploadState& state, const UploadSums& sums) {
  return fmt::format("{}, {}", counted(state.objects.size(), "object"), human_bytes(sums.bytes));
}

bool is_clean(const UploadStatus& status) {
  const auto& finished = status.state.finished;
  return finished && finished->failures == 0 && finished->differences == 0;
}

}  // namespace

UploadStatus read_upload_status(const std::filesystem::path& directory) {
  UploadStatus status;
  status.directory = directory;
  // Before the state, so that a process that ends in between is not taken for one that stopped half-way.
  status.process = running_process(directory);
  status.state = s3::read_upload_run(directory);
  if (status.process) status.progress = read_status_file(directory);
  if (status.progress && status.progress->value("pid", Json()) != *status.process) status.progress.reset();
  return status;
}

ReportSection status_section(const UploadStatus& status) {
  const auto& state = status.state;
  ReportSection out;
  out.title = status.directory.string();
  out.headline = condition_of(status);
  out.tone = status.process || is_clean(status) ? Tone::good : Tone::unsure;
  add_fact(out, "run", "upload in " + status.directory.string());
  if (state.run) {
    add_fact(out, "from", s3::printable(state.run->directory));
    add_fact(out, "to",
             uri_of(*state.run) + (state.run->endpoint == "aws" ? "" : " at " + state.run->endpoint));
  }
  const auto sums = sums_of(state);
  add_fact(out, "uploaded", objects_of(state, sums));
  if (!state.uploads.empty())
    add_fact(out, "begun",
             fmt::format("{}, of which {} are there: {}", counted(state.uploads.size(), "large object"),
                         counted(sums.open_parts, "part"), human_bytes(sums.open_bytes)));
  add_fact(out, "now", summary_of(status));
  if (!status.process && !state.finished && state.run)
    out.next =
        fmt::format("resume with: cutover upload {} {} --run-dir {} and the options it was started with",
                    shell_quoted(s3::printable(state.run->directory)), shell_quoted(uri_of(*state.run)),
                    shell_quoted(status.directory.string()));
  return out;
}

std::string status_line(const UploadStatus& status) {
  const auto summary = summary_of(status);
  return fmt::format("{}: {}", condition_of(status),
                     summary.empty() ? objects_of(status.state, sums_of(status.state)) : summary);
}

Json status_json(const UploadStatus& status) {
  const auto& state = status.state;
  const auto sums = sums_of(state);
  Json out{{"version", 1},
           {"kind", "upload"},
           {"run_dir", status.directory.string()},
           {"running", status.process.has_value()},
           {"pid", nullptr},
           {"finished", state.finished.has_value()},
           {"exit_code", nullptr},
           {"objects", state.objects.size()},
           {"bytes", sums.bytes},
           {"open_uploads", state.uploads.size()},
           {"open_parts", sums.open_parts},
           {"open_bytes", sums.open_bytes},
           {"progress", nullptr}};
  if (state.run) {
    out["source"] = s3::printable(state.run->directory);
    out["target"] = uri_of(*state.run);
    out["endpoint"] = state.run->endpoint;
  }
  if (status.process) out["pid"] = *status.process;
  if (state.finished)
    out["exit_code"] = state.finished->failures > 0      ? kFailed
                       : state.finished->differences > 0 ? kDifferent
                                                         : kEqual;
  if (status.progress) out["progress"] = *status.progress;
  return out;
}

}  // namespace cli
