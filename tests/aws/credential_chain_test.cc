#include "aws/credential_chain.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "aws/credential_process.h"
#include "aws/metadata.h"
#include "base/file.h"
#include "tests/aws/fixture.h"
#include "tests/base/matchers.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CredentialChain : public SessionFixture {
 protected:
  std::string id(SessionOptions options = {}) { return credentials(std::move(options)).access_key_id; }

  const std::string role_profile =
      "role_arn = arn:aws:iam::123456789012:role/mover\nrole_session_name = move\nexternal_id = partner 7\n";
  void offer_container() {
    stand_in.state().lock()->container_token = "token";
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = stand_in.url() + "/container";
    variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "token";
  }
  void offer_instance_role() {
    stand_in.state().lock()->instance_role = "worker";
    variables.erase("AWS_EC2_METADATA_DISABLED");
    variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = stand_in.url();
  }
  /// What was asked of the stand-in so far, without queries.
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const auto& request : stand_in.server().requests()) out.push_back(request.path());
    return out;
  }
  void allow_role() {
    auto state = stand_in.state().lock();
    state->roles.insert("arn:aws:iam::123456789012:role/mover");
    state->external_id = "partner 7";
  }
};

TEST_F(CredentialChain, NothingAnywhereSaysWhereItLooked) {
  EXPECT_THAT([&] { id(); },
              throws(ErrorKind::usage, AllOf(HasSubstr("no AWS credentials"), HasSubstr("AWS_ACCESS_KEY_ID"),
                                             HasSubstr("profile default"), HasSubstr("instance"))));
}

TEST_F(CredentialChain, OptionsThenEnvironmentThenProfile) {
  write(".aws/credentials",
        "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\naws_session_token = t\n");
  EXPECT_EQ(id(), "FILE");
  EXPECT_EQ(credentials().session_token.reveal(), "t");
  variables["AWS_ACCESS_KEY_ID"] = "ENV";
  variables["AWS_SECRET_ACCESS_KEY"] = "s";
  variables["AWS_SESSION_TOKEN"] = "e";
  EXPECT_EQ(id(), "ENV");
  EXPECT_EQ(credentials().session_token.reveal(), "e");
  EXPECT_EQ(id({.credentials = Credentials{.access_key_id = "GIVEN"}}), "GIVEN");
}

TEST_F(CredentialChain, NamedProfileSuppressesTheEnvironment) {
  write(".aws/config", "[profile dev]\naws_access_key_id = DEV\naws_secret_access_key = s\n");
  variables["AWS_ACCESS_KEY_ID"] = "ENV";
  variables["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(id({.profile = "dev"}), "DEV");
  variables["AWS_PROFILE"] = "dev";
  EXPECT_EQ(id(), "ENV") << "as botocore has it, AWS_PROFILE does not";
}

TEST_F(CredentialChain, HalfOfAKeyIsAnError) {
  variables["AWS_SECRET_ACCESS_KEY"] = "wJalrSECRET";
  EXPECT_THAT([&] { id(); },
              throws(ErrorKind::usage, AllOf(HasSubstr("AWS_ACCESS_KEY_ID"), Not(HasSubstr("wJalr")))));
  variables.erase("AWS_SECRET_ACCESS_KEY");
  write(".aws/credentials", "[default]\naws_access_key_id = A\n");
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::usage, HasSubstr("profile default")));
}

TEST_F(CredentialChain, UnknownProfileIsAnError) {
  EXPECT_THAT([&] { session({.profile = "nope"}); }, throws(ErrorKind::usage, HasSubstr("nope")));
  variables["AWS_PROFILE"] = "neither";
  EXPECT_THAT([&] { session(); }, throws(ErrorKind::usage, HasSubstr("neither")));
}

