#include "cli/command_set.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "cli/global_options.h"

namespace cli {

/// Stays where it is: options keep pointers to its members.
struct CommandSet::Declared {
  explicit Declared(const Command* command)
      : options(app, command ? command->name : ""), run(command ? command->set_up(options) : Run()) {
    add_global_options(options, globals);
  }

  CLI::App app;
  OptionSet options;
  GlobalOptions globals;
  Run run;  // owns what the options store into
};

CommandSet::CommandSet() : shared_(std::make_unique<Declared>(nullptr)) {
  for (const auto& command : commands()) {
    declared_.push_back(std::make_unique<Declared>(&command));
    members_.push_back({command, declared_.back()->options});
  }
}

CommandSet::~CommandSet() = default;

const OptionSet* CommandSet::options_of(std::string_view command) const {
  const auto found =
      std::ranges::find(members_, command, [](const auto& member) { return member.command.name; });
  return found == members_.end() ? nullptr : &found->options;
}

const OptionSet& CommandSet::shared() const { return shared_->options; }

}  // namespace cli
