#include "cli/run_state.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/kept_results.h"
#include "cli/run_status.h"
#include "cli/run_timeline.h"
#include "cli/text.h"
#include "copy/run_dir.h"
#include "s3/upload_run.h"
#include "s3/uri.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

std::string time_of(const Json& document) {
  return document.is_object() ? document.value("time", "") : std::string();
}

Json steps_in(const Json& timeline) {
  return timeline.is_object() ? timeline.value("steps", Json::array()) : Json::array();
}

/// A result that was kept since the copy came to its end. Times are written so that they compare as text.
Json since_the_copy(const fs::path& run_dir, const char* name) {
  auto document = read_result_if_exists(run_dir / name);
  return time_of(document) >= time_of(read_result_if_exists(run_dir / "report.json")) ? document : Json();
}

bool is_verified(const fs::path& run_dir) {
  const auto report = since_the_copy(run_dir, "verify-report.json");
  const auto code = report.is_object() ? report.value("exit_code", kFailed) : kFailed;
  return code == kEqual || code == kWaived;
}

/// Also when it is not known how a repair ended.
bool is_repaired(const fs::path& run_dir) {
  const auto report = since_the_copy(run_dir, "repair-report.json");
  return report.is_object() && report.value("applied", true);
}

/// A repair of the run that was killed has left no result.
bool has_unfinished_repair(const Json& timeline, const fs::path& run_dir) {
  const auto copied = time_of(read_result_if_exists(run_dir / "report.json"));
  return std::ranges::any_of(steps_in(timeline), [&](const Json& step) {
    return step.value("name", "") == "repair" && step.at("exit_code").is_null() &&
           step.value("started", "") >= copied;
  });
}

bool is_copied(const fs::path& run_dir) {
  if (!is_run_directory(run_dir)) return false;
  const auto state = copy::RunDir::peek(run_dir);
  return state.finished == kEqual && !state.is_discarded();
}

/// The run directories that the copies of these databases have.
std::vector<fs::path> copies_of(const Move& move, const std::vector<DatabasePair>& databases) {
  copy::Options options;
  options.run_dir = database_dir(move.root);
  if (databases.empty()) return {options.run_dir};
  std::vector<fs::path> copies;
  for (const auto& pair : databases) copies.push_back(options_for(options, pair).run_dir);
  return copies;
}

/// Directories that were uploaded, by where to. One may be mounted elsewhere now, but there are as many.
class Uploaded {
 public:
  explicit Uploaded(const Move& move) {
    for (const auto& one : move.uploads) {
      const auto target = s3::parse_uri(one.to);
      ++declared_[{target.bucket, target.prefix}];
    }
  }
  /// False when more of them go there than are declared.
  bool add(const s3::RunIdentity& upload) {
    const std::pair to(upload.bucket, upload.prefix);
    auto& directories = directories_[to];
    directories.insert(upload.directory);
    return directories.size() <= declared_[to];
  }

 private:
  using Target = std::pair<std::string, std::string>;  // bucket, prefix
  std::map<Target, size_t> declared_;
  std::map<Target, std::set<std::string>> directories_;
};

[[noreturn]] void refuse_to_forget(const fs::path& directory, const std::string& what) {
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} has moved {}, which is not declared now", directory.string(), what),
                    fmt::format("declare it, or the verdict would not be about it; if it is not to be moved "
                                "any more: cutover clean --run-dir {}",
                                shell_quoted(directory.string())));
}

/// A source that accepts writes goes on changing: a GO of such a check is none to rely on, unless that the
/// writers are stopped by other means is declared. Nor is one of a copy that was since started over by hand.
bool has_gone(const Json& timeline, bool fence, const std::string& newest_copy) {
  bool gone = false;
  for (const auto& step : steps_in(timeline)) {
    const auto name = step.value("name", "");
    const int code = step.at("exit_code").is_null() ? kFailed : step.at("exit_code").get<int>();
    const bool is_go = name == "check" && (code == kEqual || code == kWaived);
    const bool is_outdated = step.value("started", "") < newest_copy;
    if (is_go && !is_outdated && !(fence && step.value("unfenced", false))) gone = true;
    if (name == "copy" || name == "repair" || name.starts_with("last upload")) gone = false;
  }
  return gone;
}

}  // namespace

MoveState read_move_state(const Move& move, const std::vector<DatabasePair>& databases) {
  MoveState state;
  const auto copies = copies_of(move, databases);
  state.copy_begun = std::ranges::any_of(copies, is_run_directory);
  state.copied = std::ranges::all_of(copies, is_copied);
  state.verified = state.copied && std::ranges::all_of(copies, is_verified);
  const auto timeline = read_timeline(move.root);
  state.repaired = std::ranges::any_of(copies, [&](const auto& run_dir) {
    return is_repaired(run_dir) || has_unfinished_repair(timeline, run_dir);
  });
  state.went = has_gone(timeline, move.fence, newest_copy(database_dir(move.root)));
  for (size_t i = 0; i < move.uploads.size(); ++i) {
    const auto report = read_result_if_exists(upload_dir(move, i) / "report.json");
    const auto code = report.is_object() ? report.value("exit_code", kFailed) : kFailed;
    state.sent.push_back(code == kEqual || code == kDifferent);
  }
  return state;
}

void require_all_that_was_moved(const Move& move, const std::vector<DatabasePair>& databases) {
  const auto copies = copies_of(move, databases);
  Uploaded uploaded(move);
  for (const auto& directory : run_directories_if_any(move.root)) {
    if (s3::is_upload_run(directory)) {
      const auto upload = s3::read_upload_run(directory).run;
      if (upload && !uploaded.add(*upload))
        refuse_to_forget(directory, fmt::format("files to s3://{}/{}", upload->bucket, upload->prefix));
    } else if (const bool is_known = std::ranges::find(copies, directory) != copies.end(); !is_known) {
      refuse_to_forget(directory, copy::RunDir::peek(directory).source);
    }
  }
}

}  // namespace cli
