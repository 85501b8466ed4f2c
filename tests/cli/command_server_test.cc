#include <csignal>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/http.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"

namespace cli {
namespace {

using support::cutover;
using support::ProcessOptions;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CommandTest : public ::testing::Test {
 protected:
  std::filesystem::path run_dir() const { return directory_ / "run"; }
  std::vector<std::string> copy(const std::string& source, const std::string& target,
                                std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"copy", "--source", source, "--target", target, "--run-dir", run_dir().string()});
    return more;
  }

  support::TempDir directory_;
};

TEST_F(CommandTest, HelpAndVersion) {
  const auto help = cutover({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("cutover status --watch"));
  EXPECT_THAT(help.error, IsEmpty());
  EXPECT_EQ(cutover({"help", "copy"}).output, cutover({"copy", "--help"}).output);
  EXPECT_THAT(cutover({"--version"}).output, StartsWith("cutover "));
  EXPECT_EQ(cutover({}).exit_code, 2);
}

// docs/report.md: a pipeline reads the one and a person the other.
TEST_F(CommandTest, StandardOutputHasTheResultAndStandardErrorTheRest) {
  const support::TestDatabase source(support::cluster(15, "source"));
  const support::TestDatabase target(support::cluster(15, "target"));
  source.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
  const std::vector<std::string> connections{"--source", source.url(), "--target", target.url()};
  const auto run = [&](std::vector<std::string> arguments, bool both = true) {
    if (both) arguments.insert(arguments.end(), connections.begin(), connections.end());
    arguments.insert(arguments.end(), {"--log-format", "json", "--log-level", "debug"});
    auto result = cutover(arguments, {.directory = directory_.path()});
    std::istringstream lines(result.error);
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line, nullptr, false);
      EXPECT_TRUE(object.is_object() && object.contains("time") && object.contains("level") &&
                  object.contains("message"))
          << arguments.front() << ": " << line;
    }
    return result;
  };
  const auto expect_document = [&](const std::vector<std::string>& arguments, int exit_code,
                                   bool both = true) {
    const auto result = run(arguments, both);
    EXPECT_EQ(result.exit_code, exit_code) << arguments.front() << result.output << result.error;
    EXPECT_TRUE(nlohmann::json::parse(result.output, nullptr, false).is_object())
        << arguments.front() << ": " << result.output;
  };
  expect_document({"plan", "--json"}, 0);
  expect_document({"copy", "--report-json", "--run-dir", "one"}, 0);
  expect_document({"status", "one", "--json"}, 0, false);
  expect_document({"verify", "--report-json"}, 0);
  expect_document({"repair", "--report-json"}, 0);
  expect_document({"check", "--json"}, 5);
  expect_document({"config", "check", "--json"}, 0, false);
  expect_document({"run", "--report-json"}, 2);
  target.exec("DROP TABLE t");
  expect_document({"run", "--report-json", "--run-dir", "other"}, 4);
  expect_document({"run", "--report-json", "--run-dir", "other", "--final", "--yes"}, 0);
  const auto told = run({"run", "--run-dir", "other", "--final"});
  EXPECT_THAT(told.output, AllOf(StartsWith("== check: "), HasSubstr("\nGO: "), Not(HasSubstr("\"level\""))));
  // What cannot begin has no result.
  const auto refused = run({"copy", "--jobs", "x"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, IsEmpty());
  EXPECT_EQ(nlohmann::json::parse(refused.error).at("level"), "error");
}

TEST_F(CommandTest, UsageErrorsAreTwoAndSayWhatToDo) {
  for (const auto& arguments : {std::vector<std::string>{"copi"},
                                {"copy", "--jobs", "x"},
                                {"copy"},
                                {"export"},
                                {"import"},
                                {"clean"},
                                {"status", "/nonexistent"},
                                {"copy", "--source"}}) {
    const auto result = cutover(arguments, {.directory = directory_.path()});
    EXPECT_EQ(result.exit_code, 2) << result.error;
    EXPECT_THAT(result.error, StartsWith("error: "));
    EXPECT_THAT(result.output, IsEmpty());
  }
}

