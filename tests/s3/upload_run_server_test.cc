#include <csignal>
#include <filesystem>
#include <fstream>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "s3/checksum.h"
#include "s3/uploader.h"
#include "tests/s3/fixture.h"
#include "tests/s3/program.h"

// The other commands on the run directory of an upload.

namespace s3 {
namespace {

using test::kLarge;
using test::random_text;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class UploadRun : public test::UploadProgram {
 protected:
  std::filesystem::path run_dir() const { return home_ / "run"; }
  support::ProcessResult on_run_dir(const std::string& command, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {command, "--run-dir", run_dir()});
    return support::cutover(more, {.environment = environment()});
  }
};

TEST_F(UploadRun, IsShownByStatus) {
  write("large", random_text(kLarge));
  write("small", "1");
  ASSERT_EQ(run({"--concurrency", "1"}, {{"CUTOVER_CRASH_AT", "s3_part.done:2"}}).exit_code, 128 + SIGKILL);
  const auto begun = on_run_dir("status");
  EXPECT_EQ(begun.exit_code, 0) << begun.error;
  EXPECT_THAT(begun.output,
              AllOf(HasSubstr("not finished"), HasSubstr(uri()), HasSubstr("1 large object, of which"),
                    HasSubstr("resume with: cutover upload")));
  ASSERT_EQ(run().exit_code, 0);
  const auto done = on_run_dir("status");
  EXPECT_THAT(done.output,
              AllOf(HasSubstr("finished, equal"), HasSubstr("2 objects"), Not(HasSubstr("begun"))));
  const auto json = nlohmann::json::parse(on_run_dir("status", {"--json"}).output);
  EXPECT_EQ(json["objects"], 2);
  EXPECT_EQ(json["bytes"], kLarge + 1);
  EXPECT_EQ(json["exit_code"], 0);
}

TEST_F(UploadRun, IsShownByStatusWhileItRuns) {
  write("large", random_text(kLarge));
  support::Process process(support::cutover_program(), arguments({"--bwlimit", "3MB"}),
                           {.environment = environment()});
  while (!std::filesystem::exists(run_dir() / "status.json"))
    ASSERT_TRUE(process.running()) << process.error();
  const auto status = on_run_dir("status");
  EXPECT_THAT(status.output, HasSubstr(fmt::format("running (pid {})", process.pid())));
  const auto json = nlohmann::json::parse(on_run_dir("status", {"--json"}).output);
  EXPECT_EQ(json["running"], true);
  EXPECT_EQ(json["progress"]["command"], "upload");
  const auto refused = on_run_dir("clean", {"--yes"});
  EXPECT_EQ(refused.exit_code, 2) << refused.error;
}

TEST_F(UploadRun, IsCleanedWithWhatItHasBegun) {
  write("large", random_text(kLarge));
  write("small", "1");
  ASSERT_EQ(run({"--concurrency", "1"}, {{"CUTOVER_CRASH_AT", "s3_part.done"}}).exit_code, 128 + SIGKILL);
  Client client(session(), base::Stop());
  ASSERT_EQ(unfinished_uploads(client, {}, prefix_).size(), 1U);
  const auto asked = on_run_dir("clean");
  EXPECT_EQ(asked.exit_code, 2);
  EXPECT_THAT(asked.error, HasSubstr("Abort 1 unfinished upload"));
  const auto cleaned = on_run_dir("clean", {"--yes"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.error;
  EXPECT_THAT(cleaned.output, HasSubstr("aborted 1 unfinished upload"));
  EXPECT_TRUE(unfinished_uploads(client, {}, prefix_).empty());
  EXPECT_FALSE(std::filesystem::exists(run_dir()));
}

TEST_F(UploadRun, IsCleanedOfAnUploadWhoseIdIsNotKnown) {
  write("ünï/100% l+rge <1>", random_text(kLarge));
  ASSERT_EQ(run({}, {{"CUTOVER_CRASH_AT", "s3_create.done"}}).exit_code, 128 + SIGKILL);
  Client client(session(), base::Stop());
  ASSERT_EQ(unfinished_uploads(client, {}, prefix_).size(), 1U);
  EXPECT_EQ(on_run_dir("clean", {"--yes"}).exit_code, 0);
  EXPECT_TRUE(unfinished_uploads(client, {}, prefix_).empty());
}

TEST_F(UploadRun, LeavesWhatIsNotItsOwn) {
  write("small", "1");
  ASSERT_EQ(run().exit_code, 0);
  std::ofstream(run_dir() / "notes.txt") << "mine";
  const auto cleaned = on_run_dir("clean", {"--yes"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.error;
  EXPECT_THAT(cleaned.output, HasSubstr("other files are left"));
  EXPECT_TRUE(std::filesystem::exists(run_dir() / "notes.txt"));
  EXPECT_FALSE(std::filesystem::exists(run_dir() / "uploads.journal"));
  EXPECT_TRUE(client_has("small"));
}

TEST_F(UploadRun, IsComparedByVerify) {
  write("a", "1");
  write("b.log", "2");
  std::filesystem::create_symlink("a", files() / "link");
  ASSERT_EQ(run({"--exclude", "*.log", "--symlinks", "follow"}).exit_code, 0);
  for (const auto* level : {"list", "checksum", "download"}) {
    const auto equal = on_run_dir("verify", {"--objects", level});
    EXPECT_EQ(equal.exit_code, 0) << equal.output << equal.error;
    EXPECT_THAT(equal.output, HasSubstr("EQUAL: 2 files")) << "what the upload left out is left out";
  }
  EXPECT_THAT(on_run_dir("verify", {"--objects", "download=1%"}).output,
              HasSubstr("1 equal by download, 1 downloaded, 1 equal by list"));
  ASSERT_EQ(on_run_dir("verify", {"--html", home_ / "page.html"}).exit_code, 0);
  EXPECT_THAT(base::read_file(home_ / "page.html"), AllOf(HasSubstr("<b>EQUAL</b>"), HasSubstr("2 files")));
  EXPECT_EQ(report()["command"], "upload") << "what was compared later stands beside it";
  EXPECT_TRUE(std::filesystem::exists(run_dir() / "verify-report.json"));
  write("a", "2");
  const auto changed = on_run_dir("verify", {"--objects", "list"});
  EXPECT_EQ(changed.exit_code, 3) << "of the new content nothing is known";
  EXPECT_THAT(changed.output, HasSubstr("changed after its upload"));
  write("c", "3");
  const auto other = on_run_dir("verify");
  EXPECT_EQ(other.exit_code, 1) << other.output << other.error;
  EXPECT_THAT(other.output, HasSubstr("1 missing, 2 different"));
  EXPECT_EQ(on_run_dir("verify", {"--objects", "none"}).exit_code, 2);
}

/// What has the same size and the same times, and is something else.
TEST_F(UploadRun, IsComparedByFreshChecksums) {
  write("in the bucket", "before");
  write("in the directory", "before");
  write("large", random_text(kLarge));
  ASSERT_EQ(run().exit_code, 0);
  const auto compared = [&] { return on_run_dir("verify", {"--objects", "checksum"}); };
  const auto equal = compared();
  EXPECT_EQ(equal.exit_code, 0) << equal.output << equal.error;

  const std::string other = "other!";
  const auto bytes = std::as_bytes(std::span(other));
  Client client(session(), base::Stop());
  client.put_object(prefix_ + "/in the bucket", bytes, {Integrity::md5, checksum(Integrity::md5, bytes)}, {});
  const auto change = [&](const char* name) {
    const auto file = files() / name;
    const auto time = std::filesystem::last_write_time(file);
    std::fstream(file, std::ios::in | std::ios::out) << "behind";
    std::filesystem::last_write_time(file, time);
  };
  change("in the directory");
  const auto small = compared();
  EXPECT_EQ(small.exit_code, 1) << small.output << small.error;
  EXPECT_THAT(small.output, HasSubstr("1 equal by checksum, 2 different"));
  for (const auto* name : {"in the bucket", "in the directory"})
    EXPECT_THAT(small.output, HasSubstr(fmt::format("{}: the object has other content", name)));

  // A server that keeps no checksum leaves open whether it is other content or other parts.
  change("large");
  const auto all = compared();
  EXPECT_NE(all.exit_code, 0) << all.output << all.error;
  EXPECT_THAT(all.output,
              AllOf(HasSubstr("0 equal by checksum, "), HasSubstr("large: the "), Not(HasSubstr("EQUAL"))));
}

}  // namespace
}  // namespace s3
