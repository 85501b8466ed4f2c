#include "cli/signals.h"

#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/errors.h"

namespace cli {
namespace {

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (!is_ignored(SIGHUP)) sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

Signals::Signals() {
  ::signal(SIGPIPE, SIG_IGN);
  const auto set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A shell that starts us in the background ignores SIGINT for us; whoever sends it by hand means it.
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor_ < 0) throw base::system_error("create", "a signalfd", errno);
  thread_ = std::jthread([this] { wait_for_signals(); });
}

Signals::~Signals() {
  end_.request();
  thread_.join();
  ::close(descriptor_);
}

void Signals::wait_for_signals() const {
  bool interrupted = false;
  while (!end_.requested()) {
    pollfd waiting[]{{descriptor_, POLLIN, 0}, {end_.descriptor(), POLLIN, 0}};
    poll(waiting, 2, -1);
    signalfd_siginfo info{};
    if (::read(descriptor_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    if (interrupted) _exit(kInterruptedTwice);
    interrupted = true;
    stop_.request();
  }
}

}  // namespace cli
