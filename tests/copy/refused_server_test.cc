// What cannot work is refused before anything is done: exit code 2, what is wrong, and what to do.

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/file.h"
#include "base/zstd.h"
#include "tests/copy/fixture.h"
#include "tests/support/relay.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Everything of a database that a copy could have changed.
std::map<std::string, std::string> whole_state(const std::string& url) {
  auto state = support::database_digest(url);
  state["schema"] = support::schema_dump(url);
  state["ledger"] =
      support::exec_url(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'")[0][0].value();
  return state;
}

TEST(Refused, AMalformedUrlAndItsPasswordIsNotShown) {
  const Move move;
  const auto result = Copy("postgres://app:hunter2@host:port:5432/x", move.target.url()).copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(text_of(result), AllOf(HasSubstr("--source"), HasSubstr("hint: "), Not(HasSubstr("hunter2"))));
}

TEST(Refused, AnUnknownHostAndAPortWhereNobodyIs) {
  const Move move;
  const auto unknown = Copy("postgres://app:hunter2@no-such-host.invalid/app", move.target.url()).copy();
  EXPECT_TRUE(exits(unknown, 2));
  EXPECT_THAT(text_of(unknown), AllOf(HasSubstr("no-such-host.invalid"),
                                      HasSubstr("hint: check the host name"), Not(HasSubstr("hunter2"))));
  const auto closed = Copy(move.source.url(), "postgres://app:hunter2@127.0.0.1:1/app").copy();
  EXPECT_TRUE(exits(closed, 2));
  EXPECT_THAT(text_of(closed), AllOf(HasSubstr("127.0.0.1"), HasSubstr("hint: is the server running"),
                                     Not(HasSubstr("hunter2"))));
}

TEST(Refused, ADatabaseThatIsNotThere) {
  const Move move;
  const auto result = Copy(move.source.url(), target_server().url("no such database")).copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("no such database"), HasSubstr("hint: check the database name")));
}

TEST(Refused, TlsWhereTheServerHasNone) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a", "CREATE TABLE mine AS SELECT 2 AS b");
  const auto before = whole_state(move.target.url());
  const auto at_source = Copy(move.source.url() + "?sslmode=require", move.target.url()).copy();
  const auto at_target = Copy(move.source.url(), move.target.url() + "?sslmode=require").copy();
  for (const auto& result : {at_source, at_target}) {
    EXPECT_TRUE(exits(result, 2));
    EXPECT_THAT(result.error, AllOf(HasSubstr("SSL"), HasSubstr("hint: ")));
  }
  EXPECT_EQ(whole_state(move.target.url()), before);
}

TEST(Refused, AWrongPasswordAReplicaAndAServerOfItsOwn) {
  support::Cluster server(15);
  server.exec("postgres",
              "CREATE ROLE app LOGIN SUPERUSER PASSWORD 'right'; CREATE TABLE t AS SELECT 1 AS a");
  server.require_password("app");
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const auto untouched = whole_state(server.url("postgres", "app", "right"));
  const auto wrong = Copy(move.source.url(), server.url("postgres", "app", "hunter2")).copy();
  const auto wrong_at_source = Copy(server.url("postgres", "app", "hunter2"), move.target.url()).copy();
  for (const auto& result : {wrong, wrong_at_source}) {
    EXPECT_TRUE(exits(result, 2));
    EXPECT_THAT(text_of(result),
                AllOf(HasSubstr("password"), HasSubstr("hint: check the user and the password"),
                      Not(HasSubstr("hunter2"))));
  }
  EXPECT_EQ(whole_state(server.url("postgres", "app", "right")), untouched);
  // A server that recovers, and waits for more, is a replica.
  server.stop();
  spill(server.data_directory() / "standby.signal", "");
  server.start();
  const auto before = whole_state(server.url("postgres", "app", "right"));
  const auto replica = Copy(move.source.url(), server.url("postgres", "app", "right")).copy();
  EXPECT_TRUE(exits(replica, 2));
  EXPECT_THAT(replica.error, AllOf(HasSubstr("replica"), HasSubstr("primary")));
  EXPECT_EQ(whole_state(server.url("postgres", "app", "right")), before);
  // As a source it serves, and what may end the copy is said.
  const support::TestDatabase copied(target_server());
  const auto from_replica = Copy(server.url("postgres", "app", "right"), copied.url()).copy();
  EXPECT_TRUE(exits(from_replica, 0));
  EXPECT_THAT(from_replica.output, HasSubstr("it is a replica: recovery conflicts may end the copy"));
  EXPECT_THAT(differences(support::database_digest(copied.url()),
                          support::database_digest(server.url("postgres", "app", "right"))),
              ::testing::IsEmpty());
}

