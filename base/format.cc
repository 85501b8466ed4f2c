#include "base/format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/error.h"

namespace base {

std::string human_bytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 6> kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  // Counted in tenths of a unit, rounded; a value that rounds up to 1000.0 belongs to the next unit.
  uint64_t tenth = 100;
  for (size_t i = 0;; ++i, tenth *= 1000) {
    const uint64_t tenths = bytes / tenth + (bytes % tenth >= tenth / 2 ? 1 : 0);
    if (tenths < 10'000 || i + 1 == kUnits.size())
      return fmt::format("{}.{} {}", tenths / 10, tenths % 10, kUnits[i]);
  }
}

std::string human_duration(std::chrono::milliseconds duration) {
  const auto ms = std::max<int64_t>(duration.count(), 0);
  // The unit is chosen after rounding, so that nothing reads "60 s" or "60 min".
  if (const auto tenths = (ms + 50) / 100; tenths < 100)
    return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  const auto seconds = (ms + 500) / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  const auto minutes = (ms + 30'000) / 60'000;
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string human_count(uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

namespace {

/// The power of 1024 an upper-case unit stands for.
std::optional<unsigned> power_of_unit(std::string_view unit) {
  if (unit.empty() || unit == "B") return 0;
  const auto power = std::string_view("KMGT").find(unit.front());
  unit.remove_prefix(1);
  if (power == std::string_view::npos || !(unit.empty() || unit == "B" || unit == "IB")) return std::nullopt;
  return static_cast<unsigned>(power) + 1;
}

/// The digits at the start of `text`, which is left behind them; nothing when there are none or too many.
std::optional<uint64_t> take_digits(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::optional<uint64_t> parsed_bytes(std::string_view rest) {
  const auto whole = take_digits(rest);
  if (!whole) return std::nullopt;
  uint64_t fraction = 0;
  uint64_t scale = 1;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const auto digits = rest.size();
    const auto taken = take_digits(rest);
    if (!taken || digits - rest.size() > 6) return std::nullopt;
    fraction = *taken;
    for (auto left = digits - rest.size(); left > 0; --left) scale *= 10;
  }
  if (rest.starts_with(' ') && rest.size() > 1) rest.remove_prefix(1);
  std::string unit(rest);
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto power = power_of_unit(unit);
  if (!power || (*power == 0 && scale > 1)) return std::nullopt;
  const uint64_t factor = uint64_t{1} << (10 * *power);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(*whole, factor, &bytes)) return std::nullopt;
  // At most 10^6 * 2^40, which fits.
  if (__builtin_add_overflow(bytes, fraction * factor / scale, &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace

double seconds_of(std::chrono::milliseconds duration) {
  return static_cast<double>(duration.count()) / 1000.0;
}

uint64_t parse_bytes(std::string_view text) {
  if (const auto bytes = parsed_bytes(text)) return *bytes;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" is not a size", text),
              "write it as 512, 64kB, 1.5GB or 2G");
}

std::string utc_timestamp(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace base
