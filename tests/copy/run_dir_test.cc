#include "copy/run_dir.h"

#include <chrono>
#include <fstream>

#include <gtest/gtest.h>

#include "base/zstd.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"

namespace copy {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;
using base::test::TemporaryDirectory;
using base::test::throws;
using ::testing::AllOf;
using ::testing::HasSubstr;

void start(RunDir& dir) {
  RunState state;
  state.run_id = "run";
  dir.record(record::run(state));
  dir.record(record::snapshot(0, {}));
}

void add_chunks(RunDir& dir, uint32_t first, uint32_t last) {
  for (uint32_t i = first; i < last; ++i) dir.record(record::chunk(0, i, {i, i, {i, i}, 0}));
}

std::set<std::string> files(const fs::path& path) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename().string());
  return names;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// What a crash leaves: the files, without the lock.
void copy_files(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& name : files(from))
    fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
}

TEST(RunDir, AnotherSchemaThanWasRecordedIsNamed) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "run";
  {
    RunDir dir(path);
    start(dir);
    EXPECT_NO_THROW(dir.check_schema_dump()) << "none is recorded yet";
    write(dir.schema_dump(), "the schema");
    dir.record_schema_dump();
    dir.checkpoint();
  }
  RunDir dir(path);
  EXPECT_NO_THROW(dir.check_schema_dump());
  write(dir.schema_dump(), "the schemb");
  EXPECT_THAT([&] { dir.check_schema_dump(); },
              throws(ErrorKind::corrupt, AllOf(HasSubstr("schema.dump"), HasSubstr("checksum"))));
  write(dir.schema_dump(), "the sch");
  EXPECT_THAT([&] { dir.check_schema_dump(); }, throws(ErrorKind::corrupt, HasSubstr("another size")));
  fs::remove(dir.schema_dump());
  EXPECT_THAT([&] { dir.check_schema_dump(); }, throws(ErrorKind::corrupt, HasSubstr("is missing")));
}

TEST(RunDir, RemembersItsRecords) {
  const TemporaryDirectory directory;
  {
    RunDir dir(directory.path() / "deep/run");
    EXPECT_FALSE(dir.has_run());
    start(dir);
    add_chunks(dir, 0, 10);
    dir.sync();
  }
  RunDir dir(directory.path() / "deep/run");
  EXPECT_TRUE(dir.has_run());
  EXPECT_EQ(dir.state().chunks.size(), 10U);
  EXPECT_TRUE(dir.has_chunk(0, 9));
  EXPECT_FALSE(dir.has_chunk(0, 10));
}

TEST(RunDir, CheckpointsKeepEverything) {
  const TemporaryDirectory directory;
  {
    RunDir dir(directory.path());
    start(dir);
    for (uint32_t i = 0; i < 5; ++i) {
      add_chunks(dir, i * 10, i * 10 + 10);
      dir.checkpoint();
    }
    add_chunks(dir, 50, 55);
  }
  EXPECT_EQ(files(directory.path()), (std::set<std::string>{"lock", "checkpoint.zst", "journal.5"}));
  EXPECT_EQ(RunDir(directory.path()).state().chunks.size(), 55U);
  EXPECT_EQ(RunDir::peek(directory.path()).chunks.size(), 55U);
}

TEST(RunDir, IsLocked) {
  const TemporaryDirectory directory;
  const RunDir first(directory.path());
  EXPECT_THAT([&] { RunDir second(directory.path()); }, throws(ErrorKind::usage));
}

/// The steps of write_checkpoint(), each as the files that a crash after it leaves. Every one of them holds
/// all.
TEST(RunDir, EveryStepOfACheckpointLeavesALoadableState) {
  const TemporaryDirectory directory;
  const auto at = [&](const char* name) { return directory.path() / name; };
  {
    RunDir dir(at("run"));
    start(dir);
    add_chunks(dir, 0, 20);
    dir.checkpoint();
    add_chunks(dir, 20, 30);
    dir.sync();
    copy_files(at("run"), at("before"));
    dir.checkpoint();
    copy_files(at("run"), at("after"));
  }
  ASSERT_EQ(files(at("after")), (std::set<std::string>{"lock", "checkpoint.zst", "journal.2"}));
  // 1. the new journal is made
  copy_files(at("before"), at("new journal"));
  fs::copy_file(at("after") / "journal.2", at("new journal") / "journal.2");
  // 1b. the new journal is made, but not even its magic was written
  copy_files(at("before"), at("torn journal"));
  write(at("torn journal") / "journal.2", "CU");
  // 2. the checkpoint's temporary file is written, in part
  copy_files(at("new journal"), at("temporary"));
  const auto checkpoint = read(at("after") / "checkpoint.zst");
  write(at("temporary") / "checkpoint.zst.tmp", checkpoint.substr(0, checkpoint.size() / 2));
  // 3. it is renamed
  copy_files(at("new journal"), at("renamed"));
  write(at("renamed") / "checkpoint.zst", checkpoint);
  // 4. the old journal is removed: "after"
  for (const auto* step : {"before", "new journal", "torn journal", "temporary", "renamed", "after"}) {
    SCOPED_TRACE(step);
    EXPECT_EQ(RunDir::peek(at(step)).chunks.size(), 30U);
    {
      RunDir dir(at(step));
      EXPECT_EQ(dir.state().chunks.size(), 30U);
      add_chunks(dir, 30, 32);
      dir.checkpoint();
      add_chunks(dir, 32, 33);
    }
    EXPECT_EQ(RunDir(at(step)).state().chunks.size(), 33U);
  }
}

