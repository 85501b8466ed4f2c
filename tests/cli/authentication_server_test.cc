#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guarded.h"
#include "tests/support/certificate.h"
#include "tests/support/cluster.h"
#include "tests/support/password_server.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"
#include "tests/support/signature_check.h"

// IAM authentication as RDS does it: the password of each login is judged as the signed request that it is.

namespace cli {
namespace {

using support::cutover;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRole = "iam_app";

class RdsIam : public ::testing::Test {
 protected:
  RdsIam()
      : certificate_(support::make_certificate()),
        passwords_(
            [this](const std::string& user, const std::string& password) { return judge(user, password); }),
        cluster_(15) {
    std::ofstream(home_ / "ca.pem") << certificate_.certificate;
    write_secret(cluster_.data_directory() / "server.crt", certificate_.certificate);
    write_secret(cluster_.data_directory() / "server.key", certificate_.key);
    cluster_.add_setting("ssl = on");
    cluster_.restart();
    cluster_.exec("postgres", std::string("CREATE ROLE ") + kRole + " LOGIN SUPERUSER");
    cluster_.add_access_rule(passwords_.access_rules(kRole));
  }

  /// The server wants its key for itself alone.
  void write_secret(const std::filesystem::path& path, const std::string& text) const {
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    struct stat owner {};
    ::stat(cluster_.data_directory().c_str(), &owner);
    ASSERT_EQ(::chown(path.c_str(), owner.st_uid, owner.st_gid), 0);
  }

  bool judge(const std::string& user, const std::string& password) {
    const auto slash = password.find('/');
    const auto text = password.substr(slash == std::string::npos ? password.size() : slash);
    const support::HttpServerRequest request{
        .method = "GET", .target = text, .headers = {{"Host", password.substr(0, slash)}}};
    auto why = support::signature_objection(request, {{"AKIA", {"secret/key", "to/ken=="}}}, "eu-central-1",
                                            "rds-db");
    if (password.find(fmt::format("localhost:{}/?Action=connect&DBUser={}&", cluster_.port(), user)) != 0)
      why = "not for this server and user";
    auto seen = seen_.lock();
    ++seen->logins;
    if (why.empty()) return true;
    seen->objections.insert(why);
    return false;
  }

  std::string url(const std::string& database, const std::string& more = "") const {
    return fmt::format("postgres://{}@localhost:{}/{}?hostaddr=127.0.0.1&sslrootcert={}{}", kRole,
                       cluster_.port(), database, (home_ / "ca.pem").native(), more);
  }
  support::ProcessResult run(std::vector<std::string> arguments,
                             const std::string& secret = "secret/key") const {
    return cutover(arguments, {.environment = {{"AWS_ACCESS_KEY_ID", "AKIA"},
                                               {"AWS_SECRET_ACCESS_KEY", secret},
                                               {"AWS_SESSION_TOKEN", "to/ken=="},
                                               {"AWS_REGION", "eu-central-1"},
                                               {"AWS_EC2_METADATA_DISABLED", "true"},
                                               {"HOME", home_.path()}},
                               .directory = home_.path()});
  }

