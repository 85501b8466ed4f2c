#pragma once

#include <string>
#include <string_view>

namespace s3 {

/// Where objects go. The prefix is empty or ends in a slash.
struct Uri {
  std::string bucket;
  std::string prefix;

  std::string display() const { return "s3://" + bucket + "/" + prefix; }
};

/// "s3://bucket", "s3://bucket/some/prefix" or "s3://bucket/some/prefix/": the last two are the same. Throws
/// Error{usage}, also when the prefix could not be a key (see s3/keys.h).
Uri parse_uri(std::string_view text);

}  // namespace s3
