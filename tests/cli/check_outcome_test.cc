#include "cli/check_outcome.h"

#include <gmock/gmock.h>

#include "cli/errors.h"
#include "cli/fence_report.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

CommandResult upload_of(int exit_code) {
  return {"an upload",
          Json{{"version", 1},
               {"command", "upload"},
               {"verdict", exit_code == kEqual ? "equal" : "different"},
               {"exit_code", exit_code},
               {"walked", {{"files", 3}, {"bytes", 3}}},
               {"verification", {{"level", "checksum"}}},
               {"problems", {{{"kind", "different"}, {"path", "a.pdf"}, {"what", "is another"}}}},
               {"differences", 1}}};
}

TEST(CheckOutcome, EveryResultIsJudged) {
  const auto checks = judged("upload", {"s3://b"}, {kDifferent, {upload_of(kEqual), upload_of(kDifferent)}},
                             judge_comparison);
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].exit_code, kEqual);
  EXPECT_EQ(checks[1].exit_code, kDifferent);
  EXPECT_THAT(checks[1].problem, HasSubstr("a.pdf: is another"));
}

TEST(CheckOutcome, WhatOnlyTheExitCodeSaysIsUnchecked) {
  const auto checks = judged("upload", {"s3://b"}, {kFailed, {upload_of(kEqual)}}, judge_comparison);
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[1].exit_code, kFailed);
  EXPECT_THAT(checks[1].problem, HasSubstr("exit code 3"));
  EXPECT_EQ(judged("upload", {"s3://b"}, {kEqual, {upload_of(kEqual)}}, judge_comparison).size(), 1U);
}

TEST(CheckOutcome, ADirectoryWithoutFilesIsUnchecked) {
  auto empty = upload_of(kEqual);
  empty.document["walked"]["files"] = 0;
  const auto checks = judged("upload", {"s3://b"}, {kEqual, {empty}}, judge_upload);
  EXPECT_EQ(checks[0].exit_code, kFailed);
  EXPECT_THAT(checks[0].problem, HasSubstr("nothing was compared"));
  EXPECT_EQ(judged("upload", {"s3://b"}, {kEqual, {upload_of(kEqual)}}, judge_upload)[0].exit_code, kEqual);
  auto uncompared = upload_of(kEqual);
  uncompared.document["verdict"] = "uploaded";
  const auto unproven = judged("upload", {"s3://b"}, {kEqual, {uncompared}}, judge_upload);
  EXPECT_EQ(unproven[0].exit_code, kFailed);
  EXPECT_THAT(unproven[0].problem, ::testing::HasSubstr("not compared"));
}

TEST(CheckOutcome, DatabasesWithoutTablesAreUnchecked) {
  const auto judged_as = [](int exit_code, const Json& more) {
    auto document = Json{{"command", "verify"}, {"exit_code", exit_code}};
    document.update(more);
    CheckResult check{.kind = "database", .name = "app"};
    judge_databases(check, document);
    return check;
  };
  const Json empty{{"tables", Json::array()}, {"sequences", 0}};
  EXPECT_THAT(judged_as(kEqual, empty).problem, HasSubstr("nothing was compared"));
  EXPECT_EQ(judged_as(kEqual, empty).exit_code, kFailed);
  EXPECT_EQ(judged_as(kEqual, Json::object()).exit_code, kFailed);
  EXPECT_EQ(judged_as(kWaived, empty).exit_code, kFailed);
  EXPECT_EQ(judged_as(kDifferent, empty).exit_code, kDifferent) << "the tables are missing on one side";
  EXPECT_EQ(judged_as(kEqual, {{"tables", {{{"name", "t"}}}}}).exit_code, kEqual);
  EXPECT_EQ(judged_as(kEqual, {{"tables", Json::array()}, {"sequences", 1}}).exit_code, kEqual);
}

class CheckOfActivity : public ::testing::Test {
 protected:
  CheckOfActivity() {
    activity_.mark = {
        .system_identifier = "7", .database_oid = 5, .transactions = "740:740:", .timeline = "00000001"};
    activity_.counted_since = "then";
    activity_.written = "17";
    activity_.at = 100;
    before_ = activity_json(activity_);
    activity_.mark.transactions = "745:745:";
    activity_.at = 200;
  }
  CheckResult judged_now(bool required, int exit_code = kEqual) {
    CheckResult check{.kind = "fence", .name = "app", .exit_code = exit_code};
    const auto now = activity_json(activity_);
    told_ = judge_activity(check, {before_, now, now}, required);
    return check;
  }

