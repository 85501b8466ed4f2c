#pragma once

#include <memory>
#include <string>

#include <spdlog/spdlog.h>

#include "base/stop.h"
#include "cli/upload_options.h"
#include "s3/client.h"
#include "s3/error.h"

namespace cli {

/// The session for the bucket that the options name, with the credentials that they and the environment give.
/// `region` overrides theirs: it is what the server said. Throws Error{usage} when there are no credentials.
std::shared_ptr<s3::Session> open_session(const UploadCommand& command, const std::string& region,
                                          const base::Stop& stop);

/// Calls `work` with a session for the bucket, and once more in the region that the server names when the
/// first one turns out to be wrong.
template <typename Work>
auto in_its_region(const UploadCommand& command, const base::Stop& stop, Work&& work) {
  const auto session = open_session(command, "", stop);
  try {
    return work(session);
  } catch (s3::S3Error& error) {
    if (error.region().empty() || error.region() == session->endpoint().region) throw;
    if (!command.endpoint_url.empty()) {
      error.hint("this server's buckets are in another region: give --region " + error.region());
      throw;
    }
    spdlog::info("the bucket is in the region {}", error.region());
    return work(open_session(command, error.region(), stop));
  }
}

}  // namespace cli