TEST_F(CredentialChain, RoleWithSourceProfile) {
  allow_role();
  write(".aws/config", "[default]\nsource_profile = base\n" + role_profile);
  write(".aws/credentials",
        "[base]\naws_access_key_id = AKIALONGTERM\naws_secret_access_key = long/term+secret\n");
  const auto given = credentials();
  EXPECT_EQ(given.access_key_id, "ASIAISSUED1");
  EXPECT_EQ(given.secret_access_key.reveal(), "issued-secret/1");
  EXPECT_EQ(given.session_token.reveal(), "issued+token/1==");
  EXPECT_TRUE(given.expires.has_value());
  EXPECT_THAT(stand_in.server().requests().at(0).body,
              HasSubstr("RoleSessionName=move&ExternalId=partner%207"));
}

TEST_F(CredentialChain, RoleOfARole) {
  allow_role();
  {
    auto state = stand_in.state().lock();
    state->roles.insert("arn:second");
    state->external_id.clear();
  }
  write(".aws/config",
        "[profile second]\nrole_arn = arn:second\nsource_profile = first\n"
        "[profile first]\nrole_arn = arn:aws:iam::123456789012:role/mover\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = AKIALONGTERM\naws_secret_access_key = long/term+secret\n");
  EXPECT_EQ(id({.profile = "second"}), "ASIAISSUED2");
}

TEST_F(CredentialChain, RoleWithItsOwnKeyAndWithTheEnvironments) {
  allow_role();
  write(".aws/config",
        "[profile self]\nsource_profile = self\naws_access_key_id = AKIALONGTERM\n"
        "aws_secret_access_key = long/term+secret\n" +
            role_profile + "[profile env]\ncredential_source = Environment\n" + role_profile);
  EXPECT_EQ(id({.profile = "self"}), "ASIAISSUED1");
  use_environment_key();
  EXPECT_EQ(id({.profile = "env"}), "ASIAISSUED2");
}

TEST_F(CredentialChain, RoleWhereTheClocksDiffer) {
  allow_role();
  write(".aws/config",
        "[profile self]\nsource_profile = self\naws_access_key_id = AKIALONGTERM\n"
        "aws_secret_access_key = long/term+secret\n" +
            role_profile);
  int issued = 0;
  for (const auto off : {std::chrono::hours(1), std::chrono::hours(-1)}) {
    stand_in.state().lock()->clock_ahead = off;
    EXPECT_EQ(id({.profile = "self"}), fmt::format("ASIAISSUED{}", ++issued));
  }
}

TEST_F(CredentialChain, RoleRefused) {
  write(".aws/config",
        "[profile self]\nsource_profile = self\naws_access_key_id = AKIALONGTERM\n"
        "aws_secret_access_key = long/term+secret\n" +
            role_profile);
  EXPECT_THAT([&] { id({.profile = "self"}); },
              throws(ErrorKind::permanent, AllOf(HasSubstr("role/mover"), HasSubstr("AccessDenied"),
                                                 HasSubstr("trust policy"), Not(HasSubstr("term+secret")))));
  stand_in.state().lock()->failures = 1;
  EXPECT_THAT([&] { id({.profile = "self"}); }, throws(ErrorKind::transient));
}

TEST_F(CredentialChain, RoleSettingsThatCannotWork) {
  write(".aws/config",
        "[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = x\nsource_profile = a\n"
        "[profile none]\nrole_arn = x\n[profile gone]\nrole_arn = x\nsource_profile = nobody\n"
        "[profile empty]\nregion = r\n[profile of-empty]\nrole_arn = x\nsource_profile = empty\n"
        "[profile source]\nrole_arn = x\ncredential_source = Thin Air\n"
        "[profile mfa]\nrole_arn = x\nsource_profile = mfa\nmfa_serial = m\n");
  const auto expect = [&](const std::string& profile, const std::string& text) {
    EXPECT_THAT([&] { id({.profile = profile}); }, throws(ErrorKind::usage, HasSubstr(text))) << profile;
  };
  expect("a", "each other");
  expect("none", "either source_profile or credential_source");
  expect("gone", "nobody");
  expect("of-empty", "empty, source of of-empty");
  expect("source", "EcsContainer");
  expect("mfa", "one-time password");
}

