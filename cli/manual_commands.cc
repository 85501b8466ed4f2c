#include <memory>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/errors.h"
#include "cli/manual.h"
#include "cli/option_values.h"
#include "cli/output.h"

namespace cli {

Run set_up_completion(OptionSet& set) {
  auto shell = std::make_shared<std::optional<Shell>>();
  set.describe(
      "Prints the script that makes a shell complete commands, options and their values. The package has it "
      "where the shells look for it; without the package, load it in the shell's start file.");
  set.example("in ~/.bashrc", "eval \"$(cutover completion bash)\"");
  set.example("for every user's zsh",
              "cutover completion zsh > /usr/local/share/zsh/site-functions/_cutover");
  set.example("for fish", "cutover completion fish > ~/.config/fish/completions/cutover.fish");
  set.group("What to print");
  set.positional("SHELL", "bash, zsh or fish", "",
                 [shell](const std::string& text) {
                   *shell = parse_choice<Shell>(
                       text, {{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}});
                 })
      .takes({"bash", "zsh", "fish"});
  return [shell](const Invocation&) {
    if (!*shell)
      throw base::Error(base::ErrorKind::usage, "completion needs to know for which shell",
                        "cutover completion bash, zsh or fish");
    print(completion(**shell));
    return kEqual;
  };
}

Run set_up_man(OptionSet& set) {
  set.describe(
      "Prints the manual as roff: every command and every option. The package installs it; man cutover shows "
      "it.");
  set.example("read it without installing it", "cutover man | man -l -");
  set.example("install it", "cutover man > /usr/local/share/man/man1/cutover.1");
  return [](const Invocation&) {
    print(manual());
    return kEqual;
  };
}

}  // namespace cli