/// What the program says would mend it.
std::vector<std::string> grants_in(const std::string& text) {
  std::vector<std::string> grants;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (const auto at = line.find("fix: GRANT "); at != std::string::npos)
      grants.push_back(line.substr(at + 5));
  return grants;
}

// And it is all that is missing: with the statements that it names, the copy goes through.
TEST(Refused, ARoleThatMayNotFillTheTablesThatAreThere) {
  const support::TestRole owner(target_server(), "NOLOGIN");
  const support::TestRole role(target_server());
  constexpr const char* kExisting =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p); CREATE TABLE "
      "bare (a int); CREATE SCHEMA s; CREATE TABLE s.t (id serial); CREATE FUNCTION f() RETURNS "
      "trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; "
      "CREATE TRIGGER mine BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION f()";
  for (const std::string schema : {"none", "dump"}) {
    const Move move(kExisting, kExisting);
    move.source.exec("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1); INSERT INTO s.t VALUES (DEFAULT)");
    move.target.exec(fmt::format(
        "GRANT CREATE ON DATABASE {0} TO {1}; GRANT SELECT ON p TO {1}; GRANT INSERT ON bare TO {1}; "
        "GRANT CREATE ON SCHEMA public, s TO {1}; ALTER TABLE p OWNER TO {2}; ALTER TABLE c OWNER TO {2}; "
        "ALTER TABLE bare OWNER TO {2}; ALTER TABLE s.t OWNER TO {2}",
        move.target.name(), role.name(), owner.name()));
    const auto before = whole_state(move.target.url());
    const Copy way(move.source.url(), move.target.url(role.name()));
    const Arguments arguments{"--schema", schema, "--no-owners"};
    const auto refused = way.copy(arguments);
    EXPECT_TRUE(exits(refused, 2));
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr("table public.p: this role lacks INSERT"),
                      HasSubstr("table public.c: this role lacks INSERT, SELECT"),
                      HasSubstr("table public.bare: this role lacks SELECT"),
                      HasSubstr("schema s: this role may not use it on the target"),
                      HasSubstr("sequence s.t_id_seq: this role may not set it"),
                      HasSubstr("foreign key fk of public.c: it is put aside for the load, which only"),
                      HasSubstr("trigger mine of public.c: it is put aside for the load, which only"),
                      HasSubstr("nothing was changed")));
    EXPECT_EQ(whole_state(move.target.url()), before);
    for (const auto& grant : grants_in(refused.error)) move.target.exec(grant);
    EXPECT_TRUE(exits(way.copy(arguments), 0));
    move.expect_equal();
    move.target.exec(fmt::format("REVOKE {} FROM {}", owner.name(), role.name()));
  }
}

TEST(Refused, ARoleFromWhichRowSecurityOfTheTargetWouldHideRows) {
  const support::TestRole role(target_server());
  const Move move("CREATE TABLE t AS SELECT 1 AS a",
                  "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY");
  move.target.exec(fmt::format("GRANT CREATE ON DATABASE {0} TO {1}; GRANT ALL ON t TO {1}",
                               move.target.name(), role.name()));
  const auto before = whole_state(move.target.url());
  const auto result = Copy(move.source.url(), move.target.url(role.name())).copy({"--schema", "none"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("table public.t: row level security on the target applies"),
                                  HasSubstr("BYPASSRLS")));
  EXPECT_EQ(whole_state(move.target.url()), before);
}

