#include "cli/run_verdict.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/errors.h"
#include "cli/report_section.h"
#include "cli/text.h"
#include "cli/verify_section.h"

namespace cli {
namespace {

bool has_result(const Json& document) {
  return document.is_object() && document.contains("command") && !document.contains("error");
}

std::vector<std::string> texts_of(const Json& document, const char* member) {
  return document.value(member, Json::array()).get<std::vector<std::string>>();
}

/// What the step's results say against going on, the worst first; its headline if they say nothing.
std::vector<std::string> reasons_of(const StepOutcome& done) {
  std::vector<std::string> bad;
  std::vector<std::string> unsure;
  const auto add = [](std::vector<std::string>& to, std::vector<std::string> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  for (const auto& result : done.outcome.results) {
    if (!has_result(result.document)) continue;
    add(bad, texts_of(result.document, "reasons"));
    const auto section = section_of(result.document, done.step.name);
    add(bad, said_in(section, Tone::bad));
    add(unsure, said_in(section, Tone::unsure));
  }
  add(bad, std::move(unsure));
  if (bad.empty()) bad.push_back(done.outcome.headline());
  return bad;
}

/// `behind_a_go`: this run has only checked.
std::string next_after(const Move& move, const StepOutcome& done, bool behind_a_go,
                       const std::string& again) {
  const auto run_dir = shell_quoted(database_dir(move.root).string());
  if (done.step.name == "fence" && done.outcome.exit_code == kIncomplete)
    return "end the sessions that can still write, or let it do so: " + again +
           (move.end_sessions ? "" : " --end-sessions");
  if (done.outcome.exit_code == kIncomplete) return "go on with: " + again;
  if (done.step.name == "repair")
    return fmt::format(
        "what is left cannot be mended row by row, or is more than [repair] most allows: see {0}; then allow "
        "it ([repair] most, recopy) and run again: {1}; or copy anew behind the fence: cutover copy "
        "--restart --run-dir {0}, and then {1}",
        run_dir, again);
  if (behind_a_go && done.outcome.exit_code != kUsage)
    return fmt::format(
        "a check has said GO before, so nothing is changed: if the application has not moved, {0} --again "
        "brings over what differs; if it has, it may be what the application has written",
        again);
  return "mend what is listed, then go on with: " + again;
}

Verdict stopped(const Move& move, const std::vector<StepOutcome>& done, const std::string& again) {
  const auto& last = done.back();
  const bool behind_a_go = move.final && done.size() == 1 && last.step.name == "check";
  Verdict out;
  out.exit_code = last.outcome.exit_code;
  out.next = next_after(move, last, behind_a_go, again);
  if (move.final && move.databases && move.fence && last.step.name != "smoke tests")
    out.next += ". A fence at the source stays until `cutover fence off`";
  out.reasons = reasons_of(last);
  if (out.exit_code == kIncomplete) {
    if (out.reasons.front() == last.outcome.headline()) out.reasons.clear();
    out.name = "incomplete";
    out.headline = fmt::format("INCOMPLETE: {}: {}", last.step.name, last.outcome.headline());
    return out;
  }
  out.name = "no-go";
  out.headline = fmt::format("NO-GO: {}: {}", last.step.name, out.reasons.front());
  return out;
}

/// The copy's moment, which a comparison with it names; without one, that of the comparison.
std::string moment_of_copy(const std::vector<StepOutcome>& done) {
  std::vector<Json> documents;
  for (const auto& one : done)
    for (const auto& result : one.outcome.results)
      if (one.step.name == "verify" && has_result(result.document)) documents.push_back(result.document);
  auto moment = moment_of(documents);
  if (moment.empty()) return moment;
  const auto& source = documents.front().at("source");
  const auto began = source.value("began", "");
  const bool recorded = source.value("recorded", false);
  const auto time = began.empty() ? documents.front().value("time", "") : "the copy of " + began;
  return recorded && began.empty() ? moment : fmt::format("{}, {}", time, moment);
}

/// An upload that was told to compare nothing.
bool is_uncompared(const StepOutcome& done) {
  return std::ranges::any_of(done.outcome.results, [](const CommandResult& result) {
    return has_result(result.document) && result.document.value("verdict", "") == "uploaded";
  });
}

Verdict ready(const Move& move, const std::vector<StepOutcome>& done, const std::string& again) {
  Verdict out{.name = "ready", .exit_code = kIncomplete};
  const auto moment = moment_of_copy(done);
  const bool compared = std::ranges::none_of(done, is_uncompared);
  if (move.databases)
    out.headline = fmt::format("READY: {} equal as of {}; the source still accepts writes{}",
                               compared ? "everything is" : "the databases are", moment,
                               compared ? "" : "; the files are uploaded and were not compared");
  else
    out.headline = compared ? "READY: every file is there; more may come"
                            : "READY: the files are uploaded and were not compared; more may come";
  for (const auto& one : done)
    if (one.outcome.exit_code == kWaived)
      for (const auto& waiver : reasons_of(one)) out.waivers.push_back(waiver);
  out.next = fmt::format("when the application is stopped: {} --final", again);
  return out;
}

/// That of the check at the end, which has looked at everything.
Verdict final_verdict(const Move& move, const StepOutcome& check) {
  const auto& result = check.outcome.results.back();
  Verdict out;
  out.name = result.document.at("verdict").get<std::string>();
  out.exit_code = check.outcome.exit_code;
  out.headline = result.headline;
  out.waivers = texts_of(result.document, "waivers");
  if (!move.fence && out.exit_code == kWaived)
    out.waivers.emplace_back("that the writers are stopped is only declared: [run] fence = false");
  out.next = fmt::format(
      "switch the application over; then `cutover clean --run-dir {}`. The way back: `cutover fence off`",
      shell_quoted(move.root.string()));
  return out;
}

}  // namespace

bool StepOutcome::passed() const { return outcome.exit_code == kEqual || outcome.exit_code == kWaived; }

StepOutcome outcome_of(MoveStep step, CommandOutcome outcome) {
  if (outcome.results.empty()) {
    if (outcome.exit_code == kEqual || outcome.exit_code == kWaived) outcome.exit_code = kFailed;
    outcome.results.push_back({"FAILED: it gave no result", Json{{"exit_code", outcome.exit_code}}});
  }
  return {std::move(step), std::move(outcome)};
}

Verdict verdict_of(const Move& move, const std::vector<StepOutcome>& done, const std::string& again) {
  const auto& last = done.back();
  if (!last.passed()) return stopped(move, done, again);
  return move.final ? final_verdict(move, last) : ready(move, done, again);
}

}  // namespace cli
