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
  if (is_expired(error)) {
    ++mended;
    client.refresh_credentials();
    return true;
  }
  return false;
}

}  // namespace s3
