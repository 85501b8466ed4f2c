#pragma once

#include <span>
#include <string>

#include "cli/report_section.h"

/// A comparison's result in words, from its JSON document (verify_json()).
namespace cli {

/// "EQUAL: 11 tables, 15,607 rows, every row digested, in 1.4 s"
std::string verify_line(const Json& report);
/// What comparisons are about, each by its source: "source snapshot 740:740: at LSN 0/16B"; of several with
/// the database. Other documents are passed over; nothing without a comparison.
std::string moment_of(std::span<const Json> documents);
/// A differing row on one line: "changed    id=17: note, price".
std::string row_text(const Json& row);

}  // namespace cli
