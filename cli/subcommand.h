#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

/// A command that runs other commands of the program does it by their arguments, as a person would: they are
/// understood by the same parser, with the same environment and the same cutover.toml. What belongs to one
/// run and cannot be in that file, such as --dry-run, comes from the arguments alone, not from the
/// environment.
namespace cli {

struct CommandResult {
  std::string headline;  ///< "EQUAL: 11 tables, …"
  Json document;
};

struct CommandOutcome {
  int exit_code = 0;
  std::vector<CommandResult> results;  ///< one for each database; none of a command that has no result

  /// Of the result that decided the exit code; empty without one.
  std::string headline() const;
};

/// The arguments, without the program's name, and behind them what was typed for this command that the other
/// one understands, too: the configuration file and the connections.
std::vector<std::string> with_typed(std::vector<std::string> arguments, const Invocation& invocation);

/// Runs another command in this process; what it prints goes to `print`. An error that ends it is logged and
/// becomes its exit code and its result.
CommandOutcome run_command(const Invocation& invocation, const std::vector<std::string>& arguments,
                           std::function<void(std::string_view)> print);

/// Throws Error{usage} for what run_command() would refuse of the arguments, the environment and
/// cutover.toml.
void require_understood(const Invocation& invocation, const std::vector<std::string>& arguments);

/// As one would type it; secrets are left out.
std::string to_type(std::vector<std::string> arguments);

}  // namespace cli
