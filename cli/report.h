#pragma once

#include <string>

#include "cli/log.h"
#include "copy/engine.h"

/// The result of copy, export and import as a document.
namespace cli {

struct ReportContext {
  std::string command;  ///< "copy"
  std::string run_dir;
  std::string again;  ///< the command line that resumes
};

/// What every report.json begins with.
Json report_header(const ReportContext& context, std::string_view verdict, int exit_code);
/// {"kind":…, "message":…, "hint":…, "sqlstate":…}: the member "error" of a report.
Json error_json(const base::Error& error);

/// {"version":1, "command":…, "verdict":"equal"|"different"|"incomplete"|"failed"|"exported", "exit_code":…,
/// …}: report.json. Members may be added within a version.
Json report_json(const copy::Outcome& outcome, const ReportContext& context);
/// The same for a run that ended with an error; verdict "failed" or "incomplete", and "error".
Json error_report(const base::Error& error, int exit_code, const ReportContext& context);

}  // namespace cli
