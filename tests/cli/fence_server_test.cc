#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"

namespace cli {
namespace {

using support::cutover;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FenceCommand : public ::testing::Test {
 protected:
  FenceCommand() { source_.exec("CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t VALUES (1)"); }
  support::ProcessResult fence(const std::string& action, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"fence", action, "--source", source_.url()});
    return cutover(more);
  }

  support::TestDatabase source_{support::cluster(15, "source")};
};

TEST_F(FenceCommand, OnStatusOff) {
  EXPECT_EQ(fence("status").exit_code, 1);
  support::Session older(source_.url());
  const auto leaking = fence("on", {"--yes"});
  EXPECT_EQ(leaking.exit_code, 4) << leaking.error;
  EXPECT_THAT(leaking.output, AllOf(StartsWith("LEAKING: "), HasSubstr("1 session can still write"),
                                    HasSubstr("--end-sessions")));
  EXPECT_EQ(nlohmann::json::parse(fence("status", {"--json"}).output).at("sessions").size(), 1U);
  const auto whole = fence("on", {"--end-sessions", "--yes"});
  EXPECT_EQ(whole.exit_code, 0) << whole.output << whole.error;
  EXPECT_THAT(whole.output, StartsWith("FENCED: "));
  EXPECT_EQ(fence("status").exit_code, 0);
  EXPECT_EQ(fence("off", {"--yes"}).exit_code, 0);
  EXPECT_NO_THROW(source_.exec("INSERT INTO t VALUES (2)"));
  EXPECT_THAT(fence("off").output, HasSubstr("nothing to do"));
}

TEST_F(FenceCommand, AsksBeforeItChangesAnything) {
  const auto unasked = fence("on");
  EXPECT_EQ(unasked.exit_code, 2);
  EXPECT_THAT(unasked.error, HasSubstr("--yes"));
  EXPECT_EQ(fence("status").exit_code, 1);
  EXPECT_EQ(fence("of", {"--yes"}).exit_code, 2);
  EXPECT_EQ(cutover({"fence", "--source", source_.url()}).exit_code, 2);
}

TEST_F(FenceCommand, TheCopyOfAFencedSourceAcceptsWrites) {
  const support::TempDir directory;
  const support::TestDatabase target(support::cluster(15, "target"));
  ASSERT_EQ(fence("on", {"--yes"}).exit_code, 0);
  const auto copied = cutover({"copy", "--source", source_.url(), "--target", target.url(), "--run-dir",
                               (directory / "run").string()});
  EXPECT_EQ(copied.exit_code, 0) << copied.output << copied.error;
  EXPECT_NO_THROW(target.exec("INSERT INTO t VALUES (2)"));
  EXPECT_NO_THROW(target.exec("DELETE FROM t WHERE x = 2"));
  const auto verified = cutover({"verify", "--source", source_.url(), "--target", target.url()});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.error;
}

}  // namespace
}  // namespace cli
