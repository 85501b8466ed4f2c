#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cli/text.h"
#include "tests/support/cluster.h"
#include "tests/support/document.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"

// The commands of docs/runbook.md, one after the other, as somebody would type them that night.

namespace cli {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;

class Runbook : public ::testing::Test {
 protected:
  Runbook() {
    source_.exec(
        "CREATE TABLE documents (id serial PRIMARY KEY, path text); INSERT INTO documents (path) VALUES "
        "('1.txt'), ('2.txt')");
    std::filesystem::create_directory(home_ / "uploads");
    for (int i = 1; i <= 2; ++i) std::ofstream(home_ / fmt::format("uploads/{}.txt", i)) << i;
    std::ofstream(home_ / "cutover.toml") << fmt::format(
        "[source]\nurl = '{}'\n[target]\nurl = '{}'\n[upload]\nendpoint_url = '{}'\nregion = 'us-east-1'\n"
        "[[check.sql]]\nquery = 'select count(*) >= 2 from documents'\n",
        source_.url(), target_.url(), s3_.url());
  }

  /// Each command of a block must end with one of the codes.
  void follow(const std::string& block, const testing::Matcher<int>& exit_code) {
    size_t commands = 0;
    for (const auto& [marker, text] : support::document_blocks("runbook.md", "sh: " + block)) {
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line); ++commands) {
        auto words = wrapped(line, 1);
        ASSERT_EQ(words.at(0), "cutover");
        words.erase(words.begin());
        for (auto& word : words) {
          if (word == "/srv/app/uploads") word = "uploads";
          if (word.starts_with("s3://")) word = "s3://bucket/files";
        }
        const auto result =
            support::cutover(words, {.environment = {{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                                                     {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                                     {"AWS_REGION", "us-east-1"},
                                                     {"AWS_EC2_METADATA_DISABLED", "true"}},
                                     .directory = home_.path()});
        EXPECT_THAT(result.exit_code, exit_code) << line << "\n" << result.output << result.error;
      }
    }
    EXPECT_GT(commands, 0U) << block;
  }

  support::S3Fake s3_;
  support::TempDir home_;
  support::TestDatabase source_{support::cluster(15, "source")};
  support::TestDatabase target_{support::cluster(15, "target")};
};

TEST_F(Runbook, IsAsTheNightGoes) {
  // A rehearsal's verdict may say that the source is not fenced.
  follow("rehearsal", AnyOf(0, 5));
  EXPECT_TRUE(std::filesystem::exists(home_ / "rehearsal.html"));
  target_.cluster().drop_database(target_.name());
  target_.cluster().create_database(target_.name());
  follow("after rehearsal", Eq(0));
  source_.exec("INSERT INTO documents (path) VALUES ('3.txt')");
  std::ofstream(home_ / "uploads/3.txt") << 3;
  follow("freeze", Eq(0));
  EXPECT_THROW(source_.exec("INSERT INTO documents (path) VALUES ('4.txt')"), std::runtime_error);
  EXPECT_EQ(target_.value("SELECT count(*) FROM documents"), "3");
  EXPECT_EQ(s3_.objects().size(), 3U);
  follow("week after", Eq(0));
  EXPECT_EQ(target_.value("SELECT to_regnamespace('cutover') IS NULL"), "t");
  EXPECT_FALSE(std::filesystem::exists(home_ / "final"));
}

}  // namespace
}  // namespace cli
