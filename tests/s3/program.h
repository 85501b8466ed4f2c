#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file.h"
#include "s3/client.h"
#include "s3/unfinished.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"
#include "tests/support/temp_dir.h"

namespace s3::test {

inline std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? value : otherwise;
}

/// The program against an S3 server: the strict one in memory, or the real one that CUTOVER_TEST_S3_ENDPOINT
/// names (./dev test --s3 rgw).
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
  std::shared_ptr<Session> session() const {
    const auto variables = environment();
    return std::make_shared<Session>(
        endpoint_,
        [=](const aws::Credentials*) {
          return aws::Credentials{variables.at("AWS_ACCESS_KEY_ID"),
                                  aws::Secret(variables.at("AWS_SECRET_ACCESS_KEY"))};
        },
        std::make_shared<base::HttpShare>(base::HttpSettings{}));
  }
  bool client_has(const std::string& path) const {
    Client client(session(), base::Stop());
    return client.head_object(prefix_ + "/" + path).has_value();
  }
  /// Everything is there, byte by byte, and nothing is left over.
  void expect_whole() const {
    const auto result = run({"--verify-only", "--verify", "download", "--report-json"});
    EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
    EXPECT_EQ(nlohmann::json::parse(result.output)["verification"]["extra"], 0);
    Client client(session(), base::Stop());
    EXPECT_TRUE(unfinished_uploads(client, {}, prefix_).empty());
  }
  nlohmann::json report() const { return nlohmann::json::parse(base::read_file(home_ / "run/report.json")); }

  support::TempDir home_;
  std::unique_ptr<support::S3Fake> fake_;
  std::string server_;
  Endpoint endpoint_;
  std::string prefix_;
};

/// The program against the server in memory, also where there is a real one: for what is to be looked at from
/// the server's side, or does not happen on demand.
class UploadToFake : public UploadProgram {
 protected:
  UploadToFake() { serve({}); }
  void serve(const support::S3FakeOptions& options) {
    fake_ = std::make_unique<support::S3Fake>(options);
    server_ = fake_->url();
    endpoint_.bucket = "bucket";
    endpoint_.url = server_ + "/bucket";
  }
  /// With no other variables than these and what clean_environment() leaves.
  support::ProcessResult run_with(const std::map<std::string, std::string>& variables,
                                  std::vector<std::string> more = {}) const {
    return support::cutover(arguments(std::move(more)), {.environment = variables});
  }
  support::ProcessResult run_here(std::vector<std::string> more = {}) const {
    return run_with({{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                     {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                     {"AWS_EC2_METADATA_DISABLED", "true"}},
                    std::move(more));
  }
};

}  // namespace s3::test
