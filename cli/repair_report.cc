#include "cli/repair_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/errors.h"
#include "cli/report.h"
#include "cli/text.h"

namespace cli {
namespace {

using verify::Repair;
using verify::RepairStep;

constexpr size_t kMostNamed = 10;

std::string_view name_of(RepairStep::Kind kind) {
  switch (kind) {
    case RepairStep::Kind::rows:
      return "rows";
    case RepairStep::Kind::recopy:
      return "recopy";
    case RepairStep::Kind::sequence:
      return "sequence";
    case RepairStep::Kind::refresh:
      return "refresh";
  }
  return "rows";
}

std::string_view verdict_of(const Repair& repair) {
  const auto code = repair.exit_code();
  if (!repair.applied && !repair.steps.empty()) return "plan";
  switch (code) {
    case kEqual:
    case kWaived:
      return repair.applied ? "repaired" : "equal";
    case kDifferent:
      return "different";
    default:
      return "unverified";
  }
}

Json step_json(const RepairStep& step) {
  return {{"kind", name_of(step.kind)}, {"object", step.object},      {"missing", step.missing},
          {"extra", step.extra},        {"changed", step.changed},    {"duplicated", step.duplicated},
          {"reason", step.reason},      {"statement", step.statement}};
}

Json header(const VerifyContext& context, std::string_view verdict, int exit_code) {
  return report_header({"repair", context.run_dir, context.again}, verdict, exit_code);
}

}  // namespace

Json repair_json(const Repair& repair, const VerifyContext& context) {
  Json out = header(context, verdict_of(repair), repair.exit_code());
  out["applied"] = repair.applied;
  out["steps"] = Json::array();
  for (const auto& step : repair.steps) out["steps"].push_back(step_json(step));
  out["left"] = remarks_json(repair.left);
  out["notes"] = remarks_json(repair.notes);
  out["before"] = verify_json(repair.before, context);
  out["after"] = repair.after ? verify_json(*repair.after, context) : Json(nullptr);
  return out;
}

Json repair_error_report(const base::Error& error, int exit_code, const VerifyContext& context) {
  auto out = header(context, exit_code == kIncomplete ? "incomplete" : "failed", exit_code);
  // What is refused, or not confirmed, has changed nothing, and after the commit nothing is refused; of other
  // errors that is not known.
  if (error.kind() == base::ErrorKind::usage) out["applied"] = false;
  out["error"] = error_json(error);
  return out;
}

std::string repair_question(const Repair& repair) {
  uint64_t removed = 0;
  uint64_t put_in = 0;
  uint64_t recopied = 0;
  for (const auto& step : repair.steps) {
    if (step.kind == RepairStep::Kind::recopy) ++recopied;
    if (step.kind != RepairStep::Kind::rows) continue;
    removed += step.extra + step.changed + step.duplicated;
    put_in += step.missing + step.changed + step.duplicated;
  }
  std::string left;
  for (size_t i = 0; i < std::min(repair.left.size(), kMostNamed); ++i)
    left += (i == 0 ? " Left as they are: " : ", ") + sanitized_line(repair.left[i].object);
  if (repair.left.size() > kMostNamed) left += fmt::format(" and {} more", repair.left.size() - kMostNamed);
  if (!left.empty()) left += ".";
  return fmt::format("Change {}: delete {}, put {} in, copy {} again, all in one transaction?{}",
                     repair.before.target.database, counted(removed, "row"), counted(put_in, "row"),
                     counted(recopied, "table"), left);
}

}  // namespace cli
