#include "cli/live_view.h"

#include <iterator>

#include "cli/any_status.h"
#include "cli/metrics.h"
#include "cli/run_report.h"

namespace cli {

LiveView live_view(const std::filesystem::path& directory) {
  const auto status = read_directory(directory);
  LiveView out{.sections = {}, .metrics = metrics_text(directory, status), .running = status.running};
  if (status.run) out.sections.push_back(run_section(*status.run));
  for (const auto& one : status.all)
    if (!status.run || is_running(one)) out.sections.push_back(status_section(one));
  if (!status.run) return out;
  auto results = sections_of(run_document(directory), directory.string());
  // The first one is the timeline again.
  if (!results.empty()) std::move(results.begin() + 1, results.end(), std::back_inserter(out.sections));
  return out;
}

}  // namespace cli
