#include "aws/credentials_provider.h"

#include <algorithm>
#include <exception>

#include "base/error.h"

namespace aws {
namespace {

using namespace std::chrono_literals;

constexpr auto kRefreshAhead = 15min;
/// What is left must last for one request and some difference of clocks.
constexpr auto kLastMoment = 1min;
constexpr auto kPauseAfterFailure = 30s;
/// A waiting thread looks for a stop this often; a fetch ends of itself or is stopped too.
constexpr auto kLook = 100ms;

Clock::time_point refresh_time(const Credentials& credentials, Clock::time_point now) {
  if (!credentials.expires) return Clock::time_point::max();
  const auto life = *credentials.expires - now;
  return *credentials.expires - std::min<Clock::duration>(kRefreshAhead, life / 2);
}

}  // namespace

CredentialsProvider::CredentialsProvider(CredentialsSource source, std::function<Clock::time_point()> clock)
    : source_(std::move(source)), clock_(std::move(clock)) {}

CredentialsProvider::Action CredentialsProvider::next_action(const State& state) const {
  const auto now = clock_();
  const bool usable =
      state.current && (!state.current->expires || *state.current->expires - now > kLastMoment);
  if (usable && (state.fetching || now < state.refresh_at)) return Action::use;
  return state.fetching ? Action::wait : Action::fetch;
}

Credentials CredentialsProvider::get(const base::Stop& stop) {
  for (;;) {
    {
      auto state = state_.lock();
      const auto action = next_action(*state);
      if (action == Action::use) return *state->current;
      if (action == Action::wait) {
        stop.check();
        state.wait_for(kLook);
        continue;
      }
      state->fetching = true;
    }
    if (auto credentials = fetch(stop)) return *std::move(credentials);
  }
}

std::optional<Credentials> CredentialsProvider::fetch(const base::Stop& stop) {
  try {
    auto credentials = source_(stop);
    auto state = state_.lock();
    const auto now = clock_();
    state->current = credentials;
    state->refresh_at = refresh_time(credentials, now);
    state->fetching = false;
    state_.notify_all();
    return credentials;
  } catch (...) {
    auto state = state_.lock();
    state->fetching = false;
    state->refresh_at = clock_() + kPauseAfterFailure;
    state_.notify_all();
    // Ahead of time a failure costs nothing yet: the old ones still serve, and it is tried again.
    if (stop.requested() || next_action(*state) != Action::use) throw;
    return std::nullopt;
  }
}

void CredentialsProvider::refused(const Credentials& credentials) {
  auto state = state_.lock();
  if (!state->current || state->current->access_key_id != credentials.access_key_id ||
      state->current->session_token != credentials.session_token)
    return;
  state->current.reset();
}

}  // namespace aws
