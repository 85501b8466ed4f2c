// Archives: written beside a copy or by an export, loaded elsewhere, and damaged.

#include <csignal>

#include "tests/copy/fixture.h"
#include "tests/copy/sample.h"

namespace copy::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string with_everything() {
  return std::string(kShop) + R"(;
    SELECT lo_from_bytea(70, decode(repeat('ab', 300000), 'hex')); COMMENT ON LARGE OBJECT 70 IS 'kept';
    SELECT setval('shop.purchase_id_seq', 5000, false))";
}

TEST(Archive, OfACopyCanBeImported) {
  const Move move(with_everything());
  const auto archive = move.way.path("archive").string();
  move.expect_equal_copy({"--archive", archive, "--split-size", "64kB"});
  const support::TestDatabase third(target_server());
  EXPECT_TRUE(exits(Copy("", third.url()).run("import", {"--archive", archive}), 0));
  EXPECT_THAT(differences(third, move.source), ::testing::IsEmpty());
}

TEST(Archive, ExportedAndImportedIntoANewerServerIsEqual) {
  const Move move(with_everything(), {}, 15, 17);
  const auto archive = move.way.path("archive").string();
  const auto exported = move.way.run("export", {"--archive", archive, "--split-size", "64kB"});
  ASSERT_TRUE(exits(exported, 0));
  EXPECT_THAT(exported.output, HasSubstr("EXPORTED"));
  // The source is not needed any more, and does not count.
  const auto expected = support::database_digest(move.source.url());
  move.source.exec("DROP SCHEMA shop CASCADE");
  ASSERT_TRUE(exits(move.way.run("import", {"--archive", archive}), 0));
  EXPECT_THAT(differences(support::database_digest(move.target.url()), expected), ::testing::IsEmpty());
  EXPECT_EQ(move.target.value("SELECT nextval('shop.purchase_id_seq')"), "5000");
}

TEST(Archive, OfDataOnly) {
  constexpr const char* kSchema = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p)";
  const Move move(kSchema, kSchema);
  move.source.exec(
      "INSERT INTO p SELECT generate_series(1, 500); INSERT INTO c SELECT generate_series(1, 500)");
  const auto archive = move.way.path("archive").string();
  ASSERT_TRUE(exits(move.way.run("export", {"--archive", archive, "--schema", "none"}), 0));
  ASSERT_TRUE(exits(move.way.run("import", {"--archive", archive}), 0));
  move.expect_equal();
}

TEST(Archive, AnImportThatWasKilledGoesOnWhereItWas) {
  const Move move(with_everything());
  const Arguments arguments{"--archive", move.way.path("archive").string()};
  auto tiny = arguments;
  tiny.insert(tiny.end(), {"--split-size", "64kB"});
  ASSERT_TRUE(exits(move.way.run("export", tiny), 0));
  ASSERT_TRUE(exits(
      move.way.run("import", arguments, {.environment = {{"CUTOVER_CRASH_AT", "ledger_commit.after:5"}}}),
      128 + SIGKILL));
  const auto* ledger = "SELECT relation, chunk, transaction FROM cutover.chunk";
  const auto before = move.target.exec(ledger);
  ASSERT_GE(before.size(), 5U);
  const auto resumed = move.way.run("import", arguments);
  ASSERT_TRUE(exits(resumed, 0));
  EXPECT_THAT(text_of(resumed), HasSubstr("the archive is what it was"));
  move.expect_equal();
  const auto after = move.target.exec(ledger);
  EXPECT_GT(after.size(), before.size());
  for (const auto& chunk : before) EXPECT_THAT(after, ::testing::Contains(chunk)) << "copied again";
}

TEST(Archive, OfAnExportThatWasKilledIsNeitherGoneOnWithNorImported) {
  const Move move(kShop);
  const Arguments arguments{"--archive", move.way.path("archive").string()};
  ASSERT_TRUE(
      exits(move.way.run("export", arguments, {.environment = {{"CUTOVER_CRASH_AT", "chunk_copy.before:3"}}}),
            128 + SIGKILL));
  const auto again = move.way.run("export", arguments);
  EXPECT_TRUE(exits(again, 2));
  EXPECT_THAT(again.error, AllOf(HasSubstr("holds an unfinished export"), HasSubstr("--restart")));
  const auto imported = move.way.run("import", arguments);
  EXPECT_TRUE(exits(imported, 2));
  EXPECT_THAT(imported.error, HasSubstr("is not complete"));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname IN ('cutover', 'shop')"), "0");
  auto anew = arguments;
  anew.emplace_back("--restart");
  ASSERT_TRUE(exits(move.way.run("export", anew), 0));
  ASSERT_TRUE(exits(move.way.run("import", arguments), 0));
  move.expect_equal();
}

