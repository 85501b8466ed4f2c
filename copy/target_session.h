#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/retry.h"
#include "copy/context.h"

namespace copy {

/// A session on the target that comes back: made when it is first needed, given up after any error, and made
/// anew for the next step. One thread at a time.
class TargetSession {
 public:
  TargetSession(const Context& context, base::Stop stop) : context_(context), stop_(std::move(stop)) {}

  /// Runs step(connection), and again while it fails with transient errors (base::retry by the run's policy;
  /// `label` says what is tried again). The step must bear being repeated after it was half done.
  template <typename Step>
  auto run(const std::string& label, Step step) {
    return base::retry(context_.options.retry, stop_, context_.retry_notice(label), [&] {
      try {
        const GiveUpLargeBuffer after{connection_};
        return step(connection());
      } catch (const base::Error&) {
        connection_.reset();
        throw;
      }
    });
  }

  /// As run(), and meanwhile the step is one of the run's activities.
  template <typename Step>
  auto show(const std::string& label, Step step) {
    Progress::Scope scope(context_.progress, label);
    return run(label, [&](pg::Connection& connection) {
      scope.backend(connection.backend_pid());
      return step(connection);
    });
  }

  /// The session itself, for what has its own way with errors.
  pg::Connection& connection() {
    if (!connection_) connection_.emplace(context_.open_target(stop_));
    return *connection_;
  }

 private:
  struct GiveUpLargeBuffer {
    std::optional<pg::Connection>& connection;
    ~GiveUpLargeBuffer() {
      if (connection && connection->keeps_large_buffer()) connection.reset();
    }
  };

  const Context& context_;
  base::Stop stop_;
  std::optional<pg::Connection> connection_;
};

}  // namespace copy
