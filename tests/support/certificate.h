#pragma once

#include <string>

namespace support {

/// A self-signed certificate for localhost and 127.0.0.1, and its key, both PEM. A client that is to trust it
/// gets `certificate` as its bundle of authorities.
struct Certificate {
  std::string certificate;
  std::string key;
};

/// `host` in place of localhost; 127.0.0.1 only if it is localhost.
Certificate make_certificate(const std::string& host = "localhost");

}  // namespace support
