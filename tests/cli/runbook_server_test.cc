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
    declare("");
  }

  void declare(const std::string& upload) const {
    std::ofstream(home_ / "cutover.toml") << fmt::format(
        "[source]\nurl = '{}'\n[target]\nurl = '{}'\n[repair]\nmost = 50\n"
        "[[check.sql]]\nquery = 'select count(*) >= 2 from documents'\n[upload]\n"
        "endpoint_url = '{}'\nregion = 'us-east-1'\n{}",
        source_.url(), target_.url(), s3_.url(), upload);
  }
  void declare_upload() const { declare("from = 'uploads'\nto = 's3://bucket/files'\n"); }

  /// The user's first write on the target, and the application's sessions there.
  void start_on_target() const { target_.exec("INSERT INTO documents (path) VALUES ('of a user')"); }
  void empty_target() const {
    target_.cluster().drop_database(target_.name());
    target_.cluster().create_database(target_.name());
  }
  /// What happens between the rehearsal and the night.
  void go_on_writing() const {
    source_.exec("INSERT INTO documents (path) VALUES ('3.txt')");
    std::ofstream(home_ / "uploads/3.txt") << 3;
    std::ofstream(home_ / "uploads/2.txt") << "changed";
  }
  void expect_moved() const {
    EXPECT_THROW(source_.exec("INSERT INTO documents (path) VALUES ('4.txt')"), std::runtime_error);
    EXPECT_EQ(target_.value("SELECT count(*) FROM documents"), "3");
    EXPECT_EQ(s3_.objects().size(), 3U);
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
        std::filesystem::path written;
        if (words.size() > 2 && words[words.size() - 2] == ">") {
          written = home_ / words.back();
          words.resize(words.size() - 2);
        }
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
        if (!written.empty()) std::ofstream(written) << result.output;
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

TEST_F(Runbook, IsAsTheNightGoesStepByStep) {
  // A rehearsal's verdict may say that the source is not fenced.
  follow("rehearsal", AnyOf(0, 5));
  EXPECT_TRUE(std::filesystem::exists(home_ / "rehearsal.html"));
  empty_target();
  follow("after rehearsal", Eq(0));
  go_on_writing();
  follow("freeze", Eq(0));
  expect_moved();
  follow("evidence", Eq(0));
  EXPECT_TRUE(std::filesystem::exists(home_ / "cutover.html"));
  start_on_target();
  follow("switch", Eq(0));
  EXPECT_EQ(target_.value("SELECT count(*) FROM documents"), "4");
  follow("week after", Eq(0));
  EXPECT_EQ(target_.value("SELECT to_regnamespace('cutover') IS NULL"), "t");
  EXPECT_FALSE(std::filesystem::exists(home_ / "final"));
}

TEST_F(Runbook, IsAsTheNightGoesWithOneCommand) {
  declare_upload();
  follow("A rehearsal", Eq(4));
  EXPECT_TRUE(std::filesystem::exists(home_ / "cutover-run/report.html"));
  empty_target();
  follow("A after rehearsal", Eq(0));
  follow("A before", Eq(4));
  go_on_writing();
  follow("A freeze", Eq(0));
  expect_moved();
  start_on_target();
  follow("switch", Eq(0));
  follow("A week after", Eq(0));
  EXPECT_EQ(target_.value("SELECT to_regnamespace('cutover') IS NULL"), "t");
  EXPECT_FALSE(std::filesystem::exists(home_ / "cutover-run"));
}

// The application did not move: it lives on at the source, until another night.
TEST_F(Runbook, HasAWayBackAndAnotherNight) {
  follow("freeze", Eq(0));
  EXPECT_THROW(go_on_writing(), std::runtime_error);
  follow("way back", Eq(0));
  go_on_writing();
  start_on_target();  // somebody who was too early
  follow("another night", Eq(0));
  follow("freeze", Eq(0));
  expect_moved();
}

TEST_F(Runbook, HasAWayBackAndAnotherNightWithOneCommand) {
  declare_upload();
  follow("A before", Eq(4));
  follow("A freeze", Eq(0));
  EXPECT_THROW(go_on_writing(), std::runtime_error);
  follow("way back", Eq(0));
  go_on_writing();
  start_on_target();
  follow("A freeze", Eq(1));
  follow("way back", Eq(0));
  follow("A another night", Eq(0));
  expect_moved();
}

}  // namespace
}  // namespace cli