TEST(Archive, OfAnotherRunIsNotWrittenInto) {
  const Move move(kShop);
  const auto archive = move.way.path("archive").string();
  ASSERT_TRUE(exits(move.way.run("export", {"--archive", archive}), 0));
  EXPECT_TRUE(exits(move.way.run("export", {"--archive", archive}), 2));
  const auto result = move.copy({"--archive", archive});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("belongs to another run"));
  EXPECT_TRUE(exits(move.way.run("export", {"--archive", archive, "--restart"}), 0));
}

TEST(Archive, StartsOverWithItsRun) {
  const Move move("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const auto archive = move.way.path("archive").string();
  ASSERT_TRUE(exits(move.copy({"--archive", archive}), 0));
  move.source.exec("INSERT INTO t VALUES (2)");
  const Arguments again{"--restart", "--yes", "--archive", archive};
  move.expect_equal_copy(again);
  const support::TestDatabase elsewhere(target_server());
  EXPECT_TRUE(exits(Copy(move.source.url(), elsewhere.url()).run("import", {"--archive", archive}), 0));
  EXPECT_EQ(elsewhere.value("SELECT count(*) FROM t"), "2");
  // An archive of another run is not this one's to empty, and nothing else is done then either.
  const auto other = move.way.path("other").string();
  ASSERT_TRUE(exits(move.way.run("export", {"--archive", other}), 0));
  EXPECT_TRUE(exits(move.copy({"--restart", "--yes", "--archive", other}), 2));
  move.expect_equal();
}

/// Archives of the same table, one of one row and one of two.
class OtherArchive : public ::testing::Test {
 protected:
  void SetUp() override {
    move.source.exec("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    ASSERT_TRUE(exits(move.way.run("export", {"--archive", monday}), 0));
    move.source.exec("INSERT INTO t VALUES (2)");
    ASSERT_TRUE(exits(move.way.run("export", {"--archive", tuesday}), 0));
  }
  void expect_refused(const std::string& archive, const std::string& why) const {
    const auto before = support::database_digest(move.target.url());
    const auto refused = move.way.run("import", {"--archive", archive});
    EXPECT_TRUE(exits(refused, 2));
    EXPECT_THAT(refused.error, AllOf(HasSubstr(why), HasSubstr(archive), HasSubstr("--restart")));
    EXPECT_EQ(support::database_digest(move.target.url()), before);
  }
  Move move;
  std::string monday = move.way.path("monday").string();
  std::string tuesday = move.way.path("tuesday").string();
};

TEST_F(OtherArchive, IsNotBelievedToBeTheOneOfAFinishedRun) {
  ASSERT_TRUE(exits(move.way.run("import", {"--archive", monday}), 0));
  expect_refused(tuesday, "holds a run of another archive");
  EXPECT_TRUE(exits(move.way.run("import", {"--archive", tuesday, "--restart", "--yes"}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "2");
}

TEST_F(OtherArchive, IsNotWhatAKilledRunGoesOnWith) {
  ASSERT_TRUE(exits(move.way.run("import", {"--archive", monday},
                                 {.environment = {{"CUTOVER_CRASH_AT", "chunk_copy.before"}}}),
                    128 + SIGKILL));
  expect_refused(tuesday, "holds a run of another archive");
  EXPECT_TRUE(exits(move.way.run("import", {"--archive", monday}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "1");
}

// By its content it is known wherever it is by now, and where it is not, nothing can be said of it.
TEST_F(OtherArchive, IsNoneThatWasMovedAndNeitherIsOneThatIsGone) {
  ASSERT_TRUE(exits(move.way.run("import", {"--archive", monday}), 0));
  const auto moved = move.way.path("moved").string();
  fs::rename(monday, moved);
  const auto believed = move.way.run("import", {"--archive", moved});
  EXPECT_TRUE(exits(believed, 0));
  EXPECT_THAT(text_of(believed), HasSubstr("by an earlier run"));
  expect_refused(monday, "is not an archive");
  // One that was made anew at its place is another one.
  ASSERT_TRUE(exits(move.way.run("export", {"--archive", moved, "--restart"}), 0));
  expect_refused(moved, "holds a run of another archive");
}

// It comes in pieces, and the file's checksum last.
TEST(Archive, OfADamagedEndStateNothingReachesTheTarget) {
  const Move move(R"(
    DO $$ BEGIN
      FOR i IN 1..600 LOOP
        PERFORM lo_create(i);
        EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', i,
                       (SELECT string_agg(md5(i * 1000 + j || ''), '') FROM generate_series(1, 60) j));
      END LOOP;
    END $$)");
  const Arguments arguments{"--archive", move.way.path("archive").string()};
  ASSERT_TRUE(exits(move.way.run("export", arguments), 0));
  const auto file = fs::path(arguments[1]) / "end_state.json.zst";
  const auto whole = slurp(file);
  auto damaged = whole;
  damaged.back() = static_cast<char>(damaged.back() ^ 0x10);
  spill(file, damaged);
  const auto result = move.way.run("import", arguments);
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(text_of(result), HasSubstr(file.string()));
  constexpr const char* kComments =
      "SELECT count(*) FROM pg_description WHERE classoid = 'pg_largeobject'::regclass";
  EXPECT_EQ(move.target.value(kComments), "0");
  spill(file, whole);
  EXPECT_TRUE(exits(move.way.run("import", arguments), 0));
  EXPECT_EQ(move.target.value(kComments), "600");
}

TEST(Archive, ThatIsNoneIsRefused) {
  const Move move;
  EXPECT_TRUE(exits(move.way.run("import", {"--archive", move.way.path("nowhere").string()}), 2));
}

// --------------------------------------------------------------------------------------------------- damage

constexpr const char* kJournal = "journal.";

struct Damage {
  const char* name;
  /// That is damaged, and named; empty: a chunk of the largest table; kJournal: whatever number it has.
  std::string file;
  std::function<void(const fs::path&)> harm;
};

void flip(const fs::path& path, size_t at) {
  auto content = slurp(path);
  ASSERT_LT(at, content.size());
  content[at] = static_cast<char>(content[at] ^ 0x10);
  spill(path, content);
}

void flip_middle(const fs::path& path) { flip(path, fs::file_size(path) / 2); }

fs::path largest_chunk(const fs::path& archive) {
  fs::path largest;
  uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(archive / "data"))
    if (entry.is_regular_file() && entry.file_size() > size) size = fs::file_size(largest = entry.path());
  return largest;
}

fs::path journal(const fs::path& archive) {
  for (const auto& entry : fs::directory_iterator(archive))
    if (entry.path().filename().string().starts_with(kJournal)) return entry.path();
  throw std::runtime_error("an archive without a journal");
}

class DamagedArchive : public ::testing::TestWithParam<Damage> {
 protected:
  static const fs::path& archive() {
    static const support::TempDir directory;
    static const fs::path path = [] {
      const Move move(with_everything());
      const auto to = directory / "archive";
      EXPECT_TRUE(exits(move.way.run("export", {"--archive", to, "--split-size", "64kB"}), 0));
      return to;
    }();
    return path;
  }
};

TEST_P(DamagedArchive, IsFoundAndNamedAndNothingOfItIsLoaded) {
  const Move move;
  const auto mine = move.way.path("archive");
  fs::copy(archive(), mine, fs::copy_options::recursive);
  auto file = GetParam().file;
  if (file.empty()) file = fs::relative(largest_chunk(mine), mine).string();
  if (file == kJournal) file = journal(mine).filename().string();
  GetParam().harm(mine / file);
  const auto result = move.way.run("import", {"--archive", mine, "--jobs", "1"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.exit_code, 4);
  EXPECT_THAT(text_of(result), HasSubstr(file));
  // Nothing of the damaged chunk is on the target, and the ledger knows of none that is not there.
  if (move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'") == "0") return;
  for (const auto& row :
       move.target.exec("SELECT name, sum(rows) FROM cutover.chunk WHERE name LIKE 'shop.%' GROUP BY 1"))
    EXPECT_EQ(move.target.value("SELECT count(*) FROM " + *row[0]), *row[1]);
  if (!file.starts_with("data/")) return;
  const auto slash = file.find('/', 5);
  EXPECT_EQ(
      move.target.value("SELECT count(*) FROM cutover.chunk WHERE relation = " + file.substr(5, slash - 5) +
                        " AND chunk = " + file.substr(slash + 1, file.find('.') - slash - 1)),
      "0");
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedArchive,
    ::testing::Values(
        Damage{"ByteOfAChunk", "", flip_middle},
        Damage{"LastByteOfAChunk", "", [](const fs::path& path) { flip(path, fs::file_size(path) - 1); }},
        Damage{"TruncatedChunk", "",
               [](const fs::path& path) { fs::resize_file(path, fs::file_size(path) - 100); }},
        Damage{"EmptyChunk", "", [](const fs::path& path) { fs::resize_file(path, 0); }},
        Damage{"MissingChunk", "", [](const fs::path& path) { fs::remove(path); }},
        Damage{"OtherChunk", "",
               [](const fs::path& path) {
                 fs::copy_file(path.parent_path() / (path.filename() == "0.zst" ? "1.zst" : "0.zst"), path,
                               fs::copy_options::overwrite_existing);
               }},
        Damage{"Checkpoint", "checkpoint.zst", flip_middle}, Damage{"Plan", "plan.json.zst", flip_middle},
        Damage{"MissingSchema", "schema.dump.zst", [](const fs::path& path) { fs::remove(path); }},
        Damage{"MissingEndState", "end_state.json.zst", [](const fs::path& path) { fs::remove(path); }},
        Damage{"Schema", "schema.dump.zst", flip_middle},
        Damage{"EndState", "end_state.json.zst", flip_middle}, Damage{"Journal", kJournal, flip_middle},
        Damage{"OtherDigestKey", "digest.key",
               [](const fs::path& path) {
                 auto key = slurp(path);
                 key[5] = key[5] == '0' ? '1' : '0';
                 spill(path, key);
               }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace copy::test
