#include "cli/report_chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"

namespace cli {
namespace {

// In units of the drawing, which the page stretches to its own width and height.
constexpr double kWidth = 1000;
constexpr double kHeight = 100;
/// Less is no course of anything.
constexpr size_t kFewestPoints = 3;

std::string rate_text(double rate, const std::string& unit) {
  const auto rounded = static_cast<uint64_t>(std::llround(rate));
  return unit == "bytes" ? base::human_bytes(rounded) + "/s"
                         : fmt::format("{} {}/s", base::human_count(rounded), unit);
}

/// Column `member` of the points, as steps: what came between two of them, spread over that time.
ReportChart chart_of(const Json& points, size_t member, const std::string& unit) {
  ReportChart out{.title = unit + " per second", .seconds = points.back().at(0).get<double>()};
  double highest = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const auto from = points[i - 1].at(0).get<double>();
    const auto to = points[i].at(0).get<double>();
    const auto before = points[i - 1].at(member).get<double>();
    const auto after = points[i].at(member).get<double>();
    if (to <= from) continue;
    out.steps.push_back({from, to, std::max(0.0, after - before) / (to - from)});
    highest = std::max(highest, out.steps.back().rate);
  }
  const auto& first = points.front();
  const auto moved = points.back().at(member).get<double>() - first.at(member).get<double>();
  const auto took = out.seconds - first.at(0).get<double>();
  if (moved <= 0 || took <= 0) return {};
  out.summary =
      fmt::format("{} at most, {} on average", rate_text(highest, unit), rate_text(moved / took, unit));
  return out;
}

/// An area: up to each step's height, along it, and at the end back to the ground.
std::string path_of(const ReportChart& chart) {
  double highest = 0;
  for (const auto& step : chart.steps) highest = std::max(highest, step.rate);
  const auto x = [&](double time) { return time / chart.seconds * kWidth; };
  std::string out = fmt::format("M{:.1f} {:.0f}", x(chart.steps.front().from), kHeight);
  for (const auto& step : chart.steps)
    out += fmt::format("V{:.1f}H{:.1f}", kHeight - step.rate / highest * kHeight, x(step.to));
  return out + fmt::format("V{:.0f}Z", kHeight);
}

}  // namespace

void add_throughput(ReportSection& section, const Json& report, const std::string& items) {
  const auto points = report.value("throughput", Json::array());
  if (points.size() < kFewestPoints) return;
  for (const auto& [member, unit] : {std::pair{size_t{1}, std::string("bytes")}, std::pair{size_t{2}, items}})
    if (auto chart = chart_of(points, member, unit); !chart.steps.empty())
      section.charts.push_back(std::move(chart));
}

std::string chart_figure(const ReportChart& chart,
                         const std::function<std::string(std::string_view)>& escaped) {
  const auto label = escaped(fmt::format("{}: {}", chart.title, chart.summary));
  const auto end = base::human_duration(std::chrono::milliseconds(std::llround(chart.seconds * 1000)));
  return fmt::format(
      R"(<figure><figcaption>{0}</figcaption><svg viewBox="0 0 {1:.0f} {2:.0f}" preserveAspectRatio="none" role="img" )"
      R"(aria-label="{0}"><path d="{3}"/></svg><div class="axis"><span>0 s</span><span>{4}</span></div></figure>)"
      "\n",
      label, kWidth, kHeight, path_of(chart), escaped(end));
}

}  // namespace cli
