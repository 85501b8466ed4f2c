#include <atomic>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "base/file.h"
#include "base/http.h"
#include "base/zstd.h"
#include "tests/support/aws_stand_in.h"
#include "tests/support/cluster.h"
#include "tests/support/http_server.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"

// Secrets are planted wherever one can give them, every command runs and fails, and nothing that comes out
// may hold them.

namespace cli {
namespace {

namespace fs = std::filesystem;
using support::ProcessResult;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The middle of each is the same however the rest is quoted: in a URL, in JSON, in SQL.
constexpr const char* kSourcePassword = "s/@'ZqSource\"%";
constexpr const char* kTargetPassword = "t&ZqTarget\\";
constexpr const char* kWrongPassword = "ZqWrong";
constexpr const char* kSessionToken = "ZqToken/of+a=session";
constexpr const char* kQueryToken = "ZqQuery";
const std::vector<std::string> kTraces{"ZqSource", "ZqTarget",    "ZqWrong",      "ZqToken",
                                       "ZqQuery",  "fake/secret", "fake%2Fsecret"};

std::vector<std::string> traces_in(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& trace : kTraces)
    if (const auto at = text.find(trace); at != std::string::npos)
      found.push_back(text.substr(at < 60 ? 0 : at - 60, 160));
  return found;
}

class NoSecret : public ::testing::Test {
 protected:
  NoSecret() {
    const auto password_of = [](const support::Cluster& server, const support::TestRole& role,
                                const char* password) {
      const std::string quoted = std::regex_replace(password, std::regex("'"), "''");
      server.exec("postgres", fmt::format("ALTER ROLE {} SUPERUSER PASSWORD '{}'", role.name(), quoted));
    };
    password_of(server("source"), source_role_, kSourcePassword);
    password_of(server("target"), target_role_, kTargetPassword);
    server("source").require_password(source_role_.name());
    server("target").require_password(target_role_.name());
    source_.exec(
        "CREATE TABLE t (id int PRIMARY KEY, path text); INSERT INTO t SELECT i, i || '.txt' FROM "
        "generate_series(1, 3) i; CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_sleep(0.1); RETURN true; END$$");
    fs::create_directory(home_ / "files");
    for (int i = 1; i <= 3; ++i) std::ofstream(home_ / fmt::format("files/{}.txt", i)) << i;
  }

  static support::Cluster& server(const std::string& name) { return support::cluster(15, name); }
  std::string source() const { return source_.url(source_role_.name(), kSourcePassword); }
  std::string target() const { return target_.url(target_role_.name(), kTargetPassword); }
  std::string wrong() const { return target_.url(target_role_.name(), kWrongPassword); }

