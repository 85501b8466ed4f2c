#pragma once

#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "base/stop.h"

namespace base {

/// Threads that succeed or fail together: the first exception stops the group and is rethrown by join().
/// The destructor stops and joins.
class ThreadGroup {
 public:
  explicit ThreadGroup(const Stop& parent) : stop_(Stop::child_of(parent)) {}
  ~ThreadGroup();
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  const Stop& stop() const { return stop_; }
  /// `name` is shown by debuggers and by top -H (15 bytes).
  void start(std::string name, std::function<void()> body);
  /// Waits for all; rethrows the first exception (one of kind cancelled only if there was no other).
  void join();

 private:
  Stop stop_;
  Guarded<std::exception_ptr> first_;
  std::vector<std::jthread> threads_;
};

}  // namespace base
