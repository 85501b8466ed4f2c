#include "aws/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/aws/fixture.h"
#include "tests/base/matchers.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;

class SessionTest : public SessionFixture {};

TEST_F(SessionTest, RegionInItsOrder) {
  variables.erase("AWS_REGION");
  EXPECT_THAT([&] { session().region(stop); }, throws(ErrorKind::usage, HasSubstr("AWS_REGION")));
  write(".aws/config", "[default]\nregion = from-profile\n");
  EXPECT_EQ(session().region(stop), "from-profile");
  variables["AWS_DEFAULT_REGION"] = "from-default";
  EXPECT_EQ(session().region(stop), "from-default");
  variables["AWS_REGION"] = "from-region";
  EXPECT_EQ(session().region(stop), "from-region");
  EXPECT_EQ(session({.region = "given"}).region(stop), "given");
}

TEST_F(SessionTest, RegionOfTheInstanceIsAskedForOnce) {
  variables.erase("AWS_REGION");
  variables.erase("AWS_EC2_METADATA_DISABLED");
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = stand_in.url();
  auto& shared = session();
  EXPECT_EQ(shared.region(stop), "eu-central-1");
  EXPECT_EQ(shared.region(stop), "eu-central-1");
  EXPECT_EQ(stand_in.server().requests().size(), 2U) << "a token and the region";
}

TEST_F(SessionTest, EndpointInItsOrder) {
  variables.erase("AWS_ENDPOINT_URL");
  const auto url = [&](std::string_view service, SessionOptions options = {}) {
    return session(std::move(options)).endpoint(service, "eu-west-1").url;
  };
  EXPECT_EQ(url("s3"), "https://s3.eu-west-1.amazonaws.com");
  write(".aws/config",
        "[default]\nservices = here\nendpoint_url = http://profile\n"
        "[services here]\ns3 =\n  endpoint_url = http://services-s3\n"
        "secrets_manager =\n  endpoint_url = http://services-sm\n");
  EXPECT_EQ(url("ssm"), "http://profile");
  EXPECT_EQ(url("s3"), "http://services-s3");
  EXPECT_EQ(url("secretsmanager"), "http://services-sm");
  variables["AWS_ENDPOINT_URL"] = "http://all";
  EXPECT_EQ(url("s3"), "http://all");
  variables["AWS_ENDPOINT_URL_S3"] = "http://s3";
  variables["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://sm";
  EXPECT_EQ(url("s3"), "http://s3");
  EXPECT_EQ(url("secretsmanager"), "http://sm");
  variables["AWS_ENDPOINT_URL_SSO_OIDC"] = "http://oidc";
  EXPECT_EQ(url("oidc"), "http://oidc");
  EXPECT_EQ(url("s3", {.s3_endpoint_url = "http://given"}), "http://given");
  EXPECT_EQ(url("sts", {.s3_endpoint_url = "http://given"}), "http://all") << "that was S3's only";
  variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(url("s3"), "https://s3.eu-west-1.amazonaws.com");
}

TEST_F(SessionTest, VariantsOfAwsEndpoints) {
  variables.erase("AWS_ENDPOINT_URL");
  const auto url = [&](std::string_view service, SessionOptions options = {}) {
    return session(std::move(options)).endpoint(service, "us-east-1").url;
  };
  write(".aws/config", "[default]\ns3 =\n  use_dualstack_endpoint = true\nuse_fips_endpoint = true\n");
  EXPECT_EQ(url("s3"), "https://s3-fips.dualstack.us-east-1.amazonaws.com");
  EXPECT_EQ(url("ssm"), "https://ssm-fips.us-east-1.amazonaws.com");
  variables["AWS_USE_FIPS_ENDPOINT"] = "false";
  EXPECT_EQ(url("s3"), "https://s3.dualstack.us-east-1.amazonaws.com");
  EXPECT_EQ(url("s3", {.fips = true, .dualstack = false}), "https://s3-fips.us-east-1.amazonaws.com");
}

TEST_F(SessionTest, PathStyle) {
  EXPECT_EQ(session().path_style(), std::nullopt);
  write(".aws/config", "[default]\ns3 =\n  addressing_style = path\n");
  EXPECT_EQ(session().path_style(), true);
  EXPECT_EQ(session({.path_style = false}).path_style(), false);
}

}  // namespace
}  // namespace aws