  /// Runs in `home_`, as text and as JSON with all that is logged; returns the last one's result.
  ProcessResult run(const std::vector<std::string>& arguments,
                    std::map<std::string, std::string> variables = {}) {
    variables.merge(std::map<std::string, std::string>{{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                                                       {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                                       {"AWS_EC2_METADATA_DISABLED", "true"},
                                                       {"HOME", home_.path()}});
    ProcessResult result;
    for (const auto* format : {"text", "json"}) {
      auto all = arguments;
      all.insert(all.end(), {"--log-format", format, "--log-level", "debug"});
      result = support::cutover(all, {.environment = variables, .directory = home_.path()});
      EXPECT_THAT(traces_in(result.output), testing::IsEmpty()) << arguments.front() << " as " << format;
      EXPECT_THAT(traces_in(result.error), testing::IsEmpty()) << arguments.front() << " as " << format;
    }
    return result;
  }
  void expect(int exit_code, const std::vector<std::string>& arguments,
              const std::map<std::string, std::string>& variables = {}) {
    const auto result = run(arguments, variables);
    EXPECT_EQ(result.exit_code, exit_code) << fmt::format("{}", fmt::join(arguments, " ")) << "\n"
                                           << result.output << result.error;
  }
  std::vector<std::string> with_both(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--source", source(), "--target", target()});
    return arguments;
  }

  /// Every file below `home_` that the program made, as it is and, where it is compressed, as it was.
  void expect_no_trace_in_files(const std::set<std::string>& ours) const {
    size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(home_.path())) {
      if (!entry.is_regular_file() || ours.contains(entry.path().filename())) continue;
      ++files;
      const auto content = base::read_file(entry.path());
      EXPECT_THAT(traces_in(content), testing::IsEmpty()) << entry.path();
      if (entry.path().extension() == ".zst") {
        EXPECT_THAT(traces_in(base::zstd_decompress(content)), testing::IsEmpty()) << entry.path();
      }
      struct stat status {};
      ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
      if (entry.path().native().find("run") != std::string::npos) {
        EXPECT_EQ(status.st_mode & 0077U, 0U) << entry.path() << " is open to others";
      }
    }
    EXPECT_GT(files, 5U);
  }
  void expect_no_trace_in_ledger() const {
    const auto tables = target_.exec(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = "
        "'cutover'");
    EXPECT_GE(tables.size(), 3U);
    for (const auto& table : tables)
      for (const auto& row : target_.exec(fmt::format("SELECT x::text FROM {} x", *table.at(0))))
        EXPECT_THAT(traces_in(*row.at(0)), testing::IsEmpty()) << *table.at(0);
  }

  support::TempDir home_;
  support::TestRole source_role_{server("source")};
  support::TestRole target_role_{server("target")};
  support::TestDatabase source_{server("source")};
  support::TestDatabase target_{server("target")};
};

TEST_F(NoSecret, OfADatabaseComesOut) {
  target_.exec(fmt::format("ALTER DATABASE {} SET log_statement = 'all'", target_.name()));
  source_.exec(fmt::format("ALTER DATABASE {} SET log_statement = 'all'", source_.name()));
  const auto before = server("target").log().size();
  const auto before_at_source = server("source").log().size();
  expect(0, with_both({"plan"}));
  expect(0, with_both({"copy", "--archive", "archive"}));
  expect(0, with_both({"copy", "--run-dir", "again", "--overwrite", "*", "--yes"}));
  expect_no_trace_in_ledger();
  expect(0, {"status"});
  for (const auto* format : {"text", "json", "html"}) expect(0, {"report", "--format", format});
  target_.exec("DELETE FROM t WHERE id = 1; UPDATE t SET path = 'x' WHERE id = 2");
  expect(1,
         with_both({"verify", "--show-values", "--html", "run-verify.html", "--report", "run-verify.json"}));
  expect(1, with_both({"verify", "--run-dir", "cutover-run"}));
  expect(1, with_both({"repair", "--script", "run-repair.sql"}));
  expect(1, {"fence", "status", "--source", source()});
  expect(0, {"check", "--only", "smoke", "--target", target(), "--sql", "select count(*) = 2 from t"});
  expect(0, {"export", "--archive", "run-export", "--source", source(), "--restart"});
  expect(0, {"import", "--archive", "run-export", "--target", target(), "--run-dir", "run-import",
             "--overwrite", "*", "--yes"});
  expect(0, {"clean", "--yes", "--target", target(), "--run-dir", "again"});
  expect_no_trace_in_files({});
  const auto log = server("target").log().substr(before);
  EXPECT_NE(log.find("CREATE SCHEMA IF NOT EXISTS cutover"), std::string::npos) << "statements are logged";
  EXPECT_THAT(traces_in(log), testing::IsEmpty());
  const auto source_log = server("source").log().substr(before_at_source);
  EXPECT_NE(source_log.find("pg_export_snapshot"), std::string::npos) << "statements are logged";
  EXPECT_THAT(traces_in(source_log), testing::IsEmpty());
}

TEST_F(NoSecret, OfAWholeMoveComesOut) {
  expect(4, with_both({"run", "--serve", "127.0.0.1:0"}));
  expect(0, with_both({"run", "--final", "--end-sessions", "--yes"}));
  expect(0, {"status"});
  expect(0, {"report", "--format", "html"});
  expect_no_trace_in_ledger();
  expect_no_trace_in_files({});
}

// One's own health checks have tokens in their URLs.
TEST_F(NoSecret, OfAChecksUrlComesOut) {
  const support::HttpServer application(
      [](const support::HttpServerRequest&) { return support::HttpServerResponse{.body = "ok"}; });
  const auto url = fmt::format("{}/health?token={}", application.url(), kQueryToken);
  const auto member = nlohmann::json{{"url", url}, {"contains", "ok"}}.dump();
  for (const auto& value : {url, member}) {
    expect(0, {"check", "--only", "smoke", "--http", value});
    expect(0, {"check", "--only", "smoke", "--json", "--http=" + value});
  }
  const auto unknown = nlohmann::json{{"url", url}, {"contents", "ok"}}.dump();
  EXPECT_NE(run({"check", "--only", "smoke", "--http", unknown}).exit_code, 0);
  EXPECT_NE(run({"check", "--only", "smoke", "--http",
                 fmt::format("http://{}@127.0.0.1:1/?token={}", kWrongPassword, kQueryToken)})
                .exit_code,
            0);
  std::ofstream(home_ / "cutover.toml") << "[[check.http]]\nurl = \"" << url << "\"\n";
  expect(0, {"config", "check"});
  expect(0, {"config", "check", "--json"});
  expect(4, with_both({"run"}));
  expect(5, with_both({"check"}));
  expect(4, {"report", "--format", "html"});
  expect(0, {"status", "--json"});
  expect_no_trace_in_files({"cutover.toml"});
}

// A reference is shown in its place, whatever becomes of the check.
TEST_F(NoSecret, ThatACheckRefersToComesOut) {
  std::atomic<int> status{200};
  const support::HttpServer application([&](const support::HttpServerRequest& request) {
    const bool may = request.headers.get("authorization") == kSessionToken &&
                     request.target == fmt::format("/{}/health", kQueryToken);
    return support::HttpServerResponse{.status = may ? status.load() : 401, .body = kWrongPassword};
  });
  std::map<std::string, std::string> variables{
      {"CUTOVER_HTTPS", fmt::format("{}/{}/health", application.url(), kQueryToken)},
      {"HEALTH_TOKEN", kSessionToken},
      {"HEALTH_ADDRESS", fmt::format("127.0.0.1:{}", application.port())}};
  std::ofstream(home_ / "health.text") << kWrongPassword;
  std::ofstream(home_ / "health.sql") << fmt::format("SELECT '{0}' = '{0}'", kQueryToken);
  std::ofstream(home_ / "cutover.toml")
      << "[[check.http]]\nurl = \"env:CUTOVER_HTTPS\"\nheaders = { Authorization = \"env:HEALTH_TOKEN\" }\n"
         "contains = \"file:health.text\"\n[[check.tcp]]\naddress = \"env:HEALTH_ADDRESS\"\n"
         "[[check.sql]]\nquery = \"file:health.sql\"\n";
  const std::set<std::string> ours{"cutover.toml", "health.text", "health.sql"};
  expect(0, {"config", "check"}, variables);
  expect(4, with_both({"run"}), variables);
  const std::vector<std::string> check{"check", "--only", "smoke", "--target", target()};
  const auto go = run(check, variables);
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_THAT(go.output, AllOf(HasSubstr("env:CUTOVER_HTTPS"), HasSubstr("env:HEALTH_ADDRESS"),
                               HasSubstr("file:health.sql")));
  status = 500;
  EXPECT_THAT(run(check, variables).output,
              HasSubstr("NO-GO: http env:CUTOVER_HTTPS: it answered with status 500"));
  status = 200;
  std::ofstream(home_ / "health.text") << kWrongPassword << " and more";
  EXPECT_THAT(run(check, variables).output, HasSubstr("does not contain \"file:health.text\""));
  std::ofstream(home_ / "health.sql") << fmt::format("SELECT '{}'::int = 1", kQueryToken);
  EXPECT_THAT(run(check, variables).output, HasSubstr("refused it, with SQLSTATE 22P02"));
  for (const auto& address : {fmt::format("{}.invalid:1", kQueryToken), std::string(kSessionToken)}) {
    variables["HEALTH_ADDRESS"] = address;
    variables["CUTOVER_HTTPS"] = fmt::format("http://{}.invalid/{}", kQueryToken, kWrongPassword);
    EXPECT_NE(run(check, variables).exit_code, 0);
    EXPECT_NE(run(with_both({"check"}), variables).exit_code, 0);
  }
  // What is not there is found before anything begins.
  variables["HEALTH_TOKEN"] = "";
  EXPECT_THAT(run(with_both({"run", "--run-dir", "run-other"}), variables).error,
              HasSubstr("HEALTH_TOKEN is not set"));
  EXPECT_FALSE(fs::exists(home_ / "run-other/run.json"));
  const auto typed = nlohmann::json{{"url", application.url()}, {"headers", {{"X", kSessionToken}}}}.dump();
  std::ofstream(home_ / "cutover.toml") << "";
  EXPECT_EQ(run({"check", "--only", "smoke", "--json", "--http", typed}).exit_code, 1);
  expect_no_trace_in_files(ours);
}

TEST_F(NoSecret, ComesOutWhenThingsFail) {
  const auto bad = [](std::string url, const std::string& from, const std::string& to) {
    return url.replace(url.find(from), from.size(), to);
  };
  const auto port = fmt::format(":{}/", server("target").port());
  for (const auto& url :
       {wrong(), bad(target(), "127.0.0.1", "no.such.host.invalid"), bad(target(), port, ":port/"),
        bad(target(), port, ":1/"), bad(target(), target_.name(), "no_such_database"),
        target() + "?no_such_parameter=1", bad(target(), "postgres://", "postgres:/"),
        bad(target(), "postgres://", "postgres:"), bad(target(), "postgres://", "mysql://"),
        fmt::format("password={} no", kWrongPassword)}) {
    for (const auto* command : {"plan", "copy", "verify", "repair", "check"}) {
      const auto result = run({command, "--source", source(), "--target", url, "--retry-for", "0"});
      EXPECT_THAT(result.exit_code, AnyOf(2, 3)) << command << "\n" << result.error;
      EXPECT_THAT(run({command, "--source", source()}, {{"CUTOVER_TARGET", url}}).exit_code, AnyOf(2, 3));
    }
    EXPECT_NE(run({"copy", url}).exit_code, 0);
    EXPECT_NE(run({url}).exit_code, 0);
    EXPECT_NE(run({"copy", "--taget", url}).exit_code, 0);
    EXPECT_NE(run({"fence", "status", "--source", url}).exit_code, 0);
    EXPECT_NE(run({"upload", "files", "s3://bucket/x", "--database", url, "--refs", "t.path"}).exit_code, 0);
  }
  EXPECT_NE(run({"run", "--source", source(), "--target", wrong(), "--run-dir", "run-wrong"}).exit_code, 0);
  // A copy that fails in its middle, and a move.
  target_.exec("CREATE TABLE t (id int PRIMARY KEY, path varchar(1))");
  EXPECT_NE(run(with_both({"copy", "--schema", "none", "--run-dir", "run-fails"})).exit_code, 0);
  const auto moved = run(with_both({"run", "--run-dir", "run-move"}), {{"CUTOVER_SCHEMA", "none"}});
  EXPECT_NE(moved.exit_code, 0);
  ASSERT_TRUE(fs::exists(home_ / "run-move/run-report.json")) << moved.output << moved.error;
  EXPECT_EQ(run({"report", "run-move", "--format", "html"}).exit_code, moved.exit_code);
  expect_no_trace_in_files({});
}

TEST_F(NoSecret, OfLibpqsOwnFilesComesOut) {
  std::ofstream(home_ / "pgpass") << fmt::format(
      "127.0.0.1:{}:*:{}:{}\n", server("target").port(), target_role_.name(),
      std::regex_replace(kTargetPassword, std::regex(R"(([\\:]))"), R"(\$1)"));
  fs::permissions(home_ / "pgpass", fs::perms::owner_read | fs::perms::owner_write);
  std::ofstream(home_ / "services") << fmt::format(
      "[old]\nhost=127.0.0.1\nport={}\nuser={}\ndbname={}\npassword={}\n", server("source").port(),
      source_role_.name(), source_.name(), kSourcePassword);
  const std::map<std::string, std::string> places{{"PGPASSFILE", home_ / "pgpass"},
                                                  {"PGSERVICEFILE", home_ / "services"}};
  const auto url = target_.url(target_role_.name());
  expect(4, {"run", "--source", "service=old", "--target", url}, places);
  expect(4, {"report", "--format", "html"});
  expect(2, {"plan", "--source", "service=none", "--target", url}, places);
  expect(2, {"plan", "--source", "service=old", "--target", url}, {{"PGSERVICEFILE", home_ / "services"}});
  expect(2, {"plan", "--source", "service=old", "--target", url},
         {{"PGSERVICEFILE", home_ / "services"}, {"PGPASSWORD", kWrongPassword}});
  expect_no_trace_in_files({"pgpass", "services"});
}

TEST_F(NoSecret, OfAConfigurationComesOut) {
  support::AwsStandIn aws;
  {
    auto state = aws.state().lock();
    state->keys = {{support::S3Fake::kAccessKey, {support::S3Fake::kSecretKey, kSessionToken}}};
    state->secrets["app/target"] = nlohmann::json{{"url", target()}}.dump();
    state->parameters["/app/target"] = target();
  }
  const std::map<std::string, std::string> variables{
      {"AWS_SESSION_TOKEN", kSessionToken}, {"AWS_REGION", "eu-central-1"}, {"AWS_ENDPOINT_URL", aws.url()}};
  const auto configure = [&](const std::string& first, const std::string& second) {
    std::ofstream(home_ / "cutover.toml")
        << fmt::format("[source]\nurl = {}\n[target]\nurl = {}\n", first, second);
  };
  std::ofstream(home_ / "source.url") << source() << "\n";
  configure("\"file:source.url\"", "\"secretsmanager:app/target#url\"");
  expect(0, {"config", "check"}, variables);
  expect(0, {"config", "check", "--json"}, variables);
  expect(0, {"plan"}, variables);
  expect(0, {"copy"}, variables);
  configure(fmt::format("\"{}\"", source()), fmt::format("'{}'", target()));
  expect(0, {"config", "check"});
  expect(0, {"verify"});
  configure(fmt::format("\"{}\"", source()), fmt::format("'{}'", wrong()));
  EXPECT_NE(run({"verify"}).exit_code, 0);
  // What is wrong with a file is said without quoting it.
  configure(source(), fmt::format("'{}'", target()));
  expect(2, {"config", "check"});
  configure(fmt::format("[\"{}\", 1]", source()), fmt::format("{{ password = '{}' }}", kTargetPassword));
  EXPECT_NE(run({"config", "check"}).exit_code, 0);
  configure("\"file:source.url\"", "\"ssm:/app/target\"");
  expect(0, {"config", "check"}, variables);
  expect(0, {"verify"}, variables);
  configure("\"file:source.url\"", "\"ssm:/app/none\"");
  EXPECT_NE(run({"verify"}, variables).exit_code, 0);
  configure("\"secretsmanager:app/none\"", fmt::format("'{}'", target()));
  EXPECT_NE(run({"config", "check"}, variables).exit_code, 0);
  configure("\"secretsmanager:app/target#none\"", fmt::format("'{}'", target()));
  EXPECT_NE(run({"config", "check"}, variables).exit_code, 0);
  expect_no_trace_in_files({"cutover.toml", "source.url"});
}

TEST_F(NoSecret, OfAnUploadComesOut) {
  support::S3Fake s3;
  target_.exec("CREATE TABLE documents AS SELECT i || '.txt' AS path FROM generate_series(1, 3) i");
  const auto upload = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"upload", "files", "s3://bucket/x", "--endpoint-url", s3.url(), "--region", "us-east-1"});
    return more;
  };
  expect(0, upload({"--database", target(), "--refs", "documents.path"}));
  expect(0, {"verify", "--run-dir", "cutover-upload", "--objects", "download"},
         {{"AWS_REGION", "us-east-1"}});
  expect(0, {"status", "cutover-upload"});
  expect(0, {"report", "cutover-upload", "--format", "html"});
  std::ofstream(home_ / "files/1.txt") << "changed";
  s3.fail({.operation = "PutObject", .answer = support::S3Fake::error(403, "AccessDenied"), .times = 100});
  EXPECT_NE(run(upload({})).exit_code, 0);
  EXPECT_NE(run(upload({"--retry-for", "0"}), {{"AWS_SECRET_ACCESS_KEY", kWrongPassword}}).exit_code, 0);
  EXPECT_NE(run(upload({"--retry-for", "0"}), {{"AWS_SESSION_TOKEN", kSessionToken}}).exit_code, 0);
  expect_no_trace_in_files({});
}

