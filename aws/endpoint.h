#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aws {

/// Where a service of one region is reached.
struct Endpoint {
  std::string url;      ///< scheme://host[:port][/path], no slash at the end
  std::string region;   ///< for the signature
  bool custom = false;  ///< given by the user: MinIO, R2, Ceph, a stand-in
};

struct EndpointVariant {
  bool fips = false;
  bool dualstack = false;  ///< IPv4 and IPv6
};

/// AWS's own endpoint: "https://s3.eu-central-1.amazonaws.com". Knows the partitions of AWS and their
/// suffixes.
Endpoint service_endpoint(std::string_view service, std::string_view region, EndpointVariant variant = {});

/// An endpoint that a user wrote; a slash at its end is taken off. Throws Error{usage} naming `what` unless
/// it is http(s)://host[:port][/path] without credentials, query and fragment.
Endpoint custom_endpoint(std::string_view url, std::string_view region, std::string_view what);

/// May a bucket's name be part of a host's name: 3 to 63 characters a-z 0-9 - . , beginning and ending with a
/// letter or digit, no empty label, not an IP address.
bool is_host_name(std::string_view bucket);

/// The URL in front of "/KEY": virtual-hosted style on AWS, path style for custom endpoints, for names that
/// no host can have, and over https for names with dots, which the certificate would not cover. `path_style`
/// decides otherwise. Path style takes any name (percent-encoded).
std::string bucket_url(const Endpoint& endpoint, std::string_view bucket,
                       std::optional<bool> path_style = {});

}  // namespace aws
