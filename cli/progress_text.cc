#include "cli/progress_text.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::human_bytes;
using base::human_count;
using base::human_duration;
using Snapshot = copy::Progress::Snapshot;
using TimePoint = copy::Progress::Clock::time_point;

constexpr size_t kLongestBar = 40;
constexpr size_t kShortestBar = 8;
constexpr size_t kBytesColumn = 11;
constexpr size_t kTimeColumn = 12;

std::string duration_between(TimePoint from, TimePoint to) {
  return human_duration(std::chrono::duration_cast<std::chrono::milliseconds>(to - from));
}

std::string name_of_phase(const std::string& phase, const Pace& pace) {
  if (phase == "plan") return "planning";
  if (phase == "schema") return "making the schema";
  if (phase == "data") return pace.fraction < 1 ? "copying" : "indexing and proving";
  if (phase == "constraints") return "indexes and constraints";
  if (phase == "finish") return "finishing";
  if (phase == "compare") return "comparing";
  if (phase == "rows") return "looking for the rows";
  return sanitized_line(phase);
}

std::string percent(double fraction) {
  // Cut, not rounded: 100% is only shown when it is.
  return fmt::format("{:.1f}%", std::floor(fraction * 1000) / 10);
}

std::string left_text(const Pace& pace) {
  return pace.left ? "ETA " + human_duration(*pace.left) : std::string("estimating");
}

std::string bar(double fraction, size_t length, bool unicode, bool filled) {
  const auto full = static_cast<size_t>(fraction * static_cast<double>(length));
  const std::string_view piece = filled ? (unicode ? "━" : "#") : (unicode ? "─" : "-");
  std::string out;
  for (size_t i = 0; i < (filled ? full : length - full); ++i) out += piece;
  return out;
}

/// What stands behind the bar, in the order in which it is given up on a narrow terminal: last first.
std::vector<std::string> figures(const Snapshot& snapshot, const Pace& pace) {
  std::vector<std::string> out{percent(pace.fraction)};
  const bool is_copying = moves_data(snapshot.phase) && pace.fraction < 1;
  if (is_copying) {
    out.push_back(left_text(pace));
    out.push_back(human_bytes(pace.bytes_per_second) + "/s");
  }
  out.push_back(human_bytes(snapshot.bytes_copied));
  if (is_copying) out.push_back(human_count(pace.rows_per_second) + " rows/s");
  return out;
}

Line overall_line(const Snapshot& snapshot, const Pace& pace, size_t width, bool unicode) {
  Line line{{Style::bold, name_of_phase(snapshot.phase, pace)}};
  if (snapshot.chunks_total == 0) return line;
  auto parts = figures(snapshot, pace);
  const auto used = [&] {
    return display_width(line.front().text) + 2 + display_width(fmt::format("{}", fmt::join(parts, "  ")));
  };
  while (parts.size() > 1 && used() > width) parts.pop_back();
  const auto room = width > used() + 2 ? width - used() - 2 : 0;
  if (room >= kShortestBar) {
    const auto length = std::min(room, kLongestBar);
    line.push_back({Style::plain, "  "});
    line.push_back({Style::green, bar(pace.fraction, length, unicode, true)});
    line.push_back({Style::dim, bar(pace.fraction, length, unicode, false)});
  }
  line.push_back({Style::plain, fmt::format("  {}", fmt::join(parts, "  "))});
  return line;
}

Line activity_line(const base::Activity& activity, TimePoint now, size_t name_width, bool unicode) {
  const auto name = truncated(sanitized_line(activity.what), name_width, unicode);
  const auto bytes = activity.bytes > 0 ? human_bytes(activity.bytes) : std::string();
  return {{Style::plain, "  " + left_aligned(name, name_width)},
          {Style::cyan, right_aligned(bytes, kBytesColumn)},
          {Style::dim, right_aligned(duration_between(activity.since, now), kTimeColumn)},
          {Style::dim, activity.detail.empty() ? std::string() : "  " + sanitized_line(activity.detail)}};
}

std::vector<std::string> counts(const Snapshot& snapshot) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view what, uint64_t done, uint64_t total) {
    if (total > 0) out.push_back(fmt::format("{} {}/{}", what, human_count(done), human_count(total)));
  };
  const bool is_copy = !compares(snapshot.phase);
  add(is_copy ? "chunks" : "slices", snapshot.chunks_done, snapshot.chunks_total);
  add("indexes", snapshot.indexes_done, snapshot.indexes_total);
  add(is_copy ? "proofs" : "tables", snapshot.proofs_done, snapshot.proofs_total);
  if (snapshot.retries == 1) out.emplace_back("1 retry");
  if (snapshot.retries > 1) out.push_back(fmt::format("{} retries", human_count(snapshot.retries)));
  return out;
}

}  // namespace

