#include "base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace base {
namespace {

TEST(Error, ContextGoesInFrontAndTheHintOnItsOwnLine) {
  Error error(ErrorKind::permanent, "relation is gone", "run it again");
  error.during("copy public.orders #17").during("run 4");
  EXPECT_STREQ(error.what(), "run 4: copy public.orders #17: relation is gone\nhint: run it again");
  EXPECT_EQ(error.message(), "run 4: copy public.orders #17: relation is gone");
}

TEST(Error, KeepsItsKindAndSqlstateThroughLayers) {
  try {
    during("outer",
           [] { during("inner", [] { throw Error(ErrorKind::in_doubt, "reply lost").sqlstate("08006"); }); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::in_doubt);
    EXPECT_EQ(error.sqlstate(), "08006");
    EXPECT_STREQ(error.what(), "outer: inner: reply lost");
  }
}

TEST(Error, DuringReturnsWhatTheBodyReturns) {
  int value = 1;
  during("set", [&]() -> int& { return value; }) = 2;
  EXPECT_EQ(value, 2);
}

TEST(Error, FailFormats) {
  EXPECT_THAT([] { fail(ErrorKind::usage, "{} of {}", 3, "x"); }, test::throws(ErrorKind::usage, "3 of x"));
}

TEST(SystemError, IsLowerCaseNamesTheObjectAndHints) {
  EXPECT_STREQ(system_error("open", "/x", ENOENT).what(), "cannot open /x: no such file or directory");
  EXPECT_STREQ(system_error("open", "/x", ELOOP).what(), "cannot open /x: too many levels of symbolic links");
  EXPECT_NE(system_error("read", "/x", EIO).hint(), "");
  EXPECT_NE(system_error("write", "/x", ENOSPC).hint(), "");
  EXPECT_NE(system_error("open", "/x", EACCES).hint(), "");
}

TEST(ErrorKind, EveryKindHasAName) {
  EXPECT_EQ(to_string(ErrorKind::usage), "usage");
  EXPECT_EQ(to_string(ErrorKind::transient), "transient");
  EXPECT_EQ(to_string(ErrorKind::permanent), "permanent");
  EXPECT_EQ(to_string(ErrorKind::in_doubt), "in doubt");
  EXPECT_EQ(to_string(ErrorKind::corrupt), "corrupt");
  EXPECT_EQ(to_string(ErrorKind::cancelled), "cancelled");
}

}  // namespace
}  // namespace base
