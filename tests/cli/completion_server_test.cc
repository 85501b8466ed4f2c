#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "cli/command_set.h"
#include "cli/completion.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

// The scripts and the manual as their readers take them: bash, zsh, fish and groff.

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The program's own script, as `cutover completion SHELL` prints it.
class Completion : public ::testing::Test {
 protected:
  std::filesystem::path script(const std::string& shell) const {
    auto path = directory_ / ("cutover." + shell);
    std::ofstream(path) << support::run_or_throw(support::cutover_program(), {"completion", shell});
    return path;
  }
  support::ProcessOptions here() const { return {.directory = directory_.path()}; }

  /// What bash offers for the last word; words as bash breaks them.
  std::vector<std::string> bash(const std::vector<std::string>& words) const {
    const auto program = fmt::format(
        "set -euo pipefail; source '{}'; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _cutover; "
        "(( ${{#COMPREPLY[@]}} == 0 )) || printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script("bash").native());
    std::vector<std::string> arguments{"--norc", "-c", program, "bash", "cutover"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return lines_of(support::run_or_throw("/bin/bash", arguments, here()));
  }
  std::vector<std::string> fish(const std::string& line) const {
    const auto program = fmt::format("source '{}'; complete -C '{}'", script("fish").native(), line);
    auto lines = lines_of(support::run_or_throw("/usr/bin/fish", {"--no-config", "-c", program}, here()));
    for (auto& one : lines) one = one.substr(0, one.find('\t'));
    return lines;
  }

  support::TempDir directory_;
};

std::vector<std::string> option_names(const OptionSet& options) {
  std::vector<std::string> names{"--help"};
  for (const auto& entry : options.entries())
    if (!entry.is_positional()) names.push_back(entry.name);
  return names;
}

TEST_F(Completion, BashOffersEveryOptionOfEveryCommand) {
  const CommandSet set;
  for (const auto& [command, options] : set.members())
    EXPECT_THAT(bash({command.name, "--"}), UnorderedElementsAreArray(option_names(options))) << command.name;
}

TEST_F(Completion, BashOffersCommandsValuesAndFiles) {
  EXPECT_THAT(bash({"co"}), UnorderedElementsAre("copy", "config", "completion"));
  EXPECT_THAT(bash({"help", "up"}), ElementsAre("upload"));
  EXPECT_THAT(bash({"--ver"}), ElementsAre("--version"));
  EXPECT_THAT(bash({"copy", "--schema", ""}), ElementsAre("dump", "none"));
  EXPECT_THAT(bash({"copy", "--schema", "=", "n"}), ElementsAre("none"));
  EXPECT_THAT(bash({"copy", "--schema", "="}), ElementsAre("dump", "none"));
  EXPECT_THAT(bash({"status", "--log-format", "j"}), ElementsAre("json"));
  EXPECT_THAT(bash({"fence", "o"}), ElementsAre("on", "off"));
  EXPECT_THAT(bash({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(bash({"copy", "--jobs", ""}), IsEmpty());
  EXPECT_THAT(bash({"copy", "--source", "post"}), IsEmpty());
  std::filesystem::create_directory(directory_ / "run-1");
  std::ofstream(directory_ / "run.toml") << "\n";
  EXPECT_THAT(bash({"copy", "--run-dir", "ru"}), ElementsAre("run-1"));
  EXPECT_THAT(bash({"copy", "--config", "ru"}), UnorderedElementsAre("run-1", "run.toml"));
  EXPECT_THAT(bash({"status", "ru"}), ElementsAre("run-1"));
}

TEST_F(Completion, FishOffersEveryOptionOfEveryCommand) {
  const CommandSet set;
  for (const auto& [command, options] : set.members())
    EXPECT_THAT(fish(fmt::format("cutover {} --", command.name)), IsSupersetOf(option_names(options)))
        << command.name;
  EXPECT_THAT(fish("cutover cop"), ElementsAre("copy"));
  EXPECT_THAT(fish("cutover copy --schema "), ElementsAre("dump", "none"));
  EXPECT_THAT(fish("cutover fence "), IsSupersetOf({"off", "on", "status"}));
  EXPECT_THAT(fish("cutover copy --restart "), Not(Contains("dump")));
}

// zsh completes only at a terminal, so what it would be told is looked at.
TEST_F(Completion, ZshIsToldEveryOptionOfEveryCommand) {
  const auto path = script("zsh");
  const CommandSet set;
  for (const auto& [command, options] : set.members()) {
    const auto program = fmt::format(
        "compdef() {{ : }}; _describe() {{ : }}; _arguments() {{ print -rl -- \"$@\" }}; source '{}'; "
        "words=(cutover {} ''); CURRENT=3; _cutover",
        path.native(), command.name);
    const auto told = lines_of(support::run_or_throw("/usr/bin/zsh", {"-f", "-c", program}, here()));
    for (const auto& name : option_names(options))
      EXPECT_THAT(told, Contains(AnyOf(HasSubstr(name + "["), HasSubstr(name + "=[")))) << command.name;
    EXPECT_EQ(told.size(), options.entries().size() + 1);
  }
}

TEST(ManualPage, RendersWithoutAWarning) {
  const auto page = support::run_or_throw(support::cutover_program(), {"man"});
  const auto shown =
      support::run("/usr/bin/groff", {"-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=100n"}, {.input = page});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_EQ(shown.error, "");
  EXPECT_THAT(shown.output, AllOf(HasSubstr("--role-map OLD=NEW"),
                                  HasSubstr("cutover fence on --end-sessions"), HasSubstr("EXIT STATUS")));
  EXPECT_THAT(shown.output, Not(HasSubstr("\\"))) << "an escape that nobody knows";
}

}  // namespace
}  // namespace cli
