#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/stop.h"
#include "pg/snapshot.h"

namespace copy {

/// Keeps a proxy or an idle timeout from ending the session that holds the snapshot, until it is released.
class KeeperWatch {
 public:
  KeeperWatch(std::unique_ptr<pg::SnapshotKeeper> keeper, const base::Stop& stop)
      : stop_(base::Stop::child_of(stop)) {
    if (!keeper) return;
    thread_ = std::jthread([this, keeper = std::shared_ptr<pg::SnapshotKeeper>(std::move(keeper))] {
      try {
        for (;;) {
          stop_.sleep_for(std::chrono::seconds(20));
          keeper->ping();
        }
      } catch (const base::Error& error) {
        // Workers have imported the snapshot and hold it themselves; one that must import it again will
        // notice.
        if (error.kind() != base::ErrorKind::cancelled)
          spdlog::warn("the session that holds the snapshot was lost: {}", error.message());
      }
    });
  }
  ~KeeperWatch() { release(); }
  KeeperWatch(const KeeperWatch&) = delete;
  KeeperWatch& operator=(const KeeperWatch&) = delete;
  void release() { stop_.request(); }

 private:
  base::Stop stop_;
  std::jthread thread_;
};

}  // namespace copy
