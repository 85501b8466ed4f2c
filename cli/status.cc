#include <filesystem>
#include <memory>

#include <poll.h>

#include "cli/any_status.h"
#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/live_server.h"
#include "cli/metrics.h"
#include "cli/output.h"

namespace cli {
namespace {

constexpr int kRefreshMilliseconds = 1000;
/// On a pipe a line each second would fill a log.
constexpr int kRefreshesPerLine = 5;

struct StatusOptions {
  std::filesystem::path run_dir = "cutover-run";
  bool watch = false;
  bool json = false;
  std::string serve;  ///< HOST:PORT, or nothing
};

std::string whole_text(const std::vector<AnyStatus>& all, bool colours) {
  std::string out;
  for (const auto& status : all) {
    if (!out.empty()) out += "\n";
    out += status_text(status, colours);
  }
  return out;
}

void print_once(const std::vector<AnyStatus>& all, const StatusOptions& options, int indent) {
  if (!options.json) {
    print(whole_text(all, wants_colours(STDOUT_FILENO)));
  } else if (all.size() == 1) {
    print(json_text(status_json(all.front()), indent) + "\n");
  } else {
    Json out{{"version", 1}, {"runs", Json::array()}};
    for (const auto& status : all) out["runs"].push_back(status_json(status));
    print(json_text(out, indent) + "\n");
  }
}

std::vector<Line> live_lines_of(const std::vector<AnyStatus>& all) {
  std::vector<Line> lines;
  const auto text = whole_text(all, false);
  for (size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back({{Style::plain, text.substr(at, end - at)}});
    at = end + 1;
  }
  return lines;
}

/// False when the user has seen enough.
bool pause(const base::Stop& stop) {
  pollfd waiting{stop.descriptor(), POLLIN, 0};
  return ::poll(&waiting, 1, kRefreshMilliseconds) == 0;
}

LiveView live_view(const std::filesystem::path& run_dir) {
  const auto all = read_statuses(run_dir);
  LiveView out{.metrics = metrics_text(run_dir, all), .running = any_running(all)};
  for (const auto& status : all) out.sections.push_back(status_section(status));
  return out;
}

void serve(const Invocation& invocation, const StatusOptions& options) {
  read_statuses(options.run_dir);  // before anybody is told an address
  const LiveServer server(options.serve, [&options] { return live_view(options.run_dir); });
  while (pause(invocation.stop)) {
  }
}

/// Redraws in place on a terminal, prints lines elsewhere, one JSON object a second with --json; what it was
/// at the end is printed as without --watch.
void watch(const Invocation& invocation, const StatusOptions& options) {
  Screen screen(STDOUT_FILENO);
  auto all = read_statuses(options.run_dir);
  for (int count = 0; any_running(all); ++count) {
    if (options.json) {
      print_once(all, options, -1);
    } else if (screen.is_terminal()) {
      auto lines = live_lines_of(all);
      lines.resize(std::min(lines.size(), screen.height() - 1));
      screen.draw(lines);
    } else if (count % kRefreshesPerLine == 0) {
      for (const auto& status : all) print(status_line(status) + "\n");
    }
    if (!pause(invocation.stop)) break;
    all = read_statuses(options.run_dir);
  }
  screen.clear();
  print_once(all, options, options.json ? -1 : 2);
}

}  // namespace

Run set_up_status(OptionSet& set) {
  auto options = std::make_shared<StatusOptions>();
  set.describe(
      "Shows a run, a copy or an upload, from its run directory: how much is done and proven, and, while a "
      "process works on it, how fast and on what. It changes nothing and needs no connection. With several "
      "databases in one run directory all "
      "are shown. "
      "The exit code is 0 when the status could be read, whatever it is.");
  set.example("once", "cutover status cutover-run");
  set.example("until the run ends", "cutover status cutover-run --watch");
  set.example("an upload", "cutover status cutover-upload");
  set.example("for a program", "cutover status cutover-run --json");
  set.group("What is shown");
  const auto store = [options](const std::string& text) { options->run_dir = text; };
  set.value("--run-dir", "DIR", "the run directory", "./cutover-run", store).in("copy");
  set.positional("RUN_DIR", "the same, shorter", "", store);
  set.flag("--watch", "follow the run until it ends", options->watch);
  set.value(
      "--serve", "HOST:PORT",
      "show it to browsers (/) and to Prometheus (/metrics) on this address of this machine, until Ctrl-C",
      "", [options](const std::string& text) { options->serve = text; });
  set.flag("--json", "JSON instead of text; one object a second with --watch", options->json);
  return [options](const Invocation& invocation) {
    if (!options->serve.empty()) {
      serve(invocation, *options);
    } else if (options->watch) {
      watch(invocation, *options);
    } else {
      print_once(read_statuses(options->run_dir), *options, 2);
    }
    return kEqual;
  };
}

}  // namespace cli