TEST_F(CommandTest, NeverPrintsThePasswordOfAMalformedUrl) {
  for (const char* url :
       {"postgres://app:sEc/ret@h:5432/db", "postgres://app:sEc@ret@h/db", "postgres://app:sEcret@h:x/db",
        "postgress://app:sEcret@h/db", "host=h password='sEcret"}) {
    const auto result = cutover(copy(url, "postgres://h2/db"));
    EXPECT_EQ(result.exit_code, 2) << url;
    EXPECT_THAT(result.error,
                AllOf(StartsWith("error: --source: malformed"), HasSubstr("hint: "), Not(HasSubstr("sEc"))));
  }
}

TEST_F(CommandTest, ServersThatCannotBeReached) {
  const auto unknown = cutover({"plan", "--source", "postgres://app:sEcret@no-such-host.invalid/db"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.error,
              AllOf(HasSubstr("no-such-host.invalid"), HasSubstr("hint: "), Not(HasSubstr("sEcret"))));
  auto& server = support::cluster();
  const auto missing = cutover({"plan", "--source", server.url("no_such_database")});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.error, HasSubstr("no_such_database"));
}

TEST_F(CommandTest, AWrongPassword) {
  auto& server = support::cluster();
  const support::TestDatabase database(server);
  server.exec("postgres", "CREATE ROLE locked LOGIN PASSWORD 'right'");
  server.require_password("locked");
  const auto result = cutover({"plan", "--source", database.url("locked", "sEcret")});
  EXPECT_EQ(result.exit_code, 2) << result.error;
  EXPECT_THAT(result.error, AllOf(HasSubstr("password"), Not(HasSubstr("sEcret"))));
  server.exec("postgres", "DROP ROLE locked");
}

TEST_F(CommandTest, SourceAndTargetAreTheSame) {
  const support::TestDatabase database(support::cluster());
  const auto plainly = cutover(copy(database.url(), database.url()));
  EXPECT_EQ(plainly.exit_code, 2);
  EXPECT_THAT(plainly.error, HasSubstr("the same database"));
  // By another name of the same server.
  auto other = database.url();
  other.replace(other.find("127.0.0.1"), 9, "127.0.0.2");
  other.replace(other.find("127.0.0.2"), 9, "localhost");
  const auto hidden = cutover(copy(database.url(), other));
  EXPECT_EQ(hidden.exit_code, 2) << hidden.error;
}

TEST_F(CommandTest, CopyReportsInTextAndJson) {
  const support::TestDatabase source(support::cluster(15, "source"));
  const support::TestDatabase target(support::cluster(15, "target"));
  source.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
  const auto dry = cutover(copy(source.url(), target.url(), {"--dry-run"}));
  EXPECT_EQ(dry.exit_code, 0) << dry.error;
  EXPECT_THAT(dry.output, AllOf(StartsWith("READY"), HasSubstr("public.t")));
  EXPECT_FALSE(std::filesystem::exists(run_dir()));

  const auto done = cutover(copy(source.url(), target.url()));
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_THAT(done.output, StartsWith("EQUAL: 1 table, 1,000 rows, "));
  const auto report = nlohmann::json::parse(content(run_dir() / "report.json"));
  EXPECT_EQ(report.at("version"), 1);
  EXPECT_EQ(report.at("verdict"), "equal");
  EXPECT_EQ(report.at("rows"), 1000);

  const auto again = cutover(copy(source.url(), target.url(), {"--report-json", "--quiet"}));
  EXPECT_EQ(again.exit_code, 0) << again.error;
  EXPECT_TRUE(nlohmann::json::parse(again.output).at("already_finished"));
  EXPECT_THAT(again.error, IsEmpty());

  const auto status = cutover({"status", run_dir().string()});
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_THAT(status.output, HasSubstr("finished, equal"));
  const auto json = nlohmann::json::parse(cutover({"status", run_dir().string(), "--json"}).output);
  EXPECT_EQ(json.at("rows"), 1000);
  EXPECT_FALSE(json.at("running"));
}

