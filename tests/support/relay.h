#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "base/stop.h"

namespace support {

/// Stands between a client and a server on 127.0.0.1 and counts the bytes that the client sends: what a
/// killed process has sent cannot be asked of itself.
class Relay {
 public:
  enum class CancelKeys {
    forwarded,
    own,  ///< a client of Postgres is told another process id than its server's, as by a pooler
  };
  /// `port`: where an earlier one stood.
  explicit Relay(int server_port, CancelKeys keys = CancelKeys::forwarded, int port = 0);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  /// Cuts all connections.
  ~Relay();

  int port() const { return port_; }
  /// From clients, up to now.
  uint64_t bytes() const { return bytes_.load(); }

 private:
  void accept_all();
  void serve(int client);

  int server_port_;
  CancelKeys keys_;
  int listening_ = -1;
  int port_ = 0;
  std::atomic<uint64_t> bytes_{0};
  base::Stop stop_;
  std::list<std::jthread> connections_;  // the accepting thread's own
  std::jthread accepting_;
};

}  // namespace support
