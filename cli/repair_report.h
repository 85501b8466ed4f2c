#pragma once

#include <string>

#include "cli/verify_report.h"
#include "verify/repair.h"

/// What a repair is about to do or has done, as a document; cli/verify_section.h puts it into words.
namespace cli {

/// repair-report.json; its schema is in docs/report.md. Members may be added within a version.
Json repair_json(const verify::Repair& repair, const VerifyContext& context);
/// The same for one that ended with an error.
Json repair_error_report(const base::Error& error, int exit_code, const VerifyContext& context);
/// The question that precedes the first change.
std::string repair_question(const verify::Repair& repair);

}  // namespace cli
