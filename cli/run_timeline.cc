#include "cli/run_timeline.h"

#include "base/file.h"
#include "base/format.h"
#include "cli/errors.h"
#include "cli/kept_results.h"
#include "cli/report.h"
#include "cli/run_report.h"
#include "cli/subcommand.h"

namespace cli {
namespace {

std::string timeline_now() { return base::utc_timestamp(std::chrono::system_clock::now()); }

}  // namespace

Timeline::Timeline(const Move& move, const std::string& again) : file_(move.root / kTimelineFile) {
  const auto before = read_result_if_exists(file_);
  document_ = report_header({"run", move.root.string(), again}, "running", kIncomplete);
  document_["final"] = move.final;
  document_["headline"] = "";
  document_["reasons"] = Json::array();
  document_["waivers"] = Json::array();
  document_["next"] = "";
  document_["steps"] = before.is_object() ? before.value("steps", Json::array()) : Json::array();
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

void Timeline::end(int exit_code, const std::string& headline) {
  auto& step = document_["steps"].back();
  step["finished"] = timeline_now();
  step["seconds"] = base::seconds_of(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - step_started_));
  step["exit_code"] = exit_code;
  step["headline"] = headline;
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

void Timeline::keep() const { base::replace_file(file_, json_text(document_, 2) + "\n"); }

}  // namespace cli
