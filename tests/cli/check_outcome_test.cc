#include "cli/check_outcome.h"

#include <gmock/gmock.h>

#include "cli/errors.h"

namespace cli {
namespace {

using ::testing::HasSubstr;

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