std::vector<Line> live_lines(const Snapshot& snapshot, const Pace& pace, TimePoint now, size_t width,
                             size_t height, bool unicode) {
  std::vector<Line> lines{overall_line(snapshot, pace, width, unicode)};
  const auto& activities = snapshot.activities;
  const size_t room = height > 3 ? height - 3 : 0;  // the bar, the counts, and "and … more"
  const auto shown = std::min(activities.size(), room);
  size_t name_width = 20;
  for (size_t i = 0; i < shown; ++i)
    name_width = std::max(name_width, display_width(sanitized_line(activities[i].what)));
  const size_t fixed = 2 + kBytesColumn + kTimeColumn;
  name_width = std::min(name_width, width > fixed ? width - fixed : 0);
  for (size_t i = 0; i < shown; ++i) lines.push_back(activity_line(activities[i], now, name_width, unicode));
  if (shown < activities.size() && height > 2)
    lines.push_back({{Style::dim, fmt::format("  and {} more", activities.size() - shown)}});
  auto parts = counts(snapshot);
  parts.push_back(duration_between(snapshot.started, now));
  if (height > 1)
    lines.push_back({{Style::dim, fmt::format("{}", fmt::join(parts, unicode ? " · " : ", "))}});
  for (auto& line : lines) {
    size_t used = 0;
    for (auto& span : line) {
      span.text = truncated(span.text, width - used, unicode);
      used += display_width(span.text);
    }
  }
  return lines;
}

std::string progress_sentence(const Snapshot& snapshot, const Pace& pace, TimePoint now) {
  std::vector<std::string> parts;
  if (snapshot.chunks_total > 0) parts.push_back(percent(pace.fraction));
  if (snapshot.bytes_copied > 0) {
    parts.push_back(human_bytes(snapshot.bytes_copied));
    parts.push_back(counted(snapshot.rows_copied, "row"));
  }
  if (moves_data(snapshot.phase) && pace.fraction < 1) {
    parts.push_back(human_bytes(pace.bytes_per_second) + "/s");
    parts.push_back(human_count(pace.rows_per_second) + " rows/s");
    parts.push_back(left_text(pace));
  }
  for (auto& count : counts(snapshot)) parts.push_back(std::move(count));
  parts.push_back(duration_between(snapshot.started, now));
  return fmt::format("{}: {}", name_of_phase(snapshot.phase, pace), fmt::join(parts, ", "));
}

Json progress_json(const Snapshot& snapshot, const Pace& pace, TimePoint now) {
  const auto seconds_since = [&](TimePoint time) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - time);
    return static_cast<double>(passed.count()) / 1000.0;
  };
  Json out{{"phase", snapshot.phase},
           {"elapsed_seconds", seconds_since(snapshot.started)},
           {"fraction", std::floor(pace.fraction * 10000) / 10000},
           {"bytes_total", snapshot.bytes_total},
           {"bytes_expected_done", snapshot.bytes_expected_done},
           {"bytes_copied", snapshot.bytes_copied},
           {"rows_copied", snapshot.rows_copied},
           {"bytes_per_second", pace.bytes_per_second},
           {"rows_per_second", pace.rows_per_second},
           {"seconds_left", nullptr},
           {"chunks_done", snapshot.chunks_done},
           {"chunks_total", snapshot.chunks_total},
           {"indexes_done", snapshot.indexes_done},
           {"indexes_total", snapshot.indexes_total},
           {"proofs_done", snapshot.proofs_done},
           {"proofs_total", snapshot.proofs_total},
           {"proof_bytes", snapshot.proof_bytes},
           {"retries", snapshot.retries},
           {"activities", Json::array()}};
  if (pace.left) out["seconds_left"] = static_cast<double>(pace.left->count()) / 1000.0;
  for (const auto& activity : snapshot.activities)
    out["activities"].push_back({{"what", activity.what},
                                 {"bytes", activity.bytes},
                                 {"seconds", seconds_since(activity.since)},
                                 {"detail", activity.detail}});
  return out;
}

}  // namespace cli
