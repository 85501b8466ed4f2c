#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/stop.h"
#include "cli/commands.h"
#include "cli/log.h"
#include "cli/screen.h"
#include "s3/progress.h"

namespace cli {

/// How fast an upload goes, over the last seconds.
struct UploadPace {
  uint64_t bytes_per_second = 0;
  uint64_t files_per_second = 0;
};

std::vector<Line> upload_lines(const s3::Progress::Snapshot& snapshot, const UploadPace& pace, size_t width,
                               bool unicode);
/// One line for a log.
std::string upload_sentence(const s3::Progress::Snapshot& snapshot, const UploadPace& pace);
Json upload_json(const s3::Progress::Snapshot& snapshot, const UploadPace& pace);

/// Shows an upload's progress from a thread of its own while it lives: live lines on a terminal, else a log
/// line every few seconds. It also keeps status.json in the run directory up to date, if it is ours.
class UploadView {
 public:
  /// Called in the view's thread.
  using Look = std::function<s3::Progress::Snapshot()>;
  UploadView(Look look, const Invocation& invocation, std::filesystem::path run_dir);
  ~UploadView();
  UploadView(const UploadView&) = delete;
  UploadView& operator=(const UploadView&) = delete;

 private:
  using Clock = s3::Progress::Clock;
  struct Sample {
    Clock::time_point time;
    uint64_t bytes = 0;
    uint64_t files = 0;
  };
  enum class Mode { none, live, lines };
  void loop();
  void show(const s3::Progress::Snapshot& snapshot, const UploadPace& pace);
  UploadPace measure(const s3::Progress::Snapshot& snapshot);
  void write_line(const s3::Progress::Snapshot& snapshot, const UploadPace& pace) const;
  void write_status(const s3::Progress::Snapshot& snapshot, const UploadPace& pace) const;

  Look look_;
  Log& log_;
  std::filesystem::path run_dir_;
  Mode mode_ = Mode::none;
  Clock::time_point last_line_ = Clock::now();
  std::deque<Sample> samples_;
  base::Stop end_;
  std::jthread thread_;
};

}  // namespace cli
