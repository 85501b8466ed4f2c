#include "cli/metrics.h"

#include <gmock/gmock.h>

#include "cli/errors.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, HaveTheWholeRun) {
  DirectoryStatus status;
  status.run = Json{{"verdict", "no-go"},
                    {"exit_code", kDifferent},
                    {"steps", {{{"name", "plan"}}, {{"name", "last upload 1"}}}}};
  EXPECT_THAT(metrics_text("R", status),
              AllOf(HasSubstr("cutover_running{run=\".\",kind=\"run\"} 0\n"),
                    HasSubstr("cutover_exit_code{run=\".\",kind=\"run\"} 1\n"),
                    HasSubstr("cutover_verdict{run=\".\",kind=\"run\",verdict=\"no-go\"} 1\n"),
                    HasSubstr("cutover_step{run=\".\",kind=\"run\",step=\"last upload 1\"} 1\n")));
  // Of a run that goes on, the exit code is the last one's.
  status.running = true;
  EXPECT_THAT(metrics_text("R", status),
              AllOf(HasSubstr("cutover_running{run=\".\",kind=\"run\"} 1\n"), Not(HasSubstr("exit_code"))));
}

}  // namespace
}  // namespace cli
