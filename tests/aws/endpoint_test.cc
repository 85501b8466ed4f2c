#include "aws/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string url(std::string_view service, std::string_view region, EndpointVariant variant = {}) {
  return service_endpoint(service, region, variant).url;
}

TEST(ServiceEndpoint, PartitionsHaveSuffixesOfTheirOwn) {
  EXPECT_EQ(url("s3", "us-east-1"), "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(url("secretsmanager", "eu-central-1"), "https://secretsmanager.eu-central-1.amazonaws.com");
  EXPECT_EQ(url("s3", "cn-north-1"), "https://s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(url("sts", "us-gov-west-1"), "https://sts.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(url("s3", "us-isob-east-1"), "https://s3.us-isob-east-1.sc2s.sgov.gov");
  EXPECT_EQ(url("s3", "us-iso-east-1"), "https://s3.us-iso-east-1.c2s.ic.gov");
  EXPECT_EQ(url("s3", "eusc-de-east-1"), "https://s3.eusc-de-east-1.amazonaws.eu");
}

TEST(ServiceEndpoint, VariantsForS3AndTheOthers) {
  EXPECT_EQ(url("s3", "us-west-2", {.fips = true}), "https://s3-fips.us-west-2.amazonaws.com");
  EXPECT_EQ(url("s3", "us-west-2", {.dualstack = true}), "https://s3.dualstack.us-west-2.amazonaws.com");
  EXPECT_EQ(url("s3", "us-west-2", {.fips = true, .dualstack = true}),
            "https://s3-fips.dualstack.us-west-2.amazonaws.com");
  EXPECT_EQ(url("s3", "cn-north-1", {.dualstack = true}), "https://s3.dualstack.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(url("ssm", "us-west-2", {.fips = true, .dualstack = true}), "https://ssm-fips.us-west-2.api.aws");
}

TEST(CustomEndpoint, IsKeptWithoutItsLastSlash) {
  const auto endpoint = custom_endpoint("http://127.0.0.1:9000/base/", "r", "it");
  EXPECT_EQ(endpoint.url, "http://127.0.0.1:9000/base");
  EXPECT_EQ(endpoint.region, "r");
  EXPECT_TRUE(endpoint.custom);
}

TEST(CustomEndpoint, AnythingElseIsAUsageErrorThatDoesNotShowIt) {
  for (const char* text : {"", "minio:9000", "ftp://h", "https://", "https:///x", "https://user:pass@h",
                           "https://h?x", "https://h#x", "https://a b"})
    EXPECT_THAT([&] { custom_endpoint(text, "r", "the endpoint"); },
                throws(ErrorKind::usage, AllOf(HasSubstr("the endpoint is not"), Not(HasSubstr("pass")))))
        << text;
}

TEST(BucketUrl, HostOnAwsAndPathElsewhere) {
  const auto amazon = service_endpoint("s3", "eu-west-1");
  const auto own = custom_endpoint("http://127.0.0.1:9000", "r", "it");
  EXPECT_EQ(bucket_url(amazon, "uploads"), "https://uploads.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(bucket_url(amazon, "a.b"), "https://s3.eu-west-1.amazonaws.com/a.b");
  EXPECT_EQ(bucket_url(amazon, "Old_Name"), "https://s3.eu-west-1.amazonaws.com/Old_Name");
  EXPECT_EQ(bucket_url(own, "uploads"), "http://127.0.0.1:9000/uploads");
  EXPECT_EQ(bucket_url(amazon, "uploads", true), "https://s3.eu-west-1.amazonaws.com/uploads");
  EXPECT_EQ(bucket_url(own, "uploads", false), "http://uploads.127.0.0.1:9000");
  EXPECT_EQ(bucket_url(own, "Old_Name", false), "http://127.0.0.1:9000/Old_Name");
}

TEST(BucketUrl, HostNames) {
  for (const char* name : {"abc", "a-b", "0.1", "a.b-c", "192.168.5"})
    EXPECT_TRUE(is_host_name(name)) << name;
  for (const char* name : {"", "ab", "Abc", "a_b", "-ab", "ab-", "a..b", "192.168.5.4", "a/b"})
    EXPECT_FALSE(is_host_name(name)) << name;
  EXPECT_FALSE(is_host_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace aws