  pg::Activity activity_;
  Json before_;
  bool told_ = false;
};

TEST_F(CheckOfActivity, SeesWhatWasWritten) {
  EXPECT_EQ(judged_now(true).exit_code, kEqual) << "another database's, or autovacuum";
  EXPECT_TRUE(told_);
  activity_.written = "18";
  EXPECT_EQ(judged_now(true).exit_code, kDifferent);
  EXPECT_EQ(judged_now(false).exit_code, kDifferent);
  EXPECT_THAT(judged_now(true).problem, HasSubstr("was written to"));
  EXPECT_TRUE(told_);
  CheckResult first{.kind = "fence", .name = "app"};
  EXPECT_TRUE(judge_activity(first, {Json(), before_, before_}, true)) << "without a fence that is no news";
  EXPECT_EQ(first.exit_code, kEqual);
}

TEST_F(CheckOfActivity, WhatNobodyCanTellIsNoWaiverOfARequiredFence) {
  activity_.sessions = {{.pid = 4711, .application = "psql\n", .began = 1, .since = 200},
                        {.pid = 4712, .began = 1, .since = 200}};
  const auto untold = judged_now(true);
  EXPECT_FALSE(told_) << "a later look may know";
  EXPECT_EQ(untold.exit_code, kFailed);
  EXPECT_FALSE(untold.unfenced);
  EXPECT_THAT(untold.problem, AllOf(HasSubstr("pid 4711 (\"psql"),
                                    HasSubstr(" and 1 other session worked at it"), Not(HasSubstr("\n"))));
  EXPECT_EQ(judged_now(false).exit_code, kWaived);
  EXPECT_EQ(judged_now(false, kDifferent).exit_code, kDifferent);
  EXPECT_TRUE(told_) << "nothing depends on it";
  activity_.counted_since = "since the restart";
  const auto lost = judged_now(true);
  EXPECT_TRUE(told_) << "no later look will know";
  EXPECT_EQ(lost.exit_code, kFailed);
  EXPECT_THAT(lost.problem, HasSubstr("statistics were reset"));
}

TEST_F(CheckOfActivity, IsLookedAtAgainWhereALookFailed) {
  const auto end = activity_json(activity_);
  CheckResult failed{.kind = "fence", .name = "app", .exit_code = kFailed, .problem = "too many connections"};
  EXPECT_FALSE(judge_activity(failed, {before_, end, Json()}, true));
  EXPECT_EQ(failed.exit_code, kFailed) << "the verdict where no look is left";
  EXPECT_EQ(failed.problem, "too many connections");
  EXPECT_TRUE(judge_activity(failed, {before_, Json(), Json()}, true)) << "none will be of that moment";
  CheckResult unfenced{.kind = "fence", .name = "app", .exit_code = kDifferent};
  EXPECT_TRUE(judge_activity(unfenced, {before_, end, Json()}, true)) << "somebody has taken it down";
}

TEST(CheckOutcome, LooksAgainUntilItIsTold) {
  const auto looks_until = [](int told) {
    int looks = 0;
    int pauses = 0;
    look_until_told([&] { return ++looks == told; }, [&] { ++pauses; });
    EXPECT_EQ(pauses, looks - 1);
    return looks;
  };
  EXPECT_EQ(looks_until(1), 1);
  EXPECT_EQ(looks_until(3), 3);
  EXPECT_EQ(looks_until(0), kMostLooks) << "it does not wait for ever";
}

TEST(CheckOutcome, WithoutAResultNothingIsChecked) {
  const auto none = judged("database", {"a", "b"}, {kEqual, {}}, judge_comparison);
  ASSERT_EQ(none.size(), 2U);
  EXPECT_EQ(none[1].exit_code, kFailed);
  EXPECT_EQ(none[1].problem, "it gave no result");
  // One error came before all of them.
  const CommandResult error{"FAILED", Json{{"exit_code", kUsage}, {"error", {{"message", "no source"}}}}};
  const auto refused = judged("database", {"a", "b"}, {kUsage, {error}}, judge_comparison);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[1].exit_code, kFailed);
  EXPECT_EQ(refused[1].problem, "no source");
}

}  // namespace
}  // namespace cli
