// What a repair must not do: harm a target, or say that it did something that it did not.

#include <csignal>

#include <fmt/format.h>

#include "tests/verify/patient.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPlain =
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, "
    "9) "
    "i;";

TEST(RepairSafety, APoolerIsRefused) {
  const Patient patient(kPlain, kPlain);
  const auto target = fmt::format("host=db-pooler.example hostaddr=127.0.0.1 port={} user=postgres dbname={}",
                                  target_server().port(), patient.target.name());
  for (const auto* command : {"repair", "verify"}) {
    const auto refused =
        support::cutover({command, "--no-progress", "--source", patient.source.url(), "--target", target});
    EXPECT_TRUE(exits(refused, 2));
    EXPECT_THAT(refused.error, HasSubstr("use the direct host: db.example"));
  }
}

// A trigger checks deferrable constraints, which does not fire in the replica role.
TEST(RepairSafety, ADeferrableConstraintIsKept) {
  const char* sql =
      "CREATE TABLE t (id int PRIMARY KEY, u text UNIQUE DEFERRABLE); INSERT INTO t VALUES (1, 'a'), (2, "
      "'b')";
  const Patient patient(sql, sql);
  patient.target.exec("UPDATE t SET u = 'x' WHERE id = 1; INSERT INTO t VALUES (3, 'a')");
  const auto before = patient.rows("t");
  const auto refused = patient.apply({"--where", "public.t=id < 3"});
  EXPECT_EQ(refused.code(), 3) << refused.text();
  EXPECT_THAT(refused.process.error, HasSubstr("t_u_key"));
  EXPECT_EQ(patient.rows("t"), before);
  EXPECT_EQ(patient.apply().code(), 0);
  patient.expect_equal();
}

TEST(RepairSafety, AForeignKeyOfAPartitionCounts) {
  const std::string sql = R"(
    CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE par (id int PRIMARY KEY);
    CREATE TABLE tree (m mood, id int, p int, PRIMARY KEY (m, id)) PARTITION BY HASH (m);
    CREATE TABLE tree0 PARTITION OF tree FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE tree1 PARTITION OF tree FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    ALTER TABLE tree0 ADD FOREIGN KEY (p) REFERENCES par; ALTER TABLE tree1 ADD FOREIGN KEY (p) REFERENCES par;
    INSERT INTO par VALUES (1); INSERT INTO tree VALUES ('sad', 1, 1), ('ok', 1, 1);)";
  const Patient patient(sql, sql);
  patient.source.exec("INSERT INTO par VALUES (2); INSERT INTO tree VALUES ('sad', 2, 2), ('ok', 2, 2)");
  const auto refused = patient.apply({"--exclude", "public.par"});
  EXPECT_EQ(refused.code(), 3) << refused.text();
  EXPECT_THAT(refused.process.error, HasSubstr("would be violated"));
  EXPECT_EQ(patient.target.value("SELECT count(*) FROM tree"), "2");
  EXPECT_EQ(patient.apply().code(), 0);
  patient.expect_equal();
}

// The row has the key on both sides, and satisfies the condition on one.
TEST(RepairSafety, AConditionThatHoldsOnOneSideLosesNoRow) {
  const Patient patient(kPlain, kPlain);
  patient.target.exec("UPDATE t SET v = 'odd' WHERE id = 3");
  const auto done = patient.apply({"--where", "public.t=v = 'odd'"});
  EXPECT_EQ(done.code(), 0) << done.text();
  patient.expect_equal();
}

// 0 and -0 are one key, and are written as two that are far from each other.
TEST(RepairSafety, KeysThatAreEqualAndWrittenDifferently) {
  const char* sql =
      "CREATE TABLE t (k float8 PRIMARY KEY, v int); INSERT INTO t SELECT -i, 0 FROM generate_series(1, 700) "
      "i;";
  const Patient patient(sql, sql);
  patient.source.exec("INSERT INTO t VALUES ('-0', 1)");
  patient.target.exec("UPDATE t SET v = 1 WHERE k < 0; INSERT INTO t VALUES (0, 2)");
  const auto done = patient.apply({"--most", "100"});
  EXPECT_EQ(done.code(), 0) << done.text();
  patient.expect_equal();
}

