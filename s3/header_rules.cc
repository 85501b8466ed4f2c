#include "s3/header_rules.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace s3 {
namespace {

using base::trimmed;

/// Those of RFC 9111, 5861, 8246 and those that answers have in common with them.
constexpr std::array<std::string_view, 13> kDirectives{"max-age",
                                                       "s-maxage",
                                                       "no-cache",
                                                       "no-store",
                                                       "no-transform",
                                                       "private",
                                                       "public",
                                                       "must-revalidate",
                                                       "proxy-revalidate",
                                                       "must-understand",
                                                       "stale-while-revalidate",
                                                       "stale-if-error",
                                                       "immutable"};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// A type or subtype of RFC 6838: letters, digits and what stands between them.
bool is_restricted_name(std::string_view text) {
  return !text.empty() && is_letter_or_digit(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
  });
}

bool is_quoted(std::string_view text) {
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return false;
  const auto inner = text.substr(1, text.size() - 2);
  return std::ranges::none_of(inner, [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < ' '); });
}

bool is_parameter(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto value = text.substr(std::min(equals + 1, text.size()));
  return is_token(text.substr(0, equals)) && (is_token(value) || is_quoted(value));
}

bool is_same_name(std::string_view given, std::string_view lower) {
  return std::ranges::equal(given, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Where the glob at the front ends; npos where nothing parts it from a value.
size_t end_of_glob(std::string_view text) {
  bool in_brackets = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '[') {
      in_brackets = text.find(']', at) != std::string_view::npos;
    } else if (text[at] == ']') {
      in_brackets = false;
    } else if (text[at] == '=' && !in_brackets) {
      return at;
    }
  }
  return std::string_view::npos;
}

void add_rule(HeaderRules& rules, std::string_view text, bool (*is_value)(std::string_view),
              std::string_view example) {
  if (is_value(text)) {
    rules.rules.emplace_back(Glob("*"), std::string(trimmed(text)));
    return;
  }
  const auto end = end_of_glob(text);
  const auto value = end == std::string_view::npos ? std::string_view() : trimmed(text.substr(end + 1));
  if (end == 0 || !is_value(value))
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("\"{}\" has no value that the header can have", text),
                      fmt::format("write it as GLOB=VALUE or VALUE: {}", example));
  rules.rules.emplace_back(Glob(text.substr(0, end)), std::string(value));
}

}  // namespace

std::string_view HeaderRules::value_for(std::string_view path) const {
  const auto found = std::find_if(rules.rbegin(), rules.rend(),
                                  [&](const auto& rule) { return rule.first.matches(path, false); });
  return found == rules.rend() ? std::string_view() : found->second;
}

bool is_media_type(std::string_view text) {
  auto semicolon = std::min(text.find(';'), text.size());
  const auto type = trimmed(text.substr(0, semicolon));
  const auto slash = type.find('/');
  if (slash == std::string_view::npos || !is_restricted_name(type.substr(0, slash)) ||
      !is_restricted_name(type.substr(slash + 1)))
    return false;
  while (semicolon < text.size()) {
    text.remove_prefix(semicolon + 1);
    semicolon = std::min(text.find(';'), text.size());
    if (!is_parameter(trimmed(text.substr(0, semicolon)))) return false;
  }
  return true;
}

bool is_cache_control(std::string_view text) {
  const auto first = trimmed(text.substr(0, text.find_first_of("=,")));
  const bool is_known = std::ranges::any_of(
      kDirectives, [&](std::string_view directive) { return is_same_name(first, directive); });
  return is_known && std::ranges::none_of(text, [](char c) { return c >= 0 && c < ' '; });
}

void add_content_type(HeaderRules& rules, std::string_view text) {
  add_rule(rules, text, is_media_type, "*.md=text/plain; charset=utf-8");
}

void add_cache_control(HeaderRules& rules, std::string_view text) {
  add_rule(rules, text, is_cache_control, "*.js=public, max-age=60");
}

}  // namespace s3
