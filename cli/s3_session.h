#pragma once

#include <memory>
#include <string>

#include "base/stop.h"
#include "cli/upload_options.h"
#include "s3/client.h"

namespace cli {

/// The session for the bucket that the options name, with the credentials that they and the environment give.
/// `region` overrides theirs: it is what the server said. Throws Error{usage} when there are no credentials.
std::shared_ptr<s3::Session> open_session(const UploadCommand& command, const std::string& region,
                                          const base::Stop& stop);

}  // namespace cli
