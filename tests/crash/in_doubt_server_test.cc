#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// The network fails at the worst moments: around the commit of a chunk.
namespace crash {
namespace {

using Verdict = Proxy::Verdict;

class InDoubt : public testing::Test {
 protected:
  Move move_;
  void SetUp() override { fill(move_.source); }

  // One of the commits numbered from..to gets `verdict`.
  std::string run_with(int from, int to, Verdict verdict) {
    Proxy proxy(move_.target.cluster().port(), "; COMMIT",
                [=](int n) { return n >= from && n <= to ? verdict : Verdict::forward; });
    move_.target_url = proxy.url(move_.target.name());
    const auto result = move_.run();
    EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
    EXPECT_THAT(result.error, HasSubstr("trying again"));
    move_.expect_equal();
    return result.error;
  }
};

TEST_F(InDoubt, CommittedButTheReplyWasLost) { run_with(5, 5, Verdict::cut_reply); }
TEST_F(InDoubt, TheCommitDidNotArrive) { run_with(5, 5, Verdict::cut); }
TEST_F(InDoubt, EveryReplyOfTheFirstTwentyIsLost) { run_with(1, 20, Verdict::cut_reply); }
TEST_F(InDoubt, NoneOfTheFirstSixArrives) { run_with(1, 6, Verdict::cut); }
TEST_F(InDoubt, BothInTurn) {
  Proxy proxy(move_.target.cluster().port(), "; COMMIT", [](int n) {
    return n > 18       ? Verdict::forward
           : n % 3 == 0 ? Verdict::cut_reply
           : n % 3 == 1 ? Verdict::cut
                        : Verdict::forward;
  });
  move_.target_url = proxy.url(move_.target.name());
  const auto result = move_.run();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  move_.expect_equal();
}

TEST_F(InDoubt, KilledBetweenTheCommitAndItsReply) {
  {
    Proxy proxy(move_.target.cluster().port(), "; COMMIT", hold_from(6));
    move_.target_url = proxy.url(move_.target.name());
    const auto process = move_.start();
    wait_for("a commit on its way", [&] { return proxy.held() == 2; });
    process->kill(SIGKILL);
    process->wait();
    proxy.release();  // the commits arrive when the process is dead
    move_.target.wait_until("SELECT count(*) >= 7 FROM cutover.chunk");
  }
  move_.target_url = move_.target.url();
  EXPECT_THAT(move_.settle(), HasSubstr("were on the target but not yet in the journal"));
}

/// A run whose first chunk is of an older snapshot, and has to be copied again. It is put aside, and can be
/// put back as a crash or a standby that took over would.
class OldChunk : public testing::Test {
 protected:
  void SetUp() override {
    move_.options = {"--jobs", "1", "--split-size", "16kB"};
    move_.source.exec(
        "CREATE TABLE t (id int PRIMARY KEY, v text); "
        "INSERT INTO t SELECT i, repeat('v', 100) FROM generate_series(1, 2000) i");
    ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:4"));
    move_.target.exec(
        "CREATE TABLE cutover.old_chunk AS SELECT * FROM cutover.chunk WHERE chunk = 0; "
        "CREATE TABLE cutover.old AS SELECT t.* FROM t WHERE xmin = (SELECT transaction::text::xid FROM "
        "cutover.old_chunk)");
    move_.source.exec("UPDATE t SET v = 'new' WHERE id = 1");
  }
  void put_back() const {
    move_.target.exec(
        "BEGIN; DELETE FROM t WHERE xmin = (SELECT transaction::text::xid FROM cutover.chunk WHERE chunk = "
        "0); "
        "DELETE FROM cutover.chunk WHERE chunk = 0; INSERT INTO t SELECT * FROM cutover.old; "
        "UPDATE cutover.old_chunk SET transaction = txid_current(); "
        "INSERT INTO cutover.chunk SELECT * FROM cutover.old_chunk; COMMIT");
  }
  /// When the statement of that number with the text is on its way.
  void put_back_before(const std::string& text, int number, const std::string& chunks_then) {
    Proxy proxy(move_.target.cluster().port(), text,
                [=](int n) { return n == number ? Verdict::hold : Verdict::forward; });
    move_.target_url = proxy.url(move_.target.name());
    const auto process = move_.start();
    wait_for("the moment", [&] { return proxy.held() == 1; });
    ASSERT_EQ(move_.target.value("SELECT count(*) FROM cutover.chunk WHERE chunk = 0"), chunks_then);
    put_back();
    proxy.release();
    const auto result = process->wait();
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_THAT(result.error, HasSubstr("lost its last commits"));
    move_.expect_equal();
  }
  Move move_;
};

// While its successor is loaded: what is there then is not what was in doubt.
TEST_F(OldChunk, ThatCameBackIsNotTakenForTheNewOne) { put_back_before("COPY \"public\".\"t\"", 1, "0"); }

// Instead of its successor, which was proven: there are as many chunks as there should be.
TEST_F(OldChunk, ThatTookThePlaceOfTheNewOneIsNoticed) {
  put_back_before("SET finished_at = finished_at", 2, "1");
}

// What the second try meets are the rows of the first, and no other session's.
TEST_F(InDoubt, TheCommitGoesThroughAfterTheLedgerWasAsked) {
  for (const bool existing : {false, true}) {
    Move move;
    move.options = {"--jobs", "1"};
    constexpr const char* kTable = "CREATE TABLE t (id int PRIMARY KEY)";
    move.source.exec(kTable);
    move.source.exec("INSERT INTO t SELECT generate_series(1, 100)");
    if (existing) {
      move.target.exec(kTable);
      move.options.insert(move.options.end(), {"--schema", "none"});
    }
    ASSERT_NO_FATAL_FAILURE(move.crash_at("chunk_copy.before"));
    // Commits wait for this lock, inside the server.
    support::Session holder(move.target.url());
    holder.exec(
        "CREATE FUNCTION cutover.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
        "pg_advisory_xact_lock(1); RETURN NULL; END $$; "
        "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON cutover.chunk DEFERRABLE INITIALLY DEFERRED FOR EACH "
        "ROW EXECUTE FUNCTION cutover.wait(); ALTER TABLE cutover.chunk ENABLE ALWAYS TRIGGER wait; "
        "SELECT pg_advisory_lock(1)");
    const auto wait_for_waiting = [&](const std::string& lock) {
      move.target.wait_until(fmt::format(
          "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND "
          "a.datname = current_database() AND l.locktype = '{}')",
          lock));
    };
    Proxy proxy(move.target.cluster().port(), "; COMMIT", [](int) { return Verdict::forward; });
    move.target_url = proxy.url(move.target.name());
    const auto process = move.start();
    wait_for_waiting("advisory");
    proxy.cut();
    // For the table's lock, or for whether the first one's key stays.
    wait_for_waiting(existing ? "transactionid" : "relation");
    holder.exec("SELECT pg_advisory_unlock(1)");
    const auto result = process->wait();
    EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
    move.target_url = move.target.url();
    move.expect_equal();
  }
}

// Bytes hang for a while, and then the connections are reset.
void reset_two_stalls(const Move& move, Proxy& proxy) {
  const auto process = move.start();
  wait_for("the stall", [&] { return proxy.held() == 2; });
  proxy.reset();
  wait_for("the retry", [&] { return proxy.held() == 0; });
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  move.expect_equal();
}

TEST_F(InDoubt, AStallInTheMiddleOfACommitEndsInAReset) {
  Proxy proxy(move_.target.cluster().port(), "; COMMIT", hold_from(4));
  move_.target_url = proxy.url(move_.target.name());
  reset_two_stalls(move_, proxy);
}

TEST_F(InDoubt, AStallAtTheSourceEndsInAReset) {
  Proxy proxy(move_.source.cluster().port(), "TO STDOUT", hold_from(5));
  move_.source_url = proxy.url(move_.source.name());
  reset_two_stalls(move_, proxy);
}

// A proof whose last step is tried again must not read, or count, anything twice.
TEST_F(InDoubt, TheLedgerIsNotThereWhenAProofAsksIt) {
  Proxy proxy(move_.target.cluster().port(), "buckets FROM cutover.chunk", [](int n) {
    return n == 1 ? Verdict::cut : n == 4 ? Verdict::cut_reply : Verdict::forward;
  });
  move_.target_url = proxy.url(move_.target.name());
  const auto result = move_.run();
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("trying again"));
  move_.expect_equal();
}

// Statements that make schema objects are committed with their ledger row as well.
TEST_F(InDoubt, RepliesToSchemaStatementsAreLost) {
  Proxy proxy(move_.target.cluster().port(), "INSERT INTO cutover.item",
              [](int n) { return n % 4 == 1 ? Verdict::cut_reply : Verdict::forward; });
  move_.target_url = proxy.url(move_.target.name());
  const auto result = move_.run();
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  move_.expect_equal();
}

}  // namespace
}  // namespace crash
