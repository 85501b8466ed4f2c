#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/global_options.h"

namespace cli {

struct CommandLine {
  GlobalOptions globals;
  Run run;
  std::vector<TypedOption> typed = {};
  bool allocates = false;  ///< as its Command says
  /// CUTOVER_… variables that are set and no option's.
  std::vector<std::string> unknown_variables = {};
};

/// The file that is read when nobody names one.
inline constexpr const char* kConfigFile = "cutover.toml";

/// Understands the program's arguments (the first is the program's name), the CUTOVER_* environment and the
/// configuration file, and looks up the secrets that they refer to, until a stop is requested. A request for
/// help or the version is a command that prints it. Throws Error{usage}; the message names the
/// option or argument, but never quotes what may be a connection string. So does a CUTOVER_… variable whose
/// name is nearly an option's.
CommandLine parse_command_line(const std::vector<std::string>& arguments, const base::Stop& stop = {},
                               OptionSet::Caller caller = OptionSet::Caller::person);

/// A look ahead, so that a command line that is wrong is complained about in the format that was asked for.
bool asks_for_json_logs(const std::vector<std::string>& arguments);

}  // namespace cli
