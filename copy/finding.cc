#include "copy/finding.h"

namespace copy {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::skipped:
      return "skipped";
    case Severity::warning:
      return "warning";
    case Severity::blocker:
      return "blocker";
  }
  return "unknown";
}

}  // namespace copy
