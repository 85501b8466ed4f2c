#include "verify/catalog_text.h"

#include <algorithm>
#include <vector>

#include "pg/quote.h"

namespace verify {
namespace {

constexpr char kRoleBegin = '\x01';
constexpr char kRoleEnd = '\x02';

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Where the piece that starts at `at` ends: a literal, a quoted name, a marked role, a word, one character.
size_t piece_end(std::string_view sql, size_t at) {
  const char first = sql[at];
  if (first == kRoleBegin) {
    const auto end = sql.find(kRoleEnd, at);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  const bool escapes = first == 'E' && at + 1 < sql.size() && sql[at + 1] == '\'';
  if (first == '\'' || first == '"' || escapes) {
    size_t i = at + (escapes ? 2 : 1);
    const char quote = escapes ? '\'' : first;
    for (; i < sql.size(); ++i) {
      if (escapes && sql[i] == '\\') {
        ++i;
      } else if (sql[i] == quote) {
        if (i + 1 >= sql.size() || sql[i + 1] != quote) return i + 1;
        ++i;
      }
    }
    return sql.size();
  }
  size_t end = at + 1;
  if (is_word(first))
    while (end < sql.size() && is_word(sql[end])) ++end;
  return end;
}

bool needs_quotes(std::string_view name) {
  if (name == "true" || name == "false") return true;  // deparsed, constants are in lower case
  if (name.empty() || !(is_lower(name.front()) || name.front() == '_')) return true;
  return !std::ranges::all_of(name,
                              [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '$'; });
}

std::vector<std::string_view> pieces_of(std::string_view sql) {
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at < sql.size();) {
    const auto end = piece_end(sql, at);
    if (!is_blank(sql[at])) pieces.push_back(sql.substr(at, end - at));
    at = end;
  }
  return pieces;
}

bool is_name(std::string_view piece) { return piece.front() == '"' || is_word(piece.front()); }

}  // namespace

std::string normalised_sql(std::string_view sql) {
  std::string out;
  out.reserve(sql.size());
  for (size_t at = 0; at < sql.size();) {
    if (is_blank(sql[at])) {
      if (!out.empty() && out.back() != ' ') out += ' ';
      ++at;
      continue;
    }
    const auto end = piece_end(sql, at);
    auto piece = sql.substr(at, end - at);
    if (piece.size() > 2 && piece.front() == '"' && !needs_quotes(piece.substr(1, piece.size() - 2)))
      piece = piece.substr(1, piece.size() - 2);
    out += piece;
    at = end;
  }
  // A literal never ends in a blank, its quote does.
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool same_without_qualifiers(std::string_view older, std::string_view newer) {
  const auto old_pieces = pieces_of(older);
  const auto new_pieces = pieces_of(newer);
  const auto is_dot = [](const auto& pieces, size_t at) { return at < pieces.size() && pieces[at] == "."; };
  std::string_view qualifier;
  size_t i = 0;
  size_t j = 0;
  for (; i < old_pieces.size(); ++i, ++j) {
    // Only one relation's name may be left out: it was the only one in the query.
    if (is_name(old_pieces[i]) && is_dot(old_pieces, i + 1) && !is_dot(new_pieces, j + 1) &&
        (qualifier.empty() || qualifier == old_pieces[i])) {
      qualifier = old_pieces[i];
      i += 2;
    }
    if (i >= old_pieces.size() || j >= new_pieces.size() || old_pieces[i] != new_pieces[j]) return false;
  }
  return j == new_pieces.size();
}

std::optional<std::string> marked_role(std::string_view text) {
  const auto begin = text.find(kRoleBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  const auto end = text.find(kRoleEnd, begin);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(text.substr(begin + 1, end - begin - 1));
}

std::string with_roles(std::string_view text, const std::map<std::string, std::string>& roles) {
  std::string out;
  while (true) {
    const auto begin = text.find(kRoleBegin);
    const auto end = begin == std::string_view::npos ? begin : text.find(kRoleEnd, begin);
    if (end == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, begin));
    const std::string name(text.substr(begin + 1, end - begin - 1));
    const auto mapped = roles.find(name);
    out += pg::display_identifier(mapped == roles.end() ? name : mapped->second);
    text.remove_prefix(end + 1);
  }
}

}  // namespace verify