TEST(RunDir, ATornTailIsDroppedAndReported) {
  const TemporaryDirectory directory;
  {
    RunDir dir(directory.path());
    start(dir);
    add_chunks(dir, 0, 3);
  }
  const auto journal = directory.path() / "journal.0";
  fs::resize_file(journal, fs::file_size(journal) - 5);
  RunDir dir(directory.path());
  EXPECT_EQ(dir.state().chunks.size(), 2U);
  EXPECT_GT(dir.torn_bytes(), 0U);
  add_chunks(dir, 2, 3);
  EXPECT_EQ(dir.state().chunks.size(), 3U);
}

TEST(RunDir, EveryDamagedByteOfACheckpointIsFound) {
  const TemporaryDirectory directory;
  {
    RunDir dir(directory.path());
    start(dir);
    add_chunks(dir, 0, 4);
    dir.checkpoint();
  }
  const auto path = directory.path() / "checkpoint.zst";
  const auto content = read(path);
  size_t found = 0;
  for (size_t i = 0; i < content.size(); ++i) {
    auto damaged = content;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    write(path, damaged);
    try {
      // A few bits of a frame change nothing of its content (base/zstd.h).
      EXPECT_EQ(RunDir(directory.path()).state().chunks.size(), 4U) << "byte " << i;
    } catch (const base::Error& error) {
      ++found;
      EXPECT_EQ(error.kind(), ErrorKind::corrupt) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("checkpoint.zst"));
    }
  }
  EXPECT_GE(found, content.size() - 2);
  write(path, content.substr(0, content.size() - 1));
  EXPECT_THAT([&] { RunDir dir(directory.path()); }, throws(ErrorKind::corrupt, HasSubstr("checkpoint.zst")));
}

TEST(RunDir, ACheckpointThatIsSomethingElseIsCorrupt) {
  const TemporaryDirectory directory;
  write(directory.path() / "checkpoint.zst", base::zstd_compress("{\"json\": true}"));
  EXPECT_THAT([&] { RunDir dir(directory.path()); }, throws(ErrorKind::corrupt, HasSubstr("checkpoint.zst")));
}

TEST(RunDir, ADamagedJournalIsCorruptAndNamed) {
  const TemporaryDirectory directory;
  {
    RunDir dir(directory.path());
    start(dir);
    add_chunks(dir, 0, 4);
  }
  const auto path = directory.path() / "journal.0";
  auto content = read(path);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  write(path, content);
  EXPECT_THAT([&] { RunDir dir(directory.path()); },
              throws(ErrorKind::corrupt, AllOf(HasSubstr("journal.0"), HasSubstr("offset"))));
  EXPECT_THAT([&] { RunDir::peek(directory.path()); }, throws(ErrorKind::corrupt, HasSubstr("journal.0")));
  EXPECT_EQ(read(path), content);
}

TEST(RunDir, PeekNeedsARun) {
  const TemporaryDirectory directory;
  EXPECT_THAT([&] { RunDir::peek(directory.path()); },
              throws(ErrorKind::usage, HasSubstr("not a run directory")));
}

TEST(RunDir, EraseLeavesAnEmptyDirectoryThatIsStillLocked) {
  const TemporaryDirectory directory;
  RunDir dir(directory.path());
  start(dir);
  dir.checkpoint();
  dir.store_key(pg::DigestKey::random());
  fs::create_directories(directory.path() / "data/1");
  write(directory.path() / "data/1/0.zst", "x");
  dir.erase();
  EXPECT_EQ(files(directory.path()), (std::set<std::string>{"lock", "checkpoint.zst", "journal.2"}));
  EXPECT_FALSE(dir.has_run());
  EXPECT_THAT([&] { RunDir second(directory.path()); }, throws(ErrorKind::usage));
  start(dir);
  EXPECT_TRUE(RunDir::peek(directory.path()).run_id == "run");
}

