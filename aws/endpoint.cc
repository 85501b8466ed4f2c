#include "aws/endpoint.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/sigv4.h"
#include "base/error.h"

namespace aws {
namespace {

struct Partition {
  std::string_view region_prefix;
  std::string_view suffix;
  std::string_view dualstack_suffix;
};

/// From the SDKs' partitions.json; the first whose prefix fits.
constexpr std::array<Partition, 8> kPartitions{{
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"", "amazonaws.com", "api.aws"},
}};

const Partition& partition_of(std::string_view region) {
  return *std::find_if(kPartitions.begin(), kPartitions.end(), [&](const Partition& partition) {
    return region.starts_with(partition.region_prefix);
  });
}

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Endpoint service_endpoint(std::string_view service, std::string_view region, EndpointVariant variant) {
  const auto& partition = partition_of(region);
  const auto* fips = variant.fips ? "-fips" : "";
  // S3 had its dualstack names before the others got suffixes of their own.
  std::string host;
  if (service == "s3")
    host = fmt::format("s3{}{}.{}.{}", fips, variant.dualstack ? ".dualstack" : "", region, partition.suffix);
  else
    host = fmt::format("{}{}.{}.{}", service, fips, region,
                       variant.dualstack ? partition.dualstack_suffix : partition.suffix);
  return {.url = "https://" + host, .region = std::string(region)};
}

Endpoint custom_endpoint(std::string_view url, std::string_view region, std::string_view what) {
  const auto scheme = url.find("://");
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  const auto host = http ? url.substr(scheme + 3) : std::string_view();
  if (host.empty() || host.starts_with('/') || host.find_first_of("@?# \t") != std::string_view::npos)
    throw base::Error(base::ErrorKind::usage, fmt::format("{} is not the URL of an endpoint", what),
                      "write it as https://host, https://host:port or http://host:port");
  while (url.ends_with('/')) url.remove_suffix(1);
  return {.url = std::string(url), .region = std::string(region), .custom = true};
}

bool is_host_name(std::string_view bucket) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  if (!is_letter_or_digit(bucket.front()) || !is_letter_or_digit(bucket.back())) return false;
  const bool characters = std::all_of(bucket.begin(), bucket.end(),
                                      [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
  const bool numbers = bucket.find_first_not_of("0123456789.") == std::string_view::npos;
  const bool address = numbers && std::count(bucket.begin(), bucket.end(), '.') == 3;
  return characters && !address && bucket.find("..") == std::string_view::npos;
}

std::string bucket_url(const Endpoint& endpoint, std::string_view bucket, std::optional<bool> path_style) {
  const bool dotted_https = endpoint.url.starts_with("https:") && bucket.find('.') != std::string_view::npos;
  const bool possible = is_host_name(bucket);
  if (path_style.value_or(endpoint.custom || dotted_https) || !possible)
    return endpoint.url + '/' + uri_encode(bucket);
  const auto host = endpoint.url.find("://") + 3;
  return fmt::format("{}{}.{}", endpoint.url.substr(0, host), bucket, endpoint.url.substr(host));
}

}  // namespace aws
