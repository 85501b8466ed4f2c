#include "cli/confirm.h"

#include <cerrno>
#include <string>

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/text.h"

namespace cli {
namespace {

/// One line of standard input; empty at its end.
std::string read_line(const base::Stop& stop) {
  std::string line;
  for (;;) {
    pollfd waiting[]{{STDIN_FILENO, POLLIN, 0}, {stop.descriptor(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return {};
    stop.check();
    if (waiting[0].revents == 0) continue;
    char buffer[256];
    const auto count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count <= 0) return {};
    line.append(buffer, static_cast<size_t>(count));
    if (const auto end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
  }
}

bool ask(Screen& screen, const std::string& question, const base::Stop& stop) {
  const Screen::Pause pause(screen);
  const auto prompt = fmt::format("{} [y/N] ", sanitized(question));
  // Without a line end, so not by Screen::print(); nothing else writes while it is paused but log lines.
  if (::write(STDERR_FILENO, prompt.data(), prompt.size()) < 0) return false;
  const auto answer = read_line(stop);
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes" || answer == "YES";
}

}  // namespace

copy::Confirm confirmation(const Invocation& invocation, bool yes) {
  return [&screen = invocation.log.screen(), stop = invocation.stop, yes](const std::string& question) {
    if (yes) {
      spdlog::info("{} yes (--yes)", question);
      return true;
    }
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
      throw base::Error(base::ErrorKind::usage, "there is no terminal to ask at: " + question,
                        "add --yes to answer yes");
    return ask(screen, question, stop);
  };
}

}  // namespace cli