TEST_F(CredentialChain, WebIdentityFromEnvironmentAndProfile) {
  allow_role();
  {
    auto state = stand_in.state().lock();
    state->external_id.clear();
    state->identity_token = "eyJ.token";
  }
  write("token", "eyJ.token\n");
  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = home / "token";
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::usage, HasSubstr("AWS_ROLE_ARN")));
  variables["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/mover";
  EXPECT_EQ(id(), "ASIAISSUED1");
  EXPECT_EQ(stand_in.server().requests().at(0).headers.find("Authorization"), nullptr);
  variables.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  variables.erase("AWS_ROLE_ARN");
  write(".aws/config",
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/mover\nweb_identity_token_file = " +
            (home / "token").string() + "\n");
  EXPECT_EQ(id(), "ASIAISSUED2");
  write("token", "forged");
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::permanent,
                                    AllOf(HasSubstr("InvalidIdentityToken"), Not(HasSubstr("forged")))));
}

TEST_F(CredentialChain, SsoCache) {
  stand_in.state().lock()->sso_token = "sso-access";
  write(".aws/config",
        "[profile corp]\nsso_session = main\nsso_account_id = 123456789012\nsso_role_name = Admin Role\n"
        "[sso-session main]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n");
  const SessionOptions corp{.profile = "corp"};
  EXPECT_THAT([&] { id(corp); }, throws(ErrorKind::usage, HasSubstr("aws sso login --profile corp")));
  // sha1("main")
  const std::string cache = ".aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json";
  write(cache, R"({"accessToken": "sso-access", "expiresAt": "2999-01-01T00:00:00Z"})");
  EXPECT_EQ(id(corp), "ASIAISSUED1");
  write(cache, R"({"accessToken": "other", "expiresAt": "2999-01-01T00:00:00Z"})");
  EXPECT_THAT([&] { id(corp); }, throws(ErrorKind::usage, HasSubstr("refused")));
  write(cache, R"({"accessToken": "sso-access", "expiresAt": "2020-01-01T00:00:00Z"})");
  EXPECT_THAT([&] { id(corp); }, throws(ErrorKind::usage, HasSubstr("expired")));
}

/// A login whose access token has expired.
class ExpiredLogin : public CredentialChain {
 protected:
  ExpiredLogin() {
    write(".aws/config",
          "[profile corp]\nsso_session = main\nsso_account_id = 123456789012\nsso_role_name = Admin Role\n"
          "[sso-session main]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n");
    auto state = stand_in.state().lock();
    state->sso_token = "sso-access";
    state->sso_refresh_token = "sso-refresh";
  }
  void cache(const std::string& refresh_token, const std::string& access_token = "sso-access",
             const std::string& expires = "2020-01-01T00:00:00Z") {
    write(kCache, nlohmann::json{{"startUrl", "https://corp.awsapps.com/start"},
                                 {"accessToken", access_token},
                                 {"expiresAt", expires},
                                 {"clientId", "client"},
                                 {"clientSecret", "client-secret"},
                                 {"registrationExpiresAt", "2999-01-01T00:00:00Z"},
                                 {"refreshToken", refresh_token}}
                      .dump());
  }
  nlohmann::json cached() const { return nlohmann::json::parse(base::read_file(home / kCache)); }

  static constexpr const char* kCache = ".aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json";
  const SessionOptions corp_{.profile = "corp"};
};

TEST_F(ExpiredLogin, IsRenewedWithItsRefreshToken) {
  cache("sso-refresh");
  EXPECT_EQ(id(corp_), "ASIAISSUED1");
  EXPECT_THAT(asked(), ElementsAre("/token", "/federation/credentials"));
  EXPECT_EQ(cached()["accessToken"], "sso-access+");
  EXPECT_EQ(cached()["refreshToken"], "sso-refresh+") << "the old one is good for nothing any more";
  EXPECT_EQ(cached()["startUrl"], "https://corp.awsapps.com/start") << "other programs read it, too";
  const auto mode = std::filesystem::status(home / kCache).permissions();
  EXPECT_EQ(mode & std::filesystem::perms::mask, std::filesystem::perms(0600));
  EXPECT_EQ(id(corp_), "ASIAISSUED2");
  EXPECT_THAT(asked(), ElementsAre("/token", "/federation/credentials", "/federation/credentials"));
}

