#include "cli/run_steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

namespace cli {
namespace {

using ::testing::ElementsAre;

Move whole_move() {
  Move move;
  move.root = "R";
  move.databases = true;
  move.uploads = {{"files", "s3://b/files"}, {"public", "s3://b/public"}};
  move.smoke_tests = true;
  return move;
}

std::vector<std::string> commands_of(const Move& move, const MoveState& state) {
  std::vector<std::string> out;
  for (const auto& step : steps_of(move, state))
    out.push_back(fmt::format("{}: {}", step.name, fmt::join(step.arguments, " ")));
  return out;
}

TEST(RunSteps, OfARehearsal) {
  EXPECT_THAT(
      commands_of(whole_move(), {}),
      ElementsAre("fence rights: fence rights", "plan: plan --run-dir R/database",
                  "copy: copy --run-dir R/database",
                  "upload 1: upload files s3://b/files --run-dir R/upload-1",
                  "upload 2: upload public s3://b/public --run-dir R/upload-2",
                  "verify: verify --run-dir R/database --level rows", "smoke tests: check --only smoke"));
}

TEST(RunSteps, GoOnWithWhatIsNotDone) {
  EXPECT_EQ(commands_of(whole_move(), {.copy_begun = true}).at(1), "copy: copy --run-dir R/database");
  const auto copied = commands_of(whole_move(), {.copy_begun = true, .copied = true, .verified = true});
  EXPECT_THAT(copied, ElementsAre("fence rights: fence rights", testing::StartsWith("upload 1"),
                                  testing::StartsWith("upload 2"),
                                  "verify: verify --run-dir R/database --level rows", testing::_));
  // What the copy has recorded is no longer what the target should be.
  EXPECT_THAT(commands_of(whole_move(), {.copy_begun = true, .copied = true, .repaired = true}),
              testing::Contains("verify: verify --run-dir R/database --level rows --independent"));
}

TEST(RunSteps, OfTheNight) {
  auto move = whole_move();
  move.final = true;
  move.end_sessions = true;
  move.yes = true;
  const MoveState rehearsed{.copy_begun = true, .copied = true, .verified = true, .sent = {true, true}};
  EXPECT_THAT(commands_of(move, rehearsed),
              ElementsAre("smoke tests: check --only smoke",
                          "fence: fence on --of-run R/database --end-sessions --yes",
                          "repair: repair --run-dir R/database --apply --yes",
                          "last upload 1: upload files s3://b/files --run-dir R/upload-1",
                          "last upload 2: upload public s3://b/public --run-dir R/upload-2",
                          "check: check --run-dir R --require-fence"));
  // Without a rehearsal all of it comes first; nobody's writes are refused meanwhile.
  EXPECT_EQ(commands_of(move, {}).size(), 12U);
  EXPECT_EQ(commands_of(move, {}).at(7), "fence: fence on --of-run R/database --end-sessions --yes");
  move.fence = false;
  EXPECT_THAT(commands_of(move, rehearsed), testing::Contains("check: check --run-dir R"));
  EXPECT_EQ(commands_of(move, rehearsed).size(), 5U);
}

// The application may use the target: what it writes there must not be taken for what is too much.
TEST(RunSteps, AfterAGoChangeNothing) {
  auto move = whole_move();
  move.final = true;
  const MoveState gone{.copy_begun = true, .copied = true, .verified = true, .went = true};
  EXPECT_THAT(commands_of(move, gone), ElementsAre("check: check --run-dir R --require-fence"));
  move.again = true;
  EXPECT_THAT(commands_of(move, gone), testing::Contains("repair: repair --run-dir R/database --apply"));
}

TEST(RunSteps, AfterAGoSendNoFile) {
  Move move;
  move.root = "R";
  move.uploads = {{"files", "s3://b"}};
  const MoveState gone{.went = true, .sent = {true}};
  EXPECT_THAT(commands_of(move, gone), ElementsAre("compare upload: upload files s3://b --verify-only"));
  move.final = true;
  EXPECT_THAT(commands_of(move, gone), ElementsAre("check: check --run-dir R"));
  move.again = true;
  EXPECT_THAT(commands_of(move, gone),
              ElementsAre("last upload: upload files s3://b --run-dir R/upload", "check: check --run-dir R"));
}

TEST(RunSteps, OfFilesAlone) {
  Move move;
  move.root = "R";
  move.uploads = {{"files", "s3://b"}};
  move.final = true;
  EXPECT_THAT(commands_of(move, {}),
              ElementsAre("upload: upload files s3://b --run-dir R/upload",
                          "last upload: upload files s3://b --run-dir R/upload", "check: check --run-dir R"));
}

}  // namespace
}  // namespace cli
