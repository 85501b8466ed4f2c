#include "cli/manual.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "base/text.h"
#include "cli/command_set.h"
#include "cli/completion.h"
#include "cli/help.h"

namespace cli {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// What stands between `begin` and the next `end` behind it.
std::string part_of(const std::string& text, const std::string& begin, const std::string& end) {
  const auto start = text.find(begin);
  if (start == std::string::npos) return {};
  const auto stop = text.find(end, start + begin.size());
  return text.substr(start, stop == std::string::npos ? stop : stop - start);
}

/// An option's name as roff writes it.
std::string roff_name(const std::string& name) {
  std::string out;
  for (const char c : name) out += c == '-' ? "\\-" : std::string(1, c);
  return out;
}

TEST(Manual, HasEveryOptionOfEveryCommand) {
  const auto page = manual();
  const CommandSet set;
  for (const auto& [command, options] : set.members()) {
    SCOPED_TRACE(command.name);
    const auto section = part_of(page, ".SS \"" + usage_of(command, options) + "\"", "\n.S");
    EXPECT_THAT(section, HasSubstr(".EX\ncutover ")) << "an example";
    for (const auto& entry : options.entries()) {
      const auto shown = "\n.TP\n\\fB" + roff_name(entry.name) + "\\fR";
      if (set.is_shared(entry)) {
        EXPECT_THAT(section, Not(HasSubstr(shown))) << "is said once";
        EXPECT_THAT(part_of(page, ".SH OPTIONS OF EVERY COMMAND", ".SH COMMANDS"), HasSubstr(shown));
      } else {
        EXPECT_THAT(section, HasSubstr(shown));
      }
    }
  }
}

TEST(Manual, HoldsNothingThatRoffTakesForSomethingElse) {
  const std::set<std::string> macros{".TH", ".nh", ".ad", ".SH", ".SS", ".TP", ".PP", ".RS",
                                     ".RE", ".EX", ".EE", ".B",  ".I",  ".RI", ".BR"};
  std::istringstream lines(manual());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line, Not(StartsWith("'")));
    if (line.starts_with(".")) {
      EXPECT_THAT(macros, testing::Contains(line.substr(0, line.find(' '))));
    }
    EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return (c & 0x80) == 0; })) << line;
  }
}

class CompletionOf : public ::testing::TestWithParam<Shell> {};

TEST_P(CompletionOf, KnowsEveryOptionOfEveryCommand) {
  const auto shell = GetParam();
  const auto script = completion(shell);
  const CommandSet set;
  for (const auto& [command, options] : set.members()) {
    SCOPED_TRACE(command.name);
    const std::string name = command.name;
    const auto part = shell == Shell::fish ? script : part_of(script, "\n    " + name + ")\n", ";;");
    EXPECT_FALSE(part.empty());
    for (const auto& entry : options.entries()) {
      if (entry.is_positional()) continue;
      switch (shell) {
        case Shell::bash:
          EXPECT_THAT(part, AnyOf(HasSubstr(" " + entry.name + " "), HasSubstr("\"" + entry.name + " ")));
          break;
        case Shell::zsh:
          EXPECT_THAT(part, HasSubstr(entry.name + (entry.is_flag() ? "[" : "=[")));
          break;
        default:
          EXPECT_THAT(part, HasSubstr("_from " + name + "' -l " + entry.name.substr(2) + " "));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shells, CompletionOf, ::testing::Values(Shell::bash, Shell::zsh, Shell::fish));

TEST(Choices, AreWhatAValueSpellsOut) {
  const auto choices = [](const char* value_name) {
    OptionSet::Entry entry;
    entry.name = "--x";
    entry.value_name = value_name;
    return entry.choices();
  };
  EXPECT_THAT(choices("dump|none"), ElementsAre("dump", "none"));
  EXPECT_THAT(choices("none|download[=N%]"), ElementsAre("none", "download"));
  EXPECT_THAT(choices("AES256|aws:kms[:KEY]"), ElementsAre("AES256", "aws:kms"));
  for (const auto* placeholder : {"", "N", "URL", "HOST:PORT|JSON", "[GLOB=]TYPE", "RUN_DIR"})
    EXPECT_THAT(choices(placeholder), IsEmpty()) << placeholder;
}

}  // namespace
}  // namespace cli
