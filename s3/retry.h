#pragma once

#include "base/retry.h"
#include "s3/client.h"
#include "s3/error.h"
#include "s3/governor.h"

namespace s3 {

struct Retries {
  base::RetryPolicy policy{std::chrono::milliseconds(50), std::chrono::milliseconds(20'000),
                           std::chrono::milliseconds(300'000)};
  base::Stop stop;
  base::RetryNotice notice = {};
  Governor* governor = nullptr;  ///< says when a request may be made
};

/// Mends what a retry alone would not: the clock, expired credentials. True when the request may succeed now.
/// `mended` counts within one request.
bool mend(Client& client, const S3Error& error, int& mended);

/// Calls `body` until it returns. Transient errors are tried again after a pause, others at once if mend()
/// says so.
template <typename Body>
auto with_retries(Client& client, const Retries& retries, Body&& body) {
  base::Backoff backoff(retries.policy);
  int mended = 0;
  for (;;) {
    try {
      const auto asked = Governor::Clock::now();
      const auto turn = retries.governor != nullptr ? retries.governor->turn(retries.stop) : Governor::Turn();
      backoff.waited(Governor::Clock::now() - asked);
      return body();
    } catch (const S3Error& error) {
      if (mend(client, error, mended)) continue;
      backoff.pause_or_rethrow(error, retries.stop, retries.notice);
    } catch (const base::Error& error) {
      backoff.pause_or_rethrow(error, retries.stop, retries.notice);
    }
  }
}

}  // namespace s3
