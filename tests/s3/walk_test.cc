#include "s3/walk.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "s3/keys.h"
#include "s3/layout.h"
#include "tests/base/temporary_directory.h"

namespace s3 {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Seen {
  std::map<std::string, uint64_t> files;  ///< path and size
  std::map<std::string, std::string> problems;
  WalkCounts counts;
};

Seen seen(const fs::path& root, const WalkOptions& options = {}) {
  Seen out;
  out.counts = walk(
      Root(root), options,
      {.file = [&](const WalkedFile& file) { out.files.emplace(file.path, file.state.size); },
       .problem = [&](const std::string& path, const std::string& why) { out.problems.emplace(path, why); }},
      base::Stop());
  return out;
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

TEST(Walk, VisitsEveryRegularFile) {
  const base::test::TemporaryDirectory root;
  write(root / "a", "1");
  write(root / "b/c/d.txt", "123");
  write(root / "b/.hidden", "");
  fs::create_directories(root / "empty");
  const auto result = seen(root.path());
  EXPECT_THAT(result.files, ElementsAre(Pair("a", 1), Pair("b/.hidden", 0), Pair("b/c/d.txt", 3)));
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.counts.files, 3U);
  EXPECT_EQ(result.counts.bytes, 4U);
  EXPECT_EQ(result.counts.empty_directories, 1U);
}

TEST(Walk, ReportsWhatCannotBeAnObject) {
  const base::test::TemporaryDirectory root;
  write(root / "good", "1");
  write(root / "bad\xFF", "1");
  write(root / "line\nbreak", "1");
  ASSERT_EQ(mkfifo((root / "fifo").c_str(), 0600), 0);
  const auto result = seen(root.path());
  EXPECT_THAT(result.files, ElementsAre(Pair("good", 1)));
  EXPECT_THAT(result.problems,
              ElementsAre(Pair("bad\xFF", HasSubstr("UTF-8")), Pair("fifo", HasSubstr("FIFO")),
                          Pair("line\nbreak", HasSubstr("control character"))));
  EXPECT_EQ(result.counts.problems, 3U);
}

TEST(Walk, CountsThePrefixIntoTheLengthOfAKey) {
  const base::test::TemporaryDirectory root;
  write(root / "file", "1");
  EXPECT_THAT(seen(root.path(), {.prefix = std::string(1020, 'p')}).files, ElementsAre(Pair("file", 1)));
  EXPECT_THAT(seen(root.path(), {.prefix = std::string(1021, 'p')}).problems,
              ElementsAre(Pair("file", HasSubstr("longer"))));
}

TEST(Walk, ReportsWhatIsTooLargeForAnObject) {
  // Only a file system in memory takes a file of such a size.
  std::string name = "/dev/shm/cutover-test-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const fs::path root = name;
  for (const auto& [file, size] : {std::pair("largest", kLargestObject), {"larger", kLargestObject + 1}}) {
    write(root / file, "");
    fs::resize_file(root / file, size);
  }
  const auto result = seen(root);
  fs::remove_all(root);
  EXPECT_TRUE(result.files.contains("largest"));
  EXPECT_FALSE(result.files.contains("larger"));
  EXPECT_THAT(result.problems.at("larger"), HasSubstr("cannot be an object"));
}

TEST(Walk, TreatsSymbolicLinksAsAskedFor) {
  const base::test::TemporaryDirectory root;
  const base::test::TemporaryDirectory outside;
  write(outside / "target", "12345");
  write(root / "sub/file", "1");
  fs::create_symlink(outside / "target", root / "link");
  fs::create_directory_symlink(root / "sub", root / "tree");
  fs::create_symlink("nowhere", root / "dangling");
  fs::create_directory_symlink("..", root / "sub/loop");

  const auto refused = seen(root.path());
  EXPECT_THAT(refused.files, ElementsAre(Pair("sub/file", 1)));
  EXPECT_EQ(refused.problems.size(), 4U);

  const auto skipped = seen(root.path(), {.symlinks = Symlinks::skip});
  EXPECT_THAT(skipped.files, ElementsAre(Pair("sub/file", 1)));
  EXPECT_THAT(skipped.problems, IsEmpty());
  EXPECT_EQ(skipped.counts.symlinks_skipped, 4U);

  const auto followed = seen(root.path(), {.symlinks = Symlinks::follow});
  EXPECT_THAT(followed.files, ElementsAre(Pair("link", 5), Pair("sub/file", 1), Pair("tree/file", 1)));
  EXPECT_THAT(followed.problems,
              ElementsAre(Pair("dangling", HasSubstr("nothing")), Pair("sub/loop", HasSubstr("leads back")),
                          Pair("tree/loop", HasSubstr("leads back"))));
}

TEST(Walk, LeavesOutWhatTheFilterDoesNotWant) {
  const base::test::TemporaryDirectory root;
  write(root / "a.txt", "1");
  write(root / "a.log", "1");
  write(root / "cache/x", "1");
  ASSERT_EQ(mkfifo((root / "pipe.log").c_str(), 0600), 0);
  const auto result = seen(root.path(), {.filter = {{}, {Glob("*.log"), Glob("cache/")}}});
  EXPECT_THAT(result.files, ElementsAre(Pair("a.txt", 1)));
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.counts.filtered, 3U);
}

