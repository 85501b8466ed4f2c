#include "cli/upload_view.h"

#include <algorithm>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/format.h"
#include "cli/status_file.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::human_bytes;
using base::human_count;
using std::chrono::milliseconds;
using Snapshot = s3::Progress::Snapshot;

constexpr milliseconds kRedraw{200};
constexpr std::chrono::seconds kLine{5};
constexpr std::chrono::seconds kStatus{1};
constexpr std::chrono::seconds kWindow{5};

double fraction_of(const Snapshot& snapshot) {
  if (snapshot.bytes_total > 0)
    return std::min(1.0,
                    static_cast<double>(snapshot.bytes_done) / static_cast<double>(snapshot.bytes_total));
  return snapshot.files_total == 0
             ? 0
             : static_cast<double>(snapshot.files_done) / static_cast<double>(snapshot.files_total);
}

std::string elapsed_text(const Snapshot& snapshot) {
  return base::human_duration(
      std::chrono::duration_cast<milliseconds>(s3::Progress::Clock::now() - snapshot.started));
}

std::vector<std::string> figures(const Snapshot& snapshot, const UploadPace& pace) {
  std::vector<std::string> out;
  if (snapshot.phase == "walk")
    return {counted(snapshot.files_total, "file"), human_bytes(snapshot.bytes_total)};
  if (snapshot.phase == "upload") {
    out.push_back(fmt::format("{:.1f}%", fraction_of(snapshot) * 100));
    out.push_back(
        fmt::format("{}/{} files", human_count(snapshot.files_done), human_count(snapshot.files_total)));
    out.push_back(human_bytes(snapshot.bytes_sent) + " sent");
    out.push_back(human_bytes(pace.bytes_per_second) + "/s");
    out.push_back(human_count(pace.files_per_second) + " files/s");
  }
  if (snapshot.retries == 1) out.emplace_back("1 retry");
  if (snapshot.retries > 1) out.push_back(human_count(snapshot.retries) + " retries");
  if (snapshot.problems > 0) out.push_back(counted(snapshot.problems, "problem"));
  return out;
}

}  // namespace

std::vector<Line> upload_lines(const Snapshot& snapshot, const UploadPace& pace, size_t width, bool unicode) {
  auto parts = figures(snapshot, pace);
  parts.push_back(elapsed_text(snapshot));
  const auto text = fmt::format("  {}", fmt::join(parts, unicode ? " · " : ", "));
  const auto room = width > snapshot.phase.size() ? width - snapshot.phase.size() : 0;
  return {{{Style::bold, snapshot.phase}, {Style::plain, truncated(text, room, unicode)}}};
}

std::string upload_sentence(const Snapshot& snapshot, const UploadPace& pace) {
  auto parts = figures(snapshot, pace);
  parts.push_back(elapsed_text(snapshot));
  return fmt::format("{}: {}", snapshot.phase, fmt::join(parts, ", "));
}

Json upload_json(const Snapshot& snapshot, const UploadPace& pace) {
  return {{"phase", snapshot.phase},
          {"files_total", snapshot.files_total},
          {"bytes_total", snapshot.bytes_total},
          {"files_done", snapshot.files_done},
          {"bytes_done", snapshot.bytes_done},
          {"bytes_sent", snapshot.bytes_sent},
          {"bytes_per_second", pace.bytes_per_second},
          {"files_per_second", pace.files_per_second},
          {"requests", snapshot.requests},
          {"retries", snapshot.retries},
          {"problems", snapshot.problems},
          {"concurrency", snapshot.concurrency}};
}

UploadView::UploadView(Look look, const Invocation& invocation, std::filesystem::path run_dir)
    : look_(std::move(look)), log_(invocation.log), run_dir_(std::move(run_dir)) {
  const auto& globals = invocation.globals;
  if (globals.progress && !globals.quiet)
    mode_ = log_.screen().is_terminal() && globals.log_format == LogFormat::text ? Mode::live : Mode::lines;
  thread_ = std::jthread([this] { loop(); });
}

UploadView::~UploadView() {
  end_.request();
  thread_.join();
  log_.screen().clear();
}

UploadPace UploadView::measure(const Snapshot& snapshot) {
  const auto now = Clock::now();
  samples_.push_back({now, snapshot.bytes_sent, snapshot.files_done});
  while (samples_.size() > 2 && now - samples_[1].time >= kWindow) samples_.pop_front();
  const auto& oldest = samples_.front();
  const std::chrono::duration<double> passed = now - oldest.time;
  if (passed.count() <= 0) return {};
  const auto rate = [&](uint64_t before, uint64_t after) {
    return static_cast<uint64_t>(static_cast<double>(after - before) / passed.count());
  };
  return {rate(oldest.bytes, snapshot.bytes_sent), rate(oldest.files, snapshot.files_done)};
}

void UploadView::loop() {
  auto last_status = Clock::time_point();
  for (bool last = false; !last;) {
    pollfd waiting{end_.descriptor(), POLLIN, 0};
    last = ::poll(&waiting, 1, static_cast<int>(kRedraw.count())) > 0;
    const auto snapshot = look_();
    const auto pace = measure(snapshot);
    if (!last) show(snapshot, pace);
    if (last || Clock::now() - last_status >= kStatus) {
      write_status(snapshot, pace);
      last_status = Clock::now();
    }
  }
}

void UploadView::show(const Snapshot& snapshot, const UploadPace& pace) {
  auto& screen = log_.screen();
  if (mode_ == Mode::live) screen.draw(upload_lines(snapshot, pace, screen.width(), screen.unicode()));
  if (mode_ != Mode::lines || Clock::now() - last_line_ < kLine) return;
  last_line_ = Clock::now();
  write_line(snapshot, pace);
}

void UploadView::write_line(const Snapshot& snapshot, const UploadPace& pace) const {
  if (!spdlog::should_log(spdlog::level::info)) return;
  if (log_.format() == LogFormat::json) {
    log_.write(std::chrono::system_clock::now(), spdlog::level::info, "progress",
               Json{{"progress", upload_json(snapshot, pace)}});
  } else {
    spdlog::info("{}", upload_sentence(snapshot, pace));
  }
}

void UploadView::write_status(const Snapshot& snapshot, const UploadPace& pace) const {
  if (run_dir_.empty()) return;
  Json status{{"version", 1},
              {"pid", ::getpid()},
              {"command", "upload"},
              {"time", base::utc_timestamp(std::chrono::system_clock::now())},
              {"summary", upload_sentence(snapshot, pace)}};
  status.update(upload_json(snapshot, pace));
  write_status_file(run_dir_, status);
}

}  // namespace cli
