#include "base/process.h"

#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"

namespace base {
namespace {

using test::TemporaryDirectory;
using test::throws;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct Ran {
  CommandResult result;
  std::string output;
};

Ran run(const Command& command) {
  Ran ran;
  ran.result = run_command(command, Stop(), [&](std::string_view piece) { ran.output += piece; });
  return ran;
}

Command shell(std::string script) { return {"sh", {"-c", std::move(script)}, {}}; }

TEST(Process, GivesOutputErrorTextAndExitCode) {
  const auto ran = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(ran.output, "out\n");
  EXPECT_EQ(ran.result.error_text, "err\n");
  EXPECT_EQ(ran.result.exit_code, 3);
}

TEST(Process, OutputMayBeDiscarded) { EXPECT_EQ(run_command(shell("seq 100000"), Stop()).exit_code, 0); }

TEST(Process, ArgumentsReachTheProgramAsTheyAre) {
  const auto ran = run({"printf", {"%s|", "a b", "$HOME", "", "'\"*"}, {}});
  EXPECT_EQ(ran.output, "a b|$HOME||'\"*|");
}

TEST(Process, EnvironmentIsSetOnTopOfOurs) {
  ::setenv("OUR_TEST_KEPT", "kept", 1);
  ::setenv("OUR_TEST_CHANGED", "old", 1);
  auto command = shell("echo $OUR_TEST_KEPT $OUR_TEST_CHANGED $OUR_TEST_NEW; env | grep -c OUR_TEST_");
  command.environment = {{"OUR_TEST_CHANGED", "new"}, {"OUR_TEST_NEW", "a=b"}};
  EXPECT_EQ(run(command).output, "kept new a=b\n3\n");
  EXPECT_STREQ(::getenv("OUR_TEST_CHANGED"), "old");
}

TEST(Process, OptionsOfOursAreNotHandedOn) {
  ::setenv("CUTOVER_SOURCE", "postgres://u:secret@h/d", 1);
  const auto ran = run(shell("env"));
  ::unsetenv("CUTOVER_SOURCE");
  EXPECT_EQ(ran.output.find("CUTOVER_"), std::string::npos);
}

TEST(Process, OnlyWhatItShallInheritIsHandedOn) {
  ::setenv("OUR_TEST_KEPT", "kept", 1);
  ::setenv("OUR_SECRET", "secret", 1);
  auto command = shell("env");
  command.inherits = {"PATH", "OUR_TEST_*"};
  command.environment = {{"PGPASSWORD", "given"}};
  const auto output = run(command).output;
  EXPECT_NE(output.find("OUR_TEST_KEPT=kept\n"), std::string::npos);
  EXPECT_NE(output.find("PGPASSWORD=given\n"), std::string::npos);
  EXPECT_EQ(output.find("OUR_SECRET"), std::string::npos);
  EXPECT_EQ(output.find("HOME="), std::string::npos);
}

TEST(Process, LongOutputAndErrorDoNotBlockEachOther) {
  const auto ran = run(shell("seq 200000; seq 200000 >&2; seq 3"));
  EXPECT_EQ(ran.output.size(), 1288895U + 6);
  EXPECT_EQ(ran.result.error_text.size(), size_t{64} << 10);
  EXPECT_TRUE(ran.result.error_text.ends_with("199999\n200000\n"));
}

TEST(Process, StandardInputIsEmpty) { EXPECT_EQ(run({"cat", {}, {}}).output, ""); }

TEST(Process, DeathBySignalIs128AndItsNumber) { EXPECT_EQ(run(shell("kill -9 $$")).result.exit_code, 137); }

TEST(Process, InheritsNoDescriptor) {
  const TemporaryDirectory directory;
  // Deliberately without O_CLOEXEC, as a library's might be.
  const int leaked = ::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_GE(leaked, 0);
  // ls itself opens the directory that it lists, as the lowest free number: 3.
  EXPECT_EQ(run({"ls", {"/proc/self/fd"}, {}}).output, "0\n1\n2\n3\n");
  ::close(leaked);
}

TEST(Process, InheritsNoSignalMaskAndNoIgnoredSignal) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  const auto ran = run({"grep", {"-E", "^Sig(Blk|Ign):", "/proc/self/status"}, {}});
  std::signal(SIGPIPE, handler);

