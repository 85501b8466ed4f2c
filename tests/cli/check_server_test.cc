#include <atomic>
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/cluster.h"
#include "tests/support/http_server.h"
#include "tests/support/process.h"

namespace cli {
namespace {

using support::cutover;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A new stack of an application and its database, as cutover.toml describes it.
class CheckCommand : public ::testing::Test {
 protected:
  CheckCommand() {
    target_.exec("CREATE TABLE drivers (id int); INSERT INTO drivers VALUES (1)");
    std::ofstream(directory_ / "cutover.toml")
        << "[target]\nurl = \"" << target_.url() << "\"\n[[check.http]]\nurl = \"" << application_.url()
        << "/api/health?token=sEcret\"\ncontains = \"ok\"\n[[check.tcp]]\naddress = \"127.0.0.1:"
        << application_.port() << "\"\n[[check.sql]]\nname = \"drivers are there\"\n"
        << "query = \"SELECT count(*) > 0 FROM drivers\"\n";
  }
  support::ProcessResult check(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"check", "--only", "smoke"});
    return cutover(more, {.directory = directory_.path()});
  }

  support::TempDir directory_;
  support::TestDatabase target_{support::cluster(15, "target")};
  std::atomic<int> status_{200};
  std::atomic<bool> hangs_{false};
  support::HttpServer application_{[this](const support::HttpServerRequest&) {
    return support::HttpServerResponse{.status = status_,
                                       .body = "all ok",
                                       .fault = hangs_ ? support::HttpFault::hang : support::HttpFault::none};
  }};
};

TEST_F(CheckCommand, GoesOnlyWhenAllHold) {
  const auto go = check();
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_THAT(go.output, AllOf(StartsWith("GO for the smoke tests alone: 3 checks passed\n"),
                               HasSubstr("drivers are there")));

  status_ = 500;
  const auto no = check();
  EXPECT_EQ(no.exit_code, 1);
  EXPECT_THAT(no.output,
              AllOf(StartsWith("NO-GO: http "), HasSubstr("status 500, not 200"), Not(HasSubstr("sEcret"))));
  status_ = 200;

  target_.exec("DELETE FROM drivers");
  const auto empty = check({"--json"});
  EXPECT_EQ(empty.exit_code, 1);
  const auto json = nlohmann::json::parse(empty.output);
  EXPECT_EQ(json.at("verdict"), "no-go");
  EXPECT_EQ(json.at("checks").at(2).at("problem"), "it is not true");
}

TEST_F(CheckCommand, WhatCannotBeCheckedIsNoGo) {
  const auto closed = check({"--tcp", "127.0.0.1:1"});
  EXPECT_EQ(closed.exit_code, 1);
  EXPECT_THAT(closed.output, StartsWith("NO-GO: tcp 127.0.0.1:1: "));
  const auto text = check({"--http", R"({"url": ")" + application_.url() + R"(", "contains": "fine"})"});
  EXPECT_THAT(text.output, AllOf(StartsWith("NO-GO: http "), HasSubstr("does not contain \"fine\"")));
  const auto number = check({"--sql", "SELECT 1"});
  EXPECT_THAT(number.output, HasSubstr("no query of one boolean"));
  const auto writes = check({"--sql", "DELETE FROM drivers RETURNING true"});
  EXPECT_EQ(writes.exit_code, 1);
  EXPECT_THAT(writes.output, HasSubstr("read-only transaction"));
  EXPECT_EQ(target_.value("SELECT count(*) FROM drivers"), "1");
  hangs_ = true;
  const auto slow = check({"--http", R"({"url": ")" + application_.url() + R"(", "timeout": "200ms"})"});
  EXPECT_EQ(slow.exit_code, 1);
  const auto late = check({"--sql", R"({"query": "SELECT pg_sleep(60) IS NULL", "timeout": "200ms"})",
                           "--http", R"({"url": ")" + application_.url() + R"(", "timeout": "200ms"})"});
  EXPECT_THAT(late.output, HasSubstr("failed  sql"));
}

TEST_F(CheckCommand, NothingDeclaredIsNoGo) {
  std::ofstream(directory_ / "cutover.toml") << "";
  const auto result = check();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("nothing to check"));
}

}  // namespace
}  // namespace cli