TEST(RepairSafety, KeysOfAnExtensionAreNotLookedFor) {
  const std::string sql =
      std::string(kPlain) +
      "CREATE EXTENSION ltree; CREATE TABLE l (k ltree PRIMARY KEY); INSERT INTO l VALUES ('a.b')";
  const Patient patient(sql, sql);
  patient.target.exec("UPDATE l SET k = 'a.c'; UPDATE t SET v = 'x' WHERE id = 1");
  const auto partly = patient.apply();
  EXPECT_EQ(partly.code(), 1) << partly.text();
  EXPECT_THAT(steps(partly), ElementsAre("rows public.t 0/0/1/0"));
  EXPECT_THAT(partly.remarks("left"), Contains(HasSubstr("public.l: its key is of a type")));
  EXPECT_EQ(patient.apply({"--recopy", "public.l"}).code(), 0);
  patient.expect_equal();
}

TEST(RepairSafety, AScriptRunsAtItsTargetOnlyAndMovesSequencesForwardOnly) {
  const std::string sql = std::string(kPlain) + "CREATE SEQUENCE s";
  const Patient patient(sql, sql);
  patient.source.exec("SELECT setval('s', 10)");
  patient.target.exec("DELETE FROM t WHERE id = 1");
  const support::TempDir directory;
  const auto script = directory.path() / "repair.sql";
  EXPECT_EQ(patient.repair({"--script", script}).code(), 1);

  const support::TestDatabase other(target_server());
  other.exec("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE SEQUENCE s");
  EXPECT_THROW(other.psql_file(script), std::runtime_error);
  EXPECT_EQ(other.value("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(other.value("SELECT last_value FROM s"), "1");

  patient.target.exec("SELECT setval('s', 20)");
  patient.target.psql_file(script);
  EXPECT_EQ(patient.target.value("SELECT last_value FROM s"), "20");
  patient.expect_equal();
}

// By its root it would be emptied, and filled with the source's rows.
TEST(RepairSafety, ALeafThatWasNotComparedIsNotTouched) {
  const std::string tree = R"(
    CREATE TABLE ev (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE ev_local PARTITION OF ev FOR VALUES FROM (100) TO (200);)";
  const Patient patient(tree + "CREATE TABLE ev_a PARTITION OF ev FOR VALUES FROM (0) TO (10);",
                        tree +
                            "CREATE TABLE ev_a1 PARTITION OF ev FOR VALUES FROM (0) TO (5);"
                            "CREATE TABLE ev_a2 PARTITION OF ev FOR VALUES FROM (5) TO (10);");
  patient.source.exec("INSERT INTO ev VALUES (1, 'x'), (7, 'y'), (100, 'of the source')");
  patient.target.exec("INSERT INTO ev VALUES (1, 'x'), (8, 'z'), (150, 'of the target')");
  const auto before = patient.rows("ev");
  for (const auto& how : {Arguments{}, Arguments{"--recopy", "public.ev"}}) {
    auto arguments = how;
    arguments.insert(arguments.end(), {"--exclude", "public.ev_local"});
    const auto refused = patient.apply(arguments);
    EXPECT_EQ(refused.code(), 1) << refused.text();
    EXPECT_THAT(steps(refused), ::testing::IsEmpty());
    EXPECT_THAT(refused.remarks("left"),
                Contains(HasSubstr("public.ev: its partition public.ev_local at the source was not compared: "
                                   "left out by --exclude")));
    EXPECT_EQ(patient.rows("ev"), before);
  }
  EXPECT_THAT(steps(patient.apply()), ElementsAre("rows public.ev 2/2/0/0"));
  EXPECT_EQ(patient.rows("ev"), R"((1,x) (100,"of the source") (7,y))");
}

TEST(RepairSafety, AForeignPartitionIsNotTouched) {
  const std::string tree = R"(
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;
    CREATE TABLE ev (id int, v text) PARTITION BY RANGE (id);
    CREATE FOREIGN TABLE ev_far PARTITION OF ev FOR VALUES FROM (100) TO (200) SERVER srv;)";
  const Patient patient(tree + "CREATE TABLE ev_a PARTITION OF ev FOR VALUES FROM (0) TO (10);",
                        tree + "CREATE TABLE ev_a1 PARTITION OF ev FOR VALUES FROM (0) TO (10);");
  patient.source.exec("INSERT INTO ev VALUES (1, 'x')");
  const auto refused = patient.apply({"--recopy", "public.ev"});
  EXPECT_EQ(refused.code(), 1) << refused.text();
  EXPECT_THAT(refused.remarks("left"),
              Contains(HasSubstr("public.ev: its partition public.ev_far at the source is a foreign table")));
}

// A report of a failure would let the changes be looked for in vain, or be made again.
TEST(RepairSafety, WhatIsCommittedIsSaidToBeThoughNobodyCanLookAgain) {
  const support::TestRole doctor(target_server(), "LOGIN SUPERUSER");
  const Patient patient(kPlain, kPlain);
  patient.target.exec("UPDATE t SET v = 'x' WHERE id = 1");
  const support::TempDir directory;
  support::Session holder(patient.target.url());
  holder.exec("BEGIN; LOCK TABLE t IN SHARE MODE");
  support::Process repair(support::cutover_program(),
                          {"repair", "--no-progress", "--apply", "--yes", "--source", patient.source.url(),
                           "--target", patient.target.url(doctor.name()), "--script",
                           directory / "repair.sql", "--report", directory / "report.json"});
  patient.target.wait_until(
      "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
  patient.target.exec(fmt::format("ALTER ROLE {} NOLOGIN", support::sql_identifier(doctor.name())));
  holder.exec("COMMIT");
  const auto ended = repair.wait();
  EXPECT_TRUE(exits(ended, 3));
  EXPECT_EQ(patient.target.value("SELECT v FROM t WHERE id = 1"), "v1");
  EXPECT_THAT(ended.output, HasSubstr("the changes are committed, but could not be compared again"));
  EXPECT_THAT(ended.output, HasSubstr("cutover verify"));
  const auto report = json::parse(copy::test::slurp(directory / "report.json"));
  EXPECT_EQ(report.at("applied"), true);
  EXPECT_EQ(report.at("verdict"), "unverified");
  EXPECT_TRUE(std::filesystem::exists(directory / "repair.sql"));
}

// The source goes on until the target stands still.
TEST(RepairSafety, RowsAreThoseOfTheSourceWhenTheTargetIsLocked) {
  const Patient patient(kPlain, kPlain);
  patient.target.exec("UPDATE t SET v = 'x' WHERE id = 1");
  support::Session holder(patient.target.url());
  holder.exec("BEGIN; LOCK TABLE t IN SHARE MODE");
  support::Process repair(support::cutover_program(),
                          {"repair", "--no-progress", "--apply", "--yes", "--source", patient.source.url(),
                           "--target", patient.target.url()});
  patient.target.wait_until(
      "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
  patient.source.exec("UPDATE t SET v = 'newer' WHERE id = 1");
  holder.exec("COMMIT");
  EXPECT_TRUE(exits(repair.wait(), 0));
  EXPECT_EQ(patient.target.value("SELECT v FROM t WHERE id = 1"), "newer");
}

TEST(RepairSafety, AStopDuringTheCommitIsInDoubt) {
  static support::Cluster replicated(15, {.settings = {"synchronous_commit = on"}});
  const support::TestDatabase source(source_server());
  const support::TestDatabase target(replicated);
  source.exec(kPlain);
  target.exec(kPlain);
  target.exec("UPDATE t SET v = 'x' WHERE id = 1");
  replicated.exec("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  replicated.exec("postgres", "SELECT pg_reload_conf()");
  target.wait_until("SELECT current_setting('synchronous_standby_names') = 'nobody'");
  support::Process repair(support::cutover_program(), {"repair", "--no-progress", "--apply", "--yes",
                                                       "--source", source.url(), "--target", target.url()});
  target.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')");
  repair.kill(SIGINT);
  const auto ended = repair.wait();
  replicated.exec("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
  replicated.exec("postgres", "SELECT pg_reload_conf()");
  EXPECT_NE(ended.exit_code, 0);
  EXPECT_THAT(ended.error, HasSubstr("whether the target was changed is not known"));
  EXPECT_THAT(ended.error, ::testing::Not(HasSubstr("the target is as it was")));
}

TEST(ServerSide, NeedsOneEncoding) {
  const support::TestDatabase source(source_server());
  source_server().exec("postgres",
                       "CREATE DATABASE latin1_side TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'");
  const auto refused = test::compare(source_server().url("latin1_side"), source.url(), {"--server-side"});
  source_server().exec("postgres", "DROP DATABASE latin1_side");
  EXPECT_EQ(refused.code(), 2) << refused.text();
  EXPECT_THAT(refused.process.error, HasSubstr("LATIN1"));
}

}  // namespace
}  // namespace verify::test
