#include "aws/timestamp.h"

#include <charconv>

namespace aws {
namespace {

/// The digits of `text` from `at` on, exactly `count` of them; -1 if they are not.
int digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  const auto* end = text.data() + at + count;
  const auto [stop, error] = std::from_chars(text.data() + at, end, value);
  return error == std::errc() && stop == end && text[at] != '-' ? value : -1;
}

/// What follows the seconds: nullopt if it is no zone.
std::optional<std::chrono::minutes> zone(std::string_view text) {
  if (text.starts_with('.'))
    text.remove_prefix(std::min(text.find_first_not_of("0123456789", 1), text.size()));
  if (text == "Z" || text == "UTC") return std::chrono::minutes(0);
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int hours = digits(text, 1, 2);
  const int minutes = digits(text, 4, 2);
  if (hours < 0 || minutes < 0) return std::nullopt;
  return std::chrono::minutes((hours * 60 + minutes) * (text[0] == '-' ? -1 : 1));
}

}  // namespace

std::optional<Clock::time_point> parse_timestamp(std::string_view text) {
  namespace chrono = std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const auto offset = zone(text.substr(19));
  const auto date = chrono::year(year) / month / day;
  if (year < 1970 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60 || !offset)
    return std::nullopt;
  // The clock counts nanoseconds in 64 bits: what lies beyond its end ("9999-12-31…" for never) is its end.
  if (year > 2261) return Clock::time_point::max();
  return chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second) -
         *offset;
}

}  // namespace aws
