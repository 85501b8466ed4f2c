#include "cli/any_status.h"

#include <algorithm>

#include "cli/text.h"
#include "s3/upload_run.h"

namespace cli {

std::vector<AnyStatus> read_statuses(const std::filesystem::path& directory) {
  std::vector<AnyStatus> all;
  for (const auto& path : run_directories(directory)) {
    if (s3::is_upload_run(path)) {
      all.emplace_back(read_upload_status(path));
    } else {
      all.emplace_back(read_status(path));
    }
  }
  return all;
}

bool any_running(std::span<const AnyStatus> all) {
  return std::ranges::any_of(all, [](const AnyStatus& any) {
    return std::visit([](const auto& status) { return status.process.has_value(); }, any);
  });
}

ReportSection status_section(const AnyStatus& any) {
  return std::visit([](const auto& status) { return status_section(status); }, any);
}

std::string status_text(const AnyStatus& any, bool colours) {
  const auto section = status_section(any);
  std::string out;
  const auto style = section.tone == Tone::good ? Style::green : Style::yellow;
  add_fact(out, "state", styled(style, sanitized_line(section.headline), colours));
  for (const auto& [name, value] : section.facts) add_fact(out, name, sanitized_line(value));
  add_fact(out, "next", sanitized_line(section.next));
  return out;
}

std::string status_line(const AnyStatus& any) {
  return std::visit([](const auto& status) { return status_line(status); }, any);
}

Json status_json(const AnyStatus& any) {
  return std::visit([](const auto& status) { return status_json(status); }, any);
}

}  // namespace cli
