#pragma once

#include <string>

#include "aws/credentials.h"
#include "base/stop.h"

namespace aws {

class Session;

/// Values kept in AWS. Errors name the secret or parameter, never its value:
///   Error{usage}      there is none of that name, it is marked for deletion, or it is binary
///   Error{permanent}  access denied, credentials refused
///   Error{transient}  throttled, service error, clock of this machine off (fixed for the next try)
class Secrets {
 public:
  /// The session must outlive this.
  explicit Secrets(Session& session) : session_(session) {}

  /// From Secrets Manager. `id` is a name or an ARN; an ARN says its region too.
  Secret secret(const std::string& id, const base::Stop& stop,
                const std::string& version_stage = "AWSCURRENT");
  /// From Systems Manager's Parameter Store, decrypted. `name` is a name or an ARN; "name:version" picks a
  /// version.
  Secret parameter(const std::string& name, const base::Stop& stop);

 private:
  Session& session_;
};

}  // namespace aws
