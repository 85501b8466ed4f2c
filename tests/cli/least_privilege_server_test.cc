#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/cluster.h"
#include "tests/support/database_digest.h"
#include "tests/support/document.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"
#include "tests/support/sql.h"

// docs/security.md, executed: its roles can do what it says with what it gives them.

namespace cli {
namespace {

using support::cutover;
using support::ProcessResult;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// An application as it is: enums, an extension, serials, foreign keys, views, a trigger, row level security,
/// and two roles.
constexpr const char* kApplication = R"(
SET ROLE app_owner;
CREATE EXTENSION citext;
CREATE TYPE status AS ENUM ('new', 'paid');
CREATE TABLE customers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email citext UNIQUE NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY, customer uuid NOT NULL REFERENCES customers, state status DEFAULT 'new', data jsonb);
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text, body text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant = current_user);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.data = coalesce(NEW.data, '{}'); RETURN NEW; END$$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW paid AS SELECT * FROM orders WHERE state = 'paid';
CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) FROM orders GROUP BY 1;
CREATE SCHEMA audit;
CREATE TABLE audit.log (at timestamptz, what text) PARTITION BY RANGE (at);
CREATE TABLE audit.log_all PARTITION OF audit.log DEFAULT;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO app_web;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app_web;
COMMENT ON TABLE orders IS 'what was ordered';
INSERT INTO customers (email) SELECT i || '@example.org' FROM generate_series(1, 50) i;
INSERT INTO orders (customer, state) SELECT id, 'paid' FROM customers;
INSERT INTO notes (tenant, body) SELECT 'tenant ' || i, repeat('x', i) FROM generate_series(1, 20) i;
INSERT INTO audit.log SELECT now(), 'n ' || i FROM generate_series(1, 20) i;
REFRESH MATERIALIZED VIEW totals;
)";

/// What RDS gives its customers on a server of its own: a master user that is no superuser.
constexpr const char* kMasterUser = R"(
CREATE ROLE rds_superuser NOLOGIN;
GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION;
GRANT pg_read_all_data TO rds_superuser WITH ADMIN OPTION;
CREATE ROLE master LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION;
GRANT rds_superuser TO master;
)";

std::vector<std::string> statements_of(const std::string& block) {
  std::vector<std::string> statements;
  std::istringstream lines(block);
  std::string statement;
  for (std::string line; std::getline(lines, line);) {
    statement += line + "\n";
    if (!line.ends_with(";")) continue;
    statements.push_back(std::move(statement));
    statement.clear();
  }
  EXPECT_EQ(statement, "") << "a statement without its end";
  return statements;
}

class LeastPrivilege : public ::testing::Test {
 protected:
  explicit LeastPrivilege(int target_major = 17) : target_(target_major) {
    source_.exec("postgres", "CREATE ROLE app_owner LOGIN; CREATE ROLE app_web LOGIN");
    source_.exec("postgres", "CREATE DATABASE app OWNER app_owner");
    source_.exec("app", "GRANT app_owner TO postgres");
    source_.exec("app", kApplication);
    target_.exec("postgres", kMasterUser);
  }

  /// The blocks of docs/security.md for a side, by somebody: each statement by itself, as psql does it.
  void execute(const std::string& side, const std::string& who) const {
    const auto& server = side == "source" ? source_ : target_;
    const std::string user = who == "owner" ? "app_owner" : side == "source" ? "postgres" : "master";
    size_t executed = 0;
    for (const auto& [marker, text] :
         support::document_blocks("security.md", fmt::format("sql: {} {} ", side, who))) {
      support::Session session(server.url(marker.substr(marker.rfind(' ') + 1), user));
      // On the target the database is made by a block, and the next one is for that database.
      for (const auto& statement : statements_of(text)) {
        session.exec(statement);
        ++executed;
      }
    }
    ASSERT_GT(executed, 0U) << side << " " << who;
  }
  std::string reader() const { return source_.url("app", "cutover_reader"); }
  std::string writer() const { return target_.url("app", "cutover_writer"); }
  ProcessResult run(const std::vector<std::string>& arguments) const {
    return cutover(arguments, {.environment = {{"CUTOVER_SOURCE", reader()}, {"CUTOVER_TARGET", writer()}},
                               .directory = home_.path()});
  }
  static void expect(int exit_code, const ProcessResult& result) {
    EXPECT_EQ(result.exit_code, exit_code) << result.output << result.error;
  }
  static std::string powers(const support::Cluster& server, const std::string& role) {
    return server.value(
        "postgres",
        fmt::format("SELECT concat_ws(' ', rolsuper, rolreplication, rolcreaterole, rolcreatedb) FROM "
                    "pg_roles WHERE rolname = '{}'",
                    role));
  }

