#include "copy/sql_lexer.h"

#include <algorithm>
#include <array>

namespace copy {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Every byte above 127 is a letter to PostgreSQL, so UTF-8 needs no decoding here.
constexpr bool is_word_start(char c) {
  return (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

constexpr bool is_word_part(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }

constexpr auto kWordPart = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < table.size(); ++c) table[c] = is_word_part(static_cast<char>(c));
  return table;
}();

}  // namespace

bool Token::is(std::string_view word) const {
  return kind == TokenKind::word &&
         std::ranges::equal(text, word, [](char have, char want) { return upper(have) == want; });
}

bool SqlLexer::at_line_start() {
  skip_blanks();
  return at_ == 0 || sql_[at_ - 1] == '\n';
}

std::string_view SqlLexer::rest_of_line() {
  const size_t start = at_;
  at_ = std::min(sql_.find('\n', at_), sql_.size());
  return sql_.substr(start, at_ - start);
}

Token SqlLexer::next() {
  skip_blanks();
  if (at_ == sql_.size()) return {};
  const size_t start = at_;
  const TokenKind kind = skip_token();
  return {kind, sql_.substr(start, at_ - start)};
}

TokenKind SqlLexer::skip_token() {
  const char c = peek();
  if (is_word_start(c)) return skip_word();
  if (c == '\'') {
    skip_quoted('\'');
    return TokenKind::string;
  }
  if (c == '"') {
    skip_quoted('"');
    return TokenKind::identifier;
  }
  if (c == '$' && skip_dollar_quoted()) return TokenKind::string;
  if (c == '-' && peek(1) == '-') {
    at_ = std::min(sql_.find_first_of("\r\n", at_), sql_.size());
    return TokenKind::comment;
  }
  if (c == '/' && peek(1) == '*') {
    skip_block_comment();
    return TokenKind::comment;
  }
  if (is_digit(c)) {
    while (is_digit(peek()) || is_word_start(peek()) || peek() == '.') ++at_;
    return TokenKind::number;
  }
  ++at_;
  return TokenKind::symbol;
}

void SqlLexer::skip_blanks() {
  while (at_ < sql_.size() && is_blank(sql_[at_])) ++at_;
}

/// A word, or the literal that it is the prefix of. Only E gives the backslash a meaning that moves the end
/// of the literal; U&'\0027' has no quote inside.
TokenKind SqlLexer::skip_word() {
  const size_t start = at_;
  while (at_ < sql_.size() && kWordPart[static_cast<unsigned char>(sql_[at_])]) ++at_;
  if (at_ - start != 1) return TokenKind::word;
  const char prefix = upper(sql_[start]);
  if (prefix == 'U' && peek() == '&' && (peek(1) == '\'' || peek(1) == '"')) {
    ++at_;
    const bool is_string = peek() == '\'';
    skip_quoted(peek());
    return is_string ? TokenKind::string : TokenKind::identifier;
  }
  if (peek() != '\'' || std::string_view("EBXN").find(prefix) == std::string_view::npos)
    return TokenKind::word;
  if (prefix == 'E') {
    skip_escape_string();
  } else {
    skip_quoted('\'');
  }
  return TokenKind::string;
}

/// From the opening quote to behind the closing one.
void SqlLexer::skip_quoted(char quote) {
  for (++at_; (at_ = sql_.find(quote, at_)) != std::string_view::npos; at_ += 2) {
    if (peek(1) == quote) continue;  // doubled: part of the text
    ++at_;
    return;
  }
  close_at_end();
}

/// Two such literals with only a line break between them are one, and the second part has escapes too.
void SqlLexer::skip_escape_string() {
  do {
    for (++at_; at_ < sql_.size() && (peek() != '\'' || peek(1) == '\''); ++at_) {
      if (peek() == '\\' || peek() == '\'') ++at_;
    }
    if (at_ >= sql_.size()) return close_at_end();
    ++at_;
  } while (skip_to_continuation());
}

