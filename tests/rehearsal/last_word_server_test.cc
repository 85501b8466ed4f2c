#include "tests/rehearsal/fixture.h"

// What the run's directory says is never more than what is true: of an earlier night, of other databases, of
// a verdict that nobody has recorded, or of somebody else's process.
namespace rehearsal {
namespace {

class LastWord : public MoveOfDatabases {
 protected:
  void SetUp() override {
    fill(first_);
    declare("");
    ASSERT_EQ(cutover({"run"}).exit_code, 4);
  }
  void go() const {
    const auto result = cutover({"run", "--final", "--yes"});
    ASSERT_EQ(result.exit_code, 0) << result.output << result.error;
  }
  support::ProcessResult killed(const std::vector<std::string>& arguments, const std::string& point) const {
    auto result = cutover(arguments, {{"CUTOVER_CRASH_AT", point}});
    EXPECT_EQ(result.exit_code, kKilled) << result.output << result.error;
    return result;
  }
  /// report.html and run-report.json, as somebody finds them; empty when there is none.
  std::string page() const { return text("report.html"); }
  std::string result() const { return text("run-report.json"); }
  void expect_no_go_on_disk() const {
    EXPECT_THAT(page(), Not(HasSubstr("<b>GO</b>")));
    EXPECT_THAT(result(), Not(HasSubstr(R"("verdict": "go")")));
  }
  void expect_go_on_disk() const {
    EXPECT_THAT(page(), HasSubstr("<b>GO</b>"));
    EXPECT_EQ(run_report().at("verdict"), "go");
  }

