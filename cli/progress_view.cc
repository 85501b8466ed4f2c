#include "cli/progress_view.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/format.h"
#include "cli/progress_text.h"
#include "cli/status_file.h"

namespace cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRedraw{200};
constexpr seconds kStatus{1};
constexpr seconds kLine{5};

}  // namespace

ProgressView::ProgressView(Look look, const Invocation& invocation, std::filesystem::path run_dir,
                           std::string command)
    : look_(std::move(look)),
      log_(invocation.log),
      run_dir_(std::move(run_dir)),
      command_(std::move(command)),
      last_line_(Clock::now()) {
  const auto& globals = invocation.globals;
  if (globals.progress && !globals.quiet)
    mode_ = log_.screen().is_terminal() && globals.log_format == LogFormat::text ? Mode::live : Mode::lines;
  thread_ = std::jthread([this] { loop(); });
}

ProgressView::~ProgressView() {
  end_.request();
  thread_.join();
  log_.screen().clear();
}

void ProgressView::loop() {
  for (bool last = false; !last;) {
    pollfd waiting{end_.descriptor(), POLLIN, 0};
    last = ::poll(&waiting, 1, static_cast<int>(kRedraw.count())) > 0;
    const auto snapshot = look_();
    const auto now = Clock::now();
    const auto pace = meter_.measure(snapshot, now);
    if (!last) show(snapshot, pace, now);
    if (last || now - last_status_ >= kStatus) {
      write_status(snapshot, pace, now);
      last_status_ = now;
    }
  }
}

void ProgressView::show(const copy::Progress::Snapshot& snapshot, const Pace& pace, Clock::time_point now) {
  auto& screen = log_.screen();
  if (mode_ == Mode::live)
    screen.draw(live_lines(snapshot, pace, now, screen.width(), screen.height() - 1, screen.unicode()));
  if (mode_ != Mode::lines || now - last_line_ < kLine) return;
  last_line_ = now;
  if (!spdlog::should_log(spdlog::level::info)) return;
  if (log_.format() == LogFormat::json) {
    log_.write(std::chrono::system_clock::now(), spdlog::level::info, "progress",
               Json{{"progress", progress_json(snapshot, pace, now)}});
  } else {
    spdlog::info("{}", progress_sentence(snapshot, pace, now));
  }
}

void ProgressView::write_status(const copy::Progress::Snapshot& snapshot, const Pace& pace,
                                Clock::time_point now) const {
  Json status{{"version", 1},
              {"pid", ::getpid()},
              {"command", command_},
              {"time", base::utc_timestamp(std::chrono::system_clock::now())}};
  status.update(progress_json(snapshot, pace, now));
  write_status_file(run_dir_, status);
}

}  // namespace cli
