#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
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
  const std::string large = "ünï/100% l+rge <1>";
  write(large, random_text(kLarge));
  write("small", "1");
  for (const auto* point : {"s3_probe.created", "s3_create.done", "upload_journal.before:3", "s3_part.done",
                            "s3_part.done:2", "s3_put.done", "s3_complete.before", "s3_complete.done"}) {
    const auto killed = run({"--concurrency", "2"}, {{"CUTOVER_CRASH_AT", point}});
    EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << point << killed.error;
    const auto resumed = run();
    EXPECT_EQ(resumed.exit_code, 0) << point << resumed.error;
    expect_whole();
    // Something new for the next one.
    write(large, random_text(kLarge, std::hash<std::string>()(point)));
    write("small", point);
  }
}

TEST_F(UploadProgram, ShowsOnATerminalHowFarItIs) {
  write("large", random_text(kLarge));
  write("small", "1");
  support::Process process(support::cutover_program(), arguments({"--bwlimit", "20MB"}),
                           {.environment = environment(), .terminal = true});
  process.wait_for_output("/2 files");
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const auto verdict = result.output.rfind(": 2 files, 42.0 MB in");  // EQUAL is in colours
  ASSERT_NE(verdict, std::string::npos) << result.output;
  EXPECT_EQ(result.output.find("/2 files", verdict), std::string::npos) << "the live line is gone";
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

/// A path that makes a key of so many bytes; no segment is longer than a file system takes.
std::string path_for_key(const std::string& prefix, size_t bytes, char letter) {
  std::string path;
  const auto left = [&] { return bytes - prefix.size() - 1 - path.size(); };
  while (left() > 255) path += std::string(std::min<size_t>(left() - 2, 200), letter) + "/";
  return path + std::string(left(), letter);
}

TEST_F(UploadProgram, TakesTheLongestKeysAndNoneThatAreLonger) {
  const auto small = path_for_key(prefix_, 1024, 's');
  const auto large = path_for_key(prefix_, 1024, 'l');
  const auto longer = path_for_key(prefix_, 1025, 'x');
  ASSERT_EQ((prefix_ + "/" + small).size(), 1024U);
  ASSERT_EQ((prefix_ + "/" + longer).size(), 1025U);
  write(small, "1");
  write(large, random_text(kLarge));
  write(longer, "2");
  const auto first = run();
  EXPECT_EQ(first.exit_code, 3) << first.output << first.error;
  EXPECT_THAT(first.output,
              HasSubstr(longer + ": cannot be the name of an object: it is longer than 1,024 bytes (1025)"));
  EXPECT_EQ(report()["failures"], 1) << first.output;
  EXPECT_TRUE(client_has(small));
  EXPECT_TRUE(client_has(large));
  EXPECT_TRUE(!fake_ || fake_->objects().size() == 2) << "the longer one was not sent";
  std::filesystem::remove(files() / longer);
  const auto second = run({"--verify", "checksum"});
  EXPECT_EQ(second.exit_code, 0) << second.output << second.error;
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

/// The options of objects, as the server gets them.
class ObjectOptions : public test::UploadToFake {
 protected:
  std::string header(const std::string& path, const std::string& name) const {
    const auto objects = fake_->objects();
    const auto& headers = objects.at(prefix_ + "/" + path).headers;
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

TEST_F(ObjectOptions, ReachObjectsOfEverySize) {
  write("small.html", "<html>");
  write("raw/data.html", "1");
  write("large.bin", random_text(kLarge));
  const auto result =
      run_here({"--storage-class", "STANDARD_IA", "--sse", "aws:kms:key-1", "--content-type",
                "raw/**=application/x-raw; v=1", "--content-type", "*.bin=application/x-bin"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  for (const auto* path : {"small.html", "raw/data.html", "large.bin"}) {
    EXPECT_EQ(header(path, "x-amz-storage-class"), "STANDARD_IA") << path;
    EXPECT_EQ(header(path, "x-amz-server-side-encryption"), "aws:kms") << path;
    EXPECT_EQ(header(path, "x-amz-server-side-encryption-aws-kms-key-id"), "key-1") << path;
  }
  EXPECT_EQ(header("small.html", "content-type"), "text/html");
  EXPECT_EQ(header("raw/data.html", "content-type"), "application/x-raw; v=1");
  EXPECT_EQ(header("large.bin", "content-type"), "application/x-bin");
  EXPECT_EQ(run_here({"--sse", "AES256", "--content-type", "text/plain; charset=utf-8"}).exit_code, 0);
  EXPECT_EQ(header("small.html", "content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(header("small.html", "x-amz-server-side-encryption"), "AES256") << "it is another object then";
  EXPECT_EQ(header("small.html", "x-amz-server-side-encryption-aws-kms-key-id"), "");
  EXPECT_EQ(run_here({"--sse", "rot13", "--run-dir", home_ / "other"}).exit_code, 2);
}

TEST_F(ObjectOptions, AgreeToPayInEveryRequest) {
  serve({.requester_pays = true});
  write("small", "1");
  write("gone", "1");
  write("large", random_text(kLarge));
  const auto refused = run_here();
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.error, HasSubstr("AccessDenied"));
  for (const auto* level : {"list", "checksum", "download"}) {
    std::filesystem::remove(files() / "gone");
    const auto result = run_here({"--requester-pays", "--delete", "--verify", level});
    EXPECT_EQ(result.exit_code, 0) << level << result.output << result.error;
    EXPECT_EQ(fake_->objects().size(), 2U);
    fake_->put(prefix_ + "/gone", "1");
  }
}

TEST_F(ObjectOptions, AgreeToPayForWhatIsDoneWithTheRunLater) {
  serve({.requester_pays = true});
  const std::map<std::string, std::string> keys{{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                                                {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                                {"AWS_EC2_METADATA_DISABLED", "true"}};
  const auto on_run_dir = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"--run-dir", home_ / "run"});
    return support::cutover(arguments, {.environment = keys});
  };
  write("large", random_text(kLarge));
  ASSERT_EQ(run_with(keys, {"--requester-pays"}).exit_code, 0);
  const auto compared = on_run_dir({"verify", "--objects", "download"});
  EXPECT_EQ(compared.exit_code, 0) << compared.output << compared.error;
  write("large", random_text(kLarge, 1));
  auto crashing = keys;
  crashing["CUTOVER_CRASH_AT"] = "s3_part.done";
  ASSERT_EQ(run_with(crashing, {"--requester-pays"}).exit_code, 128 + SIGKILL);
  EXPECT_EQ(fake_->uploads(), 1U);
  const auto cleaned = on_run_dir({"clean", "--yes"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.output << cleaned.error;
  EXPECT_EQ(fake_->uploads(), 0U);
}

TEST_F(UploadProgram, LogsInJson) {
  for (int i = 0; i < 4; ++i) write(std::to_string(i), random_text(500'000, static_cast<uint64_t>(i)));
  write("name\xFF", "1");
  // Slow enough for a line of progress, which comes every five seconds.
  const auto result = run({"--log-format", "json", "--bwlimit", "250KB"});
  EXPECT_EQ(result.exit_code, 3) << result.error;
  std::istringstream lines(result.error);
  size_t progress = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(object.is_object()) << line;
    for (const auto* member : {"time", "level", "message"}) EXPECT_TRUE(object.contains(member)) << line;
    if (object["message"] != "progress") continue;
    ++progress;
    EXPECT_EQ(object["progress"]["files_total"], 4) << line;
    EXPECT_TRUE(object["progress"].contains("bytes_per_second")) << line;
  }
  EXPECT_GT(progress, 0U) << result.error;
  const auto failed = run({"--log-format", "json", "--retry-for", "0"}, {{"AWS_SECRET_ACCESS_KEY", "wrong"}});
  const auto error = nlohmann::json::parse(failed.error, nullptr, false);
  ASSERT_TRUE(error.is_object()) << failed.error;
  EXPECT_EQ(error["level"], "error");
  EXPECT_THAT(error["hint"].get<std::string>(), HasSubstr("secret access key"));
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
