#include "cli/run_status.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "cli/errors.h"
#include "cli/status_file.h"
#include "cli/text.h"
#include "copy/run_dir.h"
#include "s3/upload_run.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

/// Below the root of a `cutover run` is the directory of a copy, and below that may be those of its
/// databases.
constexpr int kDeepest = 2;

void add_run_directories(const fs::path& directory, int deep, std::vector<fs::path>& found) {
  if (is_run_directory(directory)) {
    found.push_back(directory);
    return;
  }
  if (deep == kDeepest) return;
  std::vector<fs::path> below;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.is_directory(error)) below.push_back(entry.path());
  std::ranges::sort(below);
  for (const auto& path : below) add_run_directories(path, deep + 1, found);
}

uint64_t number(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<uint64_t>() : 0;
}

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string result_of(int exit_code) {
  switch (exit_code) {
    case kEqual:
      return "finished, equal";
    case kDifferent:
      return "finished, with differences";
    default:
      return fmt::format("finished with exit code {}", exit_code);
  }
}

std::string condition_of(const RunStatus& status) {
  if (status.process) {
    const auto phase = status.progress ? text(*status.progress, "phase") : std::string();
    return fmt::format("running (pid {}){}", *status.process, phase.empty() ? "" : ", phase " + phase);
  }
  if (status.state.is_discarded()) return "not running, half removed";
  return status.state.finished ? result_of(*status.state.finished) : "not running";
}

struct Sums {
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

Sums sums_of(const copy::RunState& state) {
  Sums sums;
  for (const auto& [key, chunk] : state.chunks) {
    sums.rows += chunk.rows;
    sums.bytes += chunk.bytes;
  }
  return sums;
}

uint64_t equal_proofs(const copy::RunState& state) {
  return static_cast<uint64_t>(
      std::ranges::count_if(state.proofs, [](const auto& proof) { return proof.second.equal; }));
}

std::string chunks_of(const RunStatus& status) {
  const auto done = base::human_count(status.state.chunks.size());
  return status.chunks_total == 0 ? done
                                  : fmt::format("{} of {}", done, base::human_count(status.chunks_total));
}

std::string proofs_of(const RunStatus& status) {
  const auto done = status.state.proofs.size();
  const auto equal = equal_proofs(status.state);
  return fmt::format("{} done, {} equal{}", base::human_count(done), base::human_count(equal),
                     done == equal ? "" : fmt::format(", {} different", base::human_count(done - equal)));
}

/// What only the running process knows.
void add_progress(ReportSection& out, const Json& progress) {
  std::string line = fmt::format("{}/s, {} rows/s", base::human_bytes(number(progress, "bytes_per_second")),
                                 base::human_count(number(progress, "rows_per_second")));
  if (const auto left = progress.find("seconds_left"); left != progress.end() && left->is_number())
    line += fmt::format(
        ", ETA {}",
        base::human_duration(std::chrono::milliseconds(static_cast<int64_t>(left->get<double>() * 1000))));
  if (text(progress, "phase") == "data") add_fact(out, "pace", line);
  if (const auto total = number(progress, "indexes_total"); total > 0)
    add_fact(out, "indexes",
             fmt::format("{} of {}", base::human_count(number(progress, "indexes_done")),
                         base::human_count(total)));
  if (const auto retries = number(progress, "retries"); retries > 0)
    add_fact(out, "retries", base::human_count(retries));
  const auto activities = progress.find("activities");
  if (activities == progress.end() || !activities->is_array()) return;
  for (const auto& activity : *activities)
    if (activity.is_object()) {
      const auto detail = text(activity, "detail");
      add_fact(out, "now",
               fmt::format("{}, {}, {} s{}{}", text(activity, "what"),
                           base::human_bytes(number(activity, "bytes")), number(activity, "seconds"),
                           detail.empty() ? "" : ", ", detail));
    }
}

std::string next_step(const RunStatus& status) {
  const bool is_discarded = status.state.is_discarded();
  if (status.process || (status.state.finished && !is_discarded)) return {};
  if (is_discarded) return "it was to be started over: run the same command again with --restart";
  const auto command = status.progress ? text(*status.progress, "command") : std::string();
  if (command == "export") return "an export is of one moment: run the same command again with --restart";
  return fmt::format("resume with: cutover {} --run-dir {} and the options it was started with",
                     command == "import" ? "import" : "copy", shell_quoted(status.directory.string()));
}

}  // namespace

