#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/build.h"

// The folders depend on each other in one direction: cli → {copy, verify, s3} → {pg, aws} → base. The link
// lists in CMake cannot see a header that is included without linking, so the includes themselves are
// checked.

namespace base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Folders = std::set<std::string, std::less<>>;

/// What each folder may include of ours. Tests and benchmarks may use everything.
const std::map<std::string, Folders, std::less<>>& allowed_folders() {
  static const Folders all{"base", "pg", "aws", "copy", "verify", "s3", "cli", "tests", "bench"};
  static const std::map<std::string, Folders, std::less<>> allowed{
      {"base", {"base"}},
      {"pg", {"pg", "base"}},
      {"aws", {"aws", "base"}},
      {"copy", {"copy", "pg", "aws", "base"}},
      {"verify", {"verify", "pg", "aws", "base"}},
      {"s3", {"s3", "pg", "aws", "base"}},
      {"cli", {"cli", "copy", "verify", "s3", "pg", "aws", "base"}},
      {"tests", all},
      {"bench", all},
  };
  return allowed;
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

/// The name in an #include line, with its quotes or brackets; empty for every other line.
std::string_view included(std::string_view line) {
  const auto skip = [&](std::string_view characters) {
    line.remove_prefix(std::min(line.find_first_not_of(characters), line.size()));
  };
  skip(" \t");
  if (!line.starts_with('#')) return {};
  skip("# \t");
  if (!line.starts_with("include")) return {};
  line.remove_prefix(7);
  skip(" \t");
  if (!line.starts_with('"') && !line.starts_with('<')) return {};
  const auto end = line.find(line.front() == '"' ? '"' : '>', 1);
  return end == std::string_view::npos ? std::string_view() : line.substr(0, end + 1);
}

/// Why the file at `path` (from the root) may not include `name`; empty when it may.
std::string objection(std::string_view path, std::string_view name) {
  const bool quoted = name.starts_with('"');
  const auto file = name.substr(1, name.size() - 2);
  const auto folder = folder_of(path);
  if (file.find("libpq") != std::string_view::npos && file.ends_with(".h") &&
      !(folder == "pg" && path.ends_with(".cc")) && !path.starts_with("tests/support/"))
    return "only pg/*.cc and tests/support may name libpq";
  if (file.starts_with("curl/") && !path.starts_with("base/http")) return "only base/http may name libcurl";
  if (file.starts_with("CLI/") && folder != "cli" && !path.starts_with("tests/cli/"))
    return "only cli/ and its tests may include CLI11";
  if (file.starts_with("toml++/") && path != "cli/config_file.cc")
    return "only cli/config_file.cc may include toml++";
  const auto target = folder_of(file);
  const bool ours = allowed_folders().contains(target);
  if (!ours) {
    // A name that does not start at the root could lead anywhere. Tests may go anywhere.
    const bool free = folder == "tests" || folder == "bench";
    return quoted && !free ? "includes of ours start at the root" : "";
  }
  // Which kind of brackets an include has must not decide whether the direction holds.
  if (!allowed_folders().find(folder)->second.contains(target))
    return fmt::format("{}/ must not depend on {}/", folder, target);
  return {};
}

std::vector<std::string> broken_rules(std::string_view path, const std::string& content) {
  std::vector<std::string> broken;
  std::istringstream lines(content);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto name = included(line);
    if (name.empty()) continue;
    if (const auto why = objection(path, name); !why.empty())
      broken.push_back(fmt::format("{}:{}: {}: {}", path, number, name, why));
  }
  return broken;
}

TEST(Includes, FollowTheOneDirection) {
  const auto root = support::source_directory();
  size_t files = 0;
  for (const auto& [folder, unused] : allowed_folders()) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".cc" && extension != ".h")) continue;
      ++files;
      EXPECT_THAT(broken_rules(entry.path().lexically_relative(root).native(), read_file(entry.path())),
                  IsEmpty());
    }
  }
  EXPECT_GT(files, 30U) << "hardly any source was found below " << root;
}

