#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/log.h"
#include "cli/report_section.h"

/// The result of `cutover check`, as a document and in words.
namespace cli {

/// One thing that was checked.
struct CheckResult {
  std::string kind;  ///< "database", "upload", "http", "tcp", "sql", "fence"
  std::string name;
  int exit_code = 0;         ///< 0 it holds, 5 but for a waiver, 1 it does not, 3 it could not be checked
  std::string problem = {};  ///< the first reason; of a waiver, the first thing that is waived
  std::vector<std::string> also_waived = {};
  bool unfenced = false;  ///< of a fence: it is not up, or leaks
  std::chrono::milliseconds took{0};
};

/// What a check was asked to look at.
struct CheckScope {
  std::vector<std::string> parts = {};     ///< "the databases", when it is not all
  std::vector<std::string> left_out = {};  ///< the others
};

/// check-report.json: {…, "verdict": "go" | "go-with-waivers" | "no-go", "reasons", "waivers", "parts",
/// "parts_left_out", "unfenced", "checks", "documents"}; `documents` are the results that the checks are made
/// of. In docs/report.md.
Json check_json(const std::vector<CheckResult>& results, const std::vector<Json>& documents,
                const std::string& again, const CheckScope& scope = {});
ReportSection check_section(const Json& report);

}  // namespace cli