TEST_F(NoSecret, IsSeenWhileItRuns) {
  // In pg_dump's place: it tells what it was given.
  const auto programs = home_ / "bin";
  fs::create_directory(programs);
  for (const std::string name : {"pg_dump", "pg_restore"}) {
    std::ofstream(programs / name) << fmt::format(
        "#!/bin/bash\n[ \"$1\" = --version ] || {{\n  printf '%s\\n' \"$@\" >>'{0}/arguments'\n  env "
        ">>'{0}/environment'\n"
        "  ulimit -c >>'{0}/limit'\n}}\nexec '{1}' \"$@\"\n",
        home_.path().native(), (support::server_programs(15) / name).native());
    fs::permissions(programs / name, fs::perms::owner_all);
  }
  auto arguments =
      with_both({"copy", "--pg-bin-dir", programs, "--where", "public.t=public.slow(id)", "--jobs", "1"});
  source_.exec("INSERT INTO t SELECT generate_series(4, 3000)");
  support::Process process(support::cutover_program(), arguments,
                           {.environment = {{"CUTOVER_DATABASE", target()},
                                            {"NEW_DATABASE_URL", target()},
                                            {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                            {"AWS_SESSION_TOKEN", kSessionToken}},
                            .directory = home_.path()});
  source_.wait_until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active' AND datname = "
      "current_database()");
  const fs::path proc = fmt::format("/proc/{}", process.pid());
  EXPECT_THAT(base::read_file(proc / "cmdline"), AllOf(HasSubstr("--source"), Not(HasSubstr("Zq"))));
  EXPECT_THAT(base::read_file(proc / "limits"), testing::ContainsRegex("Max core file size +0 +0"));
  EXPECT_THAT(traces_in(source_.value("SELECT string_agg(x::text, ' ') FROM pg_stat_activity x")),
              testing::IsEmpty());
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().exit_code, 4);

  EXPECT_THAT(traces_in(base::read_file(home_ / "arguments")), testing::IsEmpty());
  EXPECT_THAT(base::read_file(home_ / "limit"), testing::StartsWith("0\n"));
  // pg_dump must know its own server's password, and nothing else.
  std::istringstream environment(base::read_file(home_ / "environment"));
  for (std::string line; std::getline(environment, line);)
    if (!line.starts_with("PGPASSWORD=")) {
      EXPECT_THAT(traces_in(line), testing::IsEmpty());
    }
  EXPECT_THAT(environment.str(),
              AllOf(Not(HasSubstr("ZqTarget")), Not(HasSubstr("CUTOVER_")), Not(HasSubstr("AWS_"))));
}

