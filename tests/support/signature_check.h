#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "tests/support/http_server.h"

namespace support {

/// A secret access key and the session token that must come with it ("" for none).
struct AccessKey {
  std::string secret;
  std::string token = {};
};
using AccessKeys = std::map<std::string, AccessKey, std::less<>>;

/// Judges the Signature Version 4 of a request as it came over the wire, by an implementation apart from the
/// one under test: the header, or for a presigned URL the query. Everything that AWS wants signed must be:
/// Host, every x-amz-* header, Content-MD5 and Content-Type; the payload's hash must fit the body. Returns ""
/// or the code of AWS's error, a blank, and why.
std::string signature_objection(const HttpServerRequest& request, const AccessKeys& keys,
                                std::string_view region, std::string_view service,
                                std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace support
