#include "aws/rds_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/signature_check.h"

namespace aws {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Clock::time_point kNow = Clock::from_time_t(1'769'903'999);
constexpr const char* kHost = "db.cluster-x.eu-central-1.rds.amazonaws.com";

std::string judge(const Secret& token, std::chrono::seconds later) {
  const auto& text = token.reveal();
  const support::HttpServerRequest request{.method = "GET",
                                           .target = text.substr(text.find('/')),
                                           .headers = {{"Host", std::string(kHost) + ":5432"}}};
  return support::signature_objection(request, {{"AKIA", {"secret", "to/ken=="}}}, "eu-central-1", "rds-db",
                                      kNow + later);
}

TEST(RdsToken, IsAPresignedUrlWithoutItsScheme) {
  const Credentials credentials{
      .access_key_id = "AKIA", .secret_access_key = Secret("secret"), .session_token = Secret("to/ken==")};
  const auto token = rds_token(kHost, 5432, "app user", "eu-central-1", credentials, kNow);
  EXPECT_THAT(token.reveal(),
              StartsWith(std::string(kHost) + ":5432/?Action=connect&DBUser=app%20user&X-Amz-"));
  EXPECT_THAT(token.reveal(), HasSubstr("X-Amz-Expires=900&"));
  EXPECT_EQ(judge(token, std::chrono::minutes(14)), "");
  EXPECT_THAT(judge(token, std::chrono::minutes(16)), HasSubstr("expired"));
}

TEST(RdsToken, FindsTheRegionInTheHost) {
  EXPECT_EQ(rds_region(kHost), "eu-central-1");
  EXPECT_EQ(rds_region("db.x.cn-north-1.rds.amazonaws.com.cn"), "cn-north-1");
  EXPECT_EQ(rds_region("localhost"), std::nullopt);
  EXPECT_EQ(rds_region("rds.amazonaws.com"), std::nullopt);
}

}  // namespace
}  // namespace aws
