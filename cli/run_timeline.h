#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "cli/log.h"
#include "cli/run_steps.h"
#include "cli/run_verdict.h"

namespace cli {

/// run.json of a root; null when there is none. Throws Error{corrupt} for one that cannot be read: it alone
/// knows of a GO, behind which nothing may be changed.
Json read_timeline(const std::filesystem::path& root);

/// run.json of a `cutover run`: what was done when, over all its runs in this directory, and the verdict of
/// the last one. It is replaced as a whole when a step begins and when it ends, so that it can be read at any
/// time. Its schema is in docs/report.md.
class Timeline {
 public:
  /// Goes on with the timeline that is there; from now on the verdict is "running", and nothing is left of an
  /// earlier result.
  Timeline(const Move& move, const std::string& again);

  void begin(const MoveStep& step);
  void end(const StepOutcome& done);
  void conclude(const Verdict& verdict);
  const Json& document() const { return document_; }

 private:
  void keep() const;

  std::filesystem::path root_;
  Json document_;
  std::chrono::steady_clock::time_point step_started_;
};

/// A check that is made by hand, in the timeline of the run that moved these databases: its GO counts like
/// one of the run's own. Nobody else works in the root meanwhile.
class CheckByHand {
 public:
  /// Of no root nothing is kept. Throws Error{usage} when somebody works in it.
  explicit CheckByHand(const std::filesystem::path& root);

  /// `command`: as it was typed. The run's result is made anew.
  void keep(const std::string& command, const std::string& headline, const Json& document) const;

 private:
  std::filesystem::path root_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::optional<base::DirectoryLock> lock_;
};

}  // namespace cli
