#pragma once

#include "cli/report_section.h"

namespace cli {

/// Where a result comes from: programs and machines, servers and their versions, buckets and their regions,
/// of the document and of those that it is made of. Each is named once.
ReportList environment_of(const Json& report);

}  // namespace cli
