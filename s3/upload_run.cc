#include "s3/upload_run.h"

#include <array>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/journal.h"
#include "s3/error.h"
#include "s3/keys.h"
#include "s3/unfinished.h"
#include "s3/upload_journal.h"

namespace s3 {
namespace {

namespace fs = std::filesystem;

fs::path journal_of(const fs::path& directory) { return directory / UploadJournal::kFile; }

std::vector<Glob> globs_of(const std::vector<std::string>& patterns) {
  std::vector<Glob> out;
  for (const auto& pattern : patterns) out.emplace_back(pattern);
  return out;
}

/// Another server would not know the uploads, and take them for gone.
void check_endpoint(const fs::path& directory, const RunIdentity& run, const Endpoint& endpoint) {
  if (endpoint.name == run.endpoint) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} has unfinished uploads at {}, not at {}", directory.native(),
                                run.endpoint, endpoint.name),
                    "name the endpoint of the upload");
}

[[noreturn]] void fail_on_left(const fs::path& directory, uint64_t aborted,
                               const std::vector<std::string>& left) {
  const auto others = left.size() == 1 ? "" : fmt::format(", and of {} other files", left.size() - 1);
  throw base::Error(base::ErrorKind::permanent,
                    fmt::format("{} unfinished uploads were aborted, and one may be left of {}{}", aborted,
                                left.front(), others),
                    fmt::format("run the same command again when it is aborted; if none is left, remove {}",
                                directory.native()));
}

/// Returns how many there were. That one cannot be aborted is no reason to leave the others.
uint64_t abort_all(const fs::path& directory, UploadJournal& journal, const std::string& prefix,
                   Client& client, const Retries& retries) {
  auto aborted = abort_open_uploads(journal, prefix, client, retries);
  std::vector<std::string> left;
  for (const auto& [path, since] : journal.intended()) {
    UnknownUploads unknown;
    try {
      unknown = abort_unknown_uploads(journal, prefix, path, since, client, retries);
    } catch (const base::Error& error) {
      if (retries.stop.requested() || ends_the_run(error)) throw;
      unknown.doubt = error.in_one_line();
    }
    aborted += unknown.aborted;
    if (unknown.doubt.empty()) journal.record_cleared(path);
    if (!unknown.doubt.empty()) left.push_back(fmt::format("{}: {}", printable(path), unknown.doubt));
  }
  if (!left.empty()) fail_on_left(directory, aborted, left);
  return aborted;
}

}  // namespace

bool is_upload_run(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(journal_of(directory), ignored);
}

UploadState read_upload_run(const fs::path& directory) {
  if (!is_upload_run(directory))
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} is not the run directory of an upload", directory.native()),
                      "give the directory that --run-dir named when the upload was started");
  UploadState state;
  const auto path = journal_of(directory);
  base::during(fmt::format("read {}", path.native()),
               [&] { base::Journal::read(path, [&](base::Bytes record) { state.apply(record); }); });
  return state;
}

UploadOptions options_of(const fs::path& directory, const UploadState& state) {
  if (!state.run)
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the upload of {} has not begun", directory.native()),
                      "run cutover upload with this --run-dir first");
  UploadOptions out;
  out.directory = state.run->directory;
  out.target = {state.run->bucket, state.run->prefix};
  out.run_dir = directory;
  out.walk.prefix = out.target.prefix;
  if (state.selection) {
    out.walk.symlinks = state.selection->symlinks;
    out.walk.filter = {globs_of(state.selection->include), globs_of(state.selection->exclude)};
  }
  return out;
}

CleanedRun clean_upload_run(const fs::path& directory, const UploadState& state, const Connect& connect,
                            const base::Stop& stop) {
  const auto run = state.run.value_or(RunIdentity{});
  CleanedRun out;
  // Its lock is held until the files are gone.
  UploadJournal journal(directory, run);
  if (!journal.open_uploads().empty() || !journal.intended().empty()) {
    const auto session = connect();
    check_endpoint(directory, run, session->endpoint());
    Client client(session, stop);
    out.aborted = abort_all(directory, journal, run.prefix, client, {.stop = stop});
  }
  constexpr std::array kFiles{"uploads.journal.new", "status.json.tmp",    "status.json", "report.json",
                              "verify-report.json",  UploadJournal::kFile, "lock"};
  std::error_code ignored;
  for (const auto* name : kFiles) fs::remove(directory / name, ignored);
  out.removed = fs::remove(directory, ignored);
  return out;
}

}  // namespace s3
