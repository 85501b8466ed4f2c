#pragma once

#include <string>
#include <string_view>

namespace copy {

enum class Severity {
  info,     ///< worth knowing
  skipped,  ///< what is not copied; the message is why
  warning,  ///< goes on, but somebody should look: it may need a hand afterwards
  blocker,  ///< the copy refuses to start
};

std::string_view to_string(Severity severity);

/// One result of looking before leaping: what is the matter with which object, and exactly what to do.
struct Finding {
  Severity severity = Severity::info;
  std::string object;  ///< "role app_owner", "table public.orders", "source", "target"
  std::string message;
  std::string fix;  ///< a statement or an option, ready to use; empty when there is nothing to do
};

}  // namespace copy
