#include "aws/session.h"

#include "aws/credential_chain.h"
#include "aws/metadata.h"
#include "base/error.h"

namespace aws {
namespace {

using base::ErrorKind;

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '-' || c == ' ') c = '_';
  }
  return upper;
}

bool is_true(const std::optional<std::string>& text) { return text && upper_case(*text) == "TRUE"; }

/// The name AWS gives a service in variables and in a services section, which is not always its host's.
std::string service_id(std::string_view service) {
  if (service == "secretsmanager") return "secrets_manager";
  if (service == "portal.sso") return "sso";
  if (service == "oidc") return "sso_oidc";
  return std::string(service);
}

}  // namespace

Session::Session(SessionOptions options, Environment environment, std::shared_ptr<base::HttpShare> http,
                 std::function<Clock::time_point()> clock)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      profiles_(Profiles::load(environment_)),
      http_(std::move(http)),
      clock_(std::move(clock)),
      credentials_(
          [this, source = CredentialsSource()](const base::Stop& stop) mutable {
            if (!source) source = find_credentials(*this, stop);
            return source(stop);
          },
          clock_) {
  auto named = options_.profile;
  if (named.empty()) named = environment_.get("AWS_PROFILE").value_or("");
  if (named.empty()) named = environment_.get("AWS_DEFAULT_PROFILE").value_or("");
  profile_ = named.empty() ? "default" : named;
  if (!named.empty() && profiles_.find(named) == nullptr)
    throw base::Error(
        ErrorKind::usage, fmt::format("there is no AWS profile {}", named),
        "see ~/.aws/config and ~/.aws/credentials, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE");
}

std::optional<std::string> Session::from_profile(std::string_view name) const {
  const auto* settings = profiles_.find(profile_);
  return settings != nullptr ? setting(*settings, name) : std::nullopt;
}

std::optional<std::string> Session::configured_region() const {
  if (!options_.region.empty()) return options_.region;
  for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto region = environment_.get(name)) return region;
  return from_profile("region");
}

std::string Session::region(const base::Stop& stop) {
  if (const auto region = configured_region()) return *region;
  if (const auto known = *region_.lock()) return *known;
  const auto found = InstanceMetadata(environment_, http_).region(stop);
  if (!found)
    throw base::Error(ErrorKind::usage, "the AWS region is not known",
                      fmt::format("set AWS_REGION, or region in the profile {}", profile_));
  *region_.lock() = found;
  return *found;
}

std::optional<std::string> Session::endpoint_url(std::string_view service) const {
  if (is_true(environment_.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
      is_true(from_profile("ignore_configured_endpoint_urls")))
    return std::nullopt;
  const auto id = service_id(service);
  if (auto url = environment_.get("AWS_ENDPOINT_URL_" + upper_case(id))) return url;
  if (auto url = environment_.get("AWS_ENDPOINT_URL")) return url;
  if (const auto name = from_profile("services")) {
    const auto* services = profiles_.find_services(*name);
    if (services == nullptr)
      base::fail(ErrorKind::usage, "the AWS profile {} names a section [services {}] that is not there",
                 profile_, *name);
    if (auto url = setting(*services, id + ".endpoint_url")) return url;
  }
  return from_profile("endpoint_url");
}

EndpointVariant Session::variant(std::string_view service) const {
  EndpointVariant variant;
  variant.fips = options_.fips.value_or(
      environment_.flag("AWS_USE_FIPS_ENDPOINT").value_or(is_true(from_profile("use_fips_endpoint"))));
  auto dualstack = is_true(from_profile("use_dualstack_endpoint"));
  if (service == "s3") dualstack = dualstack || is_true(from_profile("s3.use_dualstack_endpoint"));
  variant.dualstack =
      options_.dualstack.value_or(environment_.flag("AWS_USE_DUALSTACK_ENDPOINT").value_or(dualstack));
  return variant;
}

Endpoint Session::endpoint(std::string_view service, std::string_view region) const {
  if (service == "s3" && !options_.s3_endpoint_url.empty())
    return custom_endpoint(options_.s3_endpoint_url, region, "the S3 endpoint given");
  if (const auto url = endpoint_url(service))
    return custom_endpoint(*url, region, fmt::format("the configured endpoint of {}", service));
  return service_endpoint(service, region, variant(service));
}

std::optional<bool> Session::path_style() const {
  if (options_.path_style) return options_.path_style;
  const auto style = from_profile("s3.addressing_style");
  if (style == "path") return true;
  if (style == "virtual") return false;
  return std::nullopt;
}

}  // namespace aws
