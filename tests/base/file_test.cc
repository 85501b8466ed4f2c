#include "base/file.h"

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_lock.h"
#include "base/sink.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"

namespace base {
namespace {

using test::TemporaryDirectory;
using test::throws;
using ::testing::HasSubstr;
using ::testing::StartsWith;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(File, WritesReadsAndTruncates) {
  const TemporaryDirectory directory;
  const auto path = directory / "data";
  auto file = File::create_anew(path);
  file.write_all("hello, world");
  file.sync();
  file.close();
  EXPECT_FALSE(file.is_open());
  EXPECT_EQ(read_file(path), "hello, world");
  EXPECT_EQ(mode_of(path), 0600U);

  const auto again = File::open_append(path);
  EXPECT_EQ(again.size(), 12U);
  again.truncate(5);
  again.write_all("!");
  EXPECT_EQ(read_file(path), "hello!");
}

TEST(File, ReadAtLeavesThePositionAndStopsAtTheEnd) {
  const TemporaryDirectory directory;
  replace_file(directory / "data", "0123456789");
  const auto file = File::open_read(directory / "data");
  std::array<std::byte, 4> buffer;
  EXPECT_EQ(file.read_at(8, buffer), 2U);
  EXPECT_EQ(buffer[0], std::byte{'8'});
  EXPECT_EQ(file.read_at(20, buffer), 0U);
  EXPECT_EQ(file.read_some(buffer), 4U);
  EXPECT_EQ(buffer[0], std::byte{'0'});
}

TEST(File, ErrorsNameThePath) {
  const TemporaryDirectory directory;
  const auto missing = directory / "missing";
  EXPECT_THAT([&] { File::open_read(missing); },
              throws(ErrorKind::permanent, HasSubstr("cannot open " + missing.native() + ": no such file")));
  EXPECT_THAT([&] { File::create_anew(directory / "no/where"); },
              throws(ErrorKind::permanent, HasSubstr("no/where")));
  EXPECT_THAT([&] { sync_directory(missing); }, throws(ErrorKind::permanent, HasSubstr(missing.native())));
}

TEST(File, FullDeviceIsReportedWithAHint) {
  const auto full = File::open_append("/dev/full");
  EXPECT_THAT([&] { full.write_all("x"); },
              throws(ErrorKind::permanent, HasSubstr("\nhint: free some space")));
}

TEST(ReadFile, AbsenceIsOnlyTheMissingName) {
  const TemporaryDirectory directory;
  EXPECT_EQ(read_file_if_exists(directory / "missing"), std::nullopt);
  replace_file(directory / "file", "x");
  EXPECT_EQ(read_file_if_exists(directory / "file"), "x");
  EXPECT_THAT([&] { read_file_if_exists(directory / "file/below"); }, throws(ErrorKind::permanent));
  EXPECT_THAT([&] { read_file_if_exists(directory.path()); }, throws(ErrorKind::permanent));
}

TEST(ReplaceFile, ReplacesTheContentAndLeavesNoOtherName) {
  const TemporaryDirectory directory;
  const auto path = directory / "settings";
  replace_file(path, "old and longer");
  replace_file(path, "new");
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

// A reader who opened the file keeps the old content whole: it was replaced by name, not rewritten.
TEST(ReplaceFile, NeverTouchesTheOldFile) {
  const TemporaryDirectory directory;
  const auto path = directory / "settings";
  replace_file(path, "old");
  const auto reader = File::open_read(path);
  replace_file(path, "new");
  std::array<std::byte, 8> buffer;
  ASSERT_EQ(reader.read_some(buffer), 3U);
  EXPECT_EQ(buffer[0], std::byte{'o'});
}

TEST(ReplaceFile, DoesNotFollowWhatLiesAtItsTemporaryName) {
  const TemporaryDirectory directory;
  replace_file(directory / "victim", "precious");
  std::filesystem::create_symlink("victim", directory / "settings.tmp");
  replace_file(directory / "settings", "new");
  EXPECT_EQ(read_file(directory / "victim"), "precious");
  EXPECT_EQ(read_file(directory / "settings"), "new");
}

TEST(FileSink, HasItsNameOnlyWhenFinished) {
  const TemporaryDirectory directory;
  const auto path = directory / "out";
  FileSink sink(path);
  sink.write(bytes_of("ab"));
  sink.write(bytes_of("c"));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(sink.written(), 3U);
  sink.finish();
  EXPECT_EQ(read_file(path), "abc");
  EXPECT_FALSE(std::filesystem::exists(directory / "out.tmp"));
}

TEST(FileSink, UnfinishedLeavesNothing) {
  const TemporaryDirectory directory;
  {
    FileSink sink(directory / "out");
    sink.write(bytes_of("abc"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(FileSink, UnfinishedLeavesAnOlderFileAlone) {
  const TemporaryDirectory directory;
  replace_file(directory / "out", "older");
  {
    FileSink sink(directory / "out");
    sink.write(bytes_of("abc"));
  }
  EXPECT_EQ(read_file(directory / "out"), "older");
}

TEST(FileSink, FailedFinishLeavesNothing) {
  const TemporaryDirectory directory;
  const auto path = directory / "out";
  std::filesystem::create_directory(path);
  {
    FileSink sink(path);
    sink.write(bytes_of("abc"));
    EXPECT_THAT([&] { sink.finish(); }, throws(ErrorKind::permanent, HasSubstr(path.native())));
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "out.tmp"));
}

TEST(FileSource, EndsWithZero) {
  const TemporaryDirectory directory;
  replace_file(directory / "in", "abc");
  FileSource source(directory / "in");
  std::array<std::byte, 2> buffer;
  EXPECT_EQ(source.read(buffer), 2U);
  EXPECT_EQ(source.read(buffer), 1U);
  EXPECT_EQ(source.read(buffer), 0U);
}

TEST(DirectoryLock, SecondComerInThisProcessIsRefused) {
  const TemporaryDirectory directory;
  const DirectoryLock lock(directory.path());
  EXPECT_THAT([&] { DirectoryLock second(directory.path()); },
              throws(ErrorKind::usage, AllOf(HasSubstr(directory.path().native()),
                                             HasSubstr("process " + std::to_string(::getpid())))));
}

TEST(DirectoryLock, IsFreeAgainAfterwards) {
  const TemporaryDirectory directory;
  { const DirectoryLock lock(directory.path()); }
  const DirectoryLock lock(directory.path());
}

TEST(FileLock, IsOneHoldersAndWaitedFor) {
  const TemporaryDirectory directory;
  const auto path = directory / "file.lock";
  const Stop stop;
  std::optional<FileLock> first(std::in_place, path, stop);
  EXPECT_EQ(mode_of(path), 0600U);
  std::atomic<bool> is_held = true;
  std::thread second([&] {
    const FileLock lock(path, stop);
    EXPECT_FALSE(is_held);
  });
  Stop stopped;
  stopped.request();
  EXPECT_THAT([&] { FileLock third(path, stopped); }, throws(ErrorKind::cancelled));
  is_held = false;
  first.reset();
  second.join();
}

/// A process that takes the lock and holds it until it is killed.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& directory) {
    std::array<int, 2> ready;
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      const DirectoryLock lock(directory);
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    held_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { die(); }
  void die() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  bool held() const { return held_; }

 private:
  pid_t pid_ = -1;
  bool held_ = false;
};

TEST(DirectoryLock, NamesTheOtherProcessAndIsFreedByItsDeath) {
  const TemporaryDirectory directory;
  Holder holder(directory.path());
  ASSERT_TRUE(holder.held());
  EXPECT_THAT(
      [&] { DirectoryLock second(directory.path()); },
      throws(ErrorKind::usage, HasSubstr("in use by process " + std::to_string(holder.pid()) + "\nhint: ")));
  // The refusal must not have taken the owner's name away.
  EXPECT_THAT(read_file(directory / "lock"), StartsWith(std::to_string(holder.pid()) + " "));
  holder.die();
  const DirectoryLock lock(directory.path());
  EXPECT_THAT(read_file(directory / "lock"), StartsWith(std::to_string(::getpid()) + " "));
}

// By whoever was the last to take it. In another container the pid may be the same.
TEST(DirectoryLock, IsKnownToHaveBeenOurs) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(was_locked_here(directory.path()));
  {
    const DirectoryLock lock(directory.path());
    EXPECT_TRUE(was_locked_here(directory.path()));
  }
  EXPECT_TRUE(was_locked_here(directory.path()));
  {
    const Holder holder(directory.path());
    ASSERT_TRUE(holder.held());
    EXPECT_FALSE(was_locked_here(directory.path()));
    EXPECT_ANY_THROW(DirectoryLock second(directory.path()));
    EXPECT_FALSE(was_locked_here(directory.path())) << "who is refused does not own it";
  }
  EXPECT_FALSE(was_locked_here(directory.path()));
  for (const auto* other : {"\n", " 0123456789abcdef\n"}) {
    std::ofstream(directory / "lock") << ::getpid() << other;
    EXPECT_FALSE(was_locked_here(directory.path()));
  }
}

TEST(DirectoryLock, IsSeenWithoutBeingTaken) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(is_locked(directory.path()));
  EXPECT_FALSE(std::filesystem::exists(directory / "lock"));
  {
    const DirectoryLock lock(directory.path());
    EXPECT_TRUE(is_locked(directory.path()));
  }
  EXPECT_FALSE(is_locked(directory.path())) << "whatever pid is left in the file";
}

// Somebody who looks again and again.
TEST(DirectoryLock, IsNotRefusedToWhoComesWhileSomebodyLooks) {
  const TemporaryDirectory directory;
  { const DirectoryLock lock(directory.path()); }
  std::atomic<int> looked{0};
  const std::jthread looker([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); ++looked) is_locked(directory.path());
  });
  for (int i = 0; i < 2000 || looked < 100; ++i) EXPECT_NO_THROW(DirectoryLock(directory.path()));
}

TEST(FreeSpace, IsKnownAndNamesAMissingPath) {
  const TemporaryDirectory directory;
  EXPECT_GT(free_space(directory.path()), 0U);
  EXPECT_THAT([&] { free_space(directory / "missing"); }, throws(ErrorKind::permanent, HasSubstr("missing")));
}

}  // namespace
}  // namespace base
