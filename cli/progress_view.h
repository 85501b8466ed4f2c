#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "base/stop.h"
#include "cli/commands.h"
#include "cli/log.h"
#include "cli/progress_meter.h"
#include "copy/progress.h"

namespace cli {

/// Shows a run's progress from a thread of its own while it lives: live lines on a terminal, else a log line
/// every few seconds. It also keeps status.json in the run directory up to date.
class ProgressView {
 public:
  /// Called from the view's thread, several times a second.
  using Look = std::function<copy::Progress::Snapshot()>;
  ProgressView(Look look, const Invocation& invocation, std::filesystem::path run_dir, std::string command);
  /// Removes the live lines and writes the last status.
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

 private:
  using Clock = copy::Progress::Clock;
  enum class Mode { none, live, lines };

  void loop();
  void show(const copy::Progress::Snapshot& snapshot, const Pace& pace, Clock::time_point now);
  void write_status(const copy::Progress::Snapshot& snapshot, const Pace& pace, Clock::time_point now) const;

  Look look_;
  Log& log_;
  std::filesystem::path run_dir_;
  std::string command_;
  Mode mode_ = Mode::none;
  ProgressMeter meter_;
  Clock::time_point last_line_;
  Clock::time_point last_status_;
  base::Stop end_;
  std::jthread thread_;
};

}  // namespace cli
