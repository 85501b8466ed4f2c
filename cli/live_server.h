#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/report_section.h"

namespace cli {

/// What is shown of a run while it goes on.
struct LiveView {
  std::vector<ReportSection> sections;
  std::string metrics;  ///< in Prometheus's text format
  bool running = false;
};

/// A run while it goes on, over HTTP, read only: the page of `cutover report`, which renews itself, at /;
/// Prometheus's text at /metrics; "ok" at /healthz. Nothing in it is secret, but on an address that others
/// can reach it is everybody's to read: then the log says so. On a loopback address, requests that name
/// another host are refused, so that no other page of the browser can read it.
class LiveServer {
 public:
  /// Called in threads of the server, one at a time.
  using Look = std::function<LiveView()>;

  /// Listens on HOST:PORT ("127.0.0.1:8080", "[::1]:0"), or on a port of 127.0.0.1; port 0 is any free one.
  /// Throws Error{usage} when that is no address, or cannot be listened on.
  LiveServer(const std::string& address, Look look);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  /// "http://127.0.0.1:8080/"
  const std::string& url() const;
  /// When the run has ended: a page that is open somewhere gets to see it. Waits for its next request, for
  /// some seconds at most.
  void bid_farewell();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cli
