#pragma once

#include <string>

#include "cli/log.h"
#include "copy/engine.h"

/// The result of copy, export and import, for people and for programs.
namespace cli {

struct ReportContext {
  std::string command;  ///< "copy"
  std::string run_dir;
  std::string again;  ///< the command line that resumes
};

/// A line that begins with its verdict, which is shown in the colour of the exit code.
std::string styled_verdict(std::string_view line, int exit_code, bool colours);
/// What every report.json begins with.
Json report_header(const ReportContext& context, std::string_view verdict, int exit_code);
/// {"kind":…, "message":…, "hint":…, "sqlstate":…}: the member "error" of a report.
Json error_json(const base::Error& error);

/// "EQUAL: 11 tables, 15,607 rows, 1.2 MB copied and proven in 1.4 s"
std::string verdict_line(const copy::Outcome& outcome, const ReportContext& context);
/// The verdict, how it came about, what is to be looked at, what to do next.
std::string report_text(const copy::Outcome& outcome, const ReportContext& context, bool colours);

/// {"version":1, "command":…, "verdict":"equal"|"different"|"incomplete"|"failed"|"exported", "exit_code":…,
/// …}: report.json. Members may be added within a version.
Json report_json(const copy::Outcome& outcome, const ReportContext& context);
/// The same for a run that ended with an error; verdict "failed" or "incomplete", and "error".
Json error_report(const base::Error& error, int exit_code, const ReportContext& context);

}  // namespace cli
