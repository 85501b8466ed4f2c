#include "s3/glob.h"

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace s3 {
namespace {

/// The "[…]" at the front of `pattern` against one character; `length` is what it takes of the pattern.
/// Nothing when there is no closing bracket: then "[" stands for itself.
std::optional<bool> in_set(std::string_view pattern, char c, size_t& length) {
  size_t at = 1;
  const bool inverted = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (inverted) ++at;
  bool found = false;
  for (const auto first = at; at < pattern.size(); ++at) {
    if (pattern[at] == ']' && at > first) {
      length = at + 1;
      return found != inverted;
    }
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    const char low = pattern[at];
    char high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      at += 2;
      high = pattern[at];
    }
    const auto value = static_cast<unsigned char>(c);
    found = found || (value >= static_cast<unsigned char>(low) && value <= static_cast<unsigned char>(high));
  }
  return std::nullopt;
}

bool match(std::string_view pattern, std::string_view text);

/// "**" at the front of the pattern.
bool match_double_star(std::string_view pattern, std::string_view text) {
  auto rest = pattern.substr(2);
  if (rest.empty()) return true;
  const bool whole_segment = rest.starts_with('/');
  if (whole_segment) rest.remove_prefix(1);  // also matches no directory at all
  for (size_t at = 0; at <= text.size(); ++at) {
    const bool starts_segment = at == 0 || text[at - 1] == '/';
    if ((!whole_segment || starts_segment) && match(rest, text.substr(at))) return true;
  }
  return false;
}

bool match_star(std::string_view pattern, std::string_view text) {
  const auto rest = pattern.substr(1);
  for (size_t at = 0;; ++at) {
    if (match(rest, text.substr(at))) return true;
    if (at == text.size() || text[at] == '/') return false;
  }
}

bool match(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) return match_double_star(pattern, text);
    if (pattern.front() == '*') return match_star(pattern, text);
    if (text.empty()) return false;
    size_t length = 1;
    if (pattern.front() == '?') {
      if (text.front() == '/') return false;
    } else if (const auto set =
                   pattern.front() == '[' ? in_set(pattern, text.front(), length) : std::nullopt) {
      if (!*set || text.front() == '/') return false;
    } else {
      if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
      if (pattern.front() != text.front()) return false;
      length = 1;
    }
    pattern.remove_prefix(length);
    text.remove_prefix(1);
  }
  return text.empty();
}

/// What the last pattern that matches says; nothing when none does.
std::optional<bool> last_word(const std::vector<Glob>& globs, std::string_view path, bool is_directory) {
  const auto found = std::find_if(globs.rbegin(), globs.rend(),
                                  [&](const Glob& glob) { return glob.matches(path, is_directory); });
  if (found == globs.rend()) return std::nullopt;
  return !found->negated();
}

/// The path or one of the directories it lies in.
bool selects(const std::vector<Glob>& globs, std::string_view path, bool is_directory) {
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
    if (last_word(globs, path.substr(0, slash), true).value_or(false)) return true;
  return last_word(globs, path, is_directory).value_or(false);
}

}  // namespace

Glob::Glob(std::string_view pattern) : text_(pattern) {
  if (pattern.starts_with('!')) {
    negated_ = true;
    pattern.remove_prefix(1);
  }
  if (pattern.ends_with('/')) {
    directories_only_ = true;
    pattern.remove_suffix(1);
  }
  anchored_ = pattern.find('/') != std::string_view::npos;
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.empty())
    throw base::Error(base::ErrorKind::usage, "the pattern \"" + text_ + "\" is empty",
                      "write it as in a .gitignore file: *.jpg, /cache/, a/**/b");
  pattern_ = pattern;
}

bool Glob::matches(std::string_view path, bool is_directory) const {
  if (directories_only_ && !is_directory) return false;
  if (!anchored_) path = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return match(pattern_, path);
}

bool PathFilter::wants_file(std::string_view path) const {
  return !selects(exclude, path, false) && (include.empty() || selects(include, path, false));
}

bool PathFilter::wants_directory(std::string_view path) const { return !selects(exclude, path, true); }

}  // namespace s3
