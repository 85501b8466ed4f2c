#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "base/guarded.h"

namespace base {

/// What one worker is doing.
struct Activity {
  std::string what;    ///< "copy public.orders 3/12", "index public.orders_at_idx"
  uint64_t bytes = 0;  ///< moved so far
  std::chrono::steady_clock::time_point since;
  /// "scanning table 45%", "waits for a lock on public.orders that session 4711 (psql, …) has"; mostly empty
  std::string detail = {};
};

/// What all workers are doing, for whoever shows it. Thread-safe.
class Activities {
  struct Entry {
    std::string what;
    std::atomic<uint64_t> bytes{0};
    std::chrono::steady_clock::time_point since;
    std::atomic<int64_t> backend{0};
    std::string detail = {};
  };

 public:
  /// One worker's line while this object lives.
  class Scope {
   public:
    Scope(Activities& activities, std::string what);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    void add_bytes(uint64_t count) { entry_->bytes.fetch_add(count, std::memory_order_relaxed); }
    /// The process id of the server's session that works for it now, for explain().
    void backend(int64_t pid) { entry_->backend.store(pid, std::memory_order_relaxed); }

   private:
    Activities& activities_;
    std::list<Entry>::iterator entry_;
  };

  std::vector<Activity> activities();
  /// Replaces all details, by the process id of the session that does it.
  void explain(const std::map<int64_t, std::string>& details);

 private:
  Guarded<std::list<Entry>> entries_;
};

}  // namespace base
