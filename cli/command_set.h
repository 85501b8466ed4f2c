#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/option_set.h"

namespace cli {

/// All commands with their options, apart from any command line: what the manual, the completions and the
/// template of cutover.toml are made of, and what tells what the environment and cutover.toml say of a
/// command.
class CommandSet {
 public:
  struct Member {
    const Command& command;
    const OptionSet& options;  ///< those that every command has come last
  };

  CommandSet();
  CommandSet(const CommandSet&) = delete;
  CommandSet& operator=(const CommandSet&) = delete;
  ~CommandSet();

  /// In the order of commands().
  const std::vector<Member>& members() const { return members_; }
  /// Null where there is no such command.
  const OptionSet* options_of(std::string_view command) const;
  /// The options that every command has.
  const OptionSet& shared() const;
  bool is_shared(const OptionSet::Entry& entry) const { return shared().find(entry.name) != nullptr; }

 private:
  struct Declared;
  std::vector<std::unique_ptr<Declared>> declared_;
  std::unique_ptr<Declared> shared_;
  std::vector<Member> members_;
};

}  // namespace cli
