#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"

namespace cli {
namespace {

struct Character {
  char32_t code = 0;  // U+FFFD for bytes that are not UTF-8
  size_t bytes = 1;
};

constexpr char32_t kReplacement = 0xFFFD;

/// The character at `at`, by the well-formed sequences of the Unicode standard: no surrogates, no overlong
/// forms.
Character character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  const auto first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {kReplacement, 1};
  char32_t code = first & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {kReplacement, 1};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest.at(length) || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return {kReplacement, 1};
  return {code, length};
}

using Range = std::pair<char32_t, char32_t>;

bool within(char32_t code, const auto& ranges) {
  return std::ranges::any_of(ranges,
                             [&](const Range& range) { return range.first <= code && code <= range.second; });
}

/// The large blocks only: a column too few or too many costs one cut character, since the screen never wraps.
size_t width_of(char32_t code) {
  static constexpr std::array<Range, 6> kZero{
      {{0x300, 0x36F}, {0x483, 0x489}, {0x591, 0x5BD}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
  static constexpr std::array<Range, 9> kWide{{{0x1100, 0x115F},
                                               {0x2E80, 0x303E},
                                               {0x3041, 0xA4CF},
                                               {0xAC00, 0xD7A3},
                                               {0xF900, 0xFAFF},
                                               {0xFE30, 0xFE6F},
                                               {0xFF00, 0xFF60},
                                               {0x1F300, 0x1FAFF},
                                               {0x20000, 0x3FFFD}}};
  if (code < 0x300) return 1;
  if (within(code, kZero)) return 0;
  return within(code, kWide) ? 2 : 1;
}

bool is_dangerous(char32_t code) {
  static constexpr std::array<Range, 6> kDangerous{
      {{0, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF}}};
  return within(code, kDangerous);
}

std::string sanitized(std::string_view text, std::string_view line_end) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    if (character.code == '\n') {
      out += line_end;
    } else if (character.code == '\t') {
      out += ' ';
    } else if (character.code == kReplacement) {
      out += "\uFFFD";
    } else if (!is_dangerous(character.code)) {
      out += text.substr(at, character.bytes);
    }
    at += character.bytes;
  }
  return out;
}

/// Levenshtein's, with a swap of neighbours as one step.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> previous(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    width += width_of(character.code);
    at += character.bytes;
  }
  return width;
}

std::string truncated(std::string_view text, size_t width, bool unicode) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  size_t taken = 0;
  size_t at = 0;
  while (at < text.size()) {
    const auto character = character_at(text, at);
    if (taken + width_of(character.code) > width - 1) break;
    taken += width_of(character.code);
    at += character.bytes;
  }
  return std::string(text.substr(0, at)) + (unicode ? "…" : "~");
}

std::string left_aligned(std::string_view text, size_t width) {
  const auto own = display_width(text);
  return std::string(text) + std::string(own < width ? width - own : 0, ' ');
}

std::string right_aligned(std::string_view text, size_t width) {
  const auto own = display_width(text);
  return std::string(own < width ? width - own : 0, ' ') + std::string(text);
}

std::string sanitized(std::string_view text) { return sanitized(text, "\n"); }
std::string sanitized_line(std::string_view text) { return sanitized(text, " "); }

std::vector<std::string> wrapped(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, space);
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string shell_quoted(std::string_view argument) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:,@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(argument);
  std::string out = "'";
  for (const char c : argument) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string url_without_secrets(const std::string& url) {
  auto shown = url.substr(0, url.find_first_of("?#"));
  const auto scheme = shown.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  const auto authority_end = std::min(shown.find('/', begin), shown.size());
  const auto at = shown.rfind('@', authority_end);
  if (at != std::string::npos && at >= begin) shown.erase(begin, at + 1 - begin);
  return shown;
}

std::string nearest(std::string_view text, const std::vector<std::string>& candidates, size_t always) {
  std::string best;
  size_t least = std::max(always, text.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(text, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view text, const std::vector<std::string>& candidates,
                         std::string_view rest) {
  const auto meant = nearest(text, candidates);
  if (meant.empty()) return std::string(rest);
  return fmt::format("did you mean {}?{}{}", meant, rest.empty() ? "" : " ", rest);
}

void add_fact(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) out += fmt::format("{}{}\n", left_aligned(name, 10), sanitized_line(value));
}

std::string counted(uint64_t count, std::string_view noun) {
  if (count == 1) return fmt::format("1 {}", noun);
  // Only the nouns this program counts: index, table, relation, chunk, warning, foreign key, …
  if (noun.ends_with("index")) return fmt::format("{} {}es", base::human_count(count), noun);
  if (noun.ends_with("ry") || noun.ends_with("cy"))
    return fmt::format("{} {}ies", base::human_count(count), noun.substr(0, noun.size() - 1));
  return fmt::format("{} {}s", base::human_count(count), noun);
}

}  // namespace cli
