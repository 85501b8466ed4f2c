#include "cli/any_status.h"

#include <algorithm>

#include "cli/run_report.h"
#include "cli/run_steps.h"
#include "cli/status_file.h"
#include "cli/text.h"
#include "s3/upload_run.h"

namespace cli {
namespace {

/// What a verdict is about: others may have put their own copies beside it.
bool is_moved_by_run(const std::filesystem::path& run_dir, const std::filesystem::path& root) {
  const auto databases = database_dir(root);
  return run_dir == databases || run_dir.parent_path() == databases;
}

}  // namespace

DirectoryStatus read_directory(const std::filesystem::path& directory) {
  DirectoryStatus out;
  const bool is_root = is_run_root(directory);
  if (is_root) out.running = running_process(directory).has_value();
  for (const auto& path : is_root ? run_directories_if_any(directory) : run_directories(directory)) {
    if (s3::is_upload_run(path)) {
      out.all.emplace_back(read_upload_status(path));
    } else {
      const auto& status = std::get<RunStatus>(out.all.emplace_back(read_status(path)));
      if (is_moved_by_run(path, directory))
        out.newest_copy = std::max(out.newest_copy, copy_begun(status.state));
    }
    out.running = out.running || is_running(out.all.back());
  }
  if (is_root) out.run = run_timeline(directory, out.newest_copy);
  return out;
}

bool is_running(const AnyStatus& any) {
  return std::visit([](const auto& status) { return status.process.has_value(); }, any);
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