TEST_F(CommandTest, CleanAsksOrIsToldYes) {
  const support::TestDatabase source(support::cluster(15, "source"));
  const support::TestDatabase target(support::cluster(15, "target"));
  ASSERT_EQ(cutover(copy(source.url(), target.url())).exit_code, 0);
  const std::vector<std::string> clean{"clean", "--target", target.url(), "--run-dir", run_dir().string()};
  const auto asked = cutover(clean);
  EXPECT_EQ(asked.exit_code, 2);
  EXPECT_THAT(asked.error, HasSubstr("hint: add --yes"));
  EXPECT_TRUE(std::filesystem::exists(run_dir()));
  auto told = clean;
  told.emplace_back("--yes");
  EXPECT_EQ(cutover(told).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(run_dir()));
  EXPECT_EQ(target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
}

TEST_F(CommandTest, SeveralDatabasesWorstWins) {
  auto& from = support::cluster(15, "source");
  auto& to = support::cluster(15, "target");
  const support::TestDatabase first(from);
  const support::TestDatabase second(from);
  const support::TestDatabase target(to);
  second.exec("CREATE TABLE t (x int); INSERT INTO t VALUES (1)");
  // The first has no database to go to; the second is copied nevertheless.
  const auto result =
      cutover(copy(from.url(), to.url(),
                   {"--databases", first.name() + "=no_such," + second.name() + "=" + target.name()}));
  EXPECT_EQ(result.exit_code, 2) << result.error;
  EXPECT_THAT(result.output, AllOf(HasSubstr("FAILED: "), HasSubstr("EQUAL: 1 table, 1 row")));
  EXPECT_TRUE(std::filesystem::exists(run_dir() / second.name() / "report.json"));
  EXPECT_EQ(target.value("SELECT count(*) FROM t"), "1");
}

/// A server that lets a run last: the source's rows are slow to come.
class RunningCommandTest : public CommandTest {
 protected:
  RunningCommandTest() {
    source_.exec(
        "CREATE TABLE t (x int); INSERT INTO t SELECT generate_series(1, 300);"
        "CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_sleep(0.1); RETURN true; END$$");
  }
  std::vector<std::string> slow_copy(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--where", "public.t=public.slow(x)"});
    return copy(source_.cluster().url(source_.name(), "postgres", "sEcret"), target_.url(), more);
  }
  void wait_until_copying() const {
    source_.wait_until(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active' AND "
        "datname = current_database()");
  }

  support::TestDatabase source_{support::cluster(15, "source")};
  support::TestDatabase target_{support::cluster(15, "target")};
};

TEST_F(RunningCommandTest, HidesThePasswordAndTellsItsStatus) {
  support::Process process(support::cutover_program(), slow_copy());
  wait_until_copying();
  const auto shown = content("/proc/" + std::to_string(process.pid()) + "/cmdline");
  EXPECT_THAT(shown,
              AllOf(HasSubstr("--source"), HasSubstr("postgres://postgres@"), Not(HasSubstr("sEcret"))));
  nlohmann::json json;
  for (int i = 0; i < 100; ++i) {
    json = nlohmann::json::parse(cutover({"status", run_dir().string(), "--json"}).output);
    if (json.at("progress").is_object() && json.at("progress").at("phase") == "data") break;
    usleep(100'000);
  }
  EXPECT_TRUE(json.at("running"));
  EXPECT_EQ(json.at("pid"), process.pid());
  EXPECT_EQ(json.at("progress").at("phase"), "data");

  process.kill(SIGTERM);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.output, AllOf(StartsWith("INCOMPLETE: "), HasSubstr("next: resume with: cutover copy"),
                                   Not(HasSubstr("sEcret"))));
  EXPECT_THAT(result.error,
              AllOf(HasSubstr("stopping cleanly; run the same command again"), Not(HasSubstr("sEcret"))));
  EXPECT_THAT(cutover({"status", run_dir().string()}).output,
              AllOf(HasSubstr("not running"), HasSubstr("resume with: ")));
}

// The ledger is that of all runs to a target.
TEST_F(RunningCommandTest, IsNotGivenUpByACleanOfAnotherDirectory) {
  support::Process process(support::cutover_program(), slow_copy());
  wait_until_copying();
  process.kill(SIGTERM);
  ASSERT_EQ(process.wait().exit_code, 4);
  const auto clean = [&](const std::string& directory) {
    return cutover({"clean", "--yes", "--target", target_.url(), "--run-dir", directory});
  };
  const auto other = clean(run_dir().string() + "-other");
  EXPECT_EQ(other.exit_code, 2) << other.output << other.error;
  EXPECT_THAT(other.error, HasSubstr("which is not finished and not of"));
  EXPECT_EQ(target_.value("SELECT count(*) FROM cutover.run"), "1");
  const auto own = clean(run_dir().string());
  EXPECT_EQ(own.exit_code, 0) << own.output << own.error;
  EXPECT_EQ(target_.value("SELECT to_regnamespace('cutover') IS NULL"), "t");
}

TEST_F(RunningCommandTest, IsShownToBrowsersAndPrometheus) {
  support::Process process(support::cutover_program(), slow_copy());
  wait_until_copying();
  support::Process server(support::cutover_program(),
                          {"status", run_dir().string(), "--serve", "127.0.0.1:0"});
  server.wait_for_output("the run can be watched at ");
  const auto log = server.error();
  const auto at = log.find("http://");
  const auto url = log.substr(at, log.find_first_of(" \n", at) - at);
  const auto get = [](const std::string& page) {
    base::HttpClient client(std::make_shared<base::HttpShare>());
    return client.send({.url = page}, {}).body;
  };
  EXPECT_THAT(get(url), AllOf(HasSubstr("running (pid " + std::to_string(process.pid())),
                              HasSubstr("refresh"), Not(HasSubstr("sEcret"))));
  EXPECT_THAT(get(url + "metrics"), AllOf(HasSubstr("cutover_running{run=\".\",kind=\"copy\"} 1\n"),
                                          HasSubstr("# TYPE cutover_chunks gauge\n")));
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().exit_code, 4);
  EXPECT_THAT(get(url + "metrics"), HasSubstr("cutover_running{run=\".\",kind=\"copy\"} 0\n"));
  EXPECT_THAT(get(url), AllOf(HasSubstr("not running"), Not(HasSubstr("http-equiv=\"refresh\""))));
  server.kill(SIGINT);
  EXPECT_EQ(server.wait().exit_code, 0);
}

