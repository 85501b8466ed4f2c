#include "cli/run_report.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/check_report.h"
#include "cli/errors.h"
#include "cli/kept_results.h"
#include "cli/run_status.h"
#include "cli/run_steps.h"
#include "cli/status_file.h"
#include "cli/text.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

std::string result_of_step(const Json& step) {
  if (step.at("exit_code").is_null()) return "not finished";
  switch (step.at("exit_code").get<int>()) {
    case kEqual:
      return "done";
    case kWaived:
      return "done, with waivers";
    case kDifferent:
      return "different";
    case kIncomplete:
      return "incomplete";
    default:
      return "failed";
  }
}

ReportTable timeline_table(const Json& report) {
  ReportTable out{.title = "timeline",
                  .columns = {{"step"},
                              {"result"},
                              {"started"},
                              {"took", true},
                              {"said", false, true},
                              {"command", false, false, false}},
                  .rows = {},
                  .in_text = true};
  for (const auto& step : report.at("steps")) {
    const auto& code = step.at("exit_code");
    out.rows.push_back(
        {code.is_null() ? Tone::unsure : tone_of(code.get<int>()),
         {step.at("name").get<std::string>(), result_of_step(step),
          step.at("started").get<std::string>().substr(0, 19) + "Z", duration_text(step.at("seconds")),
          step.at("headline").get<std::string>(), step.at("command").get<std::string>()}});
  }
  return out;
}

ReportList plain_list(std::string title, Tone tone, const Json& texts) {
  ReportList out{std::move(title), tone, {}};
  for (const auto& text : texts) out.items.push_back({text.get<std::string>()});
  return out;
}

bool was_begun(const Json& report, std::string_view step) {
  return std::ranges::any_of(report.at("steps"),
                             [&](const Json& one) { return one.at("name").get<std::string>() == step; });
}

/// How to go back, and what stays where it is then. docs/runbook.md says more.
ReportList way_back(const Json& report) {
  ReportList out{
      .title = "the way back", .tone = Tone::plain, .items = {}, .in_text = false, .is_advice = true};
  out.items.push_back({was_begun(report, "fence")
                           ? "until users write on the target: cutover fence off lets the source take writes "
                             "again, exactly as "
                             "before; start the application where it was, and nothing is lost"
                           : "no fence was raised by this run: the source was only read, and the application "
                             "can go on there"});
  if (report.at("final").get<bool>()) {
    out.items.push_back(
        {"from their first write on, the source is behind: what they wrote is on the target alone"});
    out.items.push_back(
        {"another night, if the application did not move: cutover run --final --again brings over what has "
         "changed since, and deletes what the target has of its own"});
  }
  out.items.push_back(
      {"what stays: the rows on the target and the objects in the buckets; the run directory and the ledger "
       "(the schema cutover on the target), until cutover clean"});
  return out;
}

/// Instead of the verdict of a run whose copy was since started over by hand.
Json outdated_verdict(const Json& run) {
  return {{"verdict", "incomplete"},
          {"exit_code", kIncomplete},
          {"headline", fmt::format("INCOMPLETE: a copy was begun after the verdict of {} ({}), or removed "
                                   "to begin anew, and it is not about that",
                                   run.value("time", ""), run.value("verdict", ""))},
          {"reasons", Json::array()},
          {"waivers", Json::array()},
          {"next", "cutover run"}};
}

/// Instead of the verdict of a run that a check by hand has since taken back.
Json verdict_of_check(const Json& run, const Json& check) {
  const auto section = check_section(check);
  return {{"verdict", check.at("verdict")},
          {"exit_code", check.at("exit_code")},
          {"headline", fmt::format("{}; the run had said {} at {}", section.headline,
                                   base::upper_case(run.value("verdict", "")), run.value("time", ""))},
          {"reasons", check.at("reasons")},
          {"waivers", check.at("waivers")},
          {"next", section.next.empty() ? run.value("next", "") : section.next}};
}

/// By hand, when the run had come to its end. Times are written so that they compare as text.
bool is_since(const Json& check, const Json& run) {
  return check.is_object() && check.value("command", "") == "check" &&
         check.value("time", "") > run.value("time", "");
}

