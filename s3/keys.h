#pragma once

#include <string>
#include <string_view>

namespace s3 {

constexpr size_t kLongestKey = 1024;

/// Why the bytes cannot be the key of an object: "is not UTF-8", "holds a control character", "is longer than
/// 1,024 bytes", …; empty when they can. Keys come back in XML, which has no way to write most control
/// characters, and many clients cannot reach keys with a "." or ".." segment.
std::string key_problem(std::string_view key);

/// UTF-8 without control characters.
bool is_plain_text(std::string_view bytes);
/// How many characters UTF-8 text has.
size_t characters(std::string_view text);

/// Bytes that may be anything, for messages and reports: what is not printable UTF-8 becomes \xNN.
std::string printable(std::string_view bytes);

}  // namespace s3
