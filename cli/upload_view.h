#pragma once

#include <chrono>
#include <deque>
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
/// line every few seconds.
class UploadView {
 public:
  UploadView(s3::Progress& progress, const Invocation& invocation);
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
  void loop(bool live);
  UploadPace measure(const s3::Progress::Snapshot& snapshot);
  void write_line(const s3::Progress::Snapshot& snapshot, const UploadPace& pace) const;

  s3::Progress& progress_;
  Log& log_;
  std::deque<Sample> samples_;
  base::Stop end_;
  std::jthread thread_;
};

}  // namespace cli
