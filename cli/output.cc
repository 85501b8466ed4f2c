#include "cli/output.h"

#include <cerrno>

#include <unistd.h>

#include "base/error.h"

namespace cli {

void print(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return;
    } else if (errno != EINTR && errno != EAGAIN) {
      throw base::system_error("write", "the result to standard output", errno);
    }
  }
}

}  // namespace cli
