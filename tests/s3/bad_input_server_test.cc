#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/s3/fixture.h"
#include "tests/s3/program.h"
#include "tests/support/process.h"
#include "tests/support/relay.h"
#include "tests/support/s3_fake.h"
#include "tests/support/temp_dir.h"

// What can be wrong before the first byte is sent: said once, with what to do about it, and nothing is taken
// for done. When the cause is gone the same command succeeds.

namespace s3 {
namespace {

namespace fs = std::filesystem;
using support::S3Fake;
using ::testing::HasSubstr;
using ::testing::Not;

/// A directory with a few files, and how `cutover upload` is called on it.
struct Situation {
  explicit Situation(support::S3FakeOptions options) : server(std::move(options)) {
    fs::create_directory(home / "files");
    for (const auto* name : {"a", "b", "c"}) std::ofstream(home / "files" / name) << name;
    arguments = {"upload",      home / "files", "s3://bucket/x", "--endpoint-url", server.url(),
                 "--retry-for", "100ms",        "--run-dir",     home / "run"};
    environment = {{"AWS_ACCESS_KEY_ID", S3Fake::kAccessKey},
                   {"AWS_SECRET_ACCESS_KEY", S3Fake::kSecretKey},
                   {"AWS_EC2_METADATA_DISABLED", "true"},
                   {"AWS_REGION", "us-east-1"},
                   {"HOME", home.path()}};
  }
  support::ProcessResult run() const { return support::cutover(arguments, {.environment = environment}); }
  /// For the whole of one run.
  void refuse(int status, const std::string& code) {
    auto answer = S3Fake::error(status, code);
    answer.headers.add("Date", "once upon a time");
    server.fail({.operation = "ListObjectsV2", .answer = answer});
  }

