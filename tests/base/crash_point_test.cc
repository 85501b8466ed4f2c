#include "base/crash_point.h"

#ifdef CUTOVER_CRASH_POINTS

#include <csignal>
#include <cstdio>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/error.h"

namespace base {
namespace {

/// The plan is read once in a process, so each test passes the points in a fresh one.
class CrashPointDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void TearDown() override { ::unsetenv("CUTOVER_CRASH_AT"); }
  static void plan(const char* text) { ::setenv("CUTOVER_CRASH_AT", text, 1); }
};

[[noreturn]] void pass_and_exit(std::string_view name, int times) {
  for (int i = 1; i <= times; ++i) {
    std::fprintf(stderr, "pass %d. ", i);
    crash_point(name);
  }
  ::_exit(7);
}

TEST_F(CrashPointDeathTest, NamedPointKills) {
  plan("here");
  EXPECT_EXIT(pass_and_exit("here", 3), ::testing::KilledBySignal(SIGKILL), "^pass 1\\. $");
}

TEST_F(CrashPointDeathTest, NthPassKills) {
  plan("here:3");
  EXPECT_EXIT(pass_and_exit("here", 5), ::testing::KilledBySignal(SIGKILL),
              "^pass 1\\. pass 2\\. pass 3\\. $");
}

TEST_F(CrashPointDeathTest, OtherPointsAndOtherCountsPass) {
  plan("here:3");
  EXPECT_EXIT(pass_and_exit("here", 2), ::testing::ExitedWithCode(7), "");
  EXPECT_EXIT(pass_and_exit("there", 5), ::testing::ExitedWithCode(7), "");
  EXPECT_EXIT(pass_and_exit("here:3", 5), ::testing::ExitedWithCode(7), "");
  ::unsetenv("CUTOVER_CRASH_AT");
  EXPECT_EXIT(pass_and_exit("here", 5), ::testing::ExitedWithCode(7), "");
  EXPECT_EXIT(pass_and_exit("", 5), ::testing::ExitedWithCode(7), "");
}

TEST_F(CrashPointDeathTest, MistypedPlanIsAnError) {
  for (const auto* text : {"here:", "here:0", "here:x", "here:1x", "here:-1"}) {
    plan(text);
    EXPECT_EXIT(
        {
          try {
            crash_point("elsewhere");
          } catch (const Error& error) {
            std::fputs(error.what(), stderr);
            ::_exit(error.kind() == ErrorKind::usage ? 2 : 1);
          }
          ::_exit(7);
        },
        ::testing::ExitedWithCode(2), text);
  }
}

[[noreturn]] void pass_in_threads(int threads, int times) {
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i)
      all.emplace_back([&] {
        for (int pass = 0; pass < times; ++pass) crash_point("here");
      });
  }
  ::_exit(7);
}

TEST_F(CrashPointDeathTest, CountsThePassesOfAllThreads) {
  plan("here:400");
  EXPECT_EXIT(pass_in_threads(4, 100), ::testing::KilledBySignal(SIGKILL), "");
  plan("here:401");
  EXPECT_EXIT(pass_in_threads(4, 100), ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace base

#endif
