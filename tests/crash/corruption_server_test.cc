#include "tests/crash/fixture.h"

// Damaged files of a run: named, and nothing is done with them.
namespace crash {
namespace {

class Damage : public testing::Test {
 protected:
  Move move_;
  void SetUp() override { fill(move_.source); }

  /// The run stops with exit code 3, names `file`, and has changed nothing on the target.
  std::string expect_stopped(const fs::path& file, const std::vector<std::string>& more = {}) {
    const auto before = support::database_digest(move_.target.url());
    const auto ledger = move_.ledger();
    const auto bytes = contents(file);
    const auto result = move_.run(more);
    EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
    EXPECT_THAT(result.error, HasSubstr(file.filename()));
    EXPECT_EQ(support::database_digest(move_.target.url()), before);
    EXPECT_EQ(move_.ledger(), ledger);
    EXPECT_EQ(contents(file), bytes) << "the evidence was changed";
    return result.error;
  }
  void expect_mended(const fs::path& file, size_t offset) {
    flip_byte(file, offset);
    move_.settle();
  }
};

class JournalDamage : public Damage, public testing::WithParamInterface<int> {};

TEST_P(JournalDamage, IsNamedWithItsOffset) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:12"));
  const auto journal = move_.run_dir / "journal.0";
  const auto offset = fs::file_size(journal) * static_cast<size_t>(GetParam()) / 100;
  flip_byte(journal, offset);
  EXPECT_THAT(expect_stopped(journal), testing::AnyOf(HasSubstr("offset"), HasSubstr("does not begin")));
  expect_mended(journal, offset);
}
INSTANTIATE_TEST_SUITE_P(At, JournalDamage, testing::Values(0, 10, 40, 60, 80),
                         testing::PrintToStringParamName());

class CheckpointDamage : public Damage, public testing::WithParamInterface<int> {};

TEST_P(CheckpointDamage, IsNamed) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("constraint_add.before"));
  const auto checkpoint = move_.run_dir / "checkpoint.zst";
  const auto offset = fs::file_size(checkpoint) * static_cast<size_t>(GetParam()) / 100;
  flip_byte(checkpoint, offset);
  expect_stopped(checkpoint);
  expect_mended(checkpoint, offset);
}
INSTANTIATE_TEST_SUITE_P(At, CheckpointDamage, testing::Values(0, 30, 70, 99),
                         testing::PrintToStringParamName());

TEST_F(Damage, OfTheCheckpointCutShort) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("constraint_add.before"));
  const auto checkpoint = move_.run_dir / "checkpoint.zst";
  for (const auto size : {fs::file_size(checkpoint) / 2, fs::file_size(checkpoint) - 1, uintmax_t{0}}) {
    fs::resize_file(checkpoint, size);
    expect_stopped(checkpoint);
  }
}

TEST_F(Damage, OfThePlan) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:6"));
  const auto plan = move_.run_dir / "plan.json.zst";
  const auto half = fs::file_size(plan) / 2;
  flip_byte(plan, half);
  expect_stopped(plan);
  expect_mended(plan, half);
}

TEST_F(Damage, OfTheDigestKey) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:6"));
  const auto key = move_.run_dir / "digest.key";
  auto text = contents(key);
  text[5] = text[5] == '0' ? '1' : '0';  // still a key, but not ours
  std::ofstream(key, std::ios::binary) << text;
  expect_stopped(key);
}

TEST_F(Damage, OfTheSchemaDump) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:6"));
  const auto dump = move_.run_dir / "schema.dump";
  // Somewhere in a definition, where pg_restore sees nothing wrong.
  for (const auto part : {3, 5, 8}) {
    const auto at = fs::file_size(dump) * static_cast<size_t>(part) / 10;
    flip_byte(dump, at);
    EXPECT_THAT(expect_stopped(dump), HasSubstr("checksum"));
    flip_byte(dump, at);
  }
  const auto whole = contents(dump);
  fs::resize_file(dump, fs::file_size(dump) / 2);
  expect_stopped(dump);
  std::ofstream(dump, std::ios::binary) << whole;
  move_.settle();
}

TEST_F(Damage, OfAnArchivedChunk) {
  const auto archive = move_.directory / "archive";
  move_.options.insert(move_.options.end(), {"--archive", archive});
  Move whole;  // tells how many chunks there are
  fill(whole.source);
  ASSERT_EQ(whole.run().exit_code, 0);
  ASSERT_NO_FATAL_FAILURE(move_.crash_at(fmt::format("chunk_copy.after:{}", whole.ledger().size())));
  move_.source.exec(kChanges);
  const auto done = move_.ledger();
  fs::path missing;
  for (const auto& [key, transaction] : whole.ledger())
    if (!done.contains(key)) missing = archive / "data" / std::get<1>(key) / (std::get<2>(key) + ".zst");
  ASSERT_TRUE(fs::exists(missing)) << missing;
  flip_byte(missing, fs::file_size(missing) / 2);
  const auto relation = missing.parent_path().filename().string() + "/" + missing.filename().string();
  EXPECT_THAT(expect_stopped(missing), HasSubstr(relation));
}

TEST_F(Damage, ATornTailOfTheJournalIsCutAndReported) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:12"));
  const auto journal = move_.run_dir / "journal.0";
  const auto size = fs::file_size(journal);
  const auto copy = move_.directory / "copy";
  for (const auto cut : {1, 7, 13, 20, 30}) {  // a chunk's record has 36 bytes or more
    fs::resize_file(journal, size - static_cast<uintmax_t>(cut));
    const auto result = move_.run({}, {{"CUTOVER_CRASH_AT", "chunk_copy.before"}});
    EXPECT_EQ(result.exit_code, 128 + SIGKILL);
    EXPECT_THAT(result.error, testing::ContainsRegex("[0-9]+ bytes dropped"));
    ASSERT_LT(fs::file_size(journal), size * 2);
    fs::resize_file(journal, size);  // zeros, or what the ledger gave back
  }
  move_.settle();
}

}  // namespace
}  // namespace crash
