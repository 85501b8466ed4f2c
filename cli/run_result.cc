#include "cli/run_result.h"

#include <system_error>

#include "base/error.h"
#include "cli/engine_run.h"
#include "cli/kept_results.h"
#include "cli/report_page.h"
#include "cli/report_section.h"
#include "cli/run_report.h"
#include "cli/run_steps.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

/// A file of that name may be anybody's, and so may be a report.html beside it.
bool is_of_run(const Json& timeline) {
  return timeline.is_object() && timeline.value("command", Json()) == "run" &&
         timeline.value("steps", Json()).is_array();
}

/// The root whose copy that run directory is for, or the copy of one of its databases.
std::optional<fs::path> root_above(const fs::path& run_dir) {
  auto path = fs::absolute(run_dir).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // a slash at the end
  for (const auto& databases : {path, path.parent_path()}) {
    auto root = databases.parent_path();
    if (database_dir(root) == databases && is_of_run(read_result_if_exists(root / kTimelineFile)))
      return root;
  }
  return std::nullopt;
}

}  // namespace

void withdraw_run_result(const fs::path& root) {
  for (const auto* name : {kRunPageFile, kRunReportFile}) {
    std::error_code error;
    fs::remove(root / name, error);
    if (error) throw base::system_error("remove", (root / name).string(), error.value());
  }
}

Json keep_run_result(const fs::path& root) {
  withdraw_run_result(root);
  auto document = run_document(root);
  keep_report(root, document, kRunReportFile);
  keep_text(root, report_page(sections_of(document, kRunReportFile)), kRunPageFile);
  return document;
}

RunResultAside::RunResultAside(const fs::path& run_dir) : root_(root_above(run_dir)) {
  if (!root_) return;
  lock_.emplace(*root_);
  withdraw_run_result(*root_);
}

RunResultAside::~RunResultAside() {
  if (!root_) return;
  try {
    keep_run_result(*root_);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): without a result nothing wrong is said
  }
}

}  // namespace cli
