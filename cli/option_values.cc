#include "cli/option_values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "cli/text.h"
#include "pg/quote.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::trimmed;

[[noreturn]] void reject(std::string_view text, std::string_view problem, std::string hint) {
  throw Error(ErrorKind::usage, fmt::format("\"{}\" {}", sanitized_line(text), problem), std::move(hint));
}

/// Milliseconds of the unit at the start of `text`, which is left behind it; 0 when there is none.
uint64_t take_unit(std::string_view& text) {
  static constexpr std::array<std::pair<std::string_view, uint64_t>, 6> kUnits{
      {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  const auto letters = text.substr(0, std::min(text.find_first_of("0123456789 "), text.size()));
  for (const auto& [name, milliseconds] : kUnits) {
    if (letters != name) continue;
    text.remove_prefix(letters.size());
    return milliseconds;
  }
  return 0;
}

/// Takes one identifier of a name off the front: quoted, or up to the next dot or `=`.
std::string take_identifier(std::string_view& text) {
  std::string name;
  if (!text.starts_with('"')) {
    name = text.substr(0, std::min(text.find_first_of(".="), text.size()));
    text.remove_prefix(name.size());
    return std::string(trimmed(name));
  }
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return name;
    }
  }
  return {};
}

}  // namespace

void reject_choice(std::string_view text, const std::vector<std::string>& choices) {
  reject(text, "is not one of its values",
         did_you_mean(text, choices, fmt::format("use one of: {}", fmt::join(choices, ", "))));
}

unsigned parse_number(std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end || value < least || value > most)
    reject(text, fmt::format("is not a number from {} to {}", least, most), "");
  return value;
}

bool parse_bool(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return parse_choice<bool>(lower, {{"true", true},
                                    {"false", false},
                                    {"yes", true},
                                    {"no", false},
                                    {"on", true},
                                    {"off", false},
                                    {"1", true},
                                    {"0", false}});
}

std::chrono::milliseconds parse_duration(std::string_view text) {
  if (text == "0") return {};
  constexpr uint64_t kLongest = 366ULL * 86'400'000;
  const auto complain = [&] { reject(text, "is not a duration", "write it as 30s, 5min, 2h or 1h30min"); };
  uint64_t total = 0;
  auto rest = trimmed(text);
  if (rest.empty()) complain();
  while (!rest.empty()) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc{}) complain();
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    rest = trimmed(rest);
    const auto unit = take_unit(rest);
    if (unit == 0 || value > kLongest / unit || total + value * unit > kLongest) complain();
    total += value * unit;
    rest = trimmed(rest);
  }
  return std::chrono::milliseconds(total);
}

std::pair<std::string, std::string> parse_pair(std::string_view text, std::string_view what) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) reject(text, "has no \"=\"", fmt::format("write it as {}", what));
  const auto left = trimmed(text.substr(0, equals));
  const auto right = trimmed(text.substr(equals + 1));
  if (left.empty() || right.empty())
    reject(text, "has nothing on one side of the \"=\"", fmt::format("write it as {}", what));
  return {std::string(left), std::string(right)};
}

std::pair<std::string, std::string> parse_row_filter(std::string_view text) {
  const auto complain = [&](std::string_view problem) {
    reject(text, problem,
           "write it as \"public.events=created_at >= '2025-01-01'\", the table with its schema");
  };
  auto rest = trimmed(text);
  pg::QualifiedName table;
  table.schema = take_identifier(rest);
  if (table.schema.empty() || !rest.starts_with('.')) complain("does not start with a schema and a table");
  rest.remove_prefix(1);
  table.name = take_identifier(rest);
  rest = trimmed(rest);
  if (table.name.empty() || !rest.starts_with('=')) complain("does not start with a schema and a table");
  const auto condition = trimmed(rest.substr(1));
  if (condition.empty()) complain("has no condition");
  return {table.display(), std::string(condition)};
}

Address parse_address(std::string_view text, unsigned least) {
  constexpr unsigned kMostPort = 65'535;
  const auto colon = text.rfind(':');
  Address out{std::string(text.substr(0, colon)), {}};
  if (colon != std::string_view::npos) out.port = text.substr(colon + 1);
  if (out.host.starts_with('[') && out.host.ends_with(']'))
    out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.empty() || out.port.empty())
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is no address", sanitized_line(text)),
                "write it as HOST:PORT");
  base::during("port", [&] { parse_number(out.port, least, kMostPort); });
  return out;
}

Address parse_own_address(std::string_view text) {
  constexpr unsigned kAnyPort = 0;
  const bool is_port = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return parse_address(is_port ? fmt::format("127.0.0.1:{}", text) : std::string(text), kAnyPort);
}

std::vector<DatabasePair> parse_databases(std::string_view text) {
  std::vector<DatabasePair> pairs;
  for (const auto& part : split_list(text)) {
    DatabasePair pair{part, part};
    if (part.find('=') != std::string::npos)
      std::tie(pair.source, pair.target) = parse_pair(part, "NAME or SOURCE=TARGET");
    for (const auto& other : pairs)
      if (other.source == pair.source || other.target == pair.target)
        reject(part, "is named twice", "name each database of the source and of the target once");
    pairs.push_back(std::move(pair));
  }
  if (pairs.empty()) reject(text, "names no database", "write it as a,b,c=other");
  return pairs;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;
  const auto finish = [&] {
    if (const auto trim = trimmed(part); !trim.empty()) parts.emplace_back(trim);
    part.clear();
  };
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) {
      finish();
    } else {
      part += c;
    }
  }
  finish();
  return parts;
}

}  // namespace cli
