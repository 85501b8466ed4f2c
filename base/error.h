#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace base {

/// What the caller may do about an error.
enum class ErrorKind {
  usage,      ///< the user must change something; nothing was done
  transient,  ///< may go away by itself; retried only by base/retry
  permanent,  ///< will fail again in the same way
  in_doubt,   ///< the reply to a commit was lost: ask the ledger, never retry blindly
  corrupt,    ///< stored data is not what was written
  cancelled,  ///< a stop was requested
};

std::string_view to_string(ErrorKind kind);

/// The one exception type of the project. The message is lower case and names the object. Each layer may
/// add what it was doing with during(); the hint says what the user can do.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});

  /// Adds an outer context: "copy public.orders #17: <message>". Returns *this, to be rethrown.
  Error& during(std::string_view what);
  Error& hint(std::string text);
  /// Five-character SQLSTATE of a server's error; empty for every other error.
  Error& sqlstate(std::string_view code);
  Error& kind(ErrorKind kind);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::string& sqlstate() const { return sqlstate_; }
  /// The message, and on a second line "hint: …" when there is one.
  const char* what() const noexcept override { return text_.c_str(); }
  /// The message, and the hint in brackets when there is one.
  std::string in_one_line() const { return hint_.empty() ? message_ : message_ + " (" + hint_ + ")"; }

 private:
  void compose();

  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::string sqlstate_;
  std::string text_;
};

template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Runs `body`; an Error that leaves it gets `what` as its outer context.
template <typename Body>
decltype(auto) during(std::string_view what, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.during(what);
    throw;
  }
}

/// An Error from errno: "cannot open /x: permission denied". ENOSPC and the like get a hint.
Error system_error(std::string_view action, std::string_view object, int error_number);

}  // namespace base
