#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials_provider.h"
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/profile.h"
#include "base/guarded.h"
#include "base/http.h"

namespace aws {

/// What the user said on the command line or in our configuration; everything left empty is looked for
/// elsewhere.
struct SessionOptions {
  std::string profile = {};  ///< naming one makes the access key in the environment not count
  std::string region = {};
  std::string s3_endpoint_url = {};
  std::optional<bool> fips = {};
  std::optional<bool> dualstack = {};
  std::optional<bool> path_style = {};
  std::optional<Credentials> credentials = {};
};

/// Who we are and where we go: credentials, region and endpoints as options, environment, profile and
/// metadata say together. One for all that talks to AWS in a run; thread-safe.
class Session {
 public:
  /// Reads the profiles. Throws Error{usage} for a malformed file and a profile that is in none.
  Session(SessionOptions options, Environment environment, std::shared_ptr<base::HttpShare> http,
          std::function<Clock::time_point()> clock = Clock::now);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::shared_ptr<base::HttpShare>& http() const { return http_; }
  const Environment& environment() const { return environment_; }
  const Profiles& profiles() const { return profiles_; }
  const SessionOptions& options() const { return options_; }
  /// "default" unless one was named.
  const std::string& profile() const { return profile_; }
  Clock::time_point now() const { return clock_(); }

  CredentialsProvider& credentials() { return credentials_; }

  /// Options, AWS_REGION, AWS_DEFAULT_REGION, the profile; on an instance its own. Throws Error{usage} when
  /// nobody says.
  std::string region(const base::Stop& stop);
  /// As region(), but nullopt, and the metadata service is not asked.
  std::optional<std::string> configured_region() const;

  /// `service` as in host names: "s3", "secretsmanager". For S3 the option, then AWS_ENDPOINT_URL_<SERVICE>,
  /// AWS_ENDPOINT_URL, and endpoint_url of the profile's services section and the profile (unless
  /// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS); else AWS's own, with the variant asked for.
  Endpoint endpoint(std::string_view service, std::string_view region) const;

  /// Option, else the profile's s3.addressing_style ("path" or "virtual").
  std::optional<bool> path_style() const;

 private:
  std::optional<std::string> from_profile(std::string_view name) const;
  std::optional<std::string> endpoint_url(std::string_view service) const;
  EndpointVariant variant(std::string_view service) const;

  SessionOptions options_;
  Environment environment_;
  Profiles profiles_;
  std::string profile_;
  std::shared_ptr<base::HttpShare> http_;
  std::function<Clock::time_point()> clock_;
  CredentialsProvider credentials_;
  base::Guarded<std::optional<std::string>> region_;
};

}  // namespace aws