  struct Seen {
    int logins = 0;
    std::set<std::string> objections;
  };
  support::TempDir home_;
  base::Guarded<Seen> seen_;
  support::Certificate certificate_;
  support::PasswordServer passwords_;
  support::Cluster cluster_;
};

TEST_F(RdsIam, LogsInWithATokenOnEveryConnection) {
  const support::TestDatabase source(cluster_);
  const support::TestDatabase target(cluster_);
  source.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
  const auto run_dir = home_ / "run";
  const auto result =
      run({"copy", "--source", url(source.name()), "--source-auth", "rds-iam", "--target", url(target.name()),
           "--target-auth=rds-iam", "--run-dir", run_dir, "--log-level", "debug"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_EQ(target.value("SELECT count(*) FROM t"), "1000");
  EXPECT_GT(seen_.lock()->logins, 4);
  EXPECT_THAT(seen_.lock()->objections, ::testing::IsEmpty());
  EXPECT_THAT(result.output + result.error, Not(HasSubstr("X-Amz")));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run_dir)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(base::read_file(entry.path()), Not(HasSubstr("X-Amz"))) << entry.path();
  }
}

TEST_F(RdsIam, LogsInWithATokenAtEachOfSeveralDatabases) {
  const support::TestDatabase first(cluster_);
  const support::TestDatabase second(cluster_);
  const auto twin = [](const support::TestDatabase& one) { return one.name() + "_new"; };
  for (const auto* one : {&first, &second}) {
    one->exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)");
    cluster_.exec("postgres", fmt::format("CREATE DATABASE {}", twin(*one)));
  }
  const auto result = run({"copy", "--source", url("postgres"), "--source-auth", "rds-iam", "--target",
                           url("postgres"), "--target-auth", "rds-iam", "--databases",
                           fmt::format("{0}={0}_new,{1}={1}_new", first.name(), second.name())});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  for (const auto* one : {&first, &second})
    EXPECT_EQ(cluster_.value(twin(*one), "SELECT count(*) FROM t"), "10");
  EXPECT_GT(seen_.lock()->logins, 8);
  EXPECT_THAT(seen_.lock()->objections, ::testing::IsEmpty());
}

TEST_F(RdsIam, LogsInWithATokenWhereReferencesAreRead) {
  support::S3Fake s3({.region = "eu-central-1"});
  s3.replace_key("AKIA", {"secret/key", "to/ken=="});
  const support::TestDatabase database(cluster_);
  database.exec("CREATE TABLE documents AS SELECT 'a.pdf' AS file_path");
  std::filesystem::create_directory(home_ / "files");
  std::ofstream(home_ / "files/a.pdf") << "a";
  const std::vector<std::string> upload{"upload", "files",  "s3://bucket/x",      "--endpoint-url",
                                        s3.url(), "--refs", "documents.file_path"};
  auto with_database = upload;
  with_database.insert(with_database.end(),
                       {"--database", url(database.name()), "--database-auth", "rds-iam"});
  const auto given = run(with_database);
  EXPECT_EQ(given.exit_code, 0) << given.output << given.error;
  EXPECT_THAT(given.output, HasSubstr("1 path by the database, 0 of them missing"));
  EXPECT_GT(seen_.lock()->logins, 0);
  std::ofstream(home_ / "cutover.toml")
      << fmt::format("[target]\nurl = \"{}\"\nauth = \"rds-iam\"\n", url(database.name()));
  seen_.lock()->logins = 0;
  const auto declared = run(upload);
  EXPECT_EQ(declared.exit_code, 0) << declared.output << declared.error;
  EXPECT_GT(seen_.lock()->logins, 0) << "the target, with its authentication";
  EXPECT_THAT(seen_.lock()->objections, ::testing::IsEmpty());
  EXPECT_THAT(given.output + given.error + declared.output + declared.error, Not(HasSubstr("X-Amz")));
}

TEST_F(RdsIam, GivesNoTokenToAServerThatIsNotKnown) {
  const auto other = support::make_certificate();
  std::ofstream(home_ / "other.pem") << other.certificate;
  const auto unknown =
      run({"plan", "--source", url("postgres", "") + "&sslrootcert=" + (home_ / "other.pem").native(),
           "--source-auth", "rds-iam"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.error, HasSubstr("certificate"));
  for (const auto* weaker : {"&sslmode=require", "&sslmode=verify-ca", "&sslmode=prefer"}) {
    const auto result = run({"plan", "--source", url("postgres", weaker), "--source-auth", "rds-iam"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.error, HasSubstr("hint: use sslmode=verify-full"));
  }
  EXPECT_EQ(seen_.lock()->logins, 0);
}

TEST_F(RdsIam, SaysWhatToCheckWhenATokenIsRefused) {
  const auto result = run({"plan", "--source", url("postgres"), "--source-auth", "rds-iam"}, "wrong/key");
  EXPECT_EQ(result.exit_code, 2) << result.error;
  EXPECT_THAT(result.error, HasSubstr("the role rds_iam"));
  EXPECT_THAT(result.error, Not(HasSubstr("X-Amz")));
  const auto with_password =
      run({"plan", "--source", "postgres://u:pw@localhost/d", "--source-auth", "rds-iam"});
  EXPECT_EQ(with_password.exit_code, 2);
  EXPECT_THAT(with_password.error, HasSubstr("the URL has a password"));
}

}  // namespace
}  // namespace cli
