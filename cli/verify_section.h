#pragma once

#include <string>

#include "cli/report_section.h"

/// A comparison's result in words, from its JSON document (verify_json()).
namespace cli {

/// "EQUAL: 11 tables, 15,607 rows, every row digested, in 1.4 s"
std::string verify_line(const Json& report);
/// A differing row on one line: "changed    id=17: note, price".
std::string row_text(const Json& row);

}  // namespace cli
