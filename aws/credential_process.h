#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "base/stop.h"

namespace aws {

/// A profile's credential_process
/// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html): a program, run without
/// a shell, that prints {"Version": 1, "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}.
/// Nothing that it prints gets into an error. Throws Error{usage} when it cannot be run, Error{permanent}
/// when it fails.
Credentials process_credentials(const std::string& command, const base::Stop& stop);

/// Words as a shell would see them: quotes and backslashes count, nothing else does. Throws Error{usage} for
/// a quote that is not closed.
std::vector<std::string> split_command(std::string_view command);

}  // namespace aws
