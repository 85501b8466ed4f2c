#pragma once

#include <string>
#include <thread>

#include "base/stop.h"
#include "copy/context.h"
#include "pg/connection.h"

namespace copy {

/// Tells what the run's sessions on the target cannot tell while they wait for their statements: how far an
/// index is (pg_stat_progress_create_index), and for whose lock one waits. Such a wait has no end of its own,
/// and the copy would stand still without a word: it is logged, once for each. (At the source nobody waits
/// for long: copy/chunk_source.cc.) Both stand beside the activities in Progress. A thread with a session of
/// its own, which is a comfort only: without it the copy goes on.
class TargetWatch {
 public:
  explicit TargetWatch(const Context& context);
  ~TargetWatch() { stop_.request(); }
  TargetWatch(const TargetWatch&) = delete;
  TargetWatch& operator=(const TargetWatch&) = delete;

 private:
  void watch() const;
  void look_until_lost() const;

  const Context& context_;
  base::Stop stop_;
  std::jthread thread_;
};

}  // namespace copy