TEST(Refused, TheSourceAsTheTargetUnderAnotherNameOfItsHost) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const auto before = whole_state(move.source.url());
  auto alias = move.source.url();
  alias.replace(alias.find("127.0.0.1"), 9, "localhost");
  for (const auto& result : {Copy(move.source.url(), alias).copy({"--overwrite", "*"}),
                             Copy(move.source.url(), move.source.url()).copy()}) {
    EXPECT_TRUE(exits(result, 2));
    EXPECT_THAT(result.error, AllOf(HasSubstr("the same database"), HasSubstr(": check --")));
  }
  EXPECT_EQ(whole_state(move.source.url()), before);
}

/// The database under another name of its host, and perhaps at another port.
std::string called(const support::TestDatabase& database, const std::string& host, int port) {
  return fmt::format("host={} hostaddr=127.0.0.1 port={} user=postgres dbname={}", host, port,
                     database.name());
}

TEST(Refused, APoolerThatItsNameTells) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const auto before = whole_state(move.target.url());
  for (const std::string domain : {"eu-central-1.aws.neon.tech", "eu-central-1.aws.neon.build"}) {
    const auto source = called(move.source, "ep-x-pooler." + domain, source_server().port());
    const auto result = Copy(source, move.target.url()).copy();
    EXPECT_TRUE(exits(result, 2));
    EXPECT_THAT(result.error, AllOf(HasSubstr("source"), HasSubstr("through a pooler"),
                                    HasSubstr("use the direct host: ep-x." + domain)));
  }
  const auto target = called(move.target, "ep-x-pooler.neon.tech", target_server().port());
  const auto result = Copy(move.source.url(), target).copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("use the direct host: ep-x.neon.tech"));
  EXPECT_EQ(whole_state(move.target.url()), before);
}

// Neon's proxy tells a process id of its own, also before a direct endpoint.
TEST(Refused, APoolerThatItsProcessIdTellsButNoDirectEndpointOfNeon) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const support::Relay source(source_server().port(), support::Relay::CancelKeys::own);
  const support::Relay target(target_server().port(), support::Relay::CancelKeys::own);
  const auto copy = [&](const std::string& host) {
    return Copy(called(move.source, host, source.port()), called(move.target, host, target.port())).copy();
  };
  for (const std::string host :
       {"db.example", "neon.tech.example", "ep-x-pooler.eu-central-1.aws.neon.tech"}) {
    const auto refused = copy(host);
    EXPECT_TRUE(exits(refused, 2));
    EXPECT_THAT(refused.error, HasSubstr("through a pooler"));
  }
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_class WHERE relname = 't'"), "0");
  EXPECT_TRUE(exits(copy("ep-x.eu-central-1.aws.neon.tech"), 0));
  move.expect_equal();
}

// What an earlier process has made is not touched through them either.
TEST(Refused, ARunThatGoesOnThroughAPooler) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const support::Relay pooler(target_server().port(), support::Relay::CancelKeys::own);
  const auto archive = move.way.path("archive").string();
  const auto through = [&](Arguments arguments, const Arguments& more) {
    arguments[static_cast<size_t>(std::ranges::find(arguments, move.target.url()) - arguments.begin())] =
        called(move.target, "db.example", pooler.port());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return support::cutover(arguments);
  };
  ASSERT_TRUE(exits(move.way.run("export", {"--archive", archive}), 0));
  for (const std::string command : {"copy", "import"}) {
    const Arguments own = command == "import" ? Arguments{"--archive", archive} : Arguments{};
    const auto killed =
        move.way.run(command, own, {.environment = {{"CUTOVER_CRASH_AT", "chunk_copy.before"}}});
    ASSERT_TRUE(exits(killed, 128 + SIGKILL));
    const auto before = whole_state(move.target.url());
    for (const Arguments& more : {Arguments{}, Arguments{"--restart", "--yes"}}) {
      const auto refused = through(move.way.arguments(command, own), more);
      EXPECT_TRUE(exits(refused, 2));
      EXPECT_THAT(refused.error, AllOf(HasSubstr("target: the connection goes through a pooler"),
                                       HasSubstr("nothing was changed")));
      EXPECT_EQ(whole_state(move.target.url()), before);
    }
    EXPECT_TRUE(exits(move.way.run(command, own), 0));
    move.expect_equal();
    EXPECT_TRUE(exits(move.way.clean(), 0));
    move.target.exec("DROP TABLE t");
  }
}

