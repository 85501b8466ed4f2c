#include "s3/directories.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"

// Directories below the root that are gone, or not what they were, while a run is at work.

namespace s3 {
namespace {

namespace fs = std::filesystem;
using test::meanwhile;
using test::Place;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Two files in the root, and two each in two directories.
class DirectoriesBelow : public ::testing::Test {
 protected:
  DirectoriesBelow() {
    for (const auto* path : {"a", "b", "kept/a", "kept/b", "gone/deep/a", "gone/deep/b"})
      place_.write(path, "content");
    place_.upload.concurrency = 1;
  }
  /// The only call of a first run between its two walks.
  Outcome between_the_walks(std::function<void()> what) {
    place_.server.fail(meanwhile("ListMultipartUploads", 0, std::move(what)));
    return place_.run();
  }
  /// One file is on its way, and all others are known but not read.
  Outcome before_reading(std::function<void()> what) {
    place_.server.fail(meanwhile("PutObject", 3, std::move(what)));
    return place_.run();
  }
  fs::path gone() const { return place_.files() / "gone"; }
  fs::path elsewhere() const { return place_.files().native() + ".elsewhere"; }
  static void expect_told(const Outcome& outcome, const std::string& path, const std::string& what) {
    ASSERT_EQ(outcome.failures, 1U);
    EXPECT_EQ(outcome.problems.front().path, path);
    EXPECT_THAT(outcome.problems.front().what, HasSubstr(what));
  }
  Place place_;
};

TEST_F(DirectoriesBelow, ThatAreMovedAwayBetweenTheWalksAreAFailure) {
  const auto outcome = between_the_walks([&] { fs::rename(gone(), elsewhere()); });
  expect_told(outcome, "gone/deep", "had 2 files");
  EXPECT_EQ(outcome.uploaded, 4U);
}

TEST_F(DirectoriesBelow, ThatAreMovedAwayBeforeTheyAreReadAreAFailure) {
  // Whichever file is the first: of one directory nothing is read any more.
  const auto outcome = before_reading([&] {
    for (const auto* name : {"gone", "kept"}) fs::rename(place_.files() / name, elsewhere().native() + name);
  });
  EXPECT_EQ(outcome.failures, 2U);
  for (const auto& problem : outcome.problems) EXPECT_THAT(problem.what, HasSubstr("not there any more"));
}

// With links left out, as is the default: what lies behind one is none of ours.
TEST_F(DirectoriesBelow, AreNotReadThroughALinkThatHasTakenTheirPlace) {
  const auto outcome = before_reading([&] {
    for (const auto* name : {"gone", "kept"}) {
      const auto other = elsewhere().native() + name;
      fs::rename(place_.files() / name, other);
      fs::create_directory_symlink(other, place_.files() / name);
    }
  });
  EXPECT_GE(outcome.failures, 2U);
  // The one that was on its way may be of such a directory.
  EXPECT_LE(place_.server.objects().size(), 3U);
}

/// What is said when something happens between the two walks of a run, and something behind them.
class BetweenWalks : public DirectoriesBelow {
 protected:
  void walk_to(Directories& directories) const { walk(root_, {}, directories.watch({}), base::Stop()); }
  std::vector<Problem> problems() {
    Progress progress;
    Problems problems(progress);
    check_directories(root_, {}, walks_, problems, base::Stop());
    return problems.kept();
  }
  Root root_{place_.files()};
  Walks walks_;
};

TEST_F(BetweenWalks, DirectoriesThatAreAwayAndBackAreAFailure) {
  walk_to(walks_.first);
  fs::rename(gone(), elsewhere());
  walk_to(walks_.second);
  fs::rename(elsewhere(), gone());
  const auto found = problems();
  EXPECT_EQ(found.size(), 2U);
  for (const auto& problem : found)
    EXPECT_THAT(problem.what, HasSubstr("is there, but was not when it was to be looked at"));
}

TEST_F(BetweenWalks, DirectoriesMayBeEmptied) {
  walk_to(walks_.first);
  for (const auto* name : {"a", "b"}) fs::remove(gone() / "deep" / name);
  walk_to(walks_.second);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(BetweenWalks, DirectoriesMayHaveNewFiles) {
  walk_to(walks_.first);
  for (const auto* name : {"a", "b"}) fs::remove(gone() / "deep" / name);
  walk_to(walks_.second);
  place_.write("gone/deep/new", "1");
  walks_.begun -= std::chrono::seconds(1);  // the kernel's times are coarse
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(BetweenWalks, OnlyTheUppermostDirectoryIsNamed) {
  place_.write("gone/a", "1");
  walk_to(walks_.first);
  fs::rename(gone(), elsewhere());
  walk_to(walks_.second);
  const auto found = problems();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, "gone");
}

/// A link to a directory of another file system stands for a mount, which only root can make.
class OtherFileSystems : public ::testing::Test {
 protected:
  OtherFileSystems() {
    place_.write("own", "1");
    place_.upload.walk.symlinks = Symlinks::follow;
    for (const auto* name : {"one", "two"}) {
      fs::create_directory(other_ / name);
      std::ofstream(other_ / name / "file") << name;
    }
  }
  ~OtherFileSystems() override {
    if (!other_.empty()) fs::remove_all(other_);
  }
  void point_to(const char* name) const {
    fs::remove(place_.files() / "mount");
    fs::create_directory_symlink(other_ / name, place_.files() / "mount");
  }
  /// As if something of another file system had been mounted there.
  static fs::path directory_elsewhere() {
    std::string name = "/dev/shm/cutover-test-XXXXXX";
    return mkdtemp(name.data()) != nullptr ? fs::path(name) : fs::path();
  }
  Place place_;
  fs::path other_ = directory_elsewhere();
};

TEST_F(OtherFileSystems, MustStayTheSame) {
  point_to("one");
  place_.server.fail(meanwhile("ListMultipartUploads", 0, [&] { point_to("two"); }));
  const auto outcome = place_.run();
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_EQ(outcome.problems.front().path, "mount");
  EXPECT_THAT(outcome.problems.front().what, AllOf(HasSubstr("file system"), HasSubstr("unmounted?")));
}

TEST_F(OtherFileSystems, MayBePartOfATree) {
  point_to("one");
  EXPECT_THAT(place_.run().problems, IsEmpty());
}

}  // namespace
}  // namespace s3