  support::TempDir home_;
  support::Cluster source_{15};
  support::Cluster target_;
};

class LeastPrivilegeTo : public LeastPrivilege, public ::testing::WithParamInterface<int> {
 protected:
  LeastPrivilegeTo() : LeastPrivilege(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Versions, LeastPrivilegeTo, ::testing::Values(15, 17));

TEST_P(LeastPrivilegeTo, IsEnoughToCopyFenceCompareAndRepair) {
  execute("source", "administrator");
  execute("target", "administrator");
  EXPECT_EQ(powers(source_, "cutover_reader"), "f f f f");
  EXPECT_EQ(powers(target_, "cutover_writer"), "f f f f");
  EXPECT_EQ(powers(target_, "master"), "f f t t");

  expect(0, run({"plan"}));
  expect(0, run({"copy"}));
  EXPECT_EQ(support::database_digest(target_.url("app")), support::database_digest(source_.url("app")));
  EXPECT_EQ(target_.value("app",
                          "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE "
                          "relnamespace IN ('public'::regnamespace, 'audit'::regnamespace)"),
            "app_owner");
  expect(0, run({"verify"}));
  expect(0, run({"verify", "--run-dir", "cutover-run"}));

  // Somebody may still write, until the owner raises the fence.
  support::Session web(source_.url("app", "app_web"));
  const std::string owner = source_.url("app", "app_owner");
  expect(0, run({"fence", "on", "--end-sessions", "--yes", "--source", owner}));
  EXPECT_THROW(support::exec_url(source_.url("app", "app_web"), "UPDATE orders SET state = 'new'"),
               std::runtime_error);
  target_.exec("app", "UPDATE orders SET state = 'new' WHERE id = 7; DELETE FROM notes WHERE id = 3");
  expect(1, run({"verify"}));
  expect(0, run({"repair", "--apply", "--yes"}));
  expect(0, run({"verify"}));
  expect(0, run({"fence", "off", "--yes", "--source", owner}));

  // Who only compares needs less, and is told what that leaves open.
  const auto checked = run({"verify", "--target", target_.url("app", "cutover_checker")});
  expect(3, checked);
  EXPECT_THAT(checked.output, HasSubstr("public.notes"));
  expect(0, run({"verify", "--target", target_.url("app", "cutover_checker"), "--exclude", "public.notes"}));

  expect(0, run({"clean", "--yes"}));
  target_.exec("postgres", "SET ROLE master; GRANT cutover_writer TO master");
  execute("target", "cleanup");
  EXPECT_EQ(target_.value("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'cutover_writer'"), "0");
  EXPECT_EQ(target_.value("app", "SELECT count(*) FROM orders"), "50");
}

// `cutover run` has one connection for the source: what the fence lacks must be known before the night.
TEST_F(LeastPrivilege, OneRoleCanDoTheWholeNight) {
  execute("source", "administrator");
  execute("target", "administrator");
  const auto refused = run({"run"});
  expect(2, refused);
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("NO-GO: fence rights: missing: only its owner can fence the database app"),
                    HasSubstr("GRANT \"app_owner\" TO \"cutover_reader\"")));
  EXPECT_EQ(target_.value("app", "SELECT to_regclass('public.orders') IS NULL"), "t");
  source_.exec("postgres", "GRANT app_owner TO cutover_reader");
  source_.exec("postgres", "REVOKE pg_signal_backend, pg_read_all_stats FROM app_owner");
  const auto may = run({"fence", "rights"});
  expect(0, may);
  EXPECT_THAT(may.output, AllOf(HasSubstr("MAY FENCE: app, but not "),
                                HasSubstr("GRANT pg_read_all_stats TO \"cutover_reader\""),
                                HasSubstr("GRANT pg_signal_backend TO \"cutover_reader\"")));

  execute("source", "one-role");
  EXPECT_THAT(run({"fence", "rights"}).output, testing::StartsWith("MAY FENCE: the role has the rights"));
  expect(4, run({"run"}));
  support::Session web(source_.url("app", "app_web"));
  // Not as a superuser, whose session may be seen for a moment longer, and may not be ended.
  support::exec_url(source_.url("app", "app_owner"), "UPDATE orders SET state = 'new' WHERE id = 7");
  expect(0, run({"run", "--final", "--end-sessions", "--yes"}));
  EXPECT_EQ(target_.value("app", "SELECT state FROM orders WHERE id = 7"), "new");
}