TEST_F(ExpiredLogin, IsToBeRepeatedWhenTheRefreshTokenIsRefused) {
  cache("of-last-week");
  EXPECT_THAT([&] { id(corp_); },
              throws(ErrorKind::usage,
                     AllOf(HasSubstr("profile corp is not logged in"), HasSubstr("invalid_grant"),
                           HasSubstr("run: aws sso login --profile corp"), Not(HasSubstr("of-last-week")))));
  EXPECT_THAT(asked(), ElementsAre("/token"));
  EXPECT_EQ(cached()["refreshToken"], "of-last-week");
}

TEST_F(ExpiredLogin, IsRenewedLaterWhenTheServiceIsDown) {
  cache("sso-refresh");
  auto& shared = session(corp_);
  stand_in.state().lock()->failures = 1;
  EXPECT_THAT([&] { shared.credentials().get(stop); }, throws(ErrorKind::transient));
  EXPECT_EQ(shared.credentials().get(stop).access_key_id, "ASIAISSUED1");
}

TEST_F(ExpiredLogin, IsToBeRepeatedWhereANewTokenCouldNotBeKept) {
  for (const auto* file : {".lock", ".tmp"}) {
    cache("sso-refresh");
    const auto in_the_way = home / (std::string(kCache) + file);
    std::filesystem::remove(in_the_way);
    std::filesystem::create_directories(in_the_way / "directory");
    EXPECT_THAT([&] { id(corp_); },
                throws(ErrorKind::usage,
                       AllOf(HasSubstr("profile corp is not logged in"), HasSubstr(in_the_way.native()),
                             HasSubstr("run: aws sso login --profile corp"))));
    EXPECT_THAT(asked(), ::testing::IsEmpty());
    std::filesystem::remove_all(in_the_way);
  }
}

TEST_F(ExpiredLogin, IsRenewedOnceForAllWhoNeedIt) {
  cache("sso-refresh");
  const auto use = [&] {
    Session own(corp_, Environment(variables), std::make_shared<base::HttpShare>(base::HttpSettings{}));
    return own.credentials().get(stop).access_key_id;
  };
  std::vector<std::future<std::string>> users;
  for (int i = 0; i < 8; ++i) users.push_back(std::async(std::launch::async, use));
  for (auto& user : users) EXPECT_THAT(user.get(), HasSubstr("ASIAISSUED"));
  EXPECT_EQ(std::ranges::count(asked(), "/token"), 1);
  EXPECT_EQ(cached()["refreshToken"], "sso-refresh+");
  const auto mode = std::filesystem::status(home / (std::string(kCache) + ".lock")).permissions();
  EXPECT_EQ(mode & std::filesystem::perms::mask, std::filesystem::perms(0600));
}

TEST_F(ExpiredLogin, IsGoodWhereAnotherProgramHasJustRenewedIt) {
  cache("sso-refresh");
  stand_in.state().lock()->before_exchange = [this](support::AwsState& state) {
    state.sso_token = "sso-of-another";
    state.sso_refresh_token = "refresh-of-another";
    cache(state.sso_refresh_token, state.sso_token, "2999-01-01T00:00:00Z");
  };
  EXPECT_EQ(id(corp_), "ASIAISSUED1");
  EXPECT_THAT(asked(), ElementsAre("/token", "/federation/credentials"));
  EXPECT_EQ(cached()["refreshToken"], "refresh-of-another");
}

