#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace copy {

enum class TokenKind : uint8_t {
  word,        ///< unquoted identifier or keyword
  identifier,  ///< "quoted", also U&"quoted"
  string,      ///< '…', E'…', U&'…', B'…', X'…', N'…' and $tag$…$tag$
  number,
  symbol,   ///< one character; operators come in pieces
  comment,  ///< "-- …" without its newline, or a whole /* … */
  end,
};

/// A piece of the text that was lexed; `text` is a view into it, quotes and prefixes included.
struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;

  /// An unquoted word, compared without case. `upper` is in capitals.
  bool is(std::string_view upper) const;
  bool is(char symbol) const { return kind == TokenKind::symbol && text.front() == symbol; }
};

/// The lexical rules of PostgreSQL with standard_conforming_strings = on. It never fails: a literal or a
/// block comment that is not closed reaches to the end of the text and sets unterminated().
class SqlLexer {
 public:
  explicit SqlLexer(std::string_view sql) : sql_(sql) {}

  Token next();
  bool unterminated() const { return unterminated_; }
  /// At the first character of a line? Asked before next(); blanks are skipped first.
  bool at_line_start();
  /// The rest of the line, for psql's commands.
  std::string_view rest_of_line();

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }
  void skip_blanks();
  void skip_quoted(char quote);
  void skip_escape_string();
  bool skip_to_continuation();
  void close_at_end();
  void skip_block_comment();
  bool skip_dollar_quoted();
  TokenKind skip_word();
  TokenKind skip_token();

  std::string_view sql_;
  size_t at_ = 0;
  bool unterminated_ = false;
};

/// Reads a script as psql does: statements end at semicolons outside parentheses (a rule may have several
/// actions) and outside BEGIN ATOMIC … END. Comments between statements, and lines that start with a
/// backslash there, are items of their own; comments inside a statement are part of its text and not among
/// its tokens.
class StatementReader {
 public:
  enum class Item : uint8_t { statement, comment, command, end };

  explicit StatementReader(std::string_view sql) : lexer_(sql) {}

  /// What was read. The accessors below describe it until the next call.
  Item next();
  /// A statement's is without its semicolon.
  std::string_view text() const { return text_; }
  const std::vector<Token>& tokens() const { return tokens_; }
  /// False for a last statement that has no semicolon, or that ends inside a literal.
  bool terminated() const { return terminated_; }
  /// The item starts in the first column.
  bool at_line_start() const { return at_line_start_; }

 private:
  Item read_statement(Token first);
  void note(const Token& token);
  bool creates_routine() const;

  SqlLexer lexer_;
  std::string_view text_;
  std::vector<Token> tokens_;
  bool terminated_ = false;
  bool at_line_start_ = false;
  size_t parentheses_ = 0;
  size_t blocks_ = 0;  ///< BEGIN ATOMIC, and every CASE inside, that waits for its END
};

}  // namespace copy
