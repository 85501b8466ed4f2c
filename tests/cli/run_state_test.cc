#include "cli/run_state.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "copy/run_dir.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;

class StateOfAMove : public ::testing::Test {
 protected:
  StateOfAMove() {
    move_.root = directory_.path();
    move_.databases = true;
    std::filesystem::create_directory(directory_ / "database");
    keep("database/report.json", R"({"time": "2026-01-31T20:00:00.000Z", "exit_code": 0})");
  }
  void keep(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
  }
  void keep_steps(const std::string& steps) const { keep("run.json", R"({"steps": [)" + steps + "]}"); }
  MoveState state() const { return read_move_state(move_, {}); }

  static constexpr auto kGo = R"({"name": "check", "exit_code": 0})";
  base::test::TemporaryDirectory directory_;
  Move move_;
};

TEST_F(StateOfAMove, KnowsWhetherItWent) {
  EXPECT_FALSE(state().went);
  keep_steps(kGo);
  EXPECT_TRUE(state().went);
  keep_steps(std::string(kGo) + R"(, {"name": "check", "exit_code": 1})");
  EXPECT_TRUE(state().went) << "the application may be there since";
  for (const auto* name : {"copy", "repair", "last upload 2"}) {
    keep_steps(std::string(kGo) + R"(, {"name": ")" + name + R"(", "exit_code": null})");
    EXPECT_FALSE(state().went) << name;
  }
  for (const auto* text : {"{\"steps\": [", "[]", "{}", ""}) {
    keep("run.json", text);
    EXPECT_THAT([&] { state(); }, throws(ErrorKind::corrupt, HasSubstr("run.json cannot be read")));
  }
}

TEST_F(StateOfAMove, AGoOfASourceThatAcceptsWritesIsNone) {
  keep_steps(R"({"name": "check", "exit_code": 5, "unfenced": true})");
  EXPECT_FALSE(state().went);
  move_.fence = false;
  EXPECT_TRUE(state().went) << "that the writers are stopped is declared";
  move_.fence = true;
  keep_steps(std::string(kGo) + R"(, {"name": "check", "exit_code": 5, "unfenced": true})");
  EXPECT_TRUE(state().went) << "it takes no earlier one back";
  keep_steps(R"({"name": "check", "exit_code": 5, "unfenced": false})");
  EXPECT_TRUE(state().went) << "something else was waived";
}

copy::RunState run_of_that_evening() {
  copy::RunState run;
  run.run_id = "1";
  run.started = std::chrono::system_clock::from_time_t(1769889600);  // 2026-01-31T20:00:00Z
  return run;
}

TEST_F(StateOfAMove, AGoIsNoneOfACopyThatWasStartedOverSince) {
  {
    copy::RunDir database(directory_ / "database");
    database.record(copy::record::run(run_of_that_evening()));
    database.sync();
  }
  keep_steps(R"({"name": "check", "exit_code": 0, "started": "2026-01-31T21:00:00.000Z"})");
  EXPECT_TRUE(state().went);
  keep_steps(R"({"name": "check", "exit_code": 0, "started": "2026-01-31T19:00:00.000Z"})");
  EXPECT_FALSE(state().went);
}

// Killed before anything of it was removed, then with nothing left, then with another one begun.
TEST_F(StateOfAMove, AGoIsNoneOfACopyThatWasDiscardedSince) {
  auto run = run_of_that_evening();
  copy::RunDir database(directory_ / "database");
  database.record(copy::record::run(run));
  database.record(copy::record::finished(0));
  database.sync();
  keep_steps(R"({"name": "check", "exit_code": 0, "started": "2026-01-31T21:00:00.000Z"})");
  EXPECT_TRUE(state().went);
  EXPECT_TRUE(state().copied);
  database.record_discard();
  EXPECT_FALSE(state().went);
  EXPECT_FALSE(state().copied);
  database.erase();
  EXPECT_FALSE(state().went);
  EXPECT_FALSE(state().copied);
  run.run_id = "2";
  run.started = database.time_to_start();
  database.record(copy::record::run(run));
  database.record(copy::record::finished(0));
  database.sync();
  EXPECT_FALSE(state().went);
  EXPECT_TRUE(state().copied);
}

TEST_F(StateOfAMove, KnowsWhatMayHaveBeenRepaired) {
  EXPECT_FALSE(state().repaired);
  keep_steps(R"({"name": "repair", "exit_code": null, "started": "2026-01-31T19:00:00.000Z"})");
  EXPECT_FALSE(state().repaired) << "of the copy before";
  keep_steps(R"({"name": "repair", "exit_code": null, "started": "2026-01-31T21:00:00.000Z"})");
  EXPECT_TRUE(state().repaired) << "killed in the middle";
  keep_steps("");
  const std::string report = R"({"time": "2026-01-31T21:00:00.000Z", "exit_code": 2)";
  keep("database/repair-report.json", report + "}");
  EXPECT_TRUE(state().repaired) << "nobody knows";
  keep("database/repair-report.json", report + R"(, "applied": false})");
  EXPECT_FALSE(state().repaired);
}

}  // namespace
}  // namespace cli