/// What `ps` and the server show of a program that is at work.
void expect_no_trace_of(const support::Process& process, const std::string& command) {
  const auto arguments = base::read_file(fmt::format("/proc/{}/cmdline", process.pid()));
  EXPECT_THAT(arguments, HasSubstr(command));
  EXPECT_THAT(traces_in(arguments), testing::IsEmpty()) << command;
}

base::HttpResponse get_page(const std::string& url) {
  return base::HttpClient(std::make_shared<base::HttpShare>()).send({.url = url}, {});
}

TEST_F(NoSecret, OfAnyCommandIsSeenWhileItRuns) {
  source_.exec("INSERT INTO t SELECT generate_series(4, 3000)");
  const auto is_reading =
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active' AND datname = "
      "current_database()";
  const std::map<std::string, std::string> slowly{{"CUTOVER_WHERE", "public.t=public.slow(id)"},
                                                  {"CUTOVER_JOBS", "1"}};
  target_.exec(
      "CREATE TABLE t (id int PRIMARY KEY, path text); CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE "
      "sql "
      "AS 'SELECT true'");
  for (const auto& arguments : {std::vector<std::string>{"verify"},
                                {"check", "--run-dir", ""},
                                {"export", "--archive", "run-export"},
                                {"run", "--serve", "0"}}) {
    const bool is_run = arguments.front() == "run";
    auto all = arguments.front() == "export" ? arguments : with_both(arguments);
    if (arguments.front() == "export") all.insert(all.end(), {"--source", source()});
    if (is_run) target_.exec("DROP TABLE t; DROP FUNCTION slow(int)");
    support::Process process(support::cutover_program(), all,
                             {.environment = slowly, .directory = home_.path()});
    source_.wait_until(is_reading);
    expect_no_trace_of(process, arguments.front());
    if (is_run) {
      const auto log = process.error();
      std::smatch found;
      ASSERT_TRUE(std::regex_search(log, found, std::regex("watched at (http://[^ \n]*)")));
      for (const auto* path : {"", "metrics", "healthz"}) {
        const auto answer = get_page(found[1].str() + path);
        EXPECT_EQ(answer.status, 200) << path;
        EXPECT_THAT(traces_in(answer.body), testing::IsEmpty()) << path;
      }
      EXPECT_THAT(get_page(found[1].str()).body, HasSubstr("copy"));
    }
    process.kill(SIGTERM);
    const auto result = process.wait();
    EXPECT_THAT(traces_in(result.output + result.error), testing::IsEmpty()) << arguments.front();
    source_.wait_until(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = "
        "current_database()");
  }
  expect_no_trace_in_files({});
}

TEST_F(NoSecret, OfAnUploadIsSeenWhileItRuns) {
  support::S3Fake s3;
  std::atomic<bool> asked{false};
  s3.fail({.operation = "PutObject",
           .answer = support::S3Fake::error(503, "SlowDown"),
           .times = 1000,
           .also = [&] { asked = true; }});
  support::Process process(support::cutover_program(),
                           {"upload", "files", "s3://bucket/x", "--endpoint-url", s3.url(), "--region",
                            "us-east-1", "--database", target(), "--refs", "t.path"},
                           {.environment = {{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                                            {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                            {"AWS_EC2_METADATA_DISABLED", "true"}},
                            .directory = home_.path()});
  while (!asked && process.running()) std::this_thread::yield();
  expect_no_trace_of(process, "upload");
  process.kill(SIGTERM);
  const auto result = process.wait();
  EXPECT_THAT(traces_in(result.output + result.error), testing::IsEmpty());
}

}  // namespace
}  // namespace cli
