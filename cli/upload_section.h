#pragma once

#include <string>

#include "cli/report_section.h"

/// The result of an upload in words, from its JSON document (upload_report(), dry_run_json()).
namespace cli {

/// "EQUAL: 1,006 files, 625 MB in 1.4 s"
std::string upload_line(const Json& report);
/// What would be uploaded.
std::string dry_run_text(const Json& plan);

}  // namespace cli
