#pragma once

#include <string>

#include <gmock/gmock.h>

#include "base/error.h"

namespace base::test {

/// EXPECT_THAT([&] { … }, throws(ErrorKind::corrupt, HasSubstr("offset 12")))
inline auto throws(ErrorKind kind, const ::testing::Matcher<std::string>& what = ::testing::_) {
  return ::testing::Throws<Error>(::testing::AllOf(
      ::testing::Property("kind", static_cast<ErrorKind (Error::*)() const>(&Error::kind), kind),
      ::testing::Property("what", &Error::what,
                          ::testing::ResultOf(
                              "text", [](const char* text) { return std::string(text); }, what))));
}

}  // namespace base::test
