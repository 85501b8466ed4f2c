#include "aws/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/aws/fixture.h"
#include "tests/base/matchers.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SecretsTest : public SessionFixture {
 protected:
  SecretsTest() {
    use_environment_key();
    auto state = stand_in.state().lock();
    state->secrets["prod/db"] = "postgres://u:p\"\u00e4@h/d";
    state->secrets["arn:aws:secretsmanager:us-east-2:123456789012:secret:x"] = "by arn";
    state->secrets["blob"] = "binary:x";
    state->parameters["/prod/url"] = "https://h";
  }
  std::string secret(const std::string& id) { return Secrets(session()).secret(id, stop).reveal(); }
  std::string parameter(const std::string& name) { return Secrets(session()).parameter(name, stop).reveal(); }
};

TEST_F(SecretsTest, ReadsBothKinds) {
  EXPECT_EQ(secret("prod/db"), "postgres://u:p\"\u00e4@h/d");
  EXPECT_EQ(parameter("/prod/url"), "https://h");
}

TEST_F(SecretsTest, StageSaysWhichVersion) {
  stand_in.state().lock()->previous_secrets["prod/db"] = "the one before";
  const auto at = [&](const std::string& stage) {
    return Secrets(session()).secret("prod/db", stop, stage).reveal();
  };
  EXPECT_EQ(at("AWSPREVIOUS"), "the one before");
  EXPECT_EQ(at("AWSCURRENT"), secret("prod/db"));
  EXPECT_THAT([&] { at("AWSPENDING"); }, throws(ErrorKind::usage, HasSubstr("no secret prod/db")));
}

TEST_F(SecretsTest, ArnSaysItsRegion) {
  stand_in.state().lock()->region = "us-east-2";
  EXPECT_EQ(secret("arn:aws:secretsmanager:us-east-2:123456789012:secret:x"), "by arn");
}

TEST_F(SecretsTest, MissingAndBinaryOnesAreUsageErrors) {
  EXPECT_THAT([&] { secret("nope"); },
              throws(ErrorKind::usage, AllOf(HasSubstr("no secret nope in eu-central-1"))));
  EXPECT_THAT([&] { parameter("/nope"); },
              throws(ErrorKind::usage, HasSubstr("no parameter /nope in eu-central-1")));
  EXPECT_THAT([&] { secret("blob"); },
              throws(ErrorKind::usage, AllOf(HasSubstr("binary"), Not(HasSubstr("binary:x")))));
}

TEST_F(SecretsTest, WrongSecretKeyIsRefusedWithAHint) {
  variables["AWS_SECRET_ACCESS_KEY"] = "wJalrWRONG";
  EXPECT_THAT(
      [&] { secret("prod/db"); },
      throws(ErrorKind::permanent,
             AllOf(HasSubstr("secret prod/db"), HasSubstr("check the access key"), Not(HasSubstr("wJalr")))));
}

TEST_F(SecretsTest, ClockThatIsWrongIsCorrectedByTheServers) {
  for (const auto off : {std::chrono::hours(1), std::chrono::hours(-1)}) {
    stand_in.state().lock()->clock_ahead = off;
    EXPECT_EQ(secret("prod/db").substr(0, 8), "postgres");
  }
}

TEST_F(SecretsTest, ServiceErrorsAreTransient) {
  stand_in.state().lock()->failures = 1;
  EXPECT_THAT([&] { secret("prod/db"); }, throws(ErrorKind::transient, HasSubstr("503")));
  EXPECT_NO_THROW(secret("prod/db"));
}

TEST_F(SecretsTest, ExpiredCredentialsAreFetchedAnewOnce) {
  variables.erase("AWS_ACCESS_KEY_ID");
  variables.erase("AWS_SECRET_ACCESS_KEY");
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = stand_in.url() + "/container";
  auto& shared = session();
  EXPECT_EQ(Secrets(shared).parameter("/prod/url", stop).reveal(), "https://h");
  stand_in.state().lock()->expired.insert("ASIAISSUED1");
  EXPECT_EQ(Secrets(shared).parameter("/prod/url", stop).reveal(), "https://h");
  EXPECT_EQ(stand_in.state().lock()->issued, 2);
  use_environment_key();
  stand_in.state().lock()->expired.insert("AKIALONGTERM");
  EXPECT_THAT([&] { parameter("/prod/url"); }, throws(ErrorKind::permanent, HasSubstr("log in again")));
}

}  // namespace
}  // namespace aws
