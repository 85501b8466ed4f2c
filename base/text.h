#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace base {

/// Without the blanks, tabs and line ends around it.
std::string_view trimmed(std::string_view text);
/// ASCII letters only.
std::string upper_case(std::string_view text);
std::string lower_case(std::string_view text);
/// * matches any text, ? one character of UTF-8; everything else itself. The whole text must match.
bool glob_match(std::string_view pattern, std::string_view text);
/// The first `bytes` bytes, or fewer: it is never cut inside a character of UTF-8.
std::string_view beginning_of(std::string_view text, size_t bytes);
/// 16 hexadecimal digits of chance, so that nobody else has them.
std::string random_id();

}  // namespace base
