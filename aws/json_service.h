#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/stop.h"

namespace aws {

class Session;

/// What a service of the JSON 1.1 protocol answered.
struct JsonAnswer {
  int status = 0;
  std::string error_code = {};     ///< "ResourceNotFoundException"; empty when the status is 200
  std::string error_message = {};  ///< of the service
  Secret body = {};
};

/// One signed POST with `X-Amz-Target: <target>`. Expired credentials are fetched anew and a refusal because
/// of this machine's clock is tried again with the server's, each once. Throws what HttpClient and the
/// credentials throw, and Error{transient} for throttling and 5xx.
JsonAnswer call_json_service(Session& session, std::string_view service, const std::string& region,
                             const std::string& target, const std::string& body, const base::Stop& stop);

}  // namespace aws