TEST(RunDir, RemembersThatARunWasDiscarded) {
  const TemporaryDirectory directory;
  RunState run;
  run.run_id = "run";
  // By a clock that was ahead.
  run.started =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + std::chrono::hours(1);
  {
    RunDir dir(directory.path());
    dir.record(record::run(run));
    EXPECT_FALSE(dir.state().is_discarded());
    dir.record_discard();
    EXPECT_TRUE(dir.state().is_discarded());
    EXPECT_TRUE(RunDir::peek(directory.path()).is_discarded());
    dir.erase();
  }
  RunDir dir(directory.path());
  EXPECT_FALSE(dir.state().is_discarded()) << "there is none";
  EXPECT_EQ(dir.state().discarded, run.started);
  run.started = dir.time_to_start();
  dir.record(record::run(run));
  EXPECT_FALSE(dir.state().is_discarded()) << "it is another one";
}

TEST(RunDir, RemovesOnlyWhatIsARuns) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "run";
  RunDir dir(path);
  start(dir);
  for (const auto* ours : {"schema.dump.tmp", "report.json", "data/1/0.zst", "data/1/1.zst.tmp"}) {
    fs::create_directories((path / ours).parent_path());
    write(path / ours, "x");
  }
  const std::set<std::string> others{"notes.txt", "journal.txt", "data"};
  write(path / "notes.txt", "x");
  write(path / "journal.txt", "x");
  write(path / "data/1/precious.zst", "x");
  dir.erase();
  auto left = others;
  left.insert({"lock", "checkpoint.zst", "journal.1"});
  EXPECT_EQ(files(path), left);
  EXPECT_EQ(files(path / "data/1"), (std::set<std::string>{"precious.zst"}));
  EXPECT_FALSE(dir.remove());
  EXPECT_EQ(files(path), others);
}

TEST(RunDir, RemovesItselfWhenNothingElseIsThere) {
  const TemporaryDirectory directory;
  RunDir dir(directory.path() / "run");
  start(dir);
  EXPECT_TRUE(dir.remove());
  EXPECT_FALSE(fs::exists(directory.path() / "run"));
}

TEST(RunDir, TheKeyIsSecretAndComesBack) {
  const TemporaryDirectory directory;
  const RunDir dir(directory.path());
  const auto key = pg::DigestKey::random();
  dir.store_key(key);
  EXPECT_EQ(dir.load_key().hex(), key.hex());
  EXPECT_EQ(fs::status(directory.path() / "digest.key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  write(directory.path() / "digest.key", "not hex\n");
  EXPECT_THAT([&] { dir.load_key(); }, throws(ErrorKind::corrupt, HasSubstr("digest.key")));
}

TEST(RunDir, ADamagedPlanIsCorruptAndNamed) {
  const TemporaryDirectory directory;
  const RunDir dir(directory.path());
  EXPECT_FALSE(dir.load_plan());
  Plan plan;
  plan.source_version = "15.18";
  dir.store_plan(plan);
  EXPECT_EQ(dir.load_plan()->source_version, "15.18");
  auto content = read(directory.path() / "plan.json.zst");
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
  write(directory.path() / "plan.json.zst", content);
  EXPECT_THAT([&] { static_cast<void>(dir.load_plan()); },
              throws(ErrorKind::corrupt, HasSubstr("plan.json.zst")));
  write(directory.path() / "plan.json.zst", base::zstd_compress("{}"));
  EXPECT_THAT([&] { static_cast<void>(dir.load_plan()); },
              throws(ErrorKind::corrupt, HasSubstr("plan.json.zst")));
}

TEST(RunDir, AMillionChunksAreLoadedFromTheCheckpoint) {
  const TemporaryDirectory directory;
  constexpr uint32_t kChunks = 1'000'000;
  {
    RunDir dir(directory.path());
    start(dir);
    for (uint32_t i = 0; i < kChunks; ++i)
      dir.record(record::chunk(i / 1000, i % 1000,
                               {i, uint64_t{i} << 20, {i, base::uint128{i} * 0x9E3779B97F4A7C15 * i}, 0}));
    dir.checkpoint();
  }
  const auto begin = std::chrono::steady_clock::now();
  const RunDir dir(directory.path());
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  EXPECT_EQ(dir.state().chunks.size(), kChunks);
  const auto size = fs::file_size(directory.path() / "checkpoint.zst");
  EXPECT_LE(size, uintmax_t{32} * kChunks);
  std::printf("a checkpoint of a million chunks: %ju bytes, loaded in %jd ms\n", static_cast<uintmax_t>(size),
              static_cast<intmax_t>(took.count()));
}

}  // namespace
}  // namespace copy
