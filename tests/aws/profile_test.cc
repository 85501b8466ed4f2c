#include "aws/profile.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ProfilesTest : public ::testing::Test {
 protected:
  Profiles load(const std::string& config, const std::string& credentials = {}) {
    std::ofstream(directory / "config") << config;
    std::ofstream(directory / "credentials") << credentials;
    return Profiles::load(Environment({{"AWS_CONFIG_FILE", directory / "config"},
                                       {"AWS_SHARED_CREDENTIALS_FILE", directory / "credentials"}}));
  }
  base::test::TemporaryDirectory directory;
};

std::string value(const Profiles& profiles, std::string_view profile, std::string_view name) {
  const auto* settings = profiles.find(profile);
  if (settings == nullptr) return "(no profile)";
  return setting(*settings, name).value_or("(no setting)");
}

TEST_F(ProfilesTest, SectionsOfBothFiles) {
  const auto profiles = load(
      "# comment\n[default]\nregion=eu-west-1\r\n\n[profile dev]\n region = us-east-1 ; here\n"
      "[profile \"with blank\"]\nregion = x\n[other]\nregion = not a profile\n"
      "[sso-session corp]\nsso_region = eu-north-1\n[services local]\ns3 =\n  endpoint_url = http://h:1\n",
      "[default]\naws_access_key_id = A\n[dev]\naws_secret_access_key = a=b#c/+;d\n[other]\nregion = y\n");
  EXPECT_EQ(value(profiles, "default", "region"), "eu-west-1");
  EXPECT_EQ(value(profiles, "default", "aws_access_key_id"), "A");
  EXPECT_EQ(value(profiles, "dev", "region"), "us-east-1");
  EXPECT_EQ(value(profiles, "dev", "aws_secret_access_key"), "a=b#c/+;d")
      << "part of a secret, not a comment";
  EXPECT_EQ(value(profiles, "with blank", "region"), "x");
  EXPECT_EQ(value(profiles, "other", "region"), "y");
  EXPECT_EQ(setting(*profiles.find_sso_session("corp"), "sso_region"), "eu-north-1");
  EXPECT_EQ(setting(*profiles.find_services("local"), "s3.endpoint_url"), "http://h:1");
  EXPECT_EQ(profiles.find("corp"), nullptr);
}

TEST_F(ProfilesTest, NestedSettingsAndTheCredentialsFileFirst) {
  const auto profiles =
      load("[default]\ns3 =\n  addressing_style = path\n\tmax = 1\nregion = r\naws_access_key_id = c\n",
           "[default]\naws_access_key_id = k\n");
  EXPECT_EQ(value(profiles, "default", "s3.addressing_style"), "path");
  EXPECT_EQ(value(profiles, "default", "s3.max"), "1");
  EXPECT_EQ(value(profiles, "default", "s3"), "(no setting)") << "it is empty";
  EXPECT_EQ(value(profiles, "default", "region"), "r");
  EXPECT_EQ(value(profiles, "default", "aws_access_key_id"), "k");
}

TEST_F(ProfilesTest, MalformedLinesAreNamedAndNotShown) {
  EXPECT_THAT([&] { load("[default\n"); }, throws(ErrorKind::usage, HasSubstr("config:1: ")));
  EXPECT_THAT([&] { load("", "[default]\nwJalrSECRET\n"); },
              throws(ErrorKind::usage, AllOf(HasSubstr("credentials:2: "), Not(HasSubstr("SECRET")))));
  EXPECT_THAT([&] { load("region = x\n"); }, throws(ErrorKind::usage, HasSubstr("config:1: ")));
}

TEST(ProfilesWithoutFiles, AreEmpty) {
  const auto profiles = Profiles::load(Environment(Environment::Variables{{"HOME", "/nonexistent"}}));
  EXPECT_EQ(profiles.find("default"), nullptr);
}

}  // namespace
}  // namespace aws
