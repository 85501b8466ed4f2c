#include "cli/subcommand.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/command_line.h"
#include "cli/command_set.h"
#include "cli/databases.h"
#include "cli/errors.h"

namespace cli {
namespace {

constexpr std::array kHandedOn = {"--config", "--source",      "--source-auth",
                                  "--target", "--target-auth", "--databases"};

std::vector<std::string> with_program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "cutover");
  return arguments;
}

}  // namespace

std::string CommandOutcome::headline() const {
  const auto decided = std::ranges::find_if(results, [&](const CommandResult& result) {
    return result.document.is_object() && result.document.value("exit_code", -1) == exit_code;
  });
  if (decided != results.end()) return decided->headline;
  return results.empty() ? std::string() : results.back().headline;
}

std::vector<std::string> with_typed(std::vector<std::string> arguments, const Invocation& invocation) {
  const CommandSet set;
  const auto* understood = set.options_of(arguments.front());
  for (const auto& option : invocation.typed) {
    if (std::ranges::find(kHandedOn, option.name) == kHandedOn.end()) continue;
    if (!understood || !understood->find(option.name)) continue;
    for (const auto& value : option.values) {
      arguments.push_back(option.name);
      arguments.push_back(value);
    }
  }
  return arguments;
}

CommandOutcome run_command(const Invocation& invocation, const std::vector<std::string>& arguments,
                           std::function<void(std::string_view)> print) {
  CommandOutcome outcome;
  try {
    const auto line = with_program(arguments);
    const auto command = parse_command_line(line, invocation.stop, OptionSet::Caller::command);
    auto globals = invocation.globals;
    globals.config = command.globals.config;
    outcome.exit_code = command.run({.globals = globals,
                                     .log = invocation.log,
                                     .stop = invocation.stop,
                                     .again = command_to_type(line),
                                     .typed = command.typed,
                                     .of_run = invocation.of_run,
                                     .print = std::move(print),
                                     .on_result = [&](const std::string& headline, const Json& document) {
                                       outcome.results.push_back({headline, document});
                                     }});
  } catch (const std::exception&) {
    const auto error = current_error();
    invocation.log.report(error);
    auto failed = failed_result(error);
    outcome.exit_code = failed.exit_code;
    outcome.results.push_back({std::move(failed.line), std::move(failed.json)});
  }
  return outcome;
}

void require_understood(const Invocation& invocation, const std::vector<std::string>& arguments) {
  parse_command_line(with_program(with_typed(arguments, invocation)), invocation.stop,
                     OptionSet::Caller::command);
}

std::string to_type(std::vector<std::string> arguments) {
  return command_to_type(with_program(std::move(arguments)));
}

}  // namespace cli
