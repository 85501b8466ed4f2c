#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "s3/keys.h"
#include "tests/s3/fixture.h"

// Files that change under the upload's hands, and names at their limits.

namespace s3 {
namespace {

namespace fs = std::filesystem;
using test::kLarge;
using test::Place;
using test::random_text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kSmallFiles = 10;

/// A tree of small files of which one is on its way, with nothing of the others read, when something happens.
class BetweenWalkAndRead : public ::testing::Test {
 protected:
  BetweenWalkAndRead() {
    for (int i = 0; i < kSmallFiles; ++i) place_.write(name(i), "before");
    place_.upload.concurrency = 1;
  }
  static std::string name(int i) { return "f" + std::to_string(i); }
  Outcome run_with(std::function<void(const fs::path&)> change) {
    support::S3Fake::Fault fault{.operation = "PutObject", .after = 3};  // the probe's
    fault.change = [](support::HttpServerResponse&) {};
    fault.also = [this, change = std::move(change)] {
      for (int i = 0; i < kSmallFiles; ++i) change(place_.files() / name(i));
    };
    place_.server.fail(std::move(fault));
    return place_.run();
  }
  size_t objects_with(const std::string& content) const {
    size_t count = 0;
    for (const auto& [key, object] : place_.server.objects()) count += object.content == content ? 1 : 0;
    return count;
  }
  Place place_;
};

TEST_F(BetweenWalkAndRead, FilesGrow) {
  const auto outcome =
      run_with([](const fs::path& file) { std::ofstream(file, std::ios::app) << " and after"; });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(objects_with("before and after"), 9U);
  EXPECT_THAT(place_.run().problems, IsEmpty());
  EXPECT_EQ(objects_with("before and after"), 10U) << "the one that had been read";
}

TEST_F(BetweenWalkAndRead, FilesShrink) {
  const auto outcome = run_with([](const fs::path& file) { fs::resize_file(file, 3); });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(objects_with("bef"), 9U);
}

TEST_F(BetweenWalkAndRead, FilesAreReplaced) {
  const auto outcome = run_with([](const fs::path& file) {
    std::ofstream(file.native() + ".new") << "others";  // of the same size
    fs::rename(file.native() + ".new", file);
  });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(objects_with("others"), 9U);
  EXPECT_THAT(place_.run().problems, IsEmpty());
  EXPECT_EQ(objects_with("others"), 10U);
}

TEST_F(BetweenWalkAndRead, FilesVanish) {
  const auto outcome = run_with([](const fs::path& file) { fs::remove(file); });
  EXPECT_EQ(outcome.vanished, 9U);
  EXPECT_EQ(outcome.uploaded, 1U);
  EXPECT_EQ(outcome.failures + outcome.differences, 0U);
  EXPECT_EQ(place_.run().walked.files, 0U);
}

TEST_F(BetweenWalkAndRead, FilesBecomeFifos) {
  const auto outcome = run_with([](const fs::path& file) {
    fs::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  });
  EXPECT_EQ(outcome.failures, 9U + kSmallFiles) << "that could not be read, and that could not be compared";
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("no regular file any more"));
}

TEST_F(BetweenWalkAndRead, FilesBecomeDirectories) {
  const auto outcome = run_with([](const fs::path& file) {
    fs::remove(file);
    fs::create_directory(file);
  });
  EXPECT_EQ(outcome.failures, 9U);
}

TEST_F(BetweenWalkAndRead, SmallFilesBecomeLarge) {
  const auto content = random_text(kLarge);
  const auto outcome =
      run_with([&](const fs::path& file) { std::ofstream(file, std::ios::binary) << content; });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(objects_with(content), 9U);
  EXPECT_EQ(place_.server.uploads(), 0U);
}

/// The object of a large file is there already; the file is read, to compare it.
class WhileItIsCompared : public ::testing::Test {
 protected:
  WhileItIsCompared() {
    place_.write("large", content_);
    place_.server.put("prefix/large", content_);
  }
  /// With each of the first looks at the object.
  Outcome run_with(int changes) {
    support::S3Fake::Fault fault{.operation = "HeadObject", .times = changes};
    fault.change = [](support::HttpServerResponse&) {};
    fault.also = [this] { place_.write("large", content_); };  // the same content, at another time
    place_.server.fail(std::move(fault));
    return place_.run();
  }
  Place place_;
  const std::string content_ = random_text(kLarge);
};

TEST_F(WhileItIsCompared, AFileThatChangesIsComparedAgain) {
  const auto outcome = run_with(1);
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.adopted, 1U);
  EXPECT_EQ(place_.server.count("HeadObject"), 2);
}

TEST_F(WhileItIsCompared, AFileThatNeverRestsIsAFailure) {
  const auto outcome = run_with(1000);
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("changes faster"));
}

class WhilePartsAreSent : public ::testing::Test {
 protected:
  Outcome run_with(std::function<void(const fs::path&)> change) {
    place_.write("large", random_text(kLarge));
    place_.upload.concurrency = 1;
    support::S3Fake::Fault fault{.operation = "UploadPart"};
    fault.change = [](support::HttpServerResponse&) {};
    fault.also = [this, change = std::move(change)] { change(place_.files() / "large"); };
    place_.server.fail(std::move(fault));
    return place_.run();
  }
  Place place_;
};

TEST_F(WhilePartsAreSent, TheFileGrows) {
  const auto outcome = run_with([](const fs::path& file) { std::ofstream(file, std::ios::app) << "more"; });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_TRUE(place_.server.objects().at("prefix/large").content == random_text(kLarge) + "more");
  EXPECT_EQ(place_.server.uploads(), 0U);
}

TEST_F(WhilePartsAreSent, TheFileShrinksToASmallOne) {
  const auto outcome = run_with([](const fs::path& file) { fs::resize_file(file, 1000); });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(place_.server.objects().at("prefix/large").content, random_text(kLarge).substr(0, 1000));
  EXPECT_EQ(place_.server.uploads(), 0U);
}

TEST_F(WhilePartsAreSent, AnotherFileTakesItsPlace) {
  const auto another = random_text(kLarge, 1);
  const auto outcome = run_with([&](const fs::path& file) {
    const auto beside = file.parent_path().parent_path() / "another";
    std::ofstream(beside, std::ios::binary) << another;
    fs::rename(beside, file);
  });
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_TRUE(place_.server.objects().at("prefix/large").content == another);
  EXPECT_EQ(place_.server.uploads(), 0U);
}

TEST_F(WhilePartsAreSent, TheFileVanishes) {
  const auto outcome = run_with([](const fs::path& file) { fs::remove(file); });
  EXPECT_EQ(outcome.failures, 0U) << "what was open could be read to its end";
  EXPECT_EQ(place_.server.uploads(), 0U);
}

TEST(Names, MayBeAsLongAsAKey) {
  Place place;
  const std::string segment(200, 'n');
  auto path = segment + "/" + segment + "/" + segment + "/" + segment + "/";
  path += std::string(kLongestKey - place.upload.target.prefix.size() - path.size(), 'x');
  place.write(path, "longest");
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.objects().at("prefix/" + path).content, "longest");
  place.write(path + "x", "too long");
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("longer than 1,024 bytes (1025)"));
}

TEST(Links, InALoopEndTheWalk) {
  Place place;
  place.write("a/file", "1");
  fs::create_directory_symlink("..", place.files() / "a/up");
  fs::create_symlink("self", place.files() / "self");
  place.upload.walk.symlinks = Symlinks::follow;
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 2U);
  EXPECT_EQ(outcome.uploaded, 1U);
}

}  // namespace
}  // namespace s3
