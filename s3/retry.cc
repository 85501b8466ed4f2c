#include "s3/retry.h"

namespace s3 {

bool mend(Client& client, const S3Error& error, int& mended) {
  constexpr int kMost = 3;
  // What the caller has turned into `usage` is an answer it wants to have.
  if (mended >= kMost || error.kind() == base::ErrorKind::usage) return false;
  if (is_clock_skew(error)) {
    ++mended;
    return client.learn_time(error.server_date());
  }
  // An answer to HEAD has no body that would say what is wrong; of expired credentials it has this status.
  const bool may_be_expired = error.code() == "400" && mended == 0;
  if (is_expired(error) || may_be_expired) {
    ++mended;
    try {
      client.refresh_credentials();
    } catch (const base::Error& failure) {
      // The next try needs some, and asks for them again, as long as it is worth it.
      if (failure.kind() != base::ErrorKind::transient) throw;
    }
    return true;
  }
  return false;
}

}  // namespace s3
