#pragma once

#include <string>

#include "cli/report_section.h"

/// The result of copy, export and import in words, from its JSON document (report_json()).
namespace cli {

/// "EQUAL: 11 tables, 15,607 rows, 1.2 MB copied and proven in 1.4 s"
std::string copy_line(const Json& report);

}  // namespace cli
