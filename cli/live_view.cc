#include "cli/live_view.h"

#include <iterator>

#include "cli/any_status.h"
#include "cli/metrics.h"
#include "cli/run_report.h"

namespace cli {

LiveView live_view(const std::filesystem::path& directory) {
  const auto status = read_directory(directory);
  LiveView out{.sections = {}, .metrics = metrics_text(directory, status), .running = status.running};
  if (status.run) out.sections = sections_of(run_document(directory, status.newest_copy), directory.string());
  // What works now stands behind the timeline, which is the first one.
  auto place = out.sections.begin() + (out.sections.empty() ? 0 : 1);
  for (const auto& one : status.all)
    if (!status.run || is_running(one)) place = std::next(out.sections.insert(place, status_section(one)));
  return out;
}

}  // namespace cli
