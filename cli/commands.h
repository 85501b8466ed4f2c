#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/stop.h"
#include "cli/global_options.h"
#include "cli/log.h"
#include "cli/option_set.h"
#include "cli/output.h"

namespace cli {

/// An option as it was typed: a command that runs others hands it on.
struct TypedOption {
  std::string name;  ///< "--source"
  std::vector<std::string> values;
};

/// What a command gets to run with, beside its options.
struct Invocation {
  const GlobalOptions& globals;
  Log& log;
  base::Stop stop;
  std::string again;  ///< the command line to type again: without secrets, quoted for a shell
  std::vector<TypedOption> typed = {};
  /// A step of a `cutover run`, which has locked its directory and keeps the timeline itself.
  bool of_run = false;
  /// Where results go: standard output, unless another command runs this one.
  std::function<void(std::string_view)> print = cli::print;
  /// Gets each result, as its first line and as its document; a command that runs others wants them.
  std::function<void(const std::string& headline, const Json& document)> on_result = [](const auto&,
                                                                                        const auto&) {};
};

/// Returns the exit code.
using Run = std::function<int(const Invocation&)>;

struct Command {
  const char* name;
  const char* summary;
  /// Declares the options; what is returned owns them and runs the command with them.
  Run (*set_up)(OptionSet& set);
  /// Its threads allocate memory all day.
  bool allocates = false;
};

/// The one list of commands, in the order of a move; those about the program itself come last.
std::span<const Command> commands();

Run set_up_run(OptionSet& set);
Run set_up_plan(OptionSet& set);
Run set_up_copy(OptionSet& set);
Run set_up_export(OptionSet& set);
Run set_up_import(OptionSet& set);
Run set_up_upload(OptionSet& set);
Run set_up_fence(OptionSet& set);
Run set_up_verify(OptionSet& set);
Run set_up_repair(OptionSet& set);
Run set_up_report(OptionSet& set);
Run set_up_check(OptionSet& set);
Run set_up_status(OptionSet& set);
Run set_up_clean(OptionSet& set);
Run set_up_config(OptionSet& set);
Run set_up_demo(OptionSet& set);
Run set_up_completion(OptionSet& set);
Run set_up_man(OptionSet& set);

}  // namespace cli
