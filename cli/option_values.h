#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

/// What option values are made of. Every function throws Error{usage} that quotes the value and, in its hint,
/// says how to write it; the caller adds the option's name.
namespace cli {

[[noreturn]] void reject_choice(std::string_view text, const std::vector<std::string>& choices);

template <typename T>
T parse_choice(std::string_view text, std::initializer_list<std::pair<const char*, T>> choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names.emplace_back(name);
  }
  reject_choice(text, names);
}

unsigned parse_number(std::string_view text, unsigned least, unsigned most);
bool parse_bool(std::string_view text);
/// "500ms", "90s", "5min", "2h", "1d", "1h30min"; a bare number other than 0 has no unit and is refused.
std::chrono::milliseconds parse_duration(std::string_view text);
/// "left=right", both not empty; `what` names the form: "OLD=NEW".
std::pair<std::string, std::string> parse_pair(std::string_view text, std::string_view what);
/// 'schema.table=CONDITION': the name as pg::QualifiedName::display() writes it, since that is what it is
/// compared to.
std::pair<std::string, std::string> parse_row_filter(std::string_view text);

struct Address {
  std::string host;
  std::string port;
};
/// "redis.internal:6379", "[::1]:8080"; a port of `least` to 65,535.
Address parse_address(std::string_view text, unsigned least = 1);
/// Where to listen: HOST:PORT, or a port of 127.0.0.1 alone; port 0 is any free one.
Address parse_own_address(std::string_view text);

struct DatabasePair {
  std::string source;
  std::string target;
};
/// "a,b,c=other"
std::vector<DatabasePair> parse_databases(std::string_view text);

/// Cut at commas outside double quotes; spaces around the parts are dropped, empty parts too.
std::vector<std::string> split_list(std::string_view text);

}  // namespace cli