bool may(std::string_view path, const std::string& include) {
  return broken_rules(path, "#include " + include + "\n").empty();
}

TEST(IncludeRules, LayersIncludeDownwardsOnly) {
  const std::vector<std::vector<std::string>> layers{
      {"base"}, {"pg", "aws"}, {"copy", "verify", "s3"}, {"cli"}};
  for (size_t from = 0; from < layers.size(); ++from)
    for (size_t to = 0; to < layers.size(); ++to)
      for (const auto& upper : layers[from])
        for (const auto& lower : layers[to])
          EXPECT_EQ(may(upper + "/x.cc", '"' + lower + "/y.h\""), to < from || upper == lower)
              << upper << ' ' << lower;
}

TEST(IncludeRules, BracketsAndSpacesAreNoWayAround) {
  EXPECT_FALSE(may("base/x.cc", "<pg/y.h>"));
  EXPECT_THAT(broken_rules("copy/x.h", "\n  #  include\t\"verify/y.h\" // because\n"),
              ElementsAre("copy/x.h:2: \"verify/y.h\": copy/ must not depend on verify/"));
}

TEST(IncludeRules, EachBrokenLineIsNamed) {
  EXPECT_THAT(broken_rules("base/x.h",
                           "#pragma once\n#include \"pg/a.h\"\n#include <string>\n#include \"cli/b.h\"\n"),
              ElementsAre(HasSubstr("base/x.h:2: "), HasSubstr("base/x.h:4: ")));
}

TEST(IncludeRules, LibpqIsNamedInPgSourcesOnly) {
  for (const auto* name :
       {"<libpq-fe.h>", "\"libpq-fe.h\"", "<postgresql/libpq-fe.h>", "<libpq/libpq-fs.h>"}) {
    EXPECT_FALSE(may("pg/connection.h", name));
    EXPECT_FALSE(may("copy/engine.cc", name));
    EXPECT_FALSE(may("tests/pg/connection_server_test.cc", name));
  }
  EXPECT_TRUE(may("pg/connection.cc", "<libpq-fe.h>"));
  EXPECT_TRUE(may("tests/support/cluster.cc", "<libpq-fe.h>"));
}

TEST(IncludeRules, CurlIsNamedInHttpOnly) {
  EXPECT_TRUE(may("base/http.cc", "<curl/curl.h>"));
  EXPECT_FALSE(may("base/file.cc", "<curl/curl.h>"));
  EXPECT_FALSE(may("s3/http.cc", "<curl/curl.h>"));
}

TEST(IncludeRules, Cli11IsIncludedInCliAndItsTestsOnly) {
  EXPECT_TRUE(may("cli/main.cc", "<CLI/CLI.hpp>"));
  EXPECT_FALSE(may("copy/engine.cc", "<CLI/CLI.hpp>"));
  EXPECT_TRUE(may("tests/cli/main_test.cc", "<CLI/CLI.hpp>"));
  EXPECT_FALSE(may("tests/copy/engine_test.cc", "<CLI/CLI.hpp>"));
}

TEST(IncludeRules, TomlIsIncludedInOneFile) {
  EXPECT_TRUE(may("cli/config_file.cc", "<toml++/toml.h>"));
  EXPECT_FALSE(may("cli/config_file.h", "<toml++/toml.h>"));
  EXPECT_FALSE(may("tests/cli/config_test.cc", "<toml++/toml.h>"));
}

TEST(IncludeRules, OursStartAtTheRootAndNeverReachIntoTests) {
  EXPECT_FALSE(may("pg/a.cc", "\"b.h\""));
  EXPECT_FALSE(may("pg/a.cc", "\"../base/b.h\""));
  EXPECT_FALSE(may("pg/a.cc", "\"tests/support/b.h\""));
  EXPECT_TRUE(may("tests/pg/a_test.cc", "\"tests/support/b.h\""));
  EXPECT_TRUE(may("tests/pg/a_test.cc", "\"cli/b.h\""));
  EXPECT_TRUE(may("pg/a.cc", "<sys/stat.h>"));
}

}  // namespace
}  // namespace base
