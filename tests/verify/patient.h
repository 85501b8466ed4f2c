#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {

/// Two databases, and what `repair` makes of the second.
struct Patient : Pair {
  using Pair::Pair;
  Verdict repair(const Arguments& more = {}, const std::string& user = "postgres") const {
    const support::TempDir directory;
    Arguments arguments{"repair",   "--no-progress",  "--source", source.url(),
                        "--target", target.url(user), "--report", directory / "report.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Verdict out{support::cutover(arguments), {}};
    const auto text = copy::test::slurp(directory / "report.json");
    if (!text.empty()) out.report = json::parse(text);
    return out;
  }
  Verdict apply(Arguments more = {}, const std::string& user = "postgres") const {
    more.insert(more.end(), {"--apply", "--yes"});
    return repair(more, user);
  }
  std::string rows(const std::string& table) const {
    return target.value("SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM " + table + " t");
  }
  /// Nothing differs any more, rows and definitions.
  void expect_equal() const {
    const auto verdict = compare();
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
  }
};

inline std::vector<std::string> steps(const Verdict& repair) {
  std::vector<std::string> out;
  for (const auto& step : repair.report.at("steps"))
    out.push_back(fmt::format("{} {} {}/{}/{}/{}", step.at("kind").get<std::string>(),
                              step.at("object").get<std::string>(), step.at("missing").get<int>(),
                              step.at("extra").get<int>(), step.at("changed").get<int>(),
                              step.at("duplicated").get<int>()));
  return out;
}

}  // namespace verify::test
