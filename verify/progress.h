#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/activity.h"
#include "base/guarded.h"

namespace verify {

/// What a comparison is doing, for whoever shows it. Workers write it, one reader takes snapshots.
/// Thread-safe.
class Progress : public base::Activities {
 public:
  using Clock = std::chrono::steady_clock;

  class Scope : public base::Activities::Scope {
   public:
    Scope(Progress& progress, std::string what)
        : base::Activities::Scope(progress, std::move(what)), progress_(progress) {}
    void add_bytes(uint64_t count) {
      base::Activities::Scope::add_bytes(count);
      progress_.bytes_read.fetch_add(count, std::memory_order_relaxed);
    }

   private:
    Progress& progress_;
  };

  void set_phase(std::string phase) { *phase_.lock() = std::move(phase); }
  std::string phase() { return *phase_.lock(); }

  const Clock::time_point started = Clock::now();
  std::atomic<uint64_t> bytes_total{0};  ///< estimate, from relation sizes, both sides
  std::atomic<uint64_t> bytes_done{0};   ///< the part of bytes_total whose slices are read
  std::atomic<uint64_t> bytes_read{0};   ///< COPY bytes
  std::atomic<uint64_t> rows_read{0};
  std::atomic<uint64_t> slices_total{0};
  std::atomic<uint64_t> slices_done{0};
  std::atomic<uint64_t> tables_total{0};
  std::atomic<uint64_t> tables_done{0};
  std::atomic<uint64_t> retries{0};

 private:
  base::Guarded<std::string> phase_{"plan"};
};

}  // namespace verify
