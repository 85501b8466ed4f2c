#include <filesystem>
#include <memory>
#include <vector>

#include <poll.h>

#include "cli/any_status.h"
#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/live_server.h"
#include "cli/live_view.h"
#include "cli/output.h"
#include "cli/report_section.h"
#include "cli/run_report.h"

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

std::string whole_text(const DirectoryStatus& look, bool colours) {
  std::string out;
  if (look.run) out = section_text(run_section(*look.run), colours);
  for (const auto& status : look.all) {
    if (!out.empty()) out += "\n";
    out += status_text(status, colours);
  }
  return out;
}

void print_once(const DirectoryStatus& look, const StatusOptions& options, int indent) {
  if (!options.json) {
    print(whole_text(look, wants_colours(STDOUT_FILENO)));
  } else if (look.all.size() == 1 && !look.run) {
    print(json_text(status_json(look.all.front()), indent) + "\n");
  } else {
    Json out{{"version", 1}, {"runs", Json::array()}};
    if (look.run) out["run"] = *look.run;
    for (const auto& status : look.all) out["runs"].push_back(status_json(status));
    print(json_text(out, indent) + "\n");
  }
}

std::vector<Line> live_lines_of(const DirectoryStatus& look) {
  std::vector<Line> lines;
  const auto text = whole_text(look, false);
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

void serve(const Invocation& invocation, const StatusOptions& options) {
  read_directory(options.run_dir);  // before anybody is told an address
  const LiveServer server(options.serve, [&options] { return live_view(options.run_dir); });
  while (pause(invocation.stop)) {
  }
}

/// Redraws in place on a terminal, prints lines elsewhere, one JSON object a second with --json; what it was
/// at the end is printed as without --watch.
void watch(const Invocation& invocation, const StatusOptions& options) {
  Screen screen(STDOUT_FILENO);
  auto look = read_directory(options.run_dir);
  for (int count = 0; look.running; ++count) {
    if (options.json) {
      print_once(look, options, -1);
    } else if (screen.is_terminal()) {
      auto lines = live_lines_of(look);
      lines.resize(std::min(lines.size(), screen.height() - 1));
      screen.draw(lines);
    } else if (count % kRefreshesPerLine == 0) {
      for (const auto& status : look.all)
        if (!look.run || is_running(status)) print(status_line(status) + "\n");
    }
    if (!pause(invocation.stop)) break;
    look = read_directory(options.run_dir);
  }
  screen.clear();
  print_once(look, options, options.json ? -1 : 2);
}

}  // namespace

Run set_up_status(OptionSet& set) {
  auto options = std::make_shared<StatusOptions>();
  set.describe(
      "Shows a run, a copy or an upload, from its run directory: how much is done and proven, and, while a "
      "process works on it, how fast and on what. It changes nothing and needs no connection. With several "
      "databases in one run directory, and for that of a `cutover run`, all are shown. "
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
      "--serve", "[HOST:]PORT",
      "show it to browsers (/) and to Prometheus (/metrics) on this address of this machine, until Ctrl-C; "
      "a port alone is one of 127.0.0.1",
      "", [options](const std::string& text) { options->serve = text; });
  set.flag("--json", "JSON instead of text; one object a second with --watch", options->json);
  return [options](const Invocation& invocation) {
    if (!options->serve.empty()) {
      serve(invocation, *options);
    } else if (options->watch) {
      watch(invocation, *options);
    } else {
      print_once(read_directory(options->run_dir), *options, 2);
    }
    return kEqual;
  };
}

}  // namespace cli