TEST_F(CredentialChain, Process) {
  write("helper",
        "#!/bin/sh\n[ \"$1\" = 'two words' ] && "
        "echo '{\"Version\": 1, \"AccessKeyId\": \"P\", \"SecretAccessKey\": \"s\", \"SessionToken\": "
        "\"t\"}'\n");
  std::filesystem::permissions(home / "helper", std::filesystem::perms::owner_all);
  const auto helper = (home / "helper").string();
  write(".aws/config", "[default]\ncredential_process = " + helper +
                           " \"two words\"\n[profile bad]\ncredential_process = " + helper +
                           " hunter2\n[profile gone]\ncredential_process = /nonexistent/helper\n");
  EXPECT_EQ(id(), "P");
  EXPECT_EQ(credentials().session_token.reveal(), "t");
  EXPECT_THAT([&] { id({.profile = "bad"}); },
              throws(ErrorKind::permanent, AllOf(HasSubstr("exit code 1"), Not(HasSubstr("hunter2")))));
  EXPECT_THAT([&] { id({.profile = "gone"}); }, throws(ErrorKind::usage));
}

TEST_F(CredentialChain, ContainerWithItsTokenReadEachTime) {
  stand_in.state().lock()->container_token = "first";
  write("token", "first\n");
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = stand_in.url() + "/container";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = home / "token";
  auto& shared = session();
  EXPECT_EQ(shared.credentials().get(stop).access_key_id, "ASIAISSUED1");
  stand_in.state().lock()->container_token = "second";
  write("token", "second\n");
  shared.credentials().refused(shared.credentials().get(stop));
  EXPECT_EQ(shared.credentials().get(stop).access_key_id, "ASIAISSUED2");
  write("token", "stale");
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::permanent, AllOf(HasSubstr("401"), Not(HasSubstr("stale")))));
}

TEST_F(CredentialChain, ContainerOverTheNetWantsHttps) {
  for (const char* url :
       {"http://example.com/x", "http://127.evil.example/x", "http://localhost.evil.example/"}) {
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_THAT([&] { id(); }, throws(ErrorKind::usage, HasSubstr("in the clear"))) << url;
  }
}

TEST_F(CredentialChain, InstanceRole) {
  variables.erase("AWS_EC2_METADATA_DISABLED");
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = stand_in.url() + "/";
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::usage, HasSubstr("no AWS credentials"))) << "it has no role";
  stand_in.state().lock()->instance_role = "worker";
  auto& shared = session();
  EXPECT_EQ(shared.credentials().get(stop).access_key_id, "ASIAISSUED1");
  stand_in.state().lock()->failures = 1;
  shared.credentials().refused(shared.credentials().get(stop));
  EXPECT_THAT([&] { shared.credentials().get(stop); }, throws(ErrorKind::transient))
      << "once found, the instance's role does not turn into 'no credentials'";
  EXPECT_EQ(shared.credentials().get(stop).access_key_id, "ASIAISSUED2");
}

