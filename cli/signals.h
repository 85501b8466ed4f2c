#pragma once

#include <thread>

#include "base/stop.h"

namespace cli {

/// SIGINT, SIGTERM and SIGHUP: the first one requests the stop, a second one ends the process at once with
/// exit code 130. They are blocked everywhere and taken by a thread of their own, so that no system call is
/// interrupted and nothing must be async-signal-safe; children get a clean mask from base::run_command.
/// SIGPIPE is ignored.
///
/// To be made before any other thread exists: threads inherit the mask. A SIGHUP that was ignored when the
/// program was started (nohup) stays so.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  const base::Stop& stop() const { return stop_; }

 private:
  void wait_for_signals() const;

  base::Stop stop_;
  base::Stop end_;  // of the thread
  int descriptor_ = -1;
  std::jthread thread_;
};

}  // namespace cli
