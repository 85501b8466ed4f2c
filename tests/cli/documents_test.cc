#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_set.h"
#include "cli/text.h"
#include "tests/support/build.h"

// What the documents for operators quote of the program: its messages, commands and options.

namespace cli {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;

fs::path root() { return support::source_directory(); }

/// The sources, each with its string literals put together: "a " and "b" on the next line are one text.
std::vector<std::string> sources() {
  static const std::regex between_literals("\"\\s*\n\\s*\"");
  std::vector<std::string> all;
  for (const auto* folder : {"base", "pg", "aws", "copy", "verify", "s3", "cli"})
    for (const auto& entry : fs::directory_iterator(root() / folder))
      if (entry.path().extension() == ".cc")
        all.push_back(std::regex_replace(base::read_file(entry.path()), between_literals, ""));
  return all;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> all{root() / "README.md", root() / "packaging/README.md"};
  for (const auto& entry : fs::directory_iterator(root() / "docs")) all.push_back(entry.path());
  return all;
}

std::vector<std::string> headings_with_messages() {
  std::istringstream lines(base::read_file(root() / "docs/troubleshooting.md"));
  std::vector<std::string> messages;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("### `")) messages.push_back(line.substr(5, line.rfind('`') - 5));
  return messages;
}

/// The words between the names that a message has.
std::vector<std::string> parts_of(const std::string& message) {
  const std::string gap = "…";
  std::vector<std::string> parts;
  for (size_t at = 0; at <= message.size();) {
    const auto end = std::min(message.find(gap, at), message.size());
    if (const auto part = base::trimmed(std::string_view(message).substr(at, end - at)); part.size() > 3)
      parts.emplace_back(part);
    at = end + gap.size();
  }
  return parts;
}

TEST(Troubleshooting, QuotesMessagesThatTheProgramHas) {
  const auto messages = headings_with_messages();
  EXPECT_GT(messages.size(), 30U);
  const auto all = sources();
  for (const auto& message : messages) {
    const auto parts = parts_of(message);
    EXPECT_FALSE(parts.empty()) << message;
    const bool found = std::ranges::any_of(all, [&](const std::string& source) {
      return std::ranges::all_of(
          parts, [&](const std::string& part) { return source.find(part) != std::string::npos; });
    });
    EXPECT_TRUE(found) << "no source has: " << message;
  }
}

// What stops somebody in the night has to be found there.
TEST(Troubleshooting, HasTheMessagesOfTheNight) {
  const auto messages = headings_with_messages();
  for (const auto* said :
       {"there is nothing to move", "means one thing", "cannot be read", "cannot be listened on",
        "the directory of a `cutover run`", "the run directory of one command",
        "the source still accepts writes", "nothing was compared", "a check has said GO before",
        "it answered with status", "only its owner can fence", "there is nothing to check",
        "this may be another database", "in the way of the copy", "cannot connect to", "is in use by",
        "there is no terminal to ask at", "there is no file in"})
    EXPECT_THAT(messages, Contains(testing::HasSubstr(said)));
}

std::set<std::string> all_options() {
  std::set<std::string> names{"--help", "--version"};
  const CommandSet set;
  for (const auto& member : set.members())
    for (const auto& entry : member.options.entries()) names.insert(entry.name);
  return names;
}

/// The lines of a document's blocks that run the program, each with what it continues on.
std::vector<std::string> commands_in(const fs::path& page) {
  std::istringstream lines(base::read_file(page));
  std::vector<std::string> commands;
  bool in_block = false;
  bool goes_on = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) in_block = !in_block;
    if (goes_on) {
      commands.back() += " " + line;
    } else if (in_block && line.starts_with("cutover ")) {
      commands.push_back(line);
    } else {
      continue;
    }
    goes_on = line.ends_with("\\");
  }
  return commands;
}

TEST(Documents, RunCommandsWithOptionsThatThereAre) {
  const CommandSet set;
  size_t checked = 0;
  for (const auto& page : pages())
    for (auto line : commands_in(page)) {
      line.resize(std::min(line.find(" #"), line.size()));
      const auto words = wrapped(line, 1);
      const auto known = std::ranges::find_if(
          set.members(), [&](const auto& member) { return words.at(1) == member.command.name; });
      if (known == set.members().end()) {
        ADD_FAILURE() << page << ": " << line;
        continue;
      }
      ++checked;
      for (const auto& word : words) {
        if (!word.starts_with("--") || word == "--help") continue;
        EXPECT_NE(known->options.find(word.substr(0, word.find('='))), nullptr) << page << ": " << line;
      }
    }
  EXPECT_GT(checked, 20U);
}

TEST(Documents, NameOptionsThatThereAre) {
  const auto names = all_options();
  const std::regex option("`(--[a-z][a-z-]+)");
  for (const auto* name : {"troubleshooting.md", "runbook.md", "providers.md", "security.md"}) {
    const auto page = base::read_file(root() / "docs" / name);
    for (std::sregex_iterator at(page.begin(), page.end(), option), end; at != end; ++at)
      EXPECT_THAT(names, Contains((*at)[1].str())) << name;
  }
}

TEST(Documents, LinkToWhatThereIs) {
  const std::regex link(R"(\]\(([^)#:]+)\))");
  const std::regex named(
      R"(`((docs|tests|packaging|bench|cli|copy|verify|s3|pg|aws|base)/[a-z_./-]+\.[a-z]+)`)");
  size_t links = 0;
  for (const auto& page : pages()) {
    const auto text = base::read_file(page);
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at, ++links)
      EXPECT_TRUE(fs::exists(page.parent_path() / (*at)[1].str())) << page << ": " << (*at)[1];
    for (std::sregex_iterator at(text.begin(), text.end(), named), end; at != end; ++at, ++links)
      EXPECT_TRUE(fs::exists(root() / (*at)[1].str())) << page << ": " << (*at)[1];
  }
  EXPECT_GT(links, 40U);
}

}  // namespace
}  // namespace cli