TEST_F(CredentialChain, RoleWithTheContainersAndTheInstancesCredentials) {
  allow_role();
  offer_container();
  offer_instance_role();
  write(".aws/config", "[profile ecs]\ncredential_source = EcsContainer\n" + role_profile +
                           "[profile ec2]\ncredential_source = Ec2InstanceMetadata\n" + role_profile);
  EXPECT_EQ(id({.profile = "ecs"}), "ASIAISSUED2") << "the first ones were those that it called with";
  EXPECT_THAT(asked(), ElementsAre("/container", "/"));
  EXPECT_EQ(id({.profile = "ec2"}), "ASIAISSUED4");
  const std::string role = "/latest/meta-data/iam/security-credentials/";
  EXPECT_THAT(asked(), ElementsAre("/container", "/", "/latest/api/token", role, "/latest/api/token",
                                   role + "worker", "/"));
  variables.erase("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  variables["AWS_EC2_METADATA_DISABLED"] = "true";
  for (const auto* profile : {"ecs", "ec2"})
    EXPECT_THAT([&] { id({.profile = profile}); }, throws(ErrorKind::usage, HasSubstr("credential_source")));
}

TEST_F(CredentialChain, ContainerComesBeforeTheInstance) {
  offer_container();
  offer_instance_role();
  EXPECT_EQ(id(), "ASIAISSUED1");
  EXPECT_THAT(asked(), ElementsAre("/container"));
}

TEST_F(CredentialChain, ProfileComesBeforeTheContainer) {
  offer_container();
  write(".aws/credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n");
  EXPECT_EQ(id(), "FILE");
  EXPECT_THAT(asked(), ::testing::IsEmpty());
}

TEST_F(CredentialChain, OrderWithinAProfile) {
  allow_role();
  stand_in.state().lock()->external_id.clear();
  stand_in.state().lock()->identity_token = "identity";
  write("token", "identity");
  const std::string process =
      "credential_process = /bin/echo '{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": "
      "\"s\"}'\n";
  const std::string key = "aws_access_key_id = KEY\naws_secret_access_key = s\n";
  const std::string sso =
      "sso_start_url = https://x\nsso_region = eu-central-1\nsso_account_id = 1\nsso_role_name = r\n";
  const std::string identity = "role_arn = arn:aws:iam::123456789012:role/mover\nweb_identity_token_file = " +
                               (home / "token").string() + "\n";
  write(".aws/config", "[profile process]\n" + process + "[profile key]\n" + process + key +
                           "[profile sso]\n" + process + key + sso + "[profile identity]\n" + process + key +
                           sso + identity);
  EXPECT_EQ(id({.profile = "process"}), "PROCESS");
  EXPECT_EQ(id({.profile = "key"}), "KEY");
  EXPECT_THAT([&] { id({.profile = "sso"}); }, throws(ErrorKind::usage, HasSubstr("not logged in")));
  EXPECT_EQ(id({.profile = "identity"}), "ASIAISSUED1");
}

TEST_F(CredentialChain, SsoWithoutASession) {
  stand_in.state().lock()->sso_token = "sso-access";
  write(".aws/config",
        "[profile old]\nsso_account_id = 123456789012\nsso_role_name = Admin Role\n"
        "sso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n");
  // sha1("https://corp.awsapps.com/start")
  write(".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json",
        R"({"accessToken": "sso-access", "expiresAt": "2999-01-01T00:00:00Z"})");
  EXPECT_EQ(id({.profile = "old"}), "ASIAISSUED1");
}

TEST_F(CredentialChain, ContainersRelativeUriCountsFirst) {
  const auto url = [](Environment::Variables given) {
    return container_credentials_url(Environment(std::move(given)));
  };
  EXPECT_EQ(url({}), std::nullopt);
  EXPECT_EQ(url({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid"},
                 {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://elsewhere.example/"}}),
            "http://169.254.170.2/v2/credentials/uuid");
  EXPECT_EQ(url({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.example/x"}}),
            "http://169.254.170.2/.evil.example/x");
  for (const auto* full : {"https://elsewhere.example/x", "http://169.254.170.23/v1/credentials"})
    EXPECT_EQ(url({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", full}}), full);
}

TEST_F(CredentialChain, DisabledMetadataIsNotAsked) {
  offer_instance_role();
  variables["AWS_EC2_METADATA_DISABLED"] = "TRUE";
  variables.erase("AWS_REGION");
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::usage));
  EXPECT_THAT([&] { session().region(stop); }, throws(ErrorKind::usage, HasSubstr("region")));
  EXPECT_EQ(stand_in.server().connections(), 0);
}

TEST_F(CredentialChain, MetadataThatNeverAnswersCostsASecond) {
  const support::HttpServer silent(
      [](const auto&) { return support::HttpServerResponse{.fault = support::HttpFault::hang}; });
  variables.erase("AWS_EC2_METADATA_DISABLED");
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = silent.url();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_THAT([&] { id(); }, throws(ErrorKind::usage, HasSubstr("no AWS credentials")));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(silent.connections(), 1) << "one try";
}

TEST(SplitCommand, AsAShellWould) {
  EXPECT_THAT(split_command("/a/b  -x 'two words' \"q\\\"t\" c\\ d ''"),
              ElementsAre("/a/b", "-x", "two words", "q\"t", "c d", ""));
  EXPECT_THAT([] { split_command("a 'b"); }, throws(ErrorKind::usage));
}

}  // namespace
}  // namespace aws
