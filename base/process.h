#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/stop.h"

namespace base {

/// A child program, run without a shell.
struct Command {
  std::filesystem::path program;       ///< absolute, or found on PATH
  std::vector<std::string> arguments;  ///< without the program's name; never holds a secret
  /// Set on top of what it inherits; this is where passwords go.
  std::map<std::string, std::string> environment;
  /// Which variables of ours it gets: names, or "PG*" for all that begin so. Empty: all but CUTOVER_*, which
  /// may hold other servers' passwords.
  std::vector<std::string_view> inherits = {};
};

struct CommandResult {
  int exit_code = 0;       ///< 128 + signal number when killed by a signal
  std::string error_text;  ///< standard error, its last 64 KiB
};

/// Runs to the end. `output` gets standard output in pieces as it comes (empty: it is discarded). Standard
/// input is /dev/null. A stop kills the child (SIGTERM, after 2 s SIGKILL) and throws Error{cancelled}.
/// Throws Error{usage} when the program cannot be found or run. If the calling thread or this process dies,
/// the kernel sends the child SIGTERM. It has no terminal, so it cannot ask for a password.
CommandResult run_command(const Command& command, const Stop& stop,
                          const std::function<void(std::string_view)>& output = {});

/// The first executable of that name on PATH.
std::filesystem::path find_program(std::string_view name);

}  // namespace base
