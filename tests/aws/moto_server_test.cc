#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "aws/json_service.h"
#include "aws/secrets.h"
#include "aws/session.h"
#include "tests/base/matchers.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

// What others took for AWS's answers: moto, where it is installed (pip install 'moto[server]').

namespace aws {
namespace {

using ::testing::HasSubstr;

std::optional<std::filesystem::path> moto_program() {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::istringstream directories(path != nullptr ? path : "");
  for (std::string directory; std::getline(directories, directory, ':');)
    if (const auto program = std::filesystem::path(directory) / "moto_server";
        std::filesystem::exists(program))
      return program;
  return std::nullopt;
}

class Moto : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto program = moto_program();
    if (!program) GTEST_SKIP() << "moto_server is not installed";
    server_ = std::make_unique<support::Process>(*program, std::vector<std::string>{"-p", "0"});
    server_->wait_for_output("Press CTRL+C");
    const auto said = server_->output() + server_->error();
    const std::string before = "Running on ";
    const auto begin = said.find(before) + before.size();
    variables_ = {{"HOME", home_.path()},
                  {"AWS_ENDPOINT_URL", said.substr(begin, said.find_first_of(" \n", begin) - begin)},
                  {"AWS_REGION", "eu-central-1"},
                  {"AWS_EC2_METADATA_DISABLED", "true"},
                  {"AWS_ACCESS_KEY_ID", "AKIALONGTERM"},
                  {"AWS_SECRET_ACCESS_KEY", "long/term+secret"}};
  }
  std::unique_ptr<Session> session(const SessionOptions& options = {}) const {
    return std::make_unique<Session>(options, Environment(variables_),
                                     std::make_shared<base::HttpShare>(base::HttpSettings{}));
  }
  void make(const std::string& service, const std::string& target, const nlohmann::json& what) const {
    const auto answer =
        call_json_service(*session(), service, "eu-central-1", target, what.dump(), base::Stop());
    ASSERT_EQ(answer.status, 200) << answer.error_code << " " << answer.error_message;
  }

  support::TempDir home_;
  Environment::Variables variables_;
  std::unique_ptr<support::Process> server_;
};

TEST_F(Moto, GivesSecrets) {
  make("secretsmanager", "secretsmanager.CreateSecret",
       {{"Name", "app/url"},
        {"SecretString", "postgres://p\"w"},
        {"ClientRequestToken", std::string(32, 'a')}});
  const auto open = session();
  Secrets secrets(*open);
  EXPECT_EQ(secrets.secret("app/url", base::Stop()).reveal(), "postgres://p\"w");
  EXPECT_THAT([&] { secrets.secret("app/none", base::Stop()); },
              base::test::throws(base::ErrorKind::usage, HasSubstr("app/none")));
}

TEST_F(Moto, GivesParametersDecrypted) {
  make("ssm", "AmazonSSM.PutParameter",
       {{"Name", "/app/url"}, {"Value", "postgres://x"}, {"Type", "SecureString"}});
  const auto open = session();
  Secrets secrets(*open);
  EXPECT_EQ(secrets.parameter("/app/url", base::Stop()).reveal(), "postgres://x");
  EXPECT_THAT([&] { secrets.parameter("/app/none", base::Stop()); },
              base::test::throws(base::ErrorKind::usage, HasSubstr("/app/none")));
}

TEST_F(Moto, GivesTheCredentialsOfARole) {
  std::filesystem::create_directory(home_ / ".aws");
  std::ofstream(home_ / ".aws/config")
      << "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/mover\ncredential_source = Environment\n";
  const auto given = session({.profile = "role"})->credentials().get(base::Stop());
  EXPECT_THAT(given.access_key_id, ::testing::StartsWith("ASIA"));
  EXPECT_FALSE(given.session_token.empty());
  ASSERT_TRUE(given.expires);
  EXPECT_GT(*given.expires, Clock::now() + std::chrono::minutes(30));
}

}  // namespace
}  // namespace aws
