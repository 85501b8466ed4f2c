#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace base {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::transient:
      return "transient";
    case ErrorKind::permanent:
      return "permanent";
    case ErrorKind::in_doubt:
      return "in doubt";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {
  compose();
}

Error& Error::during(std::string_view what) {
  message_ = fmt::format("{}: {}", what, message_);
  compose();
  return *this;
}

Error& Error::hint(std::string text) {
  hint_ = std::move(text);
  compose();
  return *this;
}

Error& Error::sqlstate(std::string_view code) {
  sqlstate_ = code;
  return *this;
}

Error& Error::kind(ErrorKind kind) {
  kind_ = kind;
  return *this;
}

void Error::compose() { text_ = hint_.empty() ? message_ : message_ + "\nhint: " + hint_; }

namespace {

/// strerror's text as part of a message: lower case, unless it starts with an abbreviation ("RPC struct is
/// bad").
std::string reason(int error_number) {
  std::string text = std::strerror(error_number);  // NOLINT(concurrency-mt-unsafe)
  const auto upper = [&](size_t at) { return at < text.size() && text[at] >= 'A' && text[at] <= 'Z'; };
  if (upper(0) && !upper(1)) text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

Error system_error(std::string_view action, std::string_view object, int error_number) {
  Error error(ErrorKind::permanent, fmt::format("cannot {} {}: {}", action, object, reason(error_number)));
  if (error_number == ENOSPC || error_number == EDQUOT)
    error.hint("free some space there and run the same command again");
  if (error_number == EIO) error.hint("the disk or its connection fails: see the kernel's log");
  if (error_number == EACCES || error_number == EPERM) error.hint("check who owns it and its permissions");
  return error;
}

}  // namespace base
