#include "cli/report_chart.h"

#include <gmock/gmock.h>

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string as_it_is(std::string_view text) { return std::string(text); }

ReportSection with_throughput(const std::string& points) {
  ReportSection out;
  add_throughput(out, Json{{"throughput", Json::parse(points)}}, "rows");
  return out;
}

TEST(ReportChart, ShowsRatesFromSums) {
  const auto section = with_throughput("[[0,0,0],[2,2000,10],[3,4000,10],[4,4000,10]]");
  ASSERT_EQ(section.charts.size(), 2U);
  const auto& bytes = section.charts[0];
  EXPECT_EQ(bytes.title, "bytes per second");
  EXPECT_EQ(bytes.summary, "2.0 kB/s at most, 1.0 kB/s on average");
  ASSERT_EQ(bytes.steps.size(), 3U);
  EXPECT_EQ(bytes.steps[0].rate, 1000);
  EXPECT_EQ(bytes.steps[1].rate, 2000);
  EXPECT_EQ(bytes.steps[2].rate, 0);
  EXPECT_EQ(section.charts[1].summary, "5 rows/s at most, 3 rows/s on average");
  EXPECT_THAT(
      chart_figure(bytes, as_it_is),
      AllOf(HasSubstr("M0.0 100V50.0H500.0V0.0H750.0V100.0H1000.0V100Z"), HasSubstr("<span>4.0 s</span>"),
            HasSubstr("aria-label=\"bytes per second: 2.0 kB/s at most")));
}

TEST(ReportChart, IsLeftOutWhereThereIsNothingToSee) {
  EXPECT_TRUE(with_throughput("[]").charts.empty());
  EXPECT_TRUE(with_throughput("[[0,0,0],[1,500,5]]").charts.empty()) << "too short";
  EXPECT_TRUE(with_throughput("[[0,0,0],[1,0,0],[2,0,0]]").charts.empty()) << "nothing was moved";
  EXPECT_EQ(with_throughput("[[0,0,0],[1,0,4],[2,0,6]]").charts.size(), 1U) << "only empty files";
  ReportSection before;
  add_throughput(before, Json::object(), "rows");
  EXPECT_TRUE(before.charts.empty()) << "a document from before there was any";
}

}  // namespace
}  // namespace cli