bool is_run_directory(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / "lock", ignored) &&
         (fs::exists(directory / "checkpoint.zst", ignored) || fs::exists(directory / "journal.0", ignored) ||
          s3::is_upload_run(directory));
}

std::vector<fs::path> run_directories_if_any(const fs::path& directory) {
  std::vector<fs::path> found;
  add_run_directories(directory, 0, found);
  return found;
}

std::vector<fs::path> run_directories(const fs::path& directory) {
  auto found = run_directories_if_any(directory);
  if (found.empty())
    throw base::Error(base::ErrorKind::usage, fmt::format("{} is not a run directory", directory.string()),
                      "give the directory that --run-dir named when the copy or the upload was started");
  return found;
}

std::string copy_begun(const copy::RunState& state) {
  const auto begun = state.run_id.empty() ? std::string() : base::utc_timestamp(state.started);
  return state.discarded ? std::max(begun, base::utc_timestamp(*state.discarded)) : begun;
}

std::string newest_copy(const fs::path& directory) {
  std::string newest;
  for (const auto& run_dir : run_directories_if_any(directory))
    newest = std::max(newest, copy_begun(copy::RunDir::peek(run_dir)));
  return newest;
}

RunStatus read_status(const fs::path& directory) {
  RunStatus status;
  status.directory = directory;
  // Before the state, so that a process that ends in between is not taken for one that stopped half-way.
  status.process = running_process(directory);
  status.state = copy::RunDir::peek(directory);
  status.progress = read_status_file(directory);
  if (status.progress && status.process &&
      number(*status.progress, "pid") != static_cast<uint64_t>(*status.process))
    status.progress.reset();
  if (fs::exists(directory / "plan.json.zst")) {
    const auto plan = copy::RunDir::load_plan(directory);
    status.chunks_total = plan.total_chunks();
    status.relations_total = plan.relations.size();
  }
  return status;
}

ReportSection status_section(const RunStatus& status) {
  const auto& state = status.state;
  ReportSection out;
  out.title = status.directory.string();
  out.headline = condition_of(status);
  out.tone = status.process || (state.finished == 0 && !state.is_discarded()) ? Tone::good : Tone::unsure;
  if (!state.run_id.empty()) {
    add_fact(out, "run",
             fmt::format("{} in {}, started {}", state.run_id, status.directory.string(),
                         base::utc_timestamp(state.started).substr(0, 19) + "Z"));
  } else {
    add_fact(out, "run", fmt::format("not begun, in {}", status.directory.string()));
  }
  add_fact(out, "source", state.source);
  add_fact(out, "target", state.target);
  const auto sums = sums_of(state);
  add_fact(out, "chunks",
           fmt::format("{} done: {}, {}", chunks_of(status), counted(sums.rows, "row"),
                       base::human_bytes(sums.bytes)));
  add_fact(out, "proofs", proofs_of(status));
  if (status.process && status.progress) add_progress(out, *status.progress);
  out.next = next_step(status);
  return out;
}

std::string status_line(const RunStatus& status) {
  const auto sums = sums_of(status.state);
  return fmt::format("{}: chunks {}, {}, {}, proofs {}", condition_of(status), chunks_of(status),
                     counted(sums.rows, "row"), base::human_bytes(sums.bytes), proofs_of(status));
}

Json status_json(const RunStatus& status) {
  const auto& state = status.state;
  const auto sums = sums_of(state);
  Json out{{"version", 1},
           {"run_dir", status.directory.string()},
           {"run_id", state.run_id},
           {"running", status.process.has_value()},
           {"pid", nullptr},
           {"finished", state.finished.has_value()},
           {"exit_code", nullptr},
           {"source", state.source},
           {"target", state.target},
           {"started", base::utc_timestamp(state.started)},
           {"relations_total", status.relations_total},
           {"chunks_done", state.chunks.size()},
           {"chunks_total", status.chunks_total},
           {"rows", sums.rows},
           {"bytes", sums.bytes},
           {"proofs_done", state.proofs.size()},
           {"proofs_equal", equal_proofs(state)},
           {"progress", nullptr}};
  if (status.process) out["pid"] = *status.process;
  if (state.finished) out["exit_code"] = *state.finished;
  if (status.process && status.progress) out["progress"] = *status.progress;
  return out;
}

}  // namespace cli
