#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/guarded.h"
#include "tests/support/http_server.h"
#include "tests/support/signature_check.h"

namespace support {

/// What the stand-in knows. Change it under the lock while it serves.
struct AwsState {
  std::string region = "eu-central-1";
  AccessKeys keys;                                      ///< those it accepts; it adds those that it hands out
  std::set<std::string, std::less<>> expired;           ///< access key ids that have expired
  std::map<std::string, std::string> secrets;           ///< of Secrets Manager, by name or ARN: AWSCURRENT
  std::map<std::string, std::string> previous_secrets;  ///< likewise: AWSPREVIOUS
  std::map<std::string, std::string> parameters;        ///< of SSM
  std::set<std::string> roles;                          ///< ARNs that may be assumed
  std::string external_id;                              ///< that AssumeRole must bring
  std::string identity_token;                           ///< for AssumeRoleWithWebIdentity
  std::string instance_role;                            ///< empty: the instance has none
  std::string container_token;                          ///< Authorization at /container
  std::string sso_token;
  std::string sso_refresh_token;  ///< good for one exchange, by the client "client" with "client-secret"
  std::function<void(AwsState&)> before_exchange;  ///< called first when a refresh token comes
  std::chrono::seconds lifetime{3600};             ///< of what it hands out
  std::chrono::seconds clock_ahead{0};             ///< how much its clock is ahead of ours
  int failures = 0;                                ///< so many requests are answered with 503 first
  int issued = 0;                                  ///< credentials handed out so far
};

/// Secrets Manager, SSM, STS, IAM Identity Center's portal and its tokens, instance metadata (version 2 only)
/// and a container's credentials endpoint on one port, as strict as AWS: every signature is checked by an
/// implementation of its own.
class AwsStandIn {
 public:
  explicit AwsStandIn(HttpServerOptions options = {});
  std::string url() const { return server_.url(); }
  const HttpServer& server() const { return server_; }
  base::Guarded<AwsState>& state() { return state_; }

 private:
  HttpServerResponse answer(const HttpServerRequest& request);

  base::Guarded<AwsState> state_;
  HttpServer server_;
};

}  // namespace support