bool SqlLexer::skip_to_continuation() {
  const size_t behind = at_;
  skip_blanks();
  if (peek() == '\'' && sql_.substr(behind, at_ - behind).find('\n') != std::string_view::npos) return true;
  at_ = behind;
  return false;
}

void SqlLexer::close_at_end() {
  at_ = sql_.size();
  unterminated_ = true;
}

void SqlLexer::skip_block_comment() {
  size_t depth = 0;
  while (at_ < sql_.size()) {
    if (peek() == '/' && peek(1) == '*') {
      ++depth;
      at_ += 2;
    } else if (peek() == '*' && peek(1) == '/') {
      at_ += 2;
      if (--depth == 0) return;
    } else {
      ++at_;
    }
  }
  unterminated_ = true;
}

/// False when the dollar does not open a quote, as in $1.
bool SqlLexer::skip_dollar_quoted() {
  size_t tag_end = at_ + 1;
  if (tag_end < sql_.size() && is_digit(sql_[tag_end])) return false;
  while (tag_end < sql_.size() && sql_[tag_end] != '$' && is_word_part(sql_[tag_end])) ++tag_end;
  if (tag_end >= sql_.size() || sql_[tag_end] != '$') return false;
  const std::string_view tag = sql_.substr(at_, tag_end + 1 - at_);
  const size_t close = sql_.find(tag, tag_end + 1);
  unterminated_ = unterminated_ || close == std::string_view::npos;
  at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
  return true;
}

StatementReader::Item StatementReader::next() {
  for (;;) {
    tokens_.clear();
    terminated_ = true;
    at_line_start_ = lexer_.at_line_start();
    SqlLexer ahead = lexer_;
    const Token first = lexer_.next();
    text_ = first.text;
    if (first.kind == TokenKind::end) return Item::end;
    if (first.is(';')) continue;
    if (first.is('\\') && at_line_start_) {
      lexer_ = ahead;
      text_ = lexer_.rest_of_line();
      return Item::command;
    }
    if (first.kind == TokenKind::comment) {
      terminated_ = !lexer_.unterminated();
      return Item::comment;
    }
    return read_statement(first);
  }
}

StatementReader::Item StatementReader::read_statement(Token first) {
  parentheses_ = 0;
  blocks_ = 0;
  Token token = first;
  std::string_view last = first.text;
  while (token.kind != TokenKind::end) {
    if (token.is(';') && parentheses_ == 0 && blocks_ == 0) break;
    if (token.kind != TokenKind::comment) {
      note(token);
      tokens_.push_back(token);
      last = token.text;
    }
    token = lexer_.next();
  }
  terminated_ = token.kind != TokenKind::end;
  text_ = {first.text.data(), static_cast<size_t>(last.data() + last.size() - first.text.data())};
  return Item::statement;
}

/// Follows the nesting. Inside BEGIN ATOMIC only CASE and END count: both are reserved, while "begin" may
/// name a column there and Postgres writes it without quotes.
void StatementReader::note(const Token& token) {
  if (token.is('(')) ++parentheses_;
  if (token.is(')') && parentheses_ > 0) --parentheses_;
  if (token.kind != TokenKind::word) return;
  if (blocks_ > 0) {
    if (token.is("CASE")) ++blocks_;
    if (token.is("END")) --blocks_;
  } else if (parentheses_ == 0 && token.is("ATOMIC") && tokens_.size() > 2 && tokens_.back().is("BEGIN") &&
             creates_routine()) {
    blocks_ = 1;
  }
}

bool StatementReader::creates_routine() const {
  if (!tokens_[0].is("CREATE")) return false;
  const size_t noun = tokens_[1].is("OR") ? 3 : 1;
  return tokens_.size() > noun && (tokens_[noun].is("FUNCTION") || tokens_[noun].is("PROCEDURE"));
}

}  // namespace copy