  sigset_t now;
  pthread_sigmask(SIG_SETMASK, &before, &now);
  EXPECT_EQ(ran.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_EQ(sigismember(&now, SIGUSR1), 1) << "our own mask was not put back";
}

TEST(Process, MissingOrUnrunnableProgramIsUsage) {
  const TemporaryDirectory directory;
  EXPECT_THAT(
      [] {
        run({"cutover-no-such-program", {}, {}});
      },
      throws(ErrorKind::usage, HasSubstr("cutover-no-such-program was not found\nhint: ")));
  EXPECT_THAT([&] { run({directory / "missing", {}, {}}); }, throws(ErrorKind::usage, HasSubstr("missing")));
  EXPECT_THAT([&] { run({directory.path(), {}, {}}); }, throws(ErrorKind::usage));
  replace_file(directory / "text", "not a program");
  EXPECT_THAT([&] { run({directory / "text", {}, {}}); }, throws(ErrorKind::usage, HasSubstr("text")));
  std::filesystem::permissions(directory / "text", std::filesystem::perms::owner_all);
  EXPECT_THAT(
      [&] {
        run({directory / "text", {}, {}});
      },
      throws(ErrorKind::usage,
             HasSubstr("cannot run " + (directory / "text").native() + ": exec format error")));
}

TEST(Process, RequestedStopStartsNothing) {
  const TemporaryDirectory directory;
  const Stop stop;
  stop.request();
  EXPECT_THAT(
      [&] {
        run_command({"touch", {(directory / "made").native()}, {}}, stop);
      },
      throws(ErrorKind::cancelled));
  EXPECT_FALSE(std::filesystem::exists(directory / "made"));
}

/// True when no process has this number, or only its unreaped remains.
bool is_gone(pid_t pid) {
  const auto status = read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
  return !status || status->find(") Z ") != std::string::npos;
}

/// Runs `script`, which prints process numbers, one a line, and stops it when it has printed `count`.
std::vector<pid_t> stopped_after(const std::string& script, size_t count) {
  const Stop stop;
  std::string output;
  EXPECT_THAT(
      [&] {
        run_command(shell(script), stop, [&](std::string_view piece) {
          output += piece;
          if (static_cast<size_t>(std::count(output.begin(), output.end(), '\n')) == count) stop.request();
        });
      },
      throws(ErrorKind::cancelled));
  std::vector<pid_t> pids;
  for (size_t at = 0, end = 0; (end = output.find('\n', at)) != std::string::npos; at = end + 1)
    pids.push_back(std::stoi(output.substr(at, end - at)));
  return pids;
}

TEST(Process, StopEndsTheProgram) {
  const auto started = std::chrono::steady_clock::now();
  const auto pids = stopped_after("echo $$; exec tail -f /dev/null", 1);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(1900));
  ASSERT_EQ(pids.size(), 1U);
  EXPECT_TRUE(is_gone(pids[0]));
}

TEST(Process, StopFromAnotherThreadWakesTheWait) {
  const Stop stop;
  std::jthread other([&] { stop.request(); });
  EXPECT_THAT([&] { run_command({"tail", {"-f", "/dev/null"}, {}}, stop); }, throws(ErrorKind::cancelled));
}

TEST(Process, StopKillsWhatIgnoresSigterm) {
  const auto pids = stopped_after("trap '' TERM; echo $$; while :; do read -r line; done", 1);
  ASSERT_EQ(pids.size(), 1U);
  EXPECT_TRUE(is_gone(pids[0]));
}

// The program is always faster than its reader: no piece is taken before more waits in the pipe.
TEST(Process, StopIsSeenBesideAFastWriter) {
  const Stop stop;
  std::optional<File> pipe;
  int pieces = 0;
  const auto slower_than_yes = [&](std::string_view piece) {
    stop.request();
    if (!pipe) pipe = File::open_read("/proc/" + std::to_string(std::stoi(std::string(piece))) + "/fd/1");
    pollfd waiting{pipe->descriptor(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
    if (++pieces > 100) fail(ErrorKind::permanent, "the stop was not seen");
  };
  EXPECT_THAT([&] { run_command(shell("echo $$; exec yes"), stop, slower_than_yes); },
              throws(ErrorKind::cancelled));
}

TEST(Process, ErrorOfTheCallbackEndsTheProgram) {
  EXPECT_THAT(
      [&] {
        run_command({"yes", {}, {}}, Stop(), [](std::string_view) { fail(ErrorKind::permanent, "full"); });
      },
      throws(ErrorKind::permanent, HasSubstr("full")));
}

TEST(Process, HelperLeftBehindIsNotWaitedFor) {
  const auto ran = run(shell("tail -f /dev/null & echo $!; exit 4"));
  EXPECT_EQ(ran.result.exit_code, 4);
  const auto helper = std::stoi(ran.output);
  EXPECT_FALSE(is_gone(helper));
  ::kill(helper, SIGKILL);
}

TEST(FindProgram, SearchesPath) {
  EXPECT_THAT(find_program("sh").native(), MatchesRegex("/.*/sh"));
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_THAT([] { find_program(""); }, throws(ErrorKind::usage));
}

}  // namespace
}  // namespace base