// A session of the application that began behind the fence cannot write; who checks has to see that it did.
TEST_F(LeastPrivilege, TheCheckSeesOthersSessions) {
  execute("source", "administrator");
  execute("target", "administrator");
  expect(0, run({"copy"}));
  const auto owner = source_.url("app", "app_owner");
  const auto check_behind_fence = [&] {
    expect(0, run({"fence", "on", "--yes", "--end-sessions", "--source", owner}));
    const support::Session web(source_.url("app", "app_web"));
    auto checked = run({"check"});
    expect(0, run({"fence", "off", "--yes", "--source", owner}));
    return checked;
  };
  const auto unseen = check_behind_fence();
  expect(5, unseen);
  EXPECT_THAT(unseen.output, HasSubstr("somebody can still write to the source"));
  execute("source", "checker");
  // Where a superuser's session is seen for a moment longer, the owner could not end it.
  source_.wait_until(
      "postgres", "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'app' AND usename = 'postgres'");
  expect(0, check_behind_fence());
}

TEST_P(LeastPrivilegeTo, IsNoMoreThanAMasterUserHas) {
  execute("source", "administrator");
  execute("target", "administrator");
  const auto master = target_.url("app", "master");
  expect(0, run({"copy", "--target", master}));
  EXPECT_EQ(support::database_digest(target_.url("app")), support::database_digest(source_.url("app")));
  expect(0, run({"verify", "--target", master}));
}

// The whole night, as the master user of the target, to whom RDS gives session_replication_role or not.
class MasterUsersNight : public LeastPrivilege, public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(MaySetReplicationRole, MasterUsersNight, ::testing::Bool());

TEST_P(MasterUsersNight, EndsWithGo) {
  execute("source", "administrator");
  execute("source", "one-role");
  execute("target", "administrator");
  if (GetParam()) target_.exec("postgres", "GRANT SET ON PARAMETER session_replication_role TO master");
  const auto as_master = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--target", target_.url("app", "master")});
    return run(arguments);
  };
  // It has no key by which single rows could be named.
  std::ofstream(home_ / "cutover.toml") << "[repair]\nrecopy = [\"audit.log_all\"]\n";
  expect(4, as_master({"run"}));
  // What triggers and foreign keys are in the way of: the repair has to put them aside.
  support::exec_url(source_.url("app", "app_owner"),
                    "INSERT INTO customers (email) VALUES ('late@example.org');"
                    "INSERT INTO orders (customer) SELECT id FROM customers WHERE email = 'late@example.org';"
                    "DELETE FROM orders WHERE id = 3; UPDATE notes SET body = 'changed' WHERE id = 5;"
                    "UPDATE audit.log SET what = 'changed' WHERE what = 'n 7'");
  expect(0, as_master({"run", "--final", "--end-sessions", "--yes"}));
  EXPECT_EQ(support::database_digest(target_.url("app")), support::database_digest(source_.url("app")));
  target_.exec("app", "UPDATE orders SET data = '{\"x\": 1}' WHERE id = 7");
  expect(1, as_master({"check"}));
  expect(0, as_master({"repair", "--run-dir", "cutover-run/database", "--apply", "--yes"}));
  expect(0, as_master({"check"}));
  expect(0, as_master({"clean", "--yes"}));
  EXPECT_EQ(target_.value("app", "SELECT to_regnamespace('cutover') IS NULL"), "t");
  EXPECT_EQ(
      target_.value("app", "SELECT count(*) FROM pg_trigger WHERE tgname = 'touch' AND tgenabled = 'O'"),
      "1");
}

