#include "tests/rehearsal/fixture.h"

// Moves that are declared in other ways.
namespace rehearsal {
namespace {

TEST_F(MoveOfDatabases, SeveralWithoutAFence) {
  fill(first_);
  fill(second_);
  std::ofstream(directory_ / "cutover.toml")
      << "databases = [\"" << first_.name() << "=" << target_.name() << "\", \"" << second_.name() << "="
      << second_target_.name() << "\"]\n[source]\nurl = \"" << first_.url() << "\"\n[target]\nurl = \""
      << target_.url() << "\"\n[run]\nfence = false\n[verify]\nstrong = true\n"
      << "[copy.where]\n\"public.t\" = \"id > 10\"\n";
  const auto ready = cutover({"run"});
  ASSERT_EQ(ready.exit_code, 4) << ready.output << ready.error;
  EXPECT_THAT(ready.output, HasSubstr("\nREADY: "));
  EXPECT_TRUE(fs::exists(directory_ / "cutover-run/database" / first_.name() / "verify-report.json"));

  second_.exec("UPDATE t SET n = -1 WHERE id = 500; INSERT INTO t VALUES (5000, 1)");
  const auto go = cutover({"run", "--final", "--yes"});
  EXPECT_EQ(go.exit_code, 5) << go.output << go.error;
  EXPECT_THAT(go.output, AllOf(HasSubstr("\nGO WITH WAIVERS: fence "), HasSubstr("[run] fence = false")));
  EXPECT_EQ(second_target_.value("SELECT sum(n) FROM t WHERE id IN (500, 5000)"), "0");
  EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "990");
  // One that was raised by hand, and holds, leaves nothing to waive.
  ASSERT_EQ(cutover({"fence", "on", "--yes"}).exit_code, 0);
  const auto plain = cutover({"run", "--final", "--yes"});
  EXPECT_EQ(plain.exit_code, 0) << plain.output << plain.error;
  EXPECT_THAT(plain.output, HasSubstr("\nGO: "));
  EXPECT_EQ(cutover({"clean", "--yes"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(directory_ / "cutover-run"));
}

// Of two databases and two directories, in one timeline, to a plain GO.
TEST_F(MoveOfDatabases, SeveralBehindAFenceWithSeveralDirectories) {
  fill(first_);
  fill(second_);
  const support::S3Fake bucket;
  const auto write = [&](const std::string& path, const std::string& content) {
    fs::create_directories((directory_ / path).parent_path());
    std::ofstream(directory_ / path) << content;
  };
  std::ofstream configuration(directory_ / "cutover.toml");
  configuration << fmt::format(
      "databases = [\"{}={}\", \"{}={}\"]\n[source]\nurl = \"{}\"\n[target]\nurl = \"{}\"\n", first_.name(),
      target_.name(), second_.name(), second_target_.name(), first_.url(), target_.url());
  for (const auto* tree : {"uploads", "public"}) {
    write(tree + std::string("/1.txt"), "1");
    configuration << fmt::format(
        "[[upload]]\nfrom = \"{0}\"\nto = \"s3://bucket/{0}\"\nendpoint_url = \"{1}\"\nregion = "
        "\"us-east-1\"\n",
        tree, bucket.url());
  }
  configuration.close();
  const auto ready = cutover({"run"});
  ASSERT_EQ(ready.exit_code, 4) << ready.output << ready.error;
  EXPECT_THAT(ready.output, HasSubstr("\nREADY: "));

  first_.exec("INSERT INTO t VALUES (5000, 1)");
  second_.exec("UPDATE t SET n = -1 WHERE id = 500");
  write("uploads/2.txt", "2");
  write("public/1.txt", "changed");
  const auto go = cutover({"run", "--final", "--end-sessions", "--yes"});
  ASSERT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_THAT(go.output, AllOf(HasSubstr("\nGO: "), HasSubstr(" of postgres://")));
  const auto report = run_report();
  EXPECT_EQ(report.at("verdict"), "go");
  std::vector<std::string> steps;
  for (const auto& step : report.at("steps")) steps.push_back(step.at("name"));
  EXPECT_THAT(steps, testing::ElementsAre("fence rights", "plan", "copy", "upload 1", "upload 2", "verify",
                                          "fence", "repair", "last upload 1", "last upload 2", "check"));
  // Of the check: two comparisons, two uploads, two fences.
  EXPECT_EQ(report.at("documents").at(0).at("checks").size(), 6U)
      << report.at("documents").at(0).at("checks");
  for (const auto* source : {&first_, &second_})
    EXPECT_THROW(source->exec("INSERT INTO t VALUES (6000, 1)"), std::runtime_error);
  EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "1001");
  EXPECT_EQ(second_target_.value("SELECT n FROM t WHERE id = 500"), "-1");
  EXPECT_EQ(bucket.objects().size(), 3U);
  EXPECT_EQ(bucket.objects().at("public/1.txt").content, "changed");

  ASSERT_EQ(cutover({"fence", "off", "--yes"}).exit_code, 0);
  for (const auto* source : {&first_, &second_})
    EXPECT_NO_THROW(source->exec("INSERT INTO t VALUES (6000, 1)"));
}

TEST_F(MoveOfDatabases, WhatIsMoreThanTheRepairMayMendIsCopiedAnew) {
  fill(first_);
  declare("");
  ASSERT_EQ(cutover({"run"}).exit_code, 4);
  first_.exec("UPDATE t SET n = n + 1");
  const auto stopped = cutover({"run", "--final", "--yes"});
  EXPECT_EQ(stopped.exit_code, 1) << stopped.output << stopped.error;
  EXPECT_THAT(stopped.output, AllOf(HasSubstr("\nNO-GO: repair: "), HasSubstr("[repair] most"),
                                    HasSubstr("cutover copy --restart --run-dir cutover-run/database")));
  EXPECT_EQ(target_.value("SELECT sum(n) FROM t"), "500500") << "nothing was changed";
  const auto copied = cutover({"copy", "--restart", "--run-dir", "cutover-run/database", "--yes"});
  ASSERT_EQ(copied.exit_code, 0) << copied.output << copied.error;
  const auto go = cutover({"run", "--final", "--yes"});
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_EQ(run_report().at("verdict"), "go");
  EXPECT_EQ(target_.value("SELECT sum(n) FROM t"), "501500");
  // With the fence down again, what the copy recorded is no longer what to compare with.
  ASSERT_EQ(cutover({"fence", "off", "--yes"}).exit_code, 0);
  first_.exec("UPDATE t SET n = 0 WHERE id = 1");
  EXPECT_EQ(cutover({"run"}).exit_code, 4) << "a comparison with what the copy has recorded";
  first_.exec("INSERT INTO t VALUES (2000, 1)");
  // After a GO the application may be at the target: nothing is taken away from it unasked.
  target_.exec("INSERT INTO t VALUES (3000, 1)");
  EXPECT_EQ(cutover({"run", "--final", "--yes"}).exit_code, 1);
  EXPECT_EQ(cutover({"run", "--final", "--yes"}).exit_code, 1) << "nor the second time";
  EXPECT_EQ(target_.value("SELECT count(*) FROM t WHERE id = 3000"), "1");
  ASSERT_EQ(cutover({"run", "--final", "--again", "--yes"}).exit_code, 0);
  EXPECT_EQ(target_.value("SELECT count(*) FROM t WHERE id = 3000"), "0");
  const auto again = cutover({"run"});
  EXPECT_EQ(again.exit_code, 4) << again.output;
  EXPECT_THAT(again.output, HasSubstr("--independent"));
}

// Its rows are those of a copy that the verdict was not about, and none of the application's are among them.
TEST_F(MoveOfDatabases, AGoIsNoneOfACopyThatWasStartedOverSince) {
  fill(first_);
  declare("");
  ASSERT_EQ(cutover({"run"}).exit_code, 4);
  ASSERT_EQ(cutover({"run", "--final", "--yes"}).exit_code, 0);
  ASSERT_EQ(cutover({"fence", "off", "--yes"}).exit_code, 0);
  EXPECT_EQ(cutover({"report"}).exit_code, 0);
  const auto refused = cutover({"copy", "--restart", "--run-dir", "cutover-run/database"});
  EXPECT_EQ(refused.exit_code, 2) << "nobody says yes";
  EXPECT_THAT(cutover({"status"}).output, testing::StartsWith("GO: ")) << "so it stands";
  first_.exec("UPDATE t SET n = 0 WHERE id = 1");
  ASSERT_EQ(cutover({"copy", "--restart", "--run-dir", "cutover-run/database", "--yes"}).exit_code, 0);
  EXPECT_THAT(cutover({"status"}).output, HasSubstr("INCOMPLETE: a copy was begun after the verdict"));
  const auto report = cutover({"report"});
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_THAT(report.output, testing::Not(HasSubstr("\nGO: ")));
  first_.exec("UPDATE t SET n = 0 WHERE id = 2");
  const auto go = cutover({"run", "--final", "--yes"});
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_EQ(target_.value("SELECT n FROM t WHERE id = 2"), "0") << "the night was done anew";
  EXPECT_EQ(cutover({"report"}).exit_code, 0);
}

TEST_F(MoveOfDatabases, OneThatWasMovedIsNotForgottenAndNoneIsAddedBehindAGo) {
  fill(first_);
  fill(second_);
  const auto pair = [](const support::TestDatabase& source, const support::TestDatabase& target) {
    return fmt::format("{}={}", source.name(), target.name());
  };
  declare("");
  const auto run = [&](const std::string& databases, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"run", "--databases", databases});
    return cutover(more);
  };
  const auto one = pair(first_, target_);
  const auto both = one + "," + pair(second_, second_target_);
  ASSERT_EQ(run(one).exit_code, 4);
  ASSERT_EQ(run(one, {"--final", "--yes"}).exit_code, 0);
  // Another one would make that GO, and what the application wrote since, look like nothing.
  target_.exec("INSERT INTO t VALUES (3000, 1)");
  const auto added = run(both);
  EXPECT_EQ(added.exit_code, 2) << added.output;
  EXPECT_THAT(added.error, HasSubstr("has said GO, and not every database is copied"));
  EXPECT_EQ(run(one, {"--final", "--yes"}).exit_code, 1) << "the GO is remembered";
  EXPECT_EQ(target_.value("SELECT count(*) FROM t WHERE id = 3000"), "1");
  target_.exec("DELETE FROM t WHERE id = 3000");

