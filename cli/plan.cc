#include "cli/plan.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/plan_report.h"
#include "cli/screen.h"
#include "cli/text.h"

namespace cli {
namespace {

std::string headline_of(const copy::PlanReport& report) {
  const auto blocker = std::ranges::find(report.findings, copy::Severity::blocker, &copy::Finding::severity);
  if (blocker == report.findings.end()) return "READY";
  return fmt::format("BLOCKED: {}: {}", sanitized_line(blocker->object), sanitized_line(blocker->message));
}

DatabaseResult plan_one(const Invocation& invocation, const RunOptions& options,
                        const copy::Options& database) {
  const auto report = copy::plan_copy(database, invocation.stop);
  if (!options.json) invocation.print(plan_text(report, database, wants_colours(STDOUT_FILENO)));
  return {report.blocked() ? kUsage : kEqual, headline_of(report), plan_json(report, database)};
}

}  // namespace

int show_plan(const Invocation& invocation, const RunOptions& options) {
  return for_each_database(invocation, options, [&](const copy::Options& database) {
    return plan_one(invocation, options, database);
  });
}

Run set_up_plan(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Looks at the source, and at the target when one is given, and says what a copy would do: which "
      "tables, in how "
      "many pieces and in which format; what stands in the way, what will need a hand afterwards, and "
      "exactly what to "
      "do about it. It writes nothing on either side. Exit code 2 means that something blocks the copy.");
  set.example("what stands in the way?",
              "cutover plan --source postgres://app@old.example/app --target "
              "postgres://app@new.example/app");
  set.example("the source alone, as JSON",
              "CUTOVER_SOURCE=postgres://app@old.example/app cutover plan --json");
  set.example("two databases of one server", "cutover plan --databases auth,cashflow");
  set.group("Connections");
  add_source_option(set, *options);
  add_target_option(set, *options);
  add_databases_option(set, *options);
  add_selection_options(set, *options);
  add_role_options(set, *options);
  add_work_options(set, *options);
  add_index_jobs_option(set, *options);
  add_rewrite_options(set, *options);
  add_run_dir_option(set, options->copy);
  add_archive_option(set, *options, "the archive that the copy would write; room for it is checked");
  set.group("Result");
  set.flag("--json", "JSON instead of text on standard output", options->json);
  return [options](const Invocation& invocation) {
    require_source(options->copy);
    if (!options->copy.target.parameters().empty()) require_both(options->copy, options->databases);
    return show_plan(invocation, *options);
  };
}

}  // namespace cli
