#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"
#include "tests/s3/program.h"
#include "tests/support/aws_stand_in.h"

// Credentials that expire while an upload is under way, wherever the program has them from.

namespace s3 {
namespace {

namespace fs = std::filesystem;
using support::S3Fake;
using test::kLarge;
using test::meanwhile;
using test::random_text;
using ::testing::HasSubstr;
using ::testing::Not;

class ExpiringCredentials : public test::UploadToFake {
 protected:
  ExpiringCredentials() {
    for (int i = 0; i < 20; ++i) write(std::to_string(i), "content");
    write("large", random_text(kLarge));
  }

  /// The server takes no others from the request on that comes after so many of this operation.
  void expire(const std::string& operation, int after, std::function<void()> and_then) {
    fake_->fail(meanwhile(operation, after, std::move(and_then)));
  }
  void expect_all_there() const {
    EXPECT_EQ(fake_->objects().size(), 21U);
    EXPECT_EQ(fake_->uploads(), 0U);
    EXPECT_TRUE(fake_->objects().at(prefix_ + "/large").content == random_text(kLarge));
  }
};

/// A credential_process that writes down each call and prints what lies beside it.
class OfAProcess : public ExpiringCredentials {
 protected:
  OfAProcess() {
    std::ofstream(home_ / "helper") << "echo called >>\"$0.calls\"\ncat \"$0.answer\"\n";
    fs::create_directory(home_ / ".aws");
    std::ofstream(home_ / ".aws/config")
        << fmt::format("[default]\ncredential_process = /bin/sh {}\n", (home_ / "helper").native());
    print(S3Fake::kAccessKey, S3Fake::kSecretKey, "");
  }
  void print(const std::string& id, const std::string& secret, const std::string& token) const {
    base::replace_file(
        home_ / "helper.answer",
        nlohmann::json{
            {"Version", 1}, {"AccessKeyId", id}, {"SecretAccessKey", secret}, {"SessionToken", token}}
            .dump());
  }
  auto calls() const { return std::ranges::count(base::read_file(home_ / "helper.calls"), '\n'); }
  support::ProcessResult run_with_helper() const {
    return run_with({{"HOME", home_.path()}, {"AWS_EC2_METADATA_DISABLED", "true"}}, {"--no-progress"});
  }
  const support::AccessKey next_{"next/secret", "next/token"};
};

/// At which operation, and after how many of them.
class OfAProcessAt : public OfAProcess, public ::testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(OfAProcessAt, AreAskedForAgain) {
  const auto& [operation, after] = GetParam();
  expire(operation, after, [this] {
    print("AKNEXT", next_.secret, next_.token);
    fake_->replace_key("AKNEXT", next_);
  });
  const auto result = run_with_helper();
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.output, HasSubstr("EQUAL: 21 files"));
  EXPECT_EQ(calls(), 2) << "once for all that were refused";
  expect_all_there();
}

INSTANTIATE_TEST_SUITE_P(Operations, OfAProcessAt,
                         ::testing::Values(std::pair("PutObject", 8), std::pair("UploadPart", 1),
                                           std::pair("CompleteMultipartUpload", 0),
                                           std::pair("ListObjectsV2", 1)),
                         [](const auto& test) { return std::string(test.param.first); });

TEST_F(OfAProcess, EndTheRunWhereThereAreNoOthers) {
  expire("PutObject", 8, [this] { fake_->replace_key("AKNEXT", next_); });
  const auto failed = run_with_helper();
  EXPECT_EQ(failed.exit_code, 3) << failed.output << failed.error;
  EXPECT_THAT(failed.error, HasSubstr("ExpiredToken"));
  EXPECT_THAT(failed.error, HasSubstr("hint: get new credentials, then run the same command again"));
  EXPECT_EQ(std::ranges::count(failed.error, '\n'), 2) << failed.error;
  EXPECT_THAT(failed.output, Not(HasSubstr("EQUAL")));
  print("AKNEXT", next_.secret, next_.token);
  const auto resumed = run_with_helper();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output << resumed.error;
  expect_all_there();
}

TEST_F(ExpiringCredentials, OfAContainerWhoseEndpointIsDownForAMoment) {
  support::AwsStandIn stand_in;
  stand_in.state().lock()->container_token = "token";
  const auto accept = [this](int number) {
    fake_->replace_key(fmt::format("ASIAISSUED{}", number),
                       {fmt::format("issued-secret/{}", number), fmt::format("issued+token/{}==", number)});
  };
  accept(1);
  expire("PutObject", 8, [&] {
    stand_in.state().lock()->failures = 2;
    accept(2);
  });
  const auto result = run_with({{"HOME", home_.path()},
                                {"AWS_EC2_METADATA_DISABLED", "true"},
                                {"AWS_CONTAINER_CREDENTIALS_FULL_URI", stand_in.url() + "/container"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"}});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_EQ(stand_in.state().lock()->issued, 2);
  expect_all_there();
}

}  // namespace
}  // namespace s3
