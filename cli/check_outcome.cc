#include "cli/check_outcome.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/errors.h"
#include "cli/fence_report.h"
#include "cli/report_section.h"
#include "cli/text.h"

namespace cli {
namespace {

/// What a result says against going on, the first reason first; never nothing.
std::vector<std::string> problems_of(const CommandResult& result) {
  if (result.document.contains("error"))
    return {result.document.at("error").at("message").get<std::string>()};
  const auto section = section_of(result.document, "the result");
  for (const auto tone : {Tone::bad, Tone::unsure})
    if (auto said = said_in(section, tone); !said.empty()) return said;
  return {section.headline};
}

void add_problems_of(CheckResult& check, const CommandResult& result) {
  auto problems = problems_of(result);
  for (auto& problem : problems) problem = sanitized_line(problem);
  check.problem = problems.front();
  if (check.exit_code == kWaived) check.also_waived.assign(problems.begin() + 1, problems.end());
}

/// Of the name of that number. An error that came before all of them stands for each; null: there is none.
const CommandResult* result_for(const CommandOutcome& outcome, size_t i) {
  if (i < outcome.results.size()) return &outcome.results[i];
  const bool is_error = outcome.results.size() == 1 && outcome.results.front().document.contains("error");
  return is_error ? &outcome.results.front() : nullptr;
}

/// The first of them, and how many there are.
std::string names_of(const std::vector<pg::SessionActivity>& sessions) {
  const auto& first = sessions.front();
  auto out = fmt::format("pid {}", first.pid);
  if (!first.application.empty()) out += fmt::format(" (\"{}\")", first.application);
  if (sessions.size() > 1) out += fmt::format(" and {}", counted(sessions.size() - 1, "other session"));
  return sanitized_line(out);
}

int said_by(const std::vector<CommandResult>& results) {
  int exit_code = kEqual;
  for (const auto& result : results)
    exit_code = worse(exit_code, result.document.value("exit_code", kFailed));
  return exit_code;
}

}  // namespace

void judge_comparison(CheckResult& check, const Json& document) {
  const auto code = document.value("exit_code", kFailed);
  const bool is_known = code == kEqual || code == kDifferent || code == kWaived;
  check.exit_code = is_known ? code : kFailed;
}

void judge_databases(CheckResult& check, const Json& document) {
  judge_comparison(check, document);
  if (check.exit_code != kEqual && check.exit_code != kWaived) return;
  if (!document.value("tables", Json::array()).empty() || document.value("sequences", uint64_t{0}) > 0)
    return;
  check.exit_code = kFailed;
  check.problem = "there is no table on either side: nothing was compared";
}

void judge_upload(CheckResult& check, const Json& document) {
  judge_comparison(check, document);
  if (check.exit_code != kEqual) return;
  if (document.value("verdict", "") == "uploaded") {
    check.exit_code = kFailed;
    check.problem = "it was uploaded and not compared";
    return;
  }
  if (document.at("walked").at("files") != 0) return;
  check.exit_code = kFailed;
  check.problem = fmt::format("there is no file in {}: nothing was compared",
                              sanitized_line(document.value("directory", "the directory")));
}

void judge_fence(CheckResult& check, const Json& document, bool required) {
  if (document.contains("error")) {
    check.exit_code = kFailed;
  } else if (!document.at("holds").get<bool>()) {
    check.unfenced = true;
    check.exit_code = required ? kDifferent : kWaived;
    check.problem = document.at("up").get<bool>()
                        ? "somebody can still write to the source: see cutover fence status"
                        : "the source still accepts writes: see cutover fence on";
  }
}

bool judge_activity(CheckResult& check, const ActivityLooks& looks, bool required) {
  if (looks.before.is_null() || looks.end.is_null()) return true;
  // A look that failed can go well the next time; one that found no fence has said so.
  if (looks.now.is_null()) return check.exit_code != kFailed;
  const auto between =
      pg::writes_between(activity_of(looks.before), activity_of(looks.end), activity_of(looks.now));
  if (between.writes == pg::Writes::some) {
    check.exit_code = kDifferent;
    check.problem = "the source was written to while it was compared";
    return true;
  }
  if (between.writes == pg::Writes::none || check.exit_code != kEqual) return true;
  check.exit_code = required ? kFailed : kWaived;
  check.problem = "nobody can tell whether the source was written to while it was compared: ";
  if (between.writes == pg::Writes::untold) {
    check.problem += fmt::format(
        "{} worked at it and may not have told the server's counters yet; stop the application, end such "
        "sessions, and check again",
        names_of(between.untold));
    return false;
  }
  check.problem +=
      "the server was restarted, or its statistics were reset or are off (track_counts); check again";
  return true;
}

void look_until_told(const std::function<bool()>& look, const std::function<void()>& pause) {
  for (int looks = 1; !look() && looks < kMostLooks; ++looks) pause();
}

std::vector<CheckResult> judged(const std::string& kind, const std::vector<std::string>& names,
                                const CommandOutcome& outcome, const CheckJudge& judge) {
  std::vector<CheckResult> checks;
  const auto count = std::max(names.size(), outcome.results.size());
  for (size_t i = 0; i < count; ++i) {
    const auto& name = i < names.size() ? names[i] : names.back();
    CheckResult check{.kind = kind, .name = sanitized_line(name)};
    if (const auto* result = result_for(outcome, i)) {
      judge(check, result->document);
      if (check.exit_code != kEqual && check.problem.empty()) add_problems_of(check, *result);
    } else {
      check.exit_code = kFailed;
      check.problem = "it gave no result";
    }
    checks.push_back(std::move(check));
  }
  const auto said = said_by(outcome.results);
  if (!outcome.results.empty() && worse(said, outcome.exit_code) != said)
    checks.push_back(
        {.kind = kind,
         .name = sanitized_line(fmt::format("{}", fmt::join(names, ", "))),
         .exit_code = kFailed,
         .problem = fmt::format("it ended with exit code {}, which no result explains", outcome.exit_code)});
  return checks;
}

}  // namespace cli