// There are three ways to GO where row level security stands; BYPASSRLS is the first.
TEST_F(LeastPrivilege, WithoutBypassRlsTheOwnerGoes) {
  execute("source", "administrator");
  execute("target", "administrator");
  const auto as_owner = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--source", source_.url("app", "app_owner")});
    return run(arguments);
  };
  expect(4, as_owner({"run"}));
  support::exec_url(source_.url("app", "app_owner"), "UPDATE notes SET body = 'changed' WHERE id = 5");
  expect(0, as_owner({"run", "--final", "--end-sessions", "--yes"}));
  EXPECT_EQ(support::database_digest(target_.url("app")), support::database_digest(source_.url("app")));
}

TEST_F(LeastPrivilege, WithoutBypassRlsTheRestGoes) {
  execute("source", "administrator");
  execute("source", "one-role");
  execute("target", "administrator");
  source_.exec("postgres", "ALTER ROLE cutover_reader NOBYPASSRLS");
  // Its sequence would be compared, and is missing on the target when the table is left out.
  source_.exec("app", "ALTER TABLE notes FORCE ROW LEVEL SECURITY; ALTER TABLE notes ALTER id DROP IDENTITY");
  expect(2, run({"run"}));
  std::ofstream(home_ / "cutover.toml") << "[copy]\nexclude = [\"public.notes\"]\n";
  expect(4, run({"run"}));
  support::exec_url(source_.url("app", "app_owner"), "UPDATE orders SET state = 'new' WHERE id = 7");
  const auto go = run({"run", "--final", "--end-sessions", "--yes"});
  expect(0, go);
  EXPECT_THAT(go.output, HasSubstr("left out"));
  EXPECT_EQ(target_.value("app", "SELECT state FROM orders WHERE id = 7"), "new");
  EXPECT_EQ(target_.value("app", "SELECT to_regclass('public.notes') IS NULL"), "t");
}

TEST_F(LeastPrivilege, WithoutBypassRlsNoRowIsMissedInSilence) {
  execute("source", "administrator");
  execute("target", "administrator");
  source_.exec("postgres", "ALTER ROLE cutover_reader NOBYPASSRLS");
  for (const auto* command : {"plan", "copy"}) {
    const auto refused = run({command});
    expect(2, refused);
    EXPECT_THAT(refused.output + refused.error,
                AllOf(HasSubstr("public.notes"), HasSubstr("ALTER ROLE \"cutover_reader\" BYPASSRLS"),
                      Not(HasSubstr("table public.orders"))));
  }
  EXPECT_EQ(target_.value("app", "SELECT to_regclass('public.notes') IS NULL"), "t");
  expect(0, run({"copy", "--exclude", "public.notes"}));
  const auto compared = run({"verify"});
  EXPECT_THAT(compared.exit_code, testing::AnyOf(1, 3));
  EXPECT_THAT(compared.output, HasSubstr("public.notes"));
}

TEST_F(LeastPrivilege, GrantedSchemaBySchemaIsEnoughToo) {
  execute("source", "administrator");
  execute("target", "administrator");
  source_.exec("app", "REVOKE pg_read_all_data FROM cutover_reader");
  const auto refused = run({"plan"});
  EXPECT_THAT(refused.output + refused.error,
              HasSubstr("GRANT USAGE ON SCHEMA \"audit\" TO \"cutover_reader\""));
  execute("source", "owner");
  execute("target", "reader");
  expect(0, run({"copy", "--exclude", "audit"}));
}

TEST_F(LeastPrivilege, WhatOnlyASuperuserMayMakeIsReported) {
  execute("source", "administrator");
  execute("target", "administrator");
  source_.exec("app",
               "CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$; "
               "CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION seen(); "
               "CREATE PUBLICATION everything FOR ALL TABLES");
  const auto result = run({"copy", "--no-owners"});
  expect(3, result);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("publication everything: must be superuser"),
                    HasSubstr("event triggers: are not made while something else is missing")));
  EXPECT_EQ(support::database_digest(target_.url("app")), support::database_digest(source_.url("app")));
}

