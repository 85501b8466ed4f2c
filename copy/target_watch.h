#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/stop.h"
#include "copy/context.h"

namespace copy {

/// Tells what the run's sessions on the target cannot tell while they wait for their statements: how far an
/// index is (pg_stat_progress_create_index), and for whose lock one waits. It stands beside the activity in
/// Progress, and a wait that lasts is logged once. A thread and a session of its own; should that session be
/// lost or refused, nothing but these words is.
class TargetWatch {
 public:
  explicit TargetWatch(const Context& context);
  ~TargetWatch() { stop_.request(); }
  TargetWatch(const TargetWatch&) = delete;
  TargetWatch& operator=(const TargetWatch&) = delete;

 private:
  struct Wait {
    std::string whom;
    std::chrono::steady_clock::time_point since;
    bool told = false;
  };
  void watch();
  void look(pg::Connection& target, const std::map<int64_t, std::string>& backends);
  void note_wait(int64_t backend, const std::string& what, const std::string& whom);

  const Context& context_;
  base::Stop stop_;
  std::map<int64_t, Wait> waits_;  // by process id
  std::jthread thread_;
};

}  // namespace copy
