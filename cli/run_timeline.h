#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "cli/log.h"
#include "cli/run_steps.h"
#include "cli/run_verdict.h"

namespace cli {

/// run.json of a `cutover run`: what was done when, over all its runs in this directory, and the verdict of
/// the last one. It is replaced as a whole when a step begins and when it ends, so that it can be read at any
/// time. Its schema is in docs/report.md.
class Timeline {
 public:
  /// Goes on with the timeline that is there; from now on the verdict is "running".
  Timeline(const Move& move, const std::string& again);

  void begin(const MoveStep& step);
  void end(int exit_code, const std::string& headline);
  void conclude(const Verdict& verdict);
  const Json& document() const { return document_; }

 private:
  void keep() const;

  std::filesystem::path file_;
  Json document_;
  std::chrono::steady_clock::time_point step_started_;
};

}  // namespace cli
