#include <sys/mount.h>
#include <unistd.h>

#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"
#include "tests/support/system_error.h"

// Disks that are full for a while.
namespace crash {
namespace {

/// A small file system.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    if (mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, ("mode=0777,size=" + size).c_str()) != 0)
      support::fail("cannot mount a small file system, which only root may: run these tests as root");
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() { umount2(directory_.path().c_str(), MNT_DETACH); }
  fs::path path() const { return directory_.path(); }
  /// Takes all but `left` bytes.
  void fill_up(uintmax_t left) const {
    std::ofstream ballast(path() / "ballast", std::ios::binary);
    const std::string block(4096, 'x');
    while (fs::space(path()).available > left && ballast << block << std::flush) {
    }
  }
  void free() const { fs::remove(path() / "ballast"); }

 private:
  support::TempDir directory_;
};

/// Both workers are in the middle of a chunk when the disk gets full; it has room again, and the source is
/// reached without a detour, when the program has ended.
support::ProcessResult run_into_full_disk(Move& move, const SmallDisk& disk) {
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(3));
  const auto direct = std::exchange(move.source_url, proxy.url(move.source.name()));
  const auto process = move.start();
  wait_for("both workers", [&] { return proxy.held() == 2; });
  disk.fill_up(0);
  proxy.release();
  auto result = process->wait();
  move.expect_no_sessions();
  disk.free();
  move.source_url = direct;
  return result;
}

TEST(FullDisk, OfTheTargetIsWaitedFor) {
  const SmallDisk disk("64m");
  const auto tablespace = disk.path() / "space";
  support::run_or_throw("install", {"-d", "-o", "postgres", "-m", "0700", tablespace});
  const auto& server = support::cluster(15, "target");
  server.exec("postgres", fmt::format("CREATE TABLESPACE small LOCATION '{}'", tablespace.native()));
  {
    Move move(support::cluster(15, "source"), server, "TABLESPACE small");
    fill(move.source);
    move.source.exec(
        "CREATE TABLE big (id int, body text); "
        "INSERT INTO big SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 30000) i");
    disk.fill_up(3 << 20);
    const auto process = move.start();
    process->wait_for_output("No space left on device");
    process->wait_for_output("trying again");
    EXPECT_TRUE(process->running());
    const auto before = move.ledger();
    disk.free();
    const auto result = process->wait();
    EXPECT_EQ(result.exit_code, 0) << result.error;
    move.expect_equal();
    Move::expect_kept(before, move.ledger());
  }
  server.exec("postgres", "DROP TABLESPACE small");
}

TEST(FullDisk, OfTheRunDirectoryAtTheStartEndsTheRunBeforeAnythingIsDone) {
  const SmallDisk disk("2m");
  Move move;
  fill(move.source);
  move.target.exec("CREATE TABLE mine AS SELECT 1 AS a");
  move.run_dir = disk.path() / "run";
  disk.fill_up(0);
  const auto before = support::schema_dump(move.target.url());
  const auto rows = support::database_digest(move.target.url());
  const auto result = move.run();
  EXPECT_THAT(result.exit_code, testing::AnyOf(2, 3)) << result.output << result.error;
  EXPECT_THAT(result.error,
              testing::AllOf(HasSubstr("no space left on device"), HasSubstr("hint: free some space"),
                             HasSubstr(move.run_dir.native())));
  EXPECT_EQ(support::schema_dump(move.target.url()), before);
  EXPECT_EQ(support::database_digest(move.target.url()), rows);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
  disk.free();
  move.target.exec("DROP TABLE mine");
  move.settle();
}

TEST(FullDisk, OfTheRunDirectoryEndsTheRunWhichResumes) {
  const SmallDisk disk("2m");
  Move move;
  fill(move.source);
  move.options = {"--jobs", "2", "--split-size", "8kB"};  // many records
  move.run_dir = disk.path() / "run";
  const auto result = run_into_full_disk(move, disk);
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_THAT(result.error,
              testing::AllOf(HasSubstr("no space left on device"), HasSubstr("hint: free some space"),
                             HasSubstr(move.run_dir.native())));
  move.settle();
}

// The archive's disk is full: the same, and the archive is whole in the end.
TEST(FullDisk, OfTheArchiveEndsTheRunWhichResumes) {
  const SmallDisk disk("3m");
  Move move;
  fill(move.source);
  const auto archive = disk.path() / "archive";
  move.options.insert(move.options.end(), {"--archive", archive});
  const auto result = run_into_full_disk(move, disk);
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_THAT(result.error,
              testing::AllOf(HasSubstr("no space left on device"), HasSubstr(archive.native())));
  move.settle();
}

}  // namespace
}  // namespace crash
