#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/guarded.h"

namespace verify {

/// What a comparison is doing, for whoever shows it. Workers write it, one reader takes snapshots.
/// Thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  struct Activity {
    std::string what;  ///< "read public.orders at the source"
    uint64_t bytes = 0;
    Clock::time_point since;
  };

  /// One worker's line while this object lives.
  class Scope {
   public:
    Scope(Progress& progress, std::string what);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    void add_bytes(uint64_t count) {
      entry_->bytes.fetch_add(count, std::memory_order_relaxed);
      progress_.bytes_read.fetch_add(count, std::memory_order_relaxed);
    }

   private:
    friend class Progress;
    struct Entry {
      std::string what;
      std::atomic<uint64_t> bytes{0};
      Clock::time_point since;
    };
    Progress& progress_;
    std::list<Entry>::iterator entry_;
  };

  void set_phase(std::string phase) { *phase_.lock() = std::move(phase); }
  std::string phase() { return *phase_.lock(); }
  std::vector<Activity> activities();

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
  base::Guarded<std::list<Scope::Entry>> entries_;
};

}  // namespace verify
