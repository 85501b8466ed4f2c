#pragma once

#include <string>

#include "cli/log.h"
#include "verify/result.h"

/// The result of a comparison, for people and for programs.
namespace cli {

struct VerifyContext {
  std::string run_dir;           ///< empty without one
  std::string differences_file;  ///< empty without one
  std::string again;             ///< the command line that looks again
};

/// "EQUAL: 11 tables, 15,607 rows, every row digested, in 1.4 s"
std::string verify_line(const verify::Outcome& outcome);
/// One page: the verdict, what was compared with what, what differs, what could not be compared, what to do
/// next.
std::string verify_text(const verify::Outcome& outcome, const VerifyContext& context, bool colours);
/// report.json of a comparison; its schema is in docs/verification.md. Members may be added within a version.
Json verify_json(const verify::Outcome& outcome, const VerifyContext& context);
/// The same for one that ended with an error.
Json verify_error_report(const base::Error& error, int exit_code, const VerifyContext& context);

/// A differing row on one line: "changed id=17: columns note, price".
std::string row_text(const verify::TableResult& table, const verify::RowDifference& row);
Json row_json(const verify::TableResult& table, const verify::RowDifference& row);

}  // namespace cli
