#include "cli/run_timeline.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "cli/engine_run.h"
#include "cli/errors.h"
#include "cli/report.h"
#include "cli/run_report.h"
#include "cli/run_result.h"
#include "cli/subcommand.h"

namespace cli {
namespace {

std::string timeline_now() { return base::utc_timestamp(std::chrono::system_clock::now()); }

void keep_timeline(const std::filesystem::path& root, const Json& document) {
  base::replace_file(root / kTimelineFile, json_text(document, 2) + "\n");
}

}  // namespace

Json read_timeline(const std::filesystem::path& root) {
  const auto file = root / kTimelineFile;
  const auto text = base::read_file_if_exists(file);
  if (!text) return {};
  auto document = Json::parse(*text, nullptr, false);
  if (document.is_object() && document.value("steps", Json()).is_array()) return document;
  throw base::Error(base::ErrorKind::corrupt, fmt::format("{} cannot be read", file.string()),
                    "it says whether the application may use the target already. Restore it; or, if the "
                    "application has not moved, remove it");
}

Timeline::Timeline(const Move& move, const std::string& again) : root_(move.root) {
  const auto before = read_timeline(root_);
  document_ = report_header({"run", move.root.string(), again}, "running", kIncomplete);
  document_["started"] = document_["time"];
  document_["final"] = move.final;
  document_["headline"] = "";
  document_["reasons"] = Json::array();
  document_["waivers"] = Json::array();
  document_["next"] = "";
  document_["steps"] = before.is_object() ? before.value("steps", Json::array()) : Json::array();
  withdraw_run_result(root_);
  keep();
}

void Timeline::begin(const MoveStep& step) {
  step_started_ = std::chrono::steady_clock::now();
  document_["steps"].push_back({{"name", step.name},
                                {"command", to_type(step.arguments)},
                                {"started", timeline_now()},
                                {"finished", nullptr},
                                {"seconds", nullptr},
                                {"exit_code", nullptr},
                                {"headline", ""}});
  keep();
}

void Timeline::end(const StepOutcome& done) {
  auto& step = document_["steps"].back();
  step["finished"] = timeline_now();
  step["seconds"] = base::seconds_of(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - step_started_));
  step["exit_code"] = done.outcome.exit_code;
  step["headline"] = done.outcome.headline();
  step["unfenced"] = std::ranges::any_of(done.outcome.results, [](const CommandResult& result) {
    return result.document.is_object() && result.document.value("unfenced", false);
  });
  keep();
}

void Timeline::conclude(const Verdict& verdict) {
  document_["time"] = timeline_now();
  document_["verdict"] = verdict.name;
  document_["exit_code"] = verdict.exit_code;
  document_["headline"] = verdict.headline;
  document_["reasons"] = verdict.reasons;
  document_["waivers"] = verdict.waivers;
  document_["next"] = verdict.next;
  keep();
}

void Timeline::keep() const { keep_timeline(root_, document_); }

CheckByHand::CheckByHand(const std::filesystem::path& root) : root_(root) {
  if (!root.empty()) lock_.emplace(root);
}

void CheckByHand::keep(const std::string& command, const std::string& headline, const Json& document) const {
  if (!lock_) return;
  withdraw_run_result(root_);
  auto timeline = read_timeline(root_);
  timeline["steps"].push_back(
      {{"name", "check"},
       {"command", command},
       {"started", base::utc_timestamp(started_)},
       {"finished", timeline_now()},
       {"seconds", base::seconds_of(std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now() - started_))},
       {"exit_code", document.at("exit_code")},
       {"headline", headline},
       {"unfenced", document.value("unfenced", false)}});
  // Before anything that shows a GO.
  keep_timeline(root_, timeline);
  keep_report(root_, document, kCheckReportFile);
  keep_run_result(root_);
}

}  // namespace cli
