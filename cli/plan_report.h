#pragma once

#include <string>

#include "cli/log.h"
#include "cli/report_section.h"
#include "copy/engine.h"

/// What `cutover plan` shows, for people and for programs.
namespace cli {

std::string plan_text(const copy::PlanReport& report, const copy::Options& options, bool colours);
/// {"version":1, "blocked":…, "source":…, "summary":{…}, "tables":[…], "findings":[…]}
Json plan_json(const copy::PlanReport& report, const copy::Options& options);

/// Of plan_json(): what stands in the way.
ReportSection plan_section(const Json& report);

}  // namespace cli
