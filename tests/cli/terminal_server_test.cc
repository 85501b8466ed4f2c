// What a terminal shows: live lines while a run works, and its verdict in their place at the end.

#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"
#include "tests/support/temp_dir.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kColour = "\x1b\\[[0-9;]*m";
constexpr const char* kBarPiece = "━";
constexpr const char* kLiveLinesEnd = "\x1b[?7h";

/// What is on the screen below the last live lines, when they are gone.
std::string after_live_lines(const std::string& output) {
  const auto end = output.rfind(kLiveLinesEnd);
  return end == std::string::npos ? std::string() : output.substr(end);
}

/// A copy on a terminal. The second of its two tables waits for a lock at the target, so that the bar stands
/// in the middle until release().
class CopyOnATerminal : public ::testing::Test {
 protected:
  CopyOnATerminal() {
    for (const auto* database : {&source_, &target_})
      database->exec("CREATE TABLE first (i int, v text); CREATE TABLE second (i int)");
    source_.exec(
        "INSERT INTO first SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; "
        "INSERT INTO second VALUES (1)");
    holder_.exec("BEGIN; LOCK TABLE second IN SHARE MODE");
  }

  std::unique_ptr<support::Process> start(const std::vector<std::string>& arguments,
                                          const std::map<std::string, std::string>& more = {}) const {
    support::ProcessOptions options{.environment = {{"LC_ALL", "C.UTF-8"}}, .terminal = true};
    options.environment.insert(more.begin(), more.end());
    return std::make_unique<support::Process>(support::cutover_program(), arguments, options);
  }
  std::unique_ptr<support::Process> start_copy(const std::map<std::string, std::string>& more = {}) const {
    return start({"copy", "--schema", "none", "--source", source_.url(), "--target", target_.url(),
                  "--run-dir", run_dir()},
                 more);
  }
  std::string run_dir() const { return directory_ / "run"; }
  void release() { holder_.exec("COMMIT"); }

 private:
  support::TempDir directory_;
  support::TestDatabase source_{support::cluster(15, "source")};
  support::TestDatabase target_{support::cluster(15, "target")};
  support::Session holder_{target_.url()};
};

TEST_F(CopyOnATerminal, DrawsABarInColoursAndEndsWithItsVerdict) {
  const auto copy = start_copy();
  copy->wait_for_output(kBarPiece);
  copy->wait_for_output("chunks 1/2");
  release();
  const auto result = copy->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("copying"), ContainsRegex(kColour)));
  EXPECT_THAT(after_live_lines(result.output), AllOf(HasSubstr("EQUAL"), Not(HasSubstr(kBarPiece))));
}

TEST_F(CopyOnATerminal, HasNoColoursWithNoColor) {
  const auto copy = start_copy({{"NO_COLOR", "1"}});
  copy->wait_for_output(kBarPiece);
  release();
  const auto result = copy->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, Not(ContainsRegex(kColour)));
  EXPECT_THAT(after_live_lines(result.output), HasSubstr("EQUAL"));
}

TEST_F(CopyOnATerminal, IsFollowedByStatusUntilItsEnd) {
  const auto copy = start_copy();
  copy->wait_for_output(kBarPiece);
  const auto status = start({"status", run_dir(), "--watch"});
  status->wait_for_output("phase data");
  EXPECT_TRUE(status->running());
  release();
  EXPECT_EQ(copy->wait().exit_code, 0);
  const auto result = status->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(after_live_lines(result.output),
              AllOf(HasSubstr("finished, equal"), HasSubstr("2 of 2 done"), Not(HasSubstr("running"))));
}

/// A comparison on a terminal. Reading the second of its two tables waits at the target, so that the bar
/// stands in the middle until release().
class VerifyOnATerminal : public ::testing::Test {
 protected:
  VerifyOnATerminal() {
    for (const auto* database : {&source_, &target_})
      database->exec(
          "CREATE TABLE first (i int, v text); CREATE TABLE second (i int);"
          "INSERT INTO first SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; "
          "INSERT INTO second VALUES (1)");
    holder_.exec("SELECT pg_advisory_lock(42)");
  }

  std::unique_ptr<support::Process> start(const std::vector<std::string>& more, bool terminal,
                                          const std::map<std::string, std::string>& environment = {}) const {
    std::vector<std::string> arguments{
        "verify",   "--source",    source_.url(),
        "--target", target_.url(), "--jobs",
        "1",        "--where",     "public.second=pg_advisory_lock_shared(42) IS NOT NULL"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    support::ProcessOptions options{.environment = {{"LC_ALL", "C.UTF-8"}}, .terminal = terminal};
    options.environment.insert(environment.begin(), environment.end());
    return std::make_unique<support::Process>(support::cutover_program(), arguments, options);
  }
  void release() { holder_.exec("SELECT pg_advisory_unlock(42)"); }

 private:
  support::TestDatabase source_{support::cluster(15, "source")};
  support::TestDatabase target_{support::cluster(15, "target")};
  support::Session holder_{target_.url()};
};

TEST_F(VerifyOnATerminal, DrawsABarInColoursAndEndsWithItsVerdict) {
  const auto verify = start({}, true);
  verify->wait_for_output(kBarPiece);
  verify->wait_for_output("tables 1/2");
  verify->wait_for_output("read public.second at the target");
  release();
  const auto result = verify->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, ContainsRegex(kColour));
  EXPECT_THAT(after_live_lines(result.output),
              AllOf(HasSubstr("EQUAL"), HasSubstr("2 tables, 5,001 rows"), Not(HasSubstr(kBarPiece))));
}

TEST_F(VerifyOnATerminal, HasNoColoursWithNoColor) {
  const auto verify = start({}, true, {{"NO_COLOR", "1"}});
  verify->wait_for_output(kBarPiece);
  release();
  const auto result = verify->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, Not(ContainsRegex(kColour)));
  EXPECT_THAT(after_live_lines(result.output), HasSubstr("EQUAL"));
}

TEST_F(VerifyOnATerminal, LogsJsonLinesOnlyWhereItIsAskedTo) {
  const auto verify = start({"--log-format", "json"}, false);
  verify->wait_for_output("\"message\":\"progress\"");
  release();
  const auto result = verify->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("EQUAL"));
  bool has_progress = false;
  std::istringstream lines(result.error);
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    EXPECT_TRUE(object.contains("time") && object.contains("level") && object.contains("message")) << line;
    if (object.at("message") != "progress") continue;
    has_progress = true;
    EXPECT_EQ(object.at("progress").at("phase"), "compare") << line;
  }
  EXPECT_TRUE(has_progress);
}

}  // namespace
}  // namespace cli
