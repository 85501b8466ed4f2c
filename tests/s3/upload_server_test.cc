#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "s3/client.h"
#include "tests/s3/fixture.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"
#include "tests/support/temp_dir.h"

// The program against an S3 server: the strict one in memory, or the real one that CUTOVER_TEST_S3_ENDPOINT
// names (./dev test --s3 rgw).

namespace s3 {
namespace {

using test::random_text;
using ::testing::HasSubstr;
using ::testing::Not;

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? value : otherwise;
}

constexpr size_t kLarge = (size_t{36} << 20) + 777;  // three parts

class UploadProgram : public ::testing::Test {
 protected:
  UploadProgram() {
    std::filesystem::create_directory(files());
    auto endpoint = variable("CUTOVER_TEST_S3_ENDPOINT", "");
    if (endpoint.empty()) {
      fake_ = std::make_unique<support::S3Fake>();
      endpoint = fake_->url();
    }
    server_ = endpoint;
    endpoint_.bucket = variable("CUTOVER_TEST_S3_BUCKET", "bucket");
    endpoint_.url = server_ + "/" + endpoint_.bucket;
    prefix_ =
        fmt::format("{}-{}", ::testing::UnitTest::GetInstance()->current_test_info()->name(), ::getpid());
  }

  std::filesystem::path files() const { return home_ / "files"; }
  std::string uri() const { return fmt::format("s3://{}/{}", endpoint_.bucket, prefix_); }
  void write(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories((files() / path).parent_path());
    std::ofstream(files() / path, std::ios::binary) << content;
  }
  std::map<std::string, std::string> environment() const {
    return {{"AWS_ACCESS_KEY_ID", variable("CUTOVER_TEST_S3_ACCESS_KEY", support::S3Fake::kAccessKey)},
            {"AWS_SECRET_ACCESS_KEY", variable("CUTOVER_TEST_S3_SECRET_KEY", support::S3Fake::kSecretKey)},
            {"AWS_EC2_METADATA_DISABLED", "true"}};
  }
  std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"upload",    files(),       uri(),      "--endpoint-url", server_,
                                 "--run-dir", home_ / "run", "--region", "us-east-1"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  support::ProcessResult run(std::vector<std::string> more = {},
                             std::map<std::string, std::string> variables = {}) const {
    variables.merge(environment());
    return support::cutover(arguments(std::move(more)), {.environment = variables});
  }
  /// Everything is there, byte by byte, and nothing is left over.
  void expect_whole() const {
    const auto result = run({"--verify-only", "--verify", "download", "--report-json"});
    EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
    EXPECT_EQ(nlohmann::json::parse(result.output)["verification"]["extra"], 0);
    const auto credentials = environment();
    const auto session = std::make_shared<Session>(
        endpoint_,
        [&](const aws::Credentials*) {
          return aws::Credentials{credentials.at("AWS_ACCESS_KEY_ID"),
                                  aws::Secret(credentials.at("AWS_SECRET_ACCESS_KEY"))};
        },
        std::make_shared<base::HttpShare>(base::HttpSettings{}));
    Client client(session, base::Stop());
    EXPECT_TRUE(client.list_multipart_uploads(prefix_).empty());
  }
  nlohmann::json report() const { return nlohmann::json::parse(base::read_file(home_ / "run/report.json")); }

  support::TempDir home_;
  std::unique_ptr<support::S3Fake> fake_;
  std::string server_;
  Endpoint endpoint_;
  std::string prefix_;
};

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

TEST_F(UploadProgram, LosesNothingWhenItIsKilledAtAnyMoment) {
  std::mt19937 random(4711);
  for (int i = 0; i < 200; ++i)
    write(fmt::format("d{}/f{}", i % 7, i), random_text(1000 + static_cast<size_t>(i) * 37));
  for (int i = 0; i < 3; ++i) write(fmt::format("large{}", i), random_text(kLarge, static_cast<uint64_t>(i)));
  for (int round = 0; round < 6; ++round) {
    support::Process process(support::cutover_program(),
                             arguments({"--bwlimit", "40MB", "--concurrency", "8"}),
                             {.environment = environment()});
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100 + random() % 700);
    while (process.running() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    process.kill(SIGKILL);
    process.wait();
  }
  const auto resumed = run();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  expect_whole();
  // Two workers of eight at most had parts of 16 MiB under way that were not accepted; files of this size
  // less.
  if (fake_) {
    EXPECT_LT(fake_->bytes_received(), 3 * kLarge + 6 * 5 * (size_t{16} << 20));
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
