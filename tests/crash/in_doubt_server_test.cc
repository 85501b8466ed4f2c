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

// Bytes hang for a while, and then the connection is reset.
TEST_F(InDoubt, AStallInTheMiddleOfACommitEndsInAReset) {
  Proxy proxy(move_.target.cluster().port(), "; COMMIT", hold_from(4));
  move_.target_url = proxy.url(move_.target.name());
  const auto process = move_.start();
  wait_for("the stall", [&] { return proxy.held() == 2; });
  proxy.reset();
  wait_for("the retry", [&] { return proxy.held() == 0; });
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  move_.expect_equal();
}

TEST_F(InDoubt, AStallAtTheSourceEndsInAReset) {
  Proxy proxy(move_.source.cluster().port(), "TO STDOUT", hold_from(5));
  move_.source_url = proxy.url(move_.source.name());
  const auto process = move_.start();
  wait_for("the stall", [&] { return proxy.held() == 2; });
  proxy.reset();
  wait_for("the retry", [&] { return proxy.held() == 0; });
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
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
