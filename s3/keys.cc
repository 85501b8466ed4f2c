#include "s3/keys.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace s3 {
namespace {

/// Bytes of the character at the front, 0 when it is not UTF-8 (RFC 3629: shortest form, no surrogates).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80; };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F);
    return !bad && continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool bad = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return !bad && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  // C0 and DEL; C1 is U+0080 to U+009F; U+FFFE and U+FFFF do not exist in XML.
  return first < 0x20 || first == 0x7F ||
         (character.size() == 2 && first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0) ||
         character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

bool has_dot_segment(std::string_view key) {
  while (true) {
    const auto slash = key.find('/');
    const auto segment = key.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    if (slash == std::string_view::npos) return false;
    key.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string key_problem(std::string_view key) {
  if (key.empty()) return "is empty";
  if (key.size() > kLongestKey) return fmt::format("is longer than 1,024 bytes ({})", key.size());
  for (size_t at = 0; at < key.size();) {
    const auto length = utf8_length(key.substr(at));
    if (length == 0) return "is not UTF-8";
    if (is_control(key.substr(at, length))) return "holds a control character";
    at += length;
  }
  if (has_dot_segment(key)) return R"(has a segment "." or "..")";
  return {};
}

bool is_plain_text(std::string_view bytes) { return printable(bytes) == bytes; }

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string printable(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size();) {
    const auto length = utf8_length(bytes.substr(at));
    const auto character = bytes.substr(at, length == 0 ? 1 : length);
    if (length == 0 || is_control(character)) {
      for (const char c : character) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += character;
    }
    at += character.size();
  }
  return out;
}

}  // namespace s3