  support::TempDir home;
  S3Fake server;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
};

using Act = std::function<void(Situation&)>;

struct BadCase {
  const char* name;
  Act break_it;
  int exit_code;
  const char* message;
  const char* hint;
  Act mend = [](Situation&) {};
  bool may_succeed = true;  ///< by the same command, afterwards
  support::S3FakeOptions server = {};
};

Act wrong_uri(std::string uri) {
  return [uri = std::move(uri)](Situation& one) { one.arguments[2] = uri; };
}

void take_keys(Situation& one) {
  one.environment.erase("AWS_ACCESS_KEY_ID");
  one.environment.erase("AWS_SECRET_ACCESS_KEY");
}

void give_keys(Situation& one) {
  one.environment["AWS_ACCESS_KEY_ID"] = "AKNEXT";
  one.environment["AWS_SECRET_ACCESS_KEY"] = "next/secret";
}

void expire_keys(Situation& one) { one.server.replace_key("AKNEXT", {"next/secret"}); }

std::vector<BadCase> bad_cases() {
  const Act nothing = [](Situation&) {};
  return {
      {"NoCredentials",
       [](Situation& one) {
         expire_keys(one);
         take_keys(one);
       },
       2, "there are no AWS credentials", "looked for", give_keys},
      {"HalfOfAKey", [](Situation& one) { one.environment.erase("AWS_SECRET_ACCESS_KEY"); }, 2,
       "AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY", "set both",
       [](Situation& one) { one.environment["AWS_SECRET_ACCESS_KEY"] = S3Fake::kSecretKey; }},
      {"ExpiredCredentials", expire_keys, 3, "ExpiredToken", "get new credentials", give_keys},
      {"UnknownKey", [](Situation& one) { one.environment["AWS_ACCESS_KEY_ID"] = "AKOTHER"; }, 3,
       "InvalidAccessKeyId", "not known at this endpoint",
       [](Situation& one) { one.environment["AWS_ACCESS_KEY_ID"] = S3Fake::kAccessKey; }},
      {"WrongRegionAtACustomEndpoint",
       nothing,
       3,
       "PermanentRedirect",
       "--region eu-central-1",
       [](Situation& one) { one.environment["AWS_REGION"] = "eu-central-1"; },
       true,
       {.region = "eu-central-1"}},
      {"NoSuchBucket", [](Situation& one) { one.refuse(404, "NoSuchBucket"); }, 3, "NoSuchBucket",
       "make the bucket first"},
      {"BucketOfAnother", [](Situation& one) { one.refuse(403, "AccessDenied"); }, 3, "AccessDenied",
       "the credentials need s3:PutObject"},
      {"ClockThatCannotBeCorrected", [](Situation& one) { one.refuse(403, "RequestTimeTooSkewed"); }, 3,
       "RequestTimeTooSkewed", "this machine's clock is wrong"},
      {"EndpointDown", [](Situation& one) { one.arguments[4] = "http://127.0.0.1:1"; }, 3,
       "no answer from 127.0.0.1:1", "is the server up", nothing, false},
      {"EndpointIsNoUrl", [](Situation& one) { one.arguments[4] = "s3.example"; }, 2, "the S3 endpoint given",
       "https://host", [](Situation& one) { one.arguments[4] = one.server.url(); }},
      {"NoS3Uri", wrong_uri("http://bucket/x"), 2, "is not the address of a bucket", "s3://BUCKET",
       wrong_uri("s3://bucket/x")},
      {"NoBucketName", wrong_uri("s3://"), 2, "no valid bucket name", "s3://BUCKET",
       wrong_uri("s3://bucket/x")},
      {"BadBucketName", wrong_uri("s3://Bucket/x"), 2, "no valid bucket name", "s3://BUCKET",
       wrong_uri("s3://bucket/x")},
      {"EmptySegment", wrong_uri("s3://bucket/a//b"), 2, "empty path segment", "s3://BUCKET",
       wrong_uri("s3://bucket/x")},
      {"NoSuchDirectory", [](Situation& one) { fs::rename(one.home / "files", one.home / "away"); }, 2,
       "cannot open the directory", "mounted",
       [](Situation& one) { fs::rename(one.home / "away", one.home / "files"); }},
      {"UntrustedCertificate", nothing, 3, "no answer from localhost", "AWS_CA_BUNDLE",
       [](Situation& one) { one.environment["AWS_CA_BUNDLE"] = one.home / "ca.pem"; }},
  };
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class BadInput : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadInput, IsSaidOnceAndNothingIsTakenForDone) {
  const auto& bad = GetParam();
  auto options = bad.server;
  if (bad.name == std::string("UntrustedCertificate")) options.certificate = support::make_certificate();
  Situation one(options);
  if (options.certificate) std::ofstream(one.home / "ca.pem") << options.certificate->certificate;
  bad.break_it(one);
  const auto failed = one.run();
  EXPECT_EQ(failed.exit_code, bad.exit_code) << failed.output << failed.error;
  EXPECT_EQ(occurrences(failed.error, "error: "), 1U) << failed.error;
  EXPECT_EQ(occurrences(failed.error, bad.message), 1U) << failed.error;
  EXPECT_EQ(occurrences(failed.error, "hint: "), 1U) << failed.error;
  EXPECT_THAT(failed.error, HasSubstr(bad.hint));
  EXPECT_THAT(failed.output, Not(HasSubstr("EQUAL")));
  EXPECT_THAT(failed.output + failed.error, Not(HasSubstr(S3Fake::kSecretKey)));
  EXPECT_TRUE(one.server.objects().empty());
  if (!bad.may_succeed) return;
  bad.mend(one);
  const auto mended = one.run();
  EXPECT_EQ(mended.exit_code, 0) << mended.output << mended.error;
  EXPECT_THAT(mended.output, HasSubstr("EQUAL: 3 files"));
  EXPECT_EQ(one.server.objects().size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Table, BadInput, ::testing::ValuesIn(bad_cases()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(ClockOfTheServer, IsTaken) {
  Situation one({.clock_ahead = std::chrono::hours(1)});
  const auto result = one.run();
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
}

/// A file of the kernel's that can be opened and has a size, and cannot be read.
const fs::path kUnreadable = "/sys/class/net/lo/speed";

TEST(ReadErrors, LeaveOutTheFileThatHasThem) {
  std::ifstream file(kUnreadable);
  if (!fs::exists(kUnreadable) || file.get() != std::ifstream::traits_type::eof())
    GTEST_SKIP() << kUnreadable << " can be read here";
  Situation one(support::S3FakeOptions{});
  fs::create_symlink(kUnreadable, one.home / "files/broken");
  one.arguments.insert(one.arguments.end(), {"--symlinks", "follow"});
  const auto failed = one.run();
  EXPECT_EQ(failed.exit_code, 3) << failed.output << failed.error;
  EXPECT_EQ(occurrences(failed.output, "broken: cannot read broken"), 1U) << failed.output;
  EXPECT_THAT(failed.output, Not(HasSubstr("EQUAL")));
  EXPECT_EQ(one.server.objects().size(), 3U);
  EXPECT_FALSE(one.server.objects().contains("x/broken"));
  fs::remove(one.home / "files/broken");
  std::ofstream(one.home / "files/broken") << "mended";
  const auto mended = one.run();
  EXPECT_EQ(mended.exit_code, 0) << mended.output << mended.error;
  EXPECT_EQ(one.server.objects().at("x/broken").content, "mended");
}

// The kernel says so for the second part and all that follow, as it does of a bad sector.
TEST(ReadErrors, InTheMiddleOfALargeFileLeaveNothingOfIt) {
  Situation one(support::S3FakeOptions{});
  const auto content = test::random_text(test::kLarge);
  std::ofstream(one.home / "files/large", std::ios::binary) << content;
  const auto large = (one.home / "files/large").string();
  std::vector<std::string> call{"-f",
                                "-qq",
                                "-o",
                                "/dev/null",
                                "-P",
                                large,
                                "-e",
                                "trace=pread64",
                                "-e",
                                "inject=pread64:error=EIO:when=2+",
                                support::cutover_program()};
  call.insert(call.end(), one.arguments.begin(), one.arguments.end());
  call.insert(call.end(), {"--concurrency", "1"});  // strace counts by the thread
  auto environment = one.environment;
  environment["ASAN_OPTIONS"] = "detect_leaks=0";  // which nobody can look for in a traced process
  const auto failed = support::Process("/usr/bin/strace", call, {.environment = environment}).wait();
  EXPECT_EQ(failed.exit_code, 3) << failed.output << failed.error;
  EXPECT_EQ(occurrences(failed.output, "large: cannot read large"), 1U) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("see the kernel's log"));
  EXPECT_THAT(failed.output, Not(HasSubstr("EQUAL")));
  EXPECT_FALSE(one.server.objects().contains("x/large"));
  EXPECT_EQ(one.server.objects().size(), 3U) << "the other files";
  EXPECT_EQ(one.server.uploads(), 0U);
  const auto mended = one.run();
  EXPECT_EQ(mended.exit_code, 0) << mended.output << mended.error;
  EXPECT_TRUE(one.server.objects().at("x/large").content == content);
}

/// A way to the server that can be shut.
class LostEndpoint : public test::UploadToFake {
 protected:
  LostEndpoint() : port_(std::stoi(server_.substr(server_.rfind(':') + 1))) {
    relay_ = std::make_unique<support::Relay>(port_);
    server_ = fmt::format("http://127.0.0.1:{}", relay_->port());
  }
  int port_;
  std::unique_ptr<support::Relay> relay_;
};

TEST_F(LostEndpoint, LeavesWhatTheSameCommandGoesOnWith) {
  const auto content = test::random_text(test::kLarge);
  write("large", content);
  write("small", "1");
  const auto at = relay_->port();
  S3Fake::Fault fault{.operation = "UploadPart", .after = 1};
  fault.also = [this] { relay_.reset(); };
  fault.change = [](support::HttpServerResponse&) {};
  fake_->fail(fault);
  const auto lost = run_here({"--concurrency", "1", "--retry-for", "100ms"});
  EXPECT_EQ(lost.exit_code, 3) << lost.output << lost.error;
  EXPECT_EQ(occurrences(lost.error, "error: "), 1U) << lost.error;
  EXPECT_THAT(lost.error, HasSubstr(fmt::format("no answer from 127.0.0.1:{}", at)));
  EXPECT_THAT(lost.error, HasSubstr("is the server up"));
  EXPECT_THAT(lost.output, Not(HasSubstr("EQUAL")));
  EXPECT_FALSE(fake_->objects().contains(prefix_ + "/large"));
  EXPECT_EQ(fake_->uploads(), 1U);

  relay_ = std::make_unique<support::Relay>(port_, support::Relay::CancelKeys::forwarded, at);
  const auto resumed = run_here();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output << resumed.error;
  EXPECT_TRUE(fake_->objects().at(prefix_ + "/large").content == content);
  EXPECT_THAT(fake_->sent_again(), ::testing::Each(Not(HasSubstr("/large"))))
      << "nor the part whose answer was lost";
  EXPECT_EQ(fake_->count("CreateMultipartUpload"), 1);
  EXPECT_EQ(fake_->uploads(), 0U);
}

/// The program as somebody who is not root, whom permissions hold back.
class Unreadable : public ::testing::Test {
 protected:
  Unreadable() {
    fs::create_directory(one_.home / "files/d");
    std::ofstream(one_.home / "files/d/e") << "e";
    fs::permissions(one_.home.path(), fs::perms::all);
    one_.arguments.insert(one_.arguments.end(), {"--concurrency", "1"});
  }
  void allow(bool allowed, std::initializer_list<const char*> names) const {
    for (const auto* name : names)
      fs::permissions(one_.home / "files" / name, allowed ? fs::perms(0755) : fs::perms::none);
  }
  support::ProcessResult run(const std::vector<std::string>& more = {}) const {
    auto arguments = one_.arguments;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return support::cutover(arguments, {.environment = one_.environment, .as_postgres = true});
  }
  Situation one_{support::S3FakeOptions{}};
};

TEST_F(Unreadable, BetweenTwoRuns) {
  const auto first = run();
  ASSERT_EQ(first.exit_code, 0) << first.output << first.error;
  std::ofstream(one_.home / "files/a") << "changed";
  allow(false, {"a", "d"});
  for (const auto& more : {std::vector<std::string>{}, {"--delete"}, {"--verify-only"}}) {
    const auto result = run(more);
    EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
    EXPECT_THAT(result.output, HasSubstr("permission denied"));
    EXPECT_THAT(result.output, HasSubstr("d: cannot be read"));
    EXPECT_THAT(result.output, Not(HasSubstr("EQUAL")));
    EXPECT_EQ(one_.server.objects().size(), 4U) << "nothing is taken for gone";
  }
  allow(true, {"a", "d"});
  const auto again = run();
  EXPECT_EQ(again.exit_code, 0) << again.output << again.error;
  EXPECT_EQ(one_.server.objects().at("x/a").content, "changed");
}

TEST_F(Unreadable, BetweenWalkAndRead) {
  S3Fake::Fault fault{.operation = "PutObject", .after = 3};  // the probe's
  fault.change = [](support::HttpServerResponse&) {};
  fault.also = [&] { allow(false, {"a", "b", "c", "d/e"}); };
  one_.server.fail(fault);
  const auto failed = run();
  EXPECT_EQ(failed.exit_code, 3) << failed.output << failed.error;
  EXPECT_EQ(occurrences(failed.output, "permission denied"), 3U) << failed.output;
  EXPECT_EQ(one_.server.objects().size(), 1U);
  allow(true, {"a", "b", "c", "d/e"});
  const auto again = run();
  EXPECT_EQ(again.exit_code, 0) << again.output << again.error;
  EXPECT_EQ(one_.server.objects().size(), 4U);
}

}  // namespace
}  // namespace s3