/// Ten files in each of three directories, and something that happens when the first file is visited.
class WhileItWalks : public ::testing::Test {
 protected:
  static constexpr int kFiles = 10;
  WhileItWalks() {
    for (const auto* directory : {"a", "b", "c"})
      for (int i = 0; i < kFiles; ++i) write(root_ / directory / std::to_string(i), "1");
  }
  /// `change` gets the directory of the first file and its name.
  template <typename Change>
  Seen walked(Change change) {
    Seen out;
    const auto visit = [&](const WalkedFile& file) {
      if (out.files.empty()) change(file.path.substr(0, 1), file.path.substr(2));
      EXPECT_TRUE(out.files.emplace(file.path, file.state.size).second) << file.path << " twice";
    };
    const auto complain = [&](const std::string& path, const std::string& why) {
      out.problems.emplace(path, why);
    };
    out.counts = walk(Root(root_.path()), {}, {.file = visit, .problem = complain}, base::Stop());
    EXPECT_EQ(out.counts.files, out.files.size());
    EXPECT_EQ(out.counts.problems, out.problems.size());
    return out;
  }
  std::vector<std::string> others(const std::string& directory) const {
    std::vector<std::string> out;
    for (const auto* one : {"a", "b", "c"})
      if (directory != one) out.emplace_back(one);
    return out;
  }
  base::test::TemporaryDirectory root_;
};

TEST_F(WhileItWalks, FilesVanish) {
  const auto result = walked([&](const std::string& directory, const std::string& name) {
    for (int i = 0; i < kFiles; ++i)
      if (std::to_string(i) != name) fs::remove(root_ / directory / std::to_string(i));
  });
  EXPECT_EQ(result.files.size(), 1U + 2 * kFiles);
  EXPECT_THAT(result.problems, IsEmpty());
}

// All of a directory but two: those that are listed between these are not there when their turn comes.
TEST_F(WhileItWalks, FilesAreAwayForAMoment) {
  const base::test::TemporaryDirectory away;
  std::string directory;
  std::map<std::string, int> visits;
  const auto visit = [&](const WalkedFile& file) {
    ++visits[file.path];
    if (directory.empty()) {
      directory = file.path.substr(0, 1);
      const int left = file.path == directory + "/0" ? 1 : 0;
      for (int i = 0; i < kFiles; ++i)
        if (const auto name = std::to_string(i); i != left && directory + "/" + name != file.path)
          fs::rename(root_ / directory / name, away / name);
    } else {
      for (const auto& entry : fs::directory_iterator(away.path()))
        fs::rename(entry.path(), root_ / directory / entry.path().filename());
    }
  };
  walk(Root(root_.path()), {}, {.file = visit}, base::Stop());
  EXPECT_EQ(visits.size(), size_t{3 * kFiles});
  for (const auto& [path, count] : visits) EXPECT_EQ(count, 1) << path;
}

TEST_F(WhileItWalks, DirectoriesVanish) {
  const auto result = walked([&](const std::string& directory, const std::string&) {
    for (const auto& other : others(directory)) fs::remove_all(root_ / other);
  });
  EXPECT_EQ(result.files.size(), size_t{kFiles});
  EXPECT_THAT(result.problems, IsEmpty());
}

TEST_F(WhileItWalks, TheDirectoryVanishesThatIsBeingRead) {
  const auto result =
      walked([&](const std::string& directory, const std::string&) { fs::remove_all(root_ / directory); });
  EXPECT_EQ(result.files.size(), 1U + 2 * kFiles);
  EXPECT_THAT(result.problems, IsEmpty());
}

TEST_F(WhileItWalks, DirectoriesBecomeLinks) {
  const base::test::TemporaryDirectory outside;
  write(outside / "secret", "1");
  const auto result = walked([&](const std::string& directory, const std::string&) {
    for (const auto& other : others(directory)) {
      fs::remove_all(root_ / other);
      fs::create_directory_symlink(outside.path(), root_ / other);
    }
  });
  EXPECT_EQ(result.files.size(), size_t{kFiles}) << "nothing from outside";
  EXPECT_EQ(result.problems.size(), 2U);
  for (const auto& [path, why] : result.problems) EXPECT_THAT(why, HasSubstr("symbolic link"));
}

TEST_F(WhileItWalks, FilesBecomeDirectoriesAndDirectoriesFiles) {
  const auto result = walked([&](const std::string& directory, const std::string& name) {
    for (int i = 0; i < kFiles; ++i) {
      if (std::to_string(i) == name) continue;
      fs::remove(root_ / directory / std::to_string(i));
      write(root_ / directory / std::to_string(i) / "inner", "12");
    }
    for (const auto& other : others(directory)) {
      fs::remove_all(root_ / other);
      write(root_ / other, "123");
    }
  });
  EXPECT_EQ(result.files.size(), 1U + (kFiles - 1) + 2);
  EXPECT_THAT(result.problems, IsEmpty());
}

TEST_F(WhileItWalks, FilesAppearAndGrow) {
  const auto result = walked([&](const std::string& directory, const std::string&) {
    for (int i = 0; i < 100; ++i) write(root_ / directory / ("new" + std::to_string(i)), "1");
    for (const auto& other : others(directory)) write(root_ / other / "0", "12345");
  });
  EXPECT_GE(result.files.size(), size_t{3 * kFiles});
  EXPECT_EQ(std::ranges::count(result.files, 5U, [](const auto& file) { return file.second; }), 2);
  EXPECT_THAT(result.problems, IsEmpty());
}

TEST(Walk, ThrowsOnlyWhenTheRootCannotBeRead) {
  const base::test::TemporaryDirectory root;
  write(root / "file", "1");
  try {
    seen(root / "missing");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_THAT(error.message(), HasSubstr("missing"));
  }
  EXPECT_THROW(seen(root / "file"), base::Error);
}

}  // namespace
}  // namespace s3
