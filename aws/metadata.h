#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "base/http.h"

namespace aws {

/// The EC2 instance's metadata service, version 2 only
/// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html). Not
/// being on an instance is the normal case and costs a second at most.
class InstanceMetadata {
 public:
  InstanceMetadata(const Environment& environment, std::shared_ptr<base::HttpShare> http);

  /// The name of the instance's role; nullopt where there is no service (or AWS_EC2_METADATA_DISABLED) or no
  /// role.
  std::optional<std::string> role(const base::Stop& stop) const;
  /// Throws Error{transient} when the service does not answer now, Error{permanent} when it answers nonsense.
  Credentials credentials(const std::string& role, const base::Stop& stop) const;
  std::optional<std::string> region(const base::Stop& stop) const;

 private:
  /// The answer's text; nullopt for 404 and where there is no service.
  std::optional<std::string> get(const std::string& path, const base::Stop& stop) const;
  base::HttpResponse send(base::HttpRequest request, const base::Stop& stop) const;

  std::shared_ptr<base::HttpShare> http_;
  bool disabled_;
  std::string url_;
};

/// The credentials of an ECS task, an EKS pod and the like, from what AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
/// or AWS_CONTAINER_CREDENTIALS_FULL_URI names; the file with the authorization token is read anew each time.
/// Plain http only to this machine and the two link-local addresses, since the answer is a secret. nullopt
/// when neither is set.
std::optional<Credentials> container_credentials(const Environment& environment,
                                                 const std::shared_ptr<base::HttpShare>& http,
                                                 const base::Stop& stop);

/// Where they are asked for: the relative one, at the container agent's address, counts first. Throws
/// Error{usage} for an address to which no secret may be entrusted.
std::optional<std::string> container_credentials_url(const Environment& environment);

/// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}, as both services answer (and credential
/// programs with "SessionToken"). Throws Error{permanent} naming `what`, never showing the text.
Credentials parse_credentials(const std::string& json, std::string_view what);

}  // namespace aws