  ASSERT_EQ(run(both, {"--final", "--again", "--yes"}).exit_code, 0);
  for (const auto& command : {"run", "check"}) {
    const auto forgotten = cutover({command, "--databases", one});
    EXPECT_EQ(forgotten.exit_code, 2) << forgotten.output;
    EXPECT_THAT(forgotten.error, AllOf(HasSubstr("cutover-run/database/" + second_.name() + " has moved"),
                                       HasSubstr("not declared now")));
    EXPECT_EQ(cutover({command}).exit_code, 2) << "nor is it the database of the URLs";
  }
  EXPECT_EQ(cutover({"check", "--databases", both}).exit_code, 0);
}

// Databases on other servers are moves of their own: a file and a run directory each, and all must say GO.
TEST_F(MoveOfDatabases, OnSeveralServersHaveAFileEach) {
  fill(first_);
  fill(second_);
  const auto write = [&](const std::string& name, const support::TestDatabase& source,
                         const support::TestDatabase& target) {
    std::ofstream(directory_ / (name + ".toml"))
        << fmt::format("[source]\nurl = \"{}\"\n[target]\nurl = \"{}\"\n[copy]\nrun_dir = \"move-{}\"\n",
                       source.url(), target.url(), name);
  };
  write("auth", first_, target_);
  write("cash", second_, second_target_);
  const auto each = [&](std::vector<std::string> arguments) {
    std::vector<int> codes;
    for (const auto* file : {"auth.toml", "cash.toml"}) {
      auto all = arguments;
      all.insert(all.end(), {"--config", file});
      codes.push_back(cutover(all).exit_code);
    }
    return codes;
  };
  EXPECT_THAT(each({"run"}), testing::ElementsAre(4, 4));
  first_.exec("INSERT INTO t VALUES (5000, 1)");
  second_.exec("UPDATE t SET n = -1 WHERE id = 500");
  EXPECT_THAT(each({"run", "--final", "--yes"}), testing::ElementsAre(0, 0));
  EXPECT_THAT(each({"check", "--require-fence"}), testing::ElementsAre(0, 0));
  second_target_.exec("DELETE FROM t WHERE id = 7");
  EXPECT_THAT(each({"check", "--require-fence"}), testing::ElementsAre(0, 1));
  const auto both = cutover({"report", "move-auth", "--with", "move-cash", "--format", "html"});
  EXPECT_THAT(both.output, AllOf(HasSubstr("<b>GO</b>"), HasSubstr("NO-GO"))) << both.error;
  EXPECT_EQ(both.exit_code, 1) << "a GO of before is no longer the last word";
}

