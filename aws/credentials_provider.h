#pragma once

#include <functional>
#include <optional>

#include "aws/credentials.h"
#include "base/guarded.h"
#include "base/stop.h"

namespace aws {

/// One place that credentials come from; called again when they expire. For one thread at a time.
using CredentialsSource = std::function<Credentials(const base::Stop&)>;

/// Hands out credentials that are good for a while, and fetches new ones ahead of expiry: from a quarter of
/// an hour before it (for short-lived ones, from half of their life on) one caller fetches while the others
/// go on with the old; only what is about to expire within a minute is waited for. Thread-safe; no lock is
/// held while fetching.
class CredentialsProvider {
 public:
  explicit CredentialsProvider(CredentialsSource source,
                               std::function<Clock::time_point()> clock = Clock::now);

  /// Throws what the source throws, when there is nothing left to go on with.
  Credentials get(const base::Stop& stop);
  /// The server refused these as expired: unless others have come meanwhile, the next get() fetches.
  void refused(const Credentials& credentials);

 private:
  struct State {
    std::optional<Credentials> current;
    Clock::time_point refresh_at{};
    bool fetching = false;
  };
  enum class Action { use, fetch, wait };
  Action next_action(const State& state) const;
  std::optional<Credentials> fetch(const base::Stop& stop);

  CredentialsSource source_;
  std::function<Clock::time_point()> clock_;
  base::Guarded<State> state_;
};

}  // namespace aws