TEST(Refused, ARunThatGoesOnOnAReplica) {
  support::Cluster server(15);
  server.create_database("app");
  const support::TestDatabase source(source_server());
  source.exec("CREATE TABLE t AS SELECT 1 AS a");
  const Copy way(source.url(), server.url("app"));
  way.crash_at("chunk_copy.before");
  server.stop();
  spill(server.data_directory() / "standby.signal", "");
  server.start();
  const auto refused = way.copy();
  EXPECT_TRUE(exits(refused, 2));
  EXPECT_THAT(refused.error, AllOf(HasSubstr("target: it is a replica"), HasSubstr("primary")));
  server.stop();
  std::filesystem::remove(server.data_directory() / "standby.signal");
  server.start();
  EXPECT_TRUE(exits(way.copy(), 0));
}

TEST(Refused, APgDumpOlderThanTheSource) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a", {}, 18, 18);
  const auto result = move.copy({"--pg-bin-dir", "/usr/lib/postgresql/15/bin"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("pg_dump"), HasSubstr("older than the source"),
                                  HasSubstr("postgresql-client-18")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
            "0");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
}

TEST(Refused, WithoutPgDump) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const auto result = move.copy({"--pg-bin-dir", "/nonexistent"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("pg_dump"), HasSubstr("--schema none")));
}

TEST(Refused, ARunDirectoryThatCannotBeMade) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  const auto file = move.way.path("file");
  spill(file, "x");
  const auto result = support::cutover(
      {"copy", "--source", move.source.url(), "--target", move.target.url(), "--run-dir", file / "run"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.error, HasSubstr((file / "run").string()));
  const auto itself = support::cutover(
      {"copy", "--source", move.source.url(), "--target", move.target.url(), "--run-dir", file});
  EXPECT_NE(itself.exit_code, 0);
  EXPECT_THAT(itself.error, HasSubstr(file.string()));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_class WHERE relname = 't'"), "0");
}

TEST(Refused, ARunDirectoryThatBelongsToAnotherSource) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE u AS SELECT 1 AS a");
  const support::TestDatabase other(source_server());
  other.exec("CREATE TABLE t AS SELECT 2 AS a; CREATE TABLE u AS SELECT 1 AS a");
  // A run that is not finished: its table was refused by the target.
  move.target.exec("CREATE TABLE t (a int CHECK (a > 5))");
  EXPECT_TRUE(exits(move.copy(), 3));
  move.target.exec("ALTER TABLE t DROP CONSTRAINT t_a_check");
  const auto result = support::cutover(
      {"copy", "--source", other.url(), "--target", move.target.url(), "--run-dir", move.way.run_dir()});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("another database"));
  const support::TestDatabase empty(target_server());
  const auto elsewhere = support::cutover(
      {"copy", "--source", move.source.url(), "--target", empty.url(), "--run-dir", move.way.run_dir()});
  EXPECT_TRUE(exits(elsewhere, 2));
  move.expect_equal_copy();
}

TEST(Refused, ARunOfAnotherVersionUnlessItIsCleaned) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  move.way.crash_at("sequences.before");
  const auto plan = move.way.run_dir() / "plan.json.zst";
  auto text = base::zstd_decompress(base::read_file(plan));
  constexpr std::string_view kVersion = "\"version\":";
  const auto at = text.find(kVersion);
  ASSERT_NE(at, std::string::npos);
  text.replace(at + kVersion.size(), 1, "3");
  base::replace_file(plan, base::zstd_compress(text));
  for (const Arguments& more : {Arguments{}, Arguments{"--restart", "--yes"}}) {
    const auto refused = move.copy(more);
    EXPECT_TRUE(exits(refused, 2));
    EXPECT_THAT(refused.error, AllOf(HasSubstr("made by another version"), HasSubstr("or clean it")));
  }
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "1");
  EXPECT_TRUE(exits(move.way.clean(), 0));
  EXPECT_FALSE(std::filesystem::exists(move.way.run_dir()));
}

}  // namespace
}  // namespace copy::test
