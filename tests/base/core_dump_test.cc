#include "base/core_dump.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace base {
namespace {

TEST(CoreDumpDeathTest, IsForbiddenToUsAndToWhatWeStart) {
  EXPECT_EXIT(
      {
        forbid_core_dumps();
        rlimit limit{};
        const bool limited = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
        ::_exit(limited && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace base