// What is waived of definitions does not stop the rows from being brought over; the verdict names it.
TEST_F(MoveOfDatabases, WaivedDifferencesOfDefinitionsAreNamed) {
  fill(first_);
  declare("[verify]\nwaive = [\"index public.t_*\"]\n");
  ASSERT_EQ(cutover({"run"}).exit_code, 4);
  target_.exec("CREATE INDEX t_n ON t (n); CREATE INDEX t_m ON t (n)");
  first_.exec("INSERT INTO t VALUES (2000, 1)");
  const auto go = cutover({"run", "--final", "--yes"});
  EXPECT_EQ(go.exit_code, 5) << go.output << go.error;
  EXPECT_THAT(go.output,
              AllOf(HasSubstr("\nGO WITH WAIVERS: database "), HasSubstr("waived: index public.t_m")));
  EXPECT_EQ(run_report().at("waivers").size(), 2U);
  EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "1001");
  // The same without the waiver is no GO, and nothing says otherwise.
  declare("");
  const auto no = cutover({"check"});
  EXPECT_EQ(no.exit_code, 1);
  EXPECT_THAT(no.output, StartsWith("NO-GO: database "));
}

TEST_F(MoveOfDatabases, DirectoriesOfRunsAndOfCommandsAreNotMixed) {
  fill(first_);
  declare("");
  ASSERT_EQ(cutover({"run"}).exit_code, 4);
  const auto copy = cutover({"copy"});
  EXPECT_EQ(copy.exit_code, 2);
  EXPECT_THAT(copy.error, HasSubstr("cutover-run is the directory of a `cutover run`"));
  const auto run = cutover({"run", "--run-dir", "cutover-run/database"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.error, HasSubstr("is the run directory of one command"));
  EXPECT_EQ(cutover({"run", "--end-sessions"}).exit_code, 2);
  std::ofstream(directory_ / "cutover.toml") << "";
  EXPECT_THAT(cutover({"run"}).error, HasSubstr("no source was given")) << "it has moved databases";
  EXPECT_THAT(cutover({"run", "--run-dir", "new"}).error, HasSubstr("there is nothing to move"));
}

TEST(Uploads, EachOfSeveralHasItsOwnRunDirectory) {
  const Application application;
  application.target.exec("CREATE TABLE documents (file_path text)");
  const auto both = application.cutover({"upload"});
  EXPECT_EQ(both.exit_code, 0) << both.output << both.error;
  EXPECT_EQ(application.bucket.objects().size(), static_cast<size_t>(kDocuments + 2));
  EXPECT_TRUE(fs::exists(application.directory / "cutover-upload-1/report.json"));
  EXPECT_TRUE(fs::exists(application.directory / "cutover-upload-2/report.json"));
  application.write("public/new.txt", "new");
  const auto one = application.cutover({"upload", "public"});
  EXPECT_EQ(one.exit_code, 0) << one.output << one.error;
  EXPECT_THAT(one.output, HasSubstr("1 (3 B), 2 unchanged"));
  const auto shared = application.cutover({"upload", "--run-dir", "one"});
  EXPECT_EQ(shared.exit_code, 2);
  EXPECT_THAT(shared.error, HasSubstr("--run-dir names one for all of the 2 [[upload]]"));
  const auto shown = application.cutover({"config", "check"});
  EXPECT_THAT(shown.output, AllOf(HasSubstr("upload[1].from"), HasSubstr("upload[2].from")));
}

}  // namespace
}  // namespace rehearsal
