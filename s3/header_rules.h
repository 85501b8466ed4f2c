#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/glob.h"

namespace s3 {

/// A header that depends on the path: the last rule that matches counts.
struct HeaderRules {
  std::vector<std::pair<Glob, std::string>> rules;
  /// Empty when no rule matches.
  std::string_view value_for(std::string_view path) const;
};

/// Adds the rule "GLOB=VALUE", or "VALUE" for every file. What is a value as it stands is never a glob,
/// whatever equals signs it has; otherwise the glob ends at the first "=" that is neither behind a backslash
/// nor in brackets. Throws Error{usage} where neither leaves a value.
void add_content_type(HeaderRules& rules, std::string_view text);
void add_cache_control(HeaderRules& rules, std::string_view text);

/// "text/html; charset=utf-8": a media type as RFC 9110 writes it, without wildcards.
bool is_media_type(std::string_view text);
/// A list that begins with a directive of Cache-Control: "max-age=60, public", "no-cache=\"Set-Cookie\"".
bool is_cache_control(std::string_view text);

}  // namespace s3