// ---- the policies

std::set<std::string> actions_of(const std::string& policy) {
  std::set<std::string> actions;
  for (const auto& [marker, text] : support::document_blocks("security.md", "policy: " + policy)) {
    const auto document = nlohmann::json::parse(text);
    for (const auto& statement : document.at("Statement")) {
      EXPECT_EQ(statement.at("Effect"), "Allow");
      const auto& action = statement.at("Action");
      if (action.is_string()) {
        actions.insert(action);
      } else {
        for (const auto& one : action) actions.insert(one);
      }
    }
  }
  return actions;
}

/// What IAM calls the right to an operation of S3.
const std::map<std::string, std::string> kActions{{"HeadBucket", "s3:ListBucket"},
                                                  {"ListObjectsV2", "s3:ListBucket"},
                                                  {"ListMultipartUploads", "s3:ListBucketMultipartUploads"},
                                                  {"PutObject", "s3:PutObject"},
                                                  {"CreateMultipartUpload", "s3:PutObject"},
                                                  {"UploadPart", "s3:PutObject"},
                                                  {"CompleteMultipartUpload", "s3:PutObject"},
                                                  {"ProbeCreateMultipartUpload", "s3:PutObject"},
                                                  {"ProbeUploadPart", "s3:PutObject"},
                                                  {"ProbeAbortMultipartUpload", "s3:AbortMultipartUpload"},
                                                  {"AbortMultipartUpload", "s3:AbortMultipartUpload"},
                                                  {"ListParts", "s3:ListMultipartUploadParts"},
                                                  {"HeadObject", "s3:GetObject"},
                                                  {"GetObject", "s3:GetObject"},
                                                  {"DeleteObject", "s3:DeleteObject"},
                                                  {"DeleteObjects", "s3:DeleteObject"}};

/// The actions that were needed; every request must be of a known operation.
std::set<std::string> asked_for(const support::S3Fake& server) {
  std::set<std::string> actions;
  int known = 0;
  for (const auto& [operation, action] : kActions) {
    if (server.count(operation) > 0) actions.insert(action);
    known += server.count(operation);
  }
  EXPECT_EQ(known, server.total()) << "an operation that no policy speaks of";
  return actions;
}

TEST(UploadPolicies, CoverWhatAnUploadAsksFor) {
  support::S3Fake server;
  const support::TempDir home;
  std::filesystem::create_directory(home / "files");
  std::ofstream(home / "files/small") << "small";
  std::ofstream(home / "files/large") << std::string(size_t{40} << 20, 'x');
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"upload", "files", "s3://bucket/files", "--endpoint-url", server.url(),
                               "--region", "us-east-1"});
    return cutover(more, {.environment = {{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                                          {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                          {"AWS_EC2_METADATA_DISABLED", "true"}},
                          .directory = home.path()});
  };
  const auto upload = actions_of("upload");
  server.fail(
      {.operation = "CompleteMultipartUpload", .answer = support::S3Fake::error(403, "AccessDenied")});
  EXPECT_NE(run({}).exit_code, 0);
  EXPECT_EQ(run({}).exit_code, 0);
  std::ofstream(home / "files/large", std::ios::app) << "more";
  EXPECT_EQ(run({"--verify", "checksum"}).exit_code, 0);
  for (const auto& action : asked_for(server)) EXPECT_THAT(upload, Contains(action));
  // Objects of its own prefix are the only ones that it deletes.
  EXPECT_EQ(server.objects().size(), 2U);

  server.reset_counts();
  EXPECT_EQ(run({"--verify-only", "--verify", "download"}).exit_code, 0);
  const auto verify = actions_of("verify");
  for (const auto& action : asked_for(server)) EXPECT_THAT(verify, Contains(action));
  EXPECT_THAT(actions_of("references"), testing::UnorderedElementsAre("secretsmanager:GetSecretValue",
                                                                      "ssm:GetParameter", "rds-db:connect"));
}

}  // namespace
}  // namespace cli
