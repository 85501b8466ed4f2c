#include "cli/declared.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "cli/command_set.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"
#include "tests/cli/environment.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using test::Variable;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kMove =
    std::to_array<std::string_view>({"plan", "copy", "verify", "fence", "repair", "check", "upload"});

TEST(OneMeaning, IsAskedOfVariablesOfSeveralCommands) {
  EXPECT_NO_THROW(require_one_meaning(kMove));
  {
    const Variable jobs[]{{"CUTOVER_JOBS", "4"}, {"CUTOVER_RUN_DIR", "x"}, {"CUTOVER_RETRY_FOR", "1s"}};
    EXPECT_NO_THROW(require_one_meaning(kMove));
  }
  const Variable include("CUTOVER_INCLUDE", "public.*");
  EXPECT_THAT([] { require_one_meaning(kMove); },
              throws(ErrorKind::usage, AllOf(HasSubstr("CUTOVER_INCLUDE means one thing to cutover plan"),
                                             HasSubstr("copy.include and upload.include"))));
  // Each would write over what the one before it has written.
  constexpr auto kCompare = std::to_array<std::string_view>({"verify", "repair"});
  for (const auto* name : {"CUTOVER_REPORT", "CUTOVER_HTML"}) {
    const Variable file(name, "result");
    EXPECT_THAT([&] { require_one_meaning(kCompare); }, throws(ErrorKind::usage, HasSubstr(name)));
    EXPECT_NO_THROW(require_one_meaning(std::span(kCompare).first(1)));
  }
  constexpr auto kFiles = std::to_array<std::string_view>({"check", "upload"});
  EXPECT_NO_THROW(require_one_meaning(kFiles));
}

// An option that joins them is to be seen here.
TEST(OneMeaning, OfAllOptionsOfAMove) {
  std::map<std::string, const OptionSet::Entry*> first;
  std::set<std::string> ambiguous;
  const CommandSet set;
  for (const auto& member : set.members()) {
    if (std::ranges::find(kMove, std::string_view(member.command.name)) == kMove.end()) continue;
    for (const auto& entry : member.options.entries()) {
      if (entry.key.empty() || entry.variable().empty()) continue;
      const auto [found, is_new] = first.emplace(entry.variable(), &entry);
      if (!is_new && !found->second->means_the_same(entry)) ambiguous.insert(entry.variable());
    }
  }
  EXPECT_THAT(ambiguous, ElementsAre("CUTOVER_EXCLUDE", "CUTOVER_HTML", "CUTOVER_INCLUDE",
                                     "CUTOVER_OVERWRITE", "CUTOVER_REPORT"));
}

TEST(DeclaredUploads, AreOfDifferentPlaces) {
  const base::test::TemporaryDirectory directory;
  const auto declare = [&](const std::string& second) {
    std::ofstream(directory / "cutover.toml")
        << "[[upload]]\nfrom = \"a\"\nto = \"s3://b\"\n[[upload]]\nfrom = \"" << second
        << "\"\nto = \"s3://b\"\ninclude = [\"x\"]\n";
    return declared_uploads({.config = directory / "cutover.toml"});
  };
  EXPECT_EQ(declare("c").size(), 2U);
  EXPECT_THAT([&] { declare("a"); }, throws(ErrorKind::usage, HasSubstr("uploaded to s3://b twice")));
}

}  // namespace
}  // namespace cli
