#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/guarded.h"

namespace s3 {

/// What an upload is doing, for whoever shows it. Workers write it, one reader takes snapshots. Thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  struct Snapshot {
    std::string phase;  ///< "probe", "walk", "upload", "delete", "verify", "done"
    Clock::time_point started;
    uint64_t files_total = 0;
    uint64_t bytes_total = 0;
    uint64_t files_done = 0;  ///< uploaded, unchanged or given up
    uint64_t bytes_done = 0;  ///< of those, and of finished parts
    uint64_t bytes_sent = 0;  ///< by this process, of bodies that were accepted
    uint64_t requests = 0;
    uint64_t retries = 0;
    uint64_t problems = 0;
    unsigned concurrency = 0;  ///< transfers that may run at once, now
  };

  void set_phase(std::string phase) { *phase_.lock() = std::move(phase); }
  Snapshot snapshot() {
    return {*phase_.lock(),    started_,          files_total.load(), bytes_total.load(),
            files_done.load(), bytes_done.load(), bytes_sent.load(),  requests.load(),
            retries.load(),    problems.load(),   concurrency.load()};
  }

  std::atomic<uint64_t> files_total{0};
  std::atomic<uint64_t> bytes_total{0};
  std::atomic<uint64_t> files_done{0};
  std::atomic<uint64_t> bytes_done{0};
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> retries{0};
  std::atomic<uint64_t> problems{0};
  std::atomic<unsigned> concurrency{0};

 private:
  const Clock::time_point started_ = Clock::now();
  base::Guarded<std::string> phase_{"probe"};
};

}  // namespace s3
