#include "cli/run_result.h"

#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "cli/engine_run.h"
#include "cli/report_page.h"
#include "cli/report_section.h"
#include "cli/run_report.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

/// The root below which that run directory lies, if there is one: directly, or as that of one of several
/// databases.
std::optional<fs::path> root_above(const fs::path& run_dir) {
  auto path = fs::absolute(run_dir).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // a slash at the end
  for (int up = 0; up < 2; ++up) {
    path = path.parent_path();
    if (is_run_root(path)) return path;
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
  const base::DirectoryLock lock(*root_);
  withdraw_run_result(*root_);
}

RunResultAside::~RunResultAside() {
  if (!root_) return;
  try {
    const base::DirectoryLock lock(*root_);
    keep_run_result(*root_);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): without a result nothing wrong is said
  }
}

}  // namespace cli
