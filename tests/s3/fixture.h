#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/file.h"
#include "s3/uploader.h"
#include "tests/support/s3_fake.h"
#include "tests/support/temp_dir.h"

namespace s3::test {

/// Three parts.
constexpr size_t kLarge = (size_t{40} << 20) + 12345;

inline std::string random_text(size_t size, uint64_t seed = 0) {
  std::mt19937_64 random(seed * 1'000'003 + size);
  std::string out(size, '\0');
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
    const auto word = random();
    std::memcpy(out.data() + i, &word, std::min(sizeof word, size - i));
  }
  return out;
}

/// A directory to upload, a run directory beside it, and a server.
class Place {
 public:
  explicit Place(support::S3FakeOptions options = {}) : server(std::move(options)) {
    std::filesystem::create_directory(files());
    upload.directory = files();
    upload.run_dir = home_ / "run";
    upload.target = parse_uri("s3://bucket/prefix");
    upload.walk.prefix = upload.target.prefix;
    upload.concurrency = 4;
    upload.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(5),
                    std::chrono::milliseconds(2000)};
  }

  std::filesystem::path files() const { return home_ / "files"; }
  void write(const std::string& path, const std::string& content) const {
    const auto file = files() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }

  std::shared_ptr<Session> session(CredentialSource credentials) const {
    Endpoint endpoint{.url = server.url() + "/bucket", .bucket = "bucket"};
    return std::make_shared<Session>(endpoint, std::move(credentials),
                                     std::make_shared<base::HttpShare>(http));
  }
  std::shared_ptr<Session> session(const std::string& secret = support::S3Fake::kSecretKey) const {
    return session([secret](const aws::Credentials*) {
      return aws::Credentials{support::S3Fake::kAccessKey, aws::Secret(secret)};
    });
  }
  Outcome run() const { return run(session()); }
  Outcome run(const std::shared_ptr<Session>& with) const {
    Progress progress;
    return s3::upload(upload, with, progress, base::Stop());
  }

  support::S3Fake server;
  UploadOptions upload;
  base::HttpSettings http;

 private:
  support::TempDir home_;
};

/// By key.
inline std::map<std::string, std::string> contents(const Place& place) {
  std::map<std::string, std::string> out;
  for (const auto& [key, object] : place.server.objects()) out.emplace(key, object.content);
  return out;
}

inline std::string content_of(const Place& place, const std::string& path) {
  return place.server.objects().at("prefix/" + path).content;
}

inline void expect_clean(const Outcome& outcome) {
  for (const auto& problem : outcome.problems) ADD_FAILURE() << problem.path << ": " << problem.what;
  EXPECT_EQ(outcome.failures + outcome.differences, 0U);
}

}  // namespace s3::test