 private:
  std::string text(const std::string& name) const {
    std::ifstream in(directory_ / "cutover-run" / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(LastWord, NoPageOfAGoOutlivesIt) {
  ASSERT_NO_FATAL_FAILURE(go());
  expect_go_on_disk();
  killed({"run", "--final", "--again", "--yes"}, "run_step.before");
  expect_no_go_on_disk();
  ASSERT_NO_FATAL_FAILURE(go());
  expect_go_on_disk();

  // By hand.
  target_.exec("DELETE FROM t WHERE id = 7");
  const auto no = cutover({"check"});
  EXPECT_EQ(no.exit_code, 1) << no.output << no.error;
  EXPECT_THAT(page(), AllOf(HasSubstr("<b>NO-GO</b>"), HasSubstr("the run had said GO at 2")));
  expect_no_go_on_disk();
  EXPECT_EQ(run_report().at("verdict"), "no-go");
  EXPECT_THAT(cutover({"status"}).output, StartsWith("NO-GO: database "));
  const auto report = cutover({"report"});
  EXPECT_EQ(report.exit_code, 1);
  EXPECT_THAT(report.output, Not(HasSubstr("next: switch the application over")));
  target_.exec("INSERT INTO t VALUES (7, 7)");
  EXPECT_EQ(cutover({"check"}).exit_code, 0);
  expect_go_on_disk();
  EXPECT_THAT(page(), HasSubstr("checked since"));
}

TEST_F(LastWord, NoPageOfAGoOutlivesItsCopy) {
  ASSERT_NO_FATAL_FAILURE(go());
  const std::vector<std::string> restart{"copy", "--restart", "--run-dir", "cutover-run/database/"};
  EXPECT_EQ(cutover(restart).exit_code, 2) << "nobody says yes";
  expect_go_on_disk();
  auto yes = restart;
  yes.emplace_back("--yes");
  killed(yes, "chunk_copy.before");
  expect_no_go_on_disk();
  EXPECT_EQ(cutover({"copy", "--run-dir", "cutover-run/database"}).exit_code, 0);
  EXPECT_THAT(page(), HasSubstr("<b>INCOMPLETE</b>"));
  expect_no_go_on_disk();
  ASSERT_NO_FATAL_FAILURE(go());
  expect_go_on_disk();
}

// Before a newer copy is on record, the target may be empty already.
TEST_F(LastWord, AGoIsTakenBackBeforeItsCopyIsRemoved) {
  const std::vector<std::string> resume{"copy", "--run-dir", "cutover-run/database", "--yes"};
  auto restart = resume;
  restart.emplace_back("--restart");
  const auto expect_taken_back = [&] {
    expect_no_go_on_disk();
    EXPECT_THAT(cutover({"status"}).output, StartsWith("INCOMPLETE: a copy was begun after the verdict"));
    const auto report = cutover({"report"});
    EXPECT_EQ(report.exit_code, 4);
    EXPECT_THAT(report.output, Not(HasSubstr("\nGO: ")));
  };
  const auto end_it = [&] {
    const auto ended = cutover(restart);
    EXPECT_EQ(ended.exit_code, 0) << ended.output << ended.error;
    expect_taken_back();
    ASSERT_NO_FATAL_FAILURE(go());
    expect_go_on_disk();
  };
  ASSERT_NO_FATAL_FAILURE(go());
  killed(restart, "run_rows_removed.after");
  expect_taken_back();
  // What was finished is not; nor may another command go on with what is left of it.
  const auto half = cutover(resume);
  EXPECT_EQ(half.exit_code, 2) << half.output;
  EXPECT_THAT(half.error, HasSubstr("give --restart again"));
  expect_taken_back();
  EXPECT_THAT(cutover({"run", "--final", "--yes"}).exit_code, Not(0));
  ASSERT_NO_FATAL_FAILURE(end_it());

  killed(restart, "run_erased.after");
  expect_taken_back();
  ASSERT_NO_FATAL_FAILURE(end_it());

  // It does not end by a crash, and makes the pages anew.
  const auto failed = cutover(restart, {{"CUTOVER_SOURCE", "postgres://nobody@127.0.0.1:1/none"}});
  EXPECT_THAT(failed.exit_code, Not(0)) << failed.output;
  EXPECT_THAT(page(), HasSubstr("<b>INCOMPLETE</b>"));
  expect_taken_back();
  ASSERT_NO_FATAL_FAILURE(end_it());
}

TEST_F(LastWord, NobodyMakesAPageWhileACopyWorksByHand) {
  ASSERT_NO_FATAL_FAILURE(go());
  support::Session other(target_.url());
  other.exec("BEGIN; SELECT count(*) FROM t");
  support::Process copy(support::cutover_program(),
                        {"copy", "--run-dir", "cutover-run/database", "--yes", "--restart"},
                        {.directory = directory_.path()});
  target_.wait_until("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
  EXPECT_EQ(page(), "");
  for (const auto* command : {"check", "run"}) {
    const auto refused = cutover({command});
    EXPECT_EQ(refused.exit_code, 2) << refused.output;
    EXPECT_THAT(refused.error, HasSubstr(fmt::format("cutover-run is in use by process {}", copy.pid())));
  }
  EXPECT_EQ(cutover({"copy", "--run-dir", "cutover-run/database"}).exit_code, 2);
  EXPECT_EQ(page(), "");
  EXPECT_EQ(result(), "");
  other.exec("ROLLBACK");
  EXPECT_EQ(copy.wait().exit_code, 0);
  EXPECT_THAT(page(), HasSubstr("<b>INCOMPLETE</b>"));
}

TEST_F(LastWord, OnlyTheCopiesOfARunAreWhatItsVerdictIsAbout) {
  ASSERT_NO_FATAL_FAILURE(go());
  const auto other = [&](const std::string& run_dir, const support::TestDatabase& target) {
    const auto copied = cutover({"copy", "--run-dir", run_dir, "--target", target.url()});
    EXPECT_EQ(copied.exit_code, 0) << copied.output << copied.error;
  };
  other("cutover-run/other", second_target_);
  EXPECT_THAT(cutover({"status"}).output, StartsWith("GO: "));
  EXPECT_EQ(cutover({"report", "cutover-run"}).exit_code, 0);
  expect_go_on_disk();

  // Somebody else's files.
  const support::TestDatabase third{support::cluster(15, "target")};
  fs::create_directory(directory_ / "mine");
  std::ofstream(directory_ / "mine/run.json") << R"({"command": "start"})";
  std::ofstream(directory_ / "mine/report.html") << "mine";
  other("mine/database", third);
  EXPECT_TRUE(fs::exists(directory_ / "mine/report.html"));
}

// No smoke tests are declared, whose result would take its place.
TEST_F(LastWord, ACheckOfAnEarlierNightIsNoPartOfThisOne) {
  ASSERT_NO_FATAL_FAILURE(go());
  ASSERT_EQ(cutover({"fence", "off", "--yes"}).exit_code, 0);
  const support::Session writer(first_.url());
  const auto stopped = cutover({"run", "--final", "--again", "--yes"});
  ASSERT_EQ(stopped.exit_code, 4) << stopped.output << stopped.error;
  const auto report = run_report();
  EXPECT_EQ(report.at("steps").back().at("name"), "fence");
  for (const auto& kept : report.at("documents")) EXPECT_NE(kept.at("command"), "check");
  expect_no_go_on_disk();
  EXPECT_EQ(cutover({"check"}).exit_code, 5) << "somebody can still write";
  EXPECT_EQ(run_report().at("documents").at(0).at("verdict"), "go-with-waivers") << "one made since is";
}

// A variable that names another database, which is equal to what it is compared with.
TEST_F(LastWord, AVerdictIsAboutThePairThatWasMoved) {
  fill(second_);
  fill(second_target_);
  ASSERT_EQ(cutover({"fence", "on", "--yes"}).exit_code, 0);
  const auto steps = document("run.json").at("steps").size();
  const std::map<std::string, std::string> target{{"CUTOVER_TARGET", second_target_.url()}};
  const std::map<std::string, std::string> source{{"CUTOVER_SOURCE", second_.url()}};
  const auto expect_refused = [&](const std::map<std::string, std::string>& other, const char* which) {
    const auto refused = cutover({"check"}, other);
    EXPECT_EQ(refused.exit_code, 2) << refused.output << refused.error;
    EXPECT_THAT(refused.error, AllOf(HasSubstr(which), HasSubstr("give another --run-dir")));
    EXPECT_THAT(refused.output, Not(HasSubstr("GO")));
  };
  expect_refused(target, "is not the target of run");
  expect_refused(source, "is not the source of run");
  EXPECT_EQ(document("run.json").at("steps").size(), steps) << "it was about something else";
  const auto part = cutover({"check", "--only", "databases"}, target);
  EXPECT_EQ(part.exit_code, 0) << part.output << "that is not kept as the run's";
  EXPECT_EQ(document("run.json").at("steps").size(), steps);

  // Behind a GO the final run is this check alone.
  ASSERT_NO_FATAL_FAILURE(go());
  const auto night = cutover({"run", "--final", "--yes"}, target);
  EXPECT_EQ(night.exit_code, 2) << night.output << night.error;
  EXPECT_THAT(night.output, AllOf(HasSubstr("\nNO-GO: check: "), HasSubstr("is not the target of run")));

  // Who cannot be asked is looked at like all the rest.
  const auto gone = cutover({"check"}, {{"CUTOVER_TARGET", "postgres://nobody@127.0.0.1:1/none"}});
  EXPECT_EQ(gone.exit_code, 3) << gone.output << gone.error;
  EXPECT_THAT(gone.output, StartsWith("NO-GO: database "));
}

// Whoever has read a GO may have switched: then nothing is taken away from the target.
TEST_F(LastWord, AGoIsSaidWhenItIsRecorded) {
  constexpr const char* kCheck = "== check: ";
  // Fence, repair, check.
  const auto before = killed({"run", "--final", "--yes"}, "run_step.done:3");
  EXPECT_THAT(before.output, AllOf(HasSubstr(kCheck), Not(HasSubstr("GO"))));
  EXPECT_EQ(document("run.json").at("steps").back().at("exit_code"), nullptr);
  EXPECT_FALSE(fs::exists(directory_ / "cutover-run/check-report.json"));
  const auto after = killed({"run", "--final", "--yes"}, "run_step.after:3");
  EXPECT_THAT(after.output, HasSubstr("\nGO: "));
  EXPECT_EQ(document("run.json").at("steps").back().at("exit_code"), 0);
  target_.exec("INSERT INTO t VALUES (3000, 1)");
  EXPECT_EQ(cutover({"run", "--final", "--yes"}).exit_code, 1);
  EXPECT_EQ(target_.value("SELECT count(*) FROM t WHERE id = 3000"), "1");
}

// In a container the program has the same pid each time.
TEST(LastWordOfOthers, AnotherProcessOfTheSamePidIsNotTheRun) {
  const GatedMove move;
  support::Process run(support::cutover_program(), move.arguments(), move.options());
  move.wait_until_it_copies();
  const auto lock = move.directory / "cutover-run/lock";
  std::ifstream in(lock);
  const std::string owner{std::istreambuf_iterator<char>(in), {}};
  // The lock's file gets the pid of a process that becomes the other one.
  const auto same_pid = [&](const std::string& command) {
    return support::run(
        "/bin/sh",
        {"-c",
         fmt::format("echo $$ > cutover-run/lock; exec {} {} --source '{}' --target '{}'",
                     support::cutover_program().string(), command,
                     move.source.cluster().url(move.source.name(), "postgres", "sEcret"), move.target.url())},
        move.options());
  };
  for (const auto* command : {"check", "copy --restart --yes --run-dir cutover-run/database"}) {
    const auto refused = same_pid(command);
    EXPECT_EQ(refused.exit_code, 2) << refused.output << refused.error;
    EXPECT_THAT(refused.error, HasSubstr("cutover-run is in use by process "));
  }
  std::ofstream(lock) << owner;
  run.kill(SIGTERM);
  const auto stopped = run.wait();
  EXPECT_EQ(stopped.exit_code, 4) << stopped.output << stopped.error;
  EXPECT_TRUE(fs::exists(move.directory / "cutover-run/report.html"));
}

}  // namespace
}  // namespace rehearsal
