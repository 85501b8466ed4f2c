#include "s3/uri.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "s3/keys.h"

namespace s3 {
namespace {

[[noreturn]] void reject(std::string_view text, std::string_view why) {
  throw base::Error(base::ErrorKind::usage, fmt::format("\"{}\" {}", text, why),
                    "write it as s3://BUCKET or s3://BUCKET/PREFIX");
}

/// What AWS allows, and "_", which older buckets and other servers have.
bool is_bucket_name(std::string_view name) {
  const auto is_inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  const auto is_end = [](char c) { return c != '-' && c != '.' && c != '_'; };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, is_inner) &&
         is_end(name.front()) && is_end(name.back()) && name.find("..") == std::string_view::npos;
}

}  // namespace

Uri parse_uri(std::string_view text) {
  constexpr std::string_view kScheme = "s3://";
  if (!text.starts_with(kScheme)) reject(text, "is not the address of a bucket");
  const auto rest = text.substr(kScheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  Uri uri{std::string(rest.substr(0, slash)), std::string(rest.substr(std::min(slash + 1, rest.size())))};
  if (!is_bucket_name(uri.bucket)) reject(text, "has no valid bucket name");
  if (uri.prefix.starts_with('/') || uri.prefix.find("//") != std::string::npos)
    reject(text, "has an empty path segment");
  if (!uri.prefix.empty() && !uri.prefix.ends_with('/')) uri.prefix += '/';
  if (const auto problem = key_problem(uri.prefix); !problem.empty() && !uri.prefix.empty())
    reject(text, fmt::format("cannot be a prefix of keys: it {}", problem));
  return uri;
}

}  // namespace s3
