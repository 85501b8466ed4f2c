#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/activity.h"
#include "base/guarded.h"

namespace copy {

/// What a run is doing, for whoever shows it. Workers write it, one reader takes snapshots. Thread-safe.
class Progress : public base::Activities {
 public:
  using Clock = std::chrono::steady_clock;

  struct Snapshot {
    std::string phase;  ///< "plan", "schema", "data", "constraints", "finish", "done"
    Clock::time_point started;
    Clock::time_point data_started;
    uint64_t bytes_total = 0;          ///< estimate, from relation sizes; COPY bytes differ
    uint64_t bytes_expected_done = 0;  ///< the part of bytes_total whose chunks are done
    uint64_t bytes_copied = 0;         ///< COPY bytes moved in this process
    uint64_t rows_copied = 0;
    uint64_t chunks_total = 0;
    uint64_t chunks_done = 0;
    uint64_t indexes_total = 0;
    uint64_t indexes_done = 0;
    uint64_t proofs_total = 0;
    uint64_t proofs_done = 0;
    uint64_t proof_bytes = 0;
    uint64_t retries = 0;
    std::vector<base::Activity> activities;  ///< one per busy worker
  };

  Progress() : started_(Clock::now()) {}
  void set_phase(std::string phase);
  Snapshot snapshot();

  std::atomic<uint64_t> bytes_total{0};
  std::atomic<uint64_t> bytes_expected_done{0};
  std::atomic<uint64_t> bytes_copied{0};
  std::atomic<uint64_t> rows_copied{0};
  /// Processor time of the threads that copied chunks, while they did: what the COPY streams cost, and no
  /// plan, index or proof.
  std::atomic<std::chrono::nanoseconds::rep> copy_cpu_nanoseconds{0};
  std::atomic<uint64_t> chunks_total{0};
  std::atomic<uint64_t> chunks_done{0};
  std::atomic<uint64_t> indexes_total{0};
  std::atomic<uint64_t> indexes_done{0};
  std::atomic<uint64_t> proofs_total{0};
  std::atomic<uint64_t> proofs_done{0};
  std::atomic<uint64_t> proof_bytes{0};
  std::atomic<uint64_t> retries{0};

 private:
  struct Shared {
    std::string phase = "plan";
    Clock::time_point data_started;
  };
  Clock::time_point started_;
  base::Guarded<Shared> shared_;
};

}  // namespace copy