TEST_F(RunningCommandTest, LogsSentencesOnAPipe) {
  support::Process process(support::cutover_program(), slow_copy());
  process.wait_for_output("copying: ");
  process.kill(SIGINT);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.error, ::testing::ContainsRegex("Z copying: .* chunks [0-9]+/[0-9]+, .* s\n"));
  EXPECT_THAT(result.error, Not(HasSubstr("\x1b")));
}

TEST_F(RunningCommandTest, LogsJsonLinesOnly) {
  support::Process process(support::cutover_program(), slow_copy({"--log-format", "json"}));
  process.wait_for_output("\"message\":\"progress\"");
  process.kill(SIGINT);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 4);
  std::istringstream lines(result.error);
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    EXPECT_TRUE(object.contains("time") && object.contains("level") && object.contains("message")) << line;
  }
}

TEST_F(RunningCommandTest, NohupIsHonoured) {
  auto arguments = slow_copy();
  arguments.insert(arguments.begin(),
                   {"-c", "trap '' HUP; exec \"$0\" \"$@\"", support::cutover_program().string()});
  support::Process process("/bin/sh", arguments);
  wait_until_copying();
  process.kill(SIGHUP);
  usleep(300'000);
  EXPECT_TRUE(process.running());
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().exit_code, 4);
}

}  // namespace
}  // namespace cli
