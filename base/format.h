#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

/// "0 B", "17 B", "1.4 kB", "128.0 MB", "1.6 GB": decimal powers as storage is sold, one decimal.
std::string human_bytes(uint64_t bytes);
/// "0.4 s", "17 s", "3 min 05 s", "2 h 07 min".
std::string human_duration(std::chrono::milliseconds duration);
/// As programs read it: 1.234
double seconds_of(std::chrono::milliseconds duration);
/// "1,234,567"
std::string human_count(uint64_t count);
/// Accepts 512, 64k, 64kB, 64KiB, 1.5GB, 2G (k, M, G, T are powers of 1024 as in Postgres's own settings).
/// Throws Error{usage} naming the text.
uint64_t parse_bytes(std::string_view text);
/// UTC, ISO 8601 with milliseconds: 2026-01-31T23:59:59.123Z
std::string utc_timestamp(std::chrono::system_clock::time_point time);

}  // namespace base
