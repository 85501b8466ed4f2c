#pragma once

#include <string>
#include <thread>

#include "base/stop.h"
#include "copy/context.h"
#include "pg/connection.h"

namespace copy {

/// Says, once for each, when a session of the run waits for a lock that somebody else has at the target. Such
/// a wait has no end of its own, and the copy would stand still without a word. (At the source nobody waits
/// for long: copy/chunk_source.cc.) A thread with a session of its own, which is a comfort only: without it
/// the copy goes on.
class LockWatch {
 public:
  explicit LockWatch(const Context& context);
  ~LockWatch() { stop_.request(); }
  LockWatch(const LockWatch&) = delete;
  LockWatch& operator=(const LockWatch&) = delete;

 private:
  void watch() const;
  void look_until_lost() const;

  const Context& context_;
  base::Stop stop_;
  std::jthread thread_;
};

}  // namespace copy
