#pragma once

#include <string>
#include <vector>

#include "cli/log.h"
#include "cli/report_section.h"
#include "pg/activity.h"
#include "pg/fence.h"

namespace cli {

/// The fence's state as text; `where` is the redacted connection, `refused` what end_sessions() returned.
std::string fence_text(const pg::Fence& fence, const std::string& where,
                       const std::vector<std::string>& refused);
Json fence_json(const pg::Fence& fence, const std::vector<std::string>& refused);
/// What the source was told to write up to now: the member "activity" of a look at a fence that is up.
Json activity_json(const pg::Activity& activity);
pg::Activity activity_of(const Json& document);
ReportSection fence_section(const Json& report);
Json fence_rights_json(const pg::FenceRights& rights);
/// "MAY FENCE: …" or "MAY NOT FENCE: …", and each right that is missing with its GRANT.
ReportSection fence_rights_section(const Json& report);
/// Equal: it holds; incomplete: it is up, but somebody can still write; different: it is not up.
int exit_code_of(const pg::Fence& fence);
/// The first line of fence_text(), without a line end.
std::string fence_headline(const pg::Fence& fence);

}  // namespace cli
