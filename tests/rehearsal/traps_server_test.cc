#include <functional>

#include "tests/rehearsal/fixture.h"

// What once let a run go on, or say GO, when it should not have.
namespace rehearsal {
namespace {

std::string first_line(const support::ProcessResult& result) {
  return result.output.substr(0, result.output.find('\n'));
}

TEST(RehearsalTraps, TheEnvironmentDecidesNothingForTheSteps) {
  Application application;
  const auto go =
      application.cutover({"run", "--final", "--yes"}, {{"CUTOVER_ONLY", "smoke"}, {"CUTOVER_DRY_RUN", "1"}});
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_EQ(application.document("check-report.json").at("checks").size(), 7U);
  application.expect_moved();
  // Tables and files at once.
  for (const auto* command : {"run", "check"}) {
    const auto both = application.cutover({command}, {{"CUTOVER_INCLUDE", "public.*"}});
    EXPECT_EQ(both.exit_code, 2) << both.output;
    EXPECT_THAT(both.error, HasSubstr("CUTOVER_INCLUDE means one thing to "));
  }
}

TEST(RehearsalTraps, WhatIsDeclaredOfACommandBreaksNoStep) {
  Application application;
  std::ofstream(application.directory / "cutover.toml", std::ios::app)
      << "[check]\nrequire_fence = true\n[verify]\nindependent = true\nlevel = \"counts\"\n";
  const std::map<std::string, std::string> list{{"CUTOVER_VERIFY", "list"}};
  ASSERT_EQ(application.cutover({"run"}, list).exit_code, 4);
  application.target.exec(R"(UPDATE "User" SET "displayName" = 'other' WHERE email = 'user1@example.org')");
  EXPECT_EQ(application.cutover({"run"}, list).exit_code, 1) << "READY is about rows, not about counts";
  application.target.exec("UPDATE \"User\" SET \"displayName\" = '" +
                          application.source.value("SELECT \"displayName\" FROM \"User\" WHERE email = "
                                                   "'user1@example.org'") +
                          "' WHERE email = 'user1@example.org'");
  const auto go = application.cutover({"run", "--final", "--yes"}, list);
  ASSERT_EQ(go.exit_code, 0) << go.output << go.error;
  // Of the same size: a listing would not know, nor what is left of a sample.
  application.bucket.put("public/css/site.css", "body []");
  for (const auto* verify : {"list", "download=1%", "download"}) {
    const auto no = application.cutover({"check"}, {{"CUTOVER_VERIFY", verify}});
    EXPECT_EQ(no.exit_code, 1) << verify << no.output;
    EXPECT_THAT(first_line(no), HasSubstr("different: css/site.css: ")) << verify;
  }
}

TEST(RehearsalTraps, WhatIsWrongWithTheNightIsFoundInTheRehearsal) {
  Application application;
  const auto refused = application.cutover({"run"}, {{"CUTOVER_MOST", "200"}});
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_THAT(refused.error, HasSubstr("step repair: CUTOVER_MOST: "));
  EXPECT_FALSE(fs::exists(application.directory / "cutover-run/run.json"));
  // What the check compares with is not what the step behind the copy does.
  const auto contradiction =
      application.cutover({"run"}, {{"CUTOVER_STRONG", "1"}, {"CUTOVER_SERVER_SIDE", "1"}});
  EXPECT_EQ(contradiction.exit_code, 2) << contradiction.output;
  EXPECT_THAT(contradiction.error, HasSubstr("--server-side cannot be used with --strong"));
  EXPECT_FALSE(fs::exists(application.directory / "cutover-run/run.json"));
  const auto taken =
      application.cutover({"run", "--serve", fmt::format("127.0.0.1:{}", application.new_stack.port())});
  EXPECT_EQ(taken.exit_code, 2);
  EXPECT_FALSE(fs::exists(application.directory / "cutover-run/run.json"));
}

// A URL that names another database than was meant, or a pattern with a slip in it.
TEST(RehearsalTraps, NothingIsEqualToNothing) {
  const support::TempDir directory;
  const support::TestDatabase source(support::cluster(15, "source"));
  const support::TestDatabase target(support::cluster(15, "target"));
  const auto cutover = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--source", source.url(), "--target", target.url()});
    return support::cutover(arguments, {.directory = directory.path()});
  };
  for (const auto& arguments :
       {std::vector<std::string>{"run"}, {"run", "--final", "--yes"}, {"check"}, {"verify"}}) {
    const auto nothing = cutover(arguments);
    EXPECT_EQ(nothing.exit_code, 3) << nothing.output << nothing.error;
    EXPECT_THAT(nothing.output, HasSubstr("nothing was compared"));
  }
  source.exec("CREATE TABLE t (id int)");
  EXPECT_EQ(cutover({"check"}).exit_code, 1) << "then something differs";
  target.exec("CREATE TABLE t (id int)");
  EXPECT_EQ(cutover({"verify"}).exit_code, 0);
  EXPECT_EQ(cutover({"verify", "--include", "public.t,pubic.*"}).exit_code, 3);
  EXPECT_EQ(cutover({"verify", "--level", "catalog", "--include", "pubic.*"}).exit_code, 3);
  const auto left_out = cutover({"verify", "--exclude", "pubic.*"});
  EXPECT_EQ(left_out.exit_code, 0);
  EXPECT_THAT(left_out.output, HasSubstr("--exclude pubic.*: matches no relation"));
  const auto blocked = cutover({"plan", "--include", "public.t,pubic.*"});
  EXPECT_EQ(blocked.exit_code, 2);
  EXPECT_THAT(blocked.output, HasSubstr("--include pubic.*: matches no relation"));
  const auto warned = cutover({"plan", "--exclude", "pubic.*"});
  EXPECT_EQ(warned.exit_code, 0) << warned.output;
  EXPECT_THAT(warned.output, HasSubstr("--exclude pubic.*: matches no relation"));
  // One of several databases need not have what a pattern is meant for, as long as it has something.
  const auto several = fmt::format("{}={}", source.name(), target.name());
  EXPECT_EQ(cutover({"verify", "--databases", several, "--include", "public.t,app.*"}).exit_code, 0);
  EXPECT_EQ(cutover({"verify", "--databases", several, "--include", "app.*"}).exit_code, 3);
}

// What the database mentions is looked for where the rows are compared.
TEST(RehearsalTraps, ATypedTargetIsThatOfTheReferences) {
  const Application application;
  const auto path = application.directory / "cutover.toml";
  std::ifstream in(path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto database = text.find("database = ");
  text.erase(database, text.find('\n', database) + 1 - database);
  std::ofstream(path) << text;
  const auto run_json = application.directory / "cutover-run/run.json";
  const auto pairs = fmt::format("{}={},postgres", application.source.name(), application.target.name());
  const auto several = application.cutover({"run", "--databases", pairs});
  EXPECT_EQ(several.exit_code, 2) << several.output;
  EXPECT_THAT(several.error, AllOf(HasSubstr("step upload 1: "), HasSubstr("--refs needs one database")));
  EXPECT_FALSE(fs::exists(run_json)) << "it is asked before anything is copied";

  const support::TestDatabase typed(support::cluster(15, "target"));
  const auto moved = application.cutover({"run", "--target", typed.url()});
  EXPECT_EQ(moved.exit_code, 4) << moved.output << moved.error;
  const auto check = [&](const std::string& target) {
    return application.cutover({"check", "--only", "uploads", "--target", target});
  };
  EXPECT_EQ(check(typed.url()).exit_code, 0);
  typed.exec("UPDATE documents SET file_path = '/uploads/gone.pdf' WHERE id = 1");
  const auto gone = check(typed.url());
  EXPECT_EQ(gone.exit_code, 1) << gone.output << gone.error;
  EXPECT_THAT(first_line(gone), HasSubstr("gone.pdf: documents.file_path mentions it"));
}

// A shell in which nobody said "export CUTOVER_SOURCE".
TEST(RehearsalTraps, DatabasesDoNotDropOutOfTheVerdict) {
  const Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  const auto path = application.directory / "cutover.toml";
  std::ifstream in(path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text = text.substr(text.find("[copy]"));
  std::ofstream(path) << text;
  const std::map<std::string, std::string> half{{"CUTOVER_TARGET", application.target.url()}};
  for (const auto& arguments : {std::vector<std::string>{"check"}, {"run", "--final", "--yes"}, {"run"}}) {
    const auto one = application.cutover(arguments, half);
    EXPECT_EQ(one.exit_code, 2) << one.output;
    EXPECT_THAT(one.error, HasSubstr("no source"));
    const auto none = application.cutover(arguments);
    EXPECT_EQ(none.exit_code, 2) << none.output;
  }
  EXPECT_THAT(application.cutover({"check"}).error, HasSubstr("the run in cutover-run has moved databases"));
  EXPECT_EQ(application.cutover({"check", "--only", "databases"}, half).exit_code, 2);
  const auto slip = application.cutover({"check"}, {{"CUTOVER_SOUCE", application.source.url()}});
  EXPECT_EQ(slip.exit_code, 2);
  EXPECT_THAT(slip.error, HasSubstr("did you mean CUTOVER_SOURCE?"));
  const auto rest = application.cutover({"check", "--only", "uploads,smoke"}, half);
  EXPECT_EQ(rest.exit_code, 0) << rest.output << rest.error;
  EXPECT_THAT(rest.output, AllOf(StartsWith("GO for the uploads and the smoke tests alone: 5 checks passed"),
                                 HasSubstr("the databases: left out by --only")));
}

// A shorter cutover.toml, or one of another directory.
TEST(RehearsalTraps, UploadsDoNotDropOutOfTheVerdict) {
  const Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  const auto path = application.directory / "cutover.toml";
  std::ifstream in(path);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const auto second = whole.rfind("[[upload]]");
  std::ofstream(path) << whole.substr(0, second) << whole.substr(whole.find("[[check.http]]"));
  for (const auto& arguments : {std::vector<std::string>{"check"}, {"run", "--final", "--yes"}, {"run"}}) {
    const auto forgotten = application.cutover(arguments);
    EXPECT_EQ(forgotten.exit_code, 2) << forgotten.output;
    EXPECT_THAT(
        forgotten.error,
        HasSubstr("cutover-run/upload-2 has moved files to s3://bucket/public/, which is not declared"));
  }
  EXPECT_FALSE(application.source.value("SHOW default_transaction_read_only") == "on");
  EXPECT_EQ(application.cutover({"check", "--only", "uploads"}).exit_code, 0) << "that is what was asked for";
  // What has a run of its own and is meant to go is said to.
  ASSERT_EQ(application.cutover({"clean", "--run-dir", "cutover-run/upload-2", "--yes"}).exit_code, 0);
  EXPECT_EQ(application.cutover({"check"}).exit_code, 5);
}

// A variable that names another database that night.
TEST(RehearsalTraps, NobodyElsesDatabaseIsFenced) {
  const Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  const support::TestDatabase other(support::cluster(15, "source"));
  other.exec("CREATE TABLE t (id int)");
  const auto stopped = application.cutover({"run", "--final", "--yes"}, {{"CUTOVER_SOURCE", other.url()}});
  EXPECT_EQ(stopped.exit_code, 2) << stopped.output << stopped.error;
  EXPECT_THAT(stopped.output, AllOf(HasSubstr("\nNO-GO: fence: "), HasSubstr("is not the source of run")));
  EXPECT_EQ(other.value("SHOW default_transaction_read_only"), "off");
  EXPECT_EQ(application.cutover({"run", "--final", "--yes"}).exit_code, 0);
}

// In a container it names the run's directory for every command.
TEST(RehearsalTraps, TheRunsDirectoryMayBeInTheEnvironment) {
  const Application application;
  const std::map<std::string, std::string> named{{"CUTOVER_RUN_DIR", "volume"}};
  ASSERT_EQ(application.cutover({"run"}, named).exit_code, 4);
  const auto go = application.cutover({"run", "--final", "--yes"}, named);
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  const auto again = application.cutover({"check"}, named);
  EXPECT_EQ(again.exit_code, 0) << again.output << again.error;
  EXPECT_FALSE(fs::exists(application.directory / "cutover-run"));
}

// What only looked at a part of it, or at a source that goes on changing, is no GO of the run.
TEST(RehearsalTraps, APartialGoIsNotTheRuns) {
  const Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  const auto steps = application.document("run.json").at("steps").size();
  const auto part = application.cutover({"check", "--only", "databases", "--json"});
  EXPECT_EQ(part.exit_code, 5) << part.output << part.error;
  EXPECT_EQ(nlohmann::json::parse(part.output).at("parts_left_out").size(), 2U);
  EXPECT_EQ(application.document("run.json").at("steps").size(), steps);
  EXPECT_EQ(application.cutover({"check"}, {{"CUTOVER_ONLY", "databases"}}).exit_code, 5);
  EXPECT_EQ(application.document("run.json").at("steps").size(), steps);

  const auto unfenced = application.cutover({"check"});
  EXPECT_EQ(unfenced.exit_code, 5) << unfenced.output << unfenced.error;
  EXPECT_EQ(application.document("run.json").at("steps").size(), steps + 1);
  application.source.exec(
      R"(INSERT INTO "Order" (id, "userId", total) VALUES ('new', md5('user 1')::uuid, 1))");
  const auto night = application.cutover({"run", "--final", "--yes"});
  EXPECT_EQ(night.exit_code, 0) << night.output << night.error;
  EXPECT_THAT(night.output, AllOf(HasSubstr("== fence: "), HasSubstr("== repair: ")));
  application.expect_moved();
}

// The fence is no lock: what somebody writes past it, behind the comparison's back, is in no snapshot of it.
TEST(RehearsalTraps, AWriteDuringTheCheckIsSeen) {
  const support::TempDir directory;
  const support::TestDatabase source(support::cluster(15, "source"));
  const support::TestDatabase target(support::cluster(15, "target"));
  for (const auto* database : {&source, &target})
    database->exec(
        "CREATE TABLE early (id int, filler text); INSERT INTO early SELECT i, repeat('x', 500) FROM "
        "generate_series(1, 1000) i; CREATE TABLE late (id int); INSERT INTO late VALUES (1);"
        "CREATE FUNCTION held() RETURNS boolean LANGUAGE sql AS "
        "'SELECT pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1); SELECT true'");
  const auto arguments = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--source", source.url()});
    return more;
  };
  ASSERT_EQ(support::cutover(arguments({"fence", "on", "--yes"}), {.directory = directory.path()}).exit_code,
            0);
  const auto check_while = [&](const std::function<void(support::Session&)>& write) {
    support::Session holder(source.url());
    holder.exec("SELECT pg_advisory_lock(1)");
    support::Process check(
        support::cutover_program(), arguments({"check", "--target", target.url(), "--require-fence"}),
        {.environment = {{"CUTOVER_WHERE", "public.late=public.held()"}, {"CUTOVER_JOBS", "1"}},
         .directory = directory.path()});
    source.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    support::Session writer(source.url());
    writer.exec("SET default_transaction_read_only = off");
    write(writer);
    holder.exec("SELECT pg_advisory_unlock(1)");
    return check.wait();
  };
  const auto quiet = check_while([](support::Session& session) { session.exec("SELECT 1"); });
  EXPECT_EQ(quiet.exit_code, 0) << quiet.output << quiet.error;
  const auto elsewhere = check_while([](support::Session&) {
    const support::TestDatabase other(support::cluster(15, "source"));
    other.exec("CREATE TABLE t (id int)");
  });
  EXPECT_EQ(elsewhere.exit_code, 0) << elsewhere.output << elsewhere.error;
  // It is gone when it has told what it wrote.
  const auto gone = [&] {
    source.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'late'");
  };
  const auto late = check_while([&](support::Session&) {
    {
      support::Session past(source.url());
      past.exec("SET application_name = 'late'; SET default_transaction_read_only = off");
      past.exec("INSERT INTO early VALUES (0, 'late')");
    }
    gone();
  });
  EXPECT_EQ(late.exit_code, 1) << late.output << late.error;
  EXPECT_THAT(first_line(late), HasSubstr("the source was written to while it was compared"));
  // One that stays has told nobody yet: it is waited for.
  target.exec("INSERT INTO early VALUES (0, 'late')");
  const auto staying =
      check_while([](support::Session& session) { session.exec("DELETE FROM early WHERE id = 0"); });
  EXPECT_EQ(staying.exit_code, 1) << staying.output << staying.error;
  EXPECT_THAT(first_line(staying), HasSubstr("the source was written to while it was compared"));
  // What cannot be known is no waiver that anybody has declared.
  target.exec("DELETE FROM early WHERE id = 0");
  const auto lost =
      check_while([](support::Session& session) { session.exec("SELECT pg_stat_reset(), txid_current()"); });
  EXPECT_EQ(lost.exit_code, 3) << lost.output << lost.error;
  EXPECT_THAT(first_line(lost), HasSubstr("nobody can tell whether the source was written to"));
}

TEST(RehearsalTraps, AnEmptyDirectoryMayNotBeMounted) {
  Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  fs::rename(application.directory / "public", application.directory / "away");
  fs::create_directory(application.directory / "public");
  const auto stopped = application.cutover({"run", "--final", "--yes"});
  EXPECT_EQ(stopped.exit_code, 3) << stopped.output << stopped.error;
  EXPECT_THAT(stopped.output, AllOf(HasSubstr("\nNO-GO: last upload 2: "), HasSubstr("mounted?")));
  const auto checked = application.cutover({"check", "--only", "uploads"});
  EXPECT_EQ(checked.exit_code, 3) << checked.output;
  // Nothing was compared where nothing ever was, either.
  application.bucket.erase("public/logo.svg");
  application.bucket.erase("public/css/site.css");
  const auto never = application.cutover({"check", "--only", "uploads"});
  EXPECT_EQ(never.exit_code, 3) << never.output;
  EXPECT_THAT(first_line(never), HasSubstr("nothing was compared"));
}

// The application may be at the target: what its users wrote there must not be taken for what is too much.
TEST(RehearsalTraps, AGoByHandIsRemembered) {
  Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  ASSERT_EQ(application.cutover({"fence", "on", "--yes"}).exit_code, 0);
  const auto go = application.cutover({"check"});
  ASSERT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_EQ(application.document("run.json").at("steps").back().at("headline").get<std::string>() + "\n",
            first_line(go) + "\n");
  application.target.exec(
      R"(INSERT INTO "Order" (id, "userId", total) VALUES ('new', md5('user 1')::uuid, 1))");
  const auto no = application.cutover({"run", "--final", "--yes"});
  EXPECT_EQ(no.exit_code, 1) << no.output << no.error;
  EXPECT_THAT(no.output, HasSubstr("if the application has not moved, "));
  EXPECT_EQ(application.target.value("SELECT count(*) FROM \"Order\" WHERE id = 'new'"), "1");

  // Without the timeline nobody knows; it is not taken for one that says nothing.
  std::ofstream(application.directory / "cutover-run/run.json") << "{\"steps\": [";
  const auto lost = application.cutover({"run", "--final", "--yes"});
  EXPECT_EQ(lost.exit_code, 3) << lost.output;
  EXPECT_THAT(lost.error, HasSubstr("run.json cannot be read"));
  EXPECT_EQ(application.target.value("SELECT count(*) FROM \"Order\" WHERE id = 'new'"), "1");
}

}  // namespace
}  // namespace rehearsal
