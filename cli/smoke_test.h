#pragma once

#include <vector>

#include "base/stop.h"
#include "cli/check_options.h"
#include "cli/check_report.h"

namespace cli {

/// Tries what the options declare of the new stack: HTTP, TCP and SQL, in that order, each within its time.
/// What cannot be tried does not hold. Throws Error{cancelled} when a stop is requested.
std::vector<CheckResult> run_smoke_tests(const CheckOptions& options, const base::Stop& stop);

}  // namespace cli
