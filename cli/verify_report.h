#pragma once

#include <string>
#include <vector>

#include "cli/log.h"
#include "verify/result.h"

/// The result of a comparison as a document.
namespace cli {

struct VerifyContext {
  std::string run_dir;           ///< empty without one
  std::string differences_file;  ///< empty without one
  std::string again;             ///< the command line that looks again
};

/// verify-report.json; its schema is in docs/report.md, and cli/verify_section.h puts it into words. Members
/// may be added within a version.
Json verify_json(const verify::Outcome& outcome, const VerifyContext& context);
/// The same for one that ended with an error.
Json verify_error_report(const base::Error& error, int exit_code, const VerifyContext& context);

/// [{object, message, hint}]
Json remarks_json(const std::vector<verify::Remark>& remarks);
/// A line of differences.jsonl.
Json row_json(const verify::TableResult& table, const verify::RowDifference& row);

}  // namespace cli