const Json* check_since(const Json& report) {
  const auto documents = report.find("documents");
  if (documents == report.end()) return nullptr;
  const auto found =
      std::ranges::find_if(*documents, [&](const Json& document) { return is_since(document, report); });
  return found == documents->end() ? nullptr : &*found;
}

void add_documents(Json& documents, const fs::path& directory) {
  for (const auto& file : kept_results(directory))
    if (auto document = read_result_if_exists(file); !document.is_null())
      documents.push_back(std::move(document));
}

struct RootResults {
  Json timeline;
  Json check;  ///< null: there is none of this run, and of this copy
};

RootResults read_root(const fs::path& root, const std::string& newest_copy) {
  // Before the timeline, so that a run that ends in between is not taken for one that stopped half-way.
  const bool running = running_process(root).has_value();
  RootResults out{read_result(root / kTimelineFile), read_result_if_exists(root / kCheckReportFile)};
  auto& run = out.timeline;
  if (out.check.is_object()) {
    const auto time = out.check.value("time", "");
    if (time < newest_copy || time < run.value("started", "")) out.check = Json();
  }
  if (run.value("verdict", "") == "running") {
    if (running) return out;
    run["verdict"] = "incomplete";
  } else if (run.value("time", "") < newest_copy) {
    run.update(outdated_verdict(run));
  }
  const auto own = run.value("exit_code", kFailed);
  if (is_since(out.check, run) && worse(own, out.check.value("exit_code", kFailed)) != own)
    run.update(verdict_of_check(run, out.check));
  return out;
}

}  // namespace

bool is_run_root(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / kTimelineFile, ignored);
}

bool has_moved_databases(const fs::path& root) {
  std::error_code ignored;
  return !root.empty() && is_run_root(root) && fs::exists(database_dir(root), ignored);
}

void refuse_run_root(const fs::path& run_dir) {
  if (is_run_root(run_dir))
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("{} is the directory of a `cutover run`, not of one command", run_dir.string()),
        "give a directory below it as --run-dir: database, upload");
}

bool remove_run_root(const fs::path& root) {
  std::error_code ignored;
  for (const auto* name : {kTimelineFile, kRunReportFile, kRunPageFile, kCheckReportFile, "lock"})
    fs::remove(root / name, ignored);
  fs::remove(database_dir(root), ignored);  // of several databases, whose own are gone
  return fs::remove(root, ignored);
}

Json run_timeline(const fs::path& root, const std::string& newest_copy) {
  return read_root(root, newest_copy).timeline;
}

Json run_document(const fs::path& root, const std::string& newest_copy) {
  auto [out, check] = read_root(root, newest_copy);
  auto documents = Json::array();
  if (check.is_object()) documents.push_back(std::move(check));
  for (const auto& directory : run_directories_if_any(root)) add_documents(documents, directory);
  out["documents"] = std::move(documents);
  return out;
}

Json run_document(const fs::path& root) { return run_document(root, newest_copy(database_dir(root))); }

ReportSection run_section(const Json& report) {
  ReportSection out;
  const auto verdict = report.at("verdict").get<std::string>();
  out.headline = report.value("headline", "");
  if (out.headline.empty()) {
    const auto& steps = report.at("steps");
    out.headline =
        fmt::format("{}: {}", base::upper_case(verdict),
                    steps.empty() ? "no step has begun" : "step " + steps.back().value("name", ""));
  }
  out.tone = tone_of(report.at("exit_code").get<int>());
  if (const auto* check = check_since(report)) {
    const auto said = check_section(*check).headline;
    if (!out.headline.starts_with(said)) add_fact(out, "checked since", said);
  }
  add_fact(out, "run", report.at("final").get<bool>() ? "the final one" : "a rehearsal");
  add_list(out, plain_list("reasons", Tone::bad, report.at("reasons")));
  add_list(out, plain_list("waivers", Tone::unsure, report.at("waivers")));
  if (!report.at("steps").empty()) out.tables.push_back(timeline_table(report));
  add_list(out, way_back(report));
  out.next = report.value("next", "");
  return out;
}

}  // namespace cli
