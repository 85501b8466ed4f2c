#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// A resume that reads the archive instead of a source that has moved on.
namespace crash {
namespace {

class ArchiveResume : public testing::Test {
 protected:
  Move move_;
  fs::path archive_ = move_.directory / "archive";
  size_t chunks_ = 0;

  void SetUp() override {
    fill(move_.source);
    Move whole;  // tells how many chunks there are
    fill(whole.source);
    ASSERT_EQ(whole.run().exit_code, 0);
    chunks_ = whole.ledger().size();
    move_.options.insert(move_.options.end(), {"--archive", archive_});
  }
};

TEST_F(ArchiveResume, CompleteEndsAtTheOriginalSnapshot) {
  const auto original = support::database_digest(move_.source.url());
  // The last chunk is in the archive, but not on the target.
  ASSERT_NO_FATAL_FAILURE(move_.crash_at(fmt::format("chunk_copy.after:{}", chunks_)));
  const auto before = move_.ledger();
  ASSERT_LT(before.size(), chunks_);
  move_.source.exec(kChanges);
  const auto result = move_.run();
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("everything still missing is in the archive"));
  auto now = support::database_digest(move_.target.url());
  auto then = original;
  // Sequences are of the end of the run.
  for (const auto* name : {"sequence shop.numbers", "table shop.totals"}) {
    now.erase(name);
    then.erase(name);
  }
  EXPECT_EQ(now, then);
  Move::expect_kept(before, move_.ledger());
}

// What --overwrite may delete is deleted when it is known that the run goes on.
TEST_F(ArchiveResume, AChangedSchemaIsRefusedBeforeTheTargetIsChanged) {
  move_.target.exec("CREATE SCHEMA shop; CREATE TABLE shop.keys (small smallint, middle int, large bigint)");
  move_.options[1] = "1";
  move_.options.insert(move_.options.end(), {"--overwrite", "shop.keys"});
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("chunk_copy.after:3"));
  move_.target.exec("INSERT INTO shop.keys VALUES (1, 2, 3)");
  move_.source.exec("ALTER TABLE shop.orders ADD extra int");
  const auto result = move_.run();
  EXPECT_EQ(result.exit_code, 2) << result.error;
  EXPECT_THAT(result.error, HasSubstr("the source's schema changed since this run was started"));
  EXPECT_EQ(move_.target.value("SELECT count(*) FROM shop.keys"), "1");
}

// The archive does not have everything: a new snapshot, and what the archive has of the old one must not be
// mixed in.
TEST_F(ArchiveResume, IncompleteEndsAtTheNewSnapshot) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at(fmt::format("chunk_copy.after:{}", chunks_ - 4)));
  move_.source.exec(kChanges);
  move_.settle_changed();
}

TEST_F(ArchiveResume, OldChunksOfTheArchiveAreNotMixedIntoANewSnapshot) {
  move_.options[1] = "1";
  // One chunk is archived, but not loaded.
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("chunk_copy.after:5"));
  move_.source.exec(kChanges);
  // At the new snapshot all chunks are archived, but again not all are loaded.
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("checkpoint_rename.before"));
  move_.settle_changed();
  // What the archive holds is what was copied.
  const Move restored;
  const auto result = support::cutover({"import", "--archive", archive_, "--target", restored.target.url(),
                                        "--run-dir", restored.run_dir, "--yes", "--no-progress"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(support::database_digest(restored.target.url()), support::database_digest(move_.target.url()));
}

// What the archive has of the old snapshot is archived again at the new one, and is what a later resume
// loads.
TEST_F(ArchiveResume, AnOldChunkIsArchivedAgain) {
  move_.options[1] = "1";
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("chunk_copy.after"));
  ASSERT_EQ(move_.ledger().size(), 0U);
  move_.source.exec(kChanges);
  const auto second = support::database_digest(move_.source.url());
  move_.options[1] = "2";
  {
    // Everything is loaded but that chunk, which is the first.
    Proxy proxy(move_.target.cluster().port(), "; COMMIT",
                [](int n) { return n == 1 ? Proxy::Verdict::hold : Proxy::Verdict::forward; });
    move_.target_url = proxy.url(move_.target.name());
    const auto process = move_.start();
    ASSERT_NO_FATAL_FAILURE(move_.wait_for_chunks(chunks_ - 1, *process));
    process->kill(SIGKILL);
    process->wait();
    proxy.reset();
  }
  move_.target_url = move_.target.url();
  move_.source.exec("UPDATE shop.keys SET middle = 9; UPDATE shop.customers SET name = name || '!'");
  const auto result = move_.run();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("everything still missing is in the archive"));
  EXPECT_EQ(support::database_digest(move_.target.url()), second);
}

}  // namespace
}  // namespace crash
