#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/s3/fixture.h"
#include "tests/s3/program.h"
#include "tests/support/certificate.h"
#include "tests/support/process.h"

namespace s3 {
namespace {

using test::kLarge;
using test::random_text;
using test::UploadProgram;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(UploadProgram, UploadsVerifiesAndSendsNothingTwice) {
  write("index.html", "<html>");
  write("empty", "");
  write("a dir/ü +&%#?'\"<>.txt", "odd");
  write("large", random_text(kLarge));
  const auto first = run({"--verify", "checksum"});
  EXPECT_EQ(first.exit_code, 0) << first.output << first.error;
  EXPECT_THAT(first.output, HasSubstr("EQUAL: 4 files"));
  EXPECT_EQ(report()["uploaded"], 4);
  expect_whole();
  const auto second = run();
  EXPECT_EQ(second.exit_code, 0) << second.error;
  EXPECT_EQ(report()["unchanged"], 4);
  EXPECT_EQ(report()["bytes_sent"], 0);
  EXPECT_EQ(report()["requests"], 1) << "the listing";
}

TEST_F(UploadProgram, ResumesAtEveryCrashPoint) {
  write("large", random_text(kLarge));
  write("small", "1");
  for (const auto* point : {"s3_create.done", "upload_journal.before:3", "s3_part.done", "s3_part.done:2",
                            "s3_put.done", "s3_complete.before", "s3_complete.done"}) {
    const auto killed = run({"--concurrency", "2"}, {{"CUTOVER_CRASH_AT", point}});
    EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << point << killed.error;
    const auto resumed = run();
    EXPECT_EQ(resumed.exit_code, 0) << point << resumed.error;
    expect_whole();
    // Something new for the next one.
    write("large", random_text(kLarge, std::hash<std::string>()(point)));
    write("small", point);
  }
}

TEST_F(UploadProgram, StopsCleanlyAndResumes) {
  for (int i = 0; i < 3; ++i) write(fmt::format("large{}", i), random_text(kLarge, static_cast<uint64_t>(i)));
  support::Process process(support::cutover_program(), arguments({"--bwlimit", "5MB"}),
                           {.environment = environment()});
  while (!std::filesystem::exists(home_ / "run/uploads.journal") ||
         std::filesystem::file_size(home_ / "run/uploads.journal") < 500)
    ASSERT_TRUE(process.running()) << process.error();
  process.kill(SIGTERM);
  const auto stopped = process.wait();
  EXPECT_EQ(stopped.exit_code, 4) << stopped.error;
  EXPECT_EQ(run().exit_code, 0);
  expect_whole();
}

TEST_F(UploadProgram, DeletesOnlyWhenAsked) {
  write("a", "1");
  write("odd <&> name", "2");
  ASSERT_EQ(run().exit_code, 0);
  std::filesystem::remove(files() / "odd <&> name");
  const auto kept = run();
  EXPECT_EQ(kept.exit_code, 0);
  EXPECT_THAT(kept.output, HasSubstr("odd <&> name"));
  EXPECT_EQ(run({"--delete"}).exit_code, 0);
  EXPECT_EQ(report()["removed"], 1);
  expect_whole();
}

TEST_F(UploadProgram, FindsWhatSomebodyChanged) {
  write("a", "1");
  ASSERT_EQ(run().exit_code, 0);
  write("a", "2");
  write("b", "3");
  const auto result = run({"--verify-only", "--verify", "checksum"});
  EXPECT_EQ(result.exit_code, 1) << result.error;
  EXPECT_THAT(result.output, HasSubstr("1 missing, 1 different"));
}

TEST_F(UploadProgram, SaysOnceWhatIsWrong) {
  for (int i = 0; i < 20; ++i) write(std::to_string(i), "1");
  const auto wrong_key = run({}, {{"AWS_SECRET_ACCESS_KEY", "not-the-secret"}});
  EXPECT_EQ(wrong_key.exit_code, 3);
  EXPECT_THAT(wrong_key.error, HasSubstr("hint: check the secret access key"));
  EXPECT_THAT(wrong_key.error, Not(HasSubstr("not-the-secret")));
  EXPECT_EQ(std::ranges::count(wrong_key.error, '\n'), 2) << wrong_key.error;

  prefix_ += "/x";
  endpoint_.bucket = "cutover-no-such-bucket";
  const auto no_bucket = run({"--run-dir", home_ / "other"});
  EXPECT_EQ(no_bucket.exit_code, 3);
  EXPECT_THAT(no_bucket.error, HasSubstr("NoSuchBucket"));

  const auto no_directory = support::cutover({"upload", home_ / "missing", uri(), "--endpoint-url", server_},
                                             {.environment = environment()});
  EXPECT_EQ(no_directory.exit_code, 2) << no_directory.error;
  EXPECT_EQ(support::cutover({"upload", files(), "http://x"}, {.environment = environment()}).exit_code, 2);
  const auto nobody = support::cutover({"upload", files(), uri(), "--endpoint-url", "http://127.0.0.1:1",
                                        "--retry-for", "100ms", "--run-dir", home_ / "third"},
                                       {.environment = environment()});
  EXPECT_EQ(nobody.exit_code, 3) << nobody.error;
  auto no_credentials = environment();
  no_credentials.erase("AWS_ACCESS_KEY_ID");
  no_credentials.erase("AWS_SECRET_ACCESS_KEY");
  no_credentials["HOME"] = home_.path();
  const auto without =
      support::cutover(arguments({"--run-dir", home_ / "fourth"}), {.environment = no_credentials});
  EXPECT_NE(without.exit_code, 0);
  EXPECT_THAT(without.error, HasSubstr("credentials"));
}

TEST_F(UploadProgram, GoesWhereTheBucketIs) {
  const support::S3Fake far({.region = "eu-central-1"});
  write("a", "1");
  const std::vector<std::string> call{"upload", files(), "s3://bucket/x", "--run-dir", home_ / "far"};
  auto variables = environment();
  variables["AWS_ACCESS_KEY_ID"] = support::S3Fake::kAccessKey;
  variables["AWS_SECRET_ACCESS_KEY"] = support::S3Fake::kSecretKey;
  variables["AWS_ENDPOINT_URL_S3"] = far.url();
  const auto result = support::cutover(call, {.environment = variables});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("the bucket is in the region eu-central-1"));
  EXPECT_EQ(far.objects().size(), 1U);
  // A later run does not ask for the listing first.
  write("b", "2");
  const auto again = support::cutover(call, {.environment = variables});
  EXPECT_EQ(again.exit_code, 0) << again.output << again.error;
  EXPECT_THAT(again.error, HasSubstr("the bucket is in the region eu-central-1"));
  EXPECT_EQ(far.objects().size(), 2U);
}

TEST_F(UploadProgram, DoesNotCallEqualWhatItHasNotCompared) {
  write("a", "1");
  const auto result = run({"--verify", "none"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.output, AllOf(HasSubstr("UPLOADED (not compared): 1 file"), Not(HasSubstr("EQUAL"))));
  EXPECT_EQ(report()["verdict"], "uploaded");
}

TEST_F(UploadProgram, AdvisesALifecycleRule) {
  write("a", "1");
  EXPECT_THAT(run({"--dry-run"}).output, Not(HasSubstr("lifecycle rule")));
  write("large", random_text(kLarge));
  EXPECT_THAT(run({"--dry-run"}).output, HasSubstr("lifecycle rule"));
}

TEST_F(UploadProgram, ChecksTheServersCertificate) {
  const auto certificate = support::make_certificate();
  const support::S3Fake fake({.certificate = certificate});
  std::ofstream(home_ / "ca.pem") << certificate.certificate;
  write("a", "1");
  write("large", random_text(kLarge));
  const std::vector<std::string> call{"upload",         files(),    "s3://bucket/x",
                                      "--endpoint-url", fake.url(), "--run-dir",
                                      home_ / "tls",    "--verify", "download"};
  auto variables = environment();
  variables["AWS_ACCESS_KEY_ID"] = support::S3Fake::kAccessKey;
  variables["AWS_SECRET_ACCESS_KEY"] = support::S3Fake::kSecretKey;
  const auto unknown = support::cutover(call, {.environment = variables});
  EXPECT_EQ(unknown.exit_code, 3) << unknown.error;
  EXPECT_THAT(unknown.error, HasSubstr("hint: if this server is to be trusted, let AWS_CA_BUNDLE"));
  EXPECT_TRUE(fake.objects().empty());
  variables["AWS_CA_BUNDLE"] = home_ / "ca.pem";
  const auto trusted = support::cutover(call, {.environment = variables});
  EXPECT_EQ(trusted.exit_code, 0) << trusted.output << trusted.error;
  EXPECT_EQ(fake.objects().size(), 2U);
}

TEST_F(UploadProgram, SaysWhatItWouldDo) {
  write("a", "12");
  write("bad\xFF", "1");
  const auto result = run({"--dry-run"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.output, HasSubstr("1 of 1 file, 2 B of 2 B, would be uploaded"));
  EXPECT_THAT(result.output, HasSubstr("bad\\xff"));
  EXPECT_FALSE(std::filesystem::exists(home_ / "run"));
}

}  // namespace
}  // namespace s3
