#include <memory>

#include "cli/connection_options.h"
#include "cli/engine_run.h"
#include "cli/plan.h"

namespace cli {
namespace {

void add_copy_options(OptionSet& set, RunOptions& options) {
  set.group("Connections and state");
  add_source_option(set, options);
  add_target_option(set, options);
  add_run_dir_option(set, options.copy);
  add_databases_option(set, options);
  add_selection_options(set, options);
  add_role_options(set, options);
  add_work_options(set, options);
  add_index_jobs_option(set, options);
  add_archive_option(
      set, options,
      "keep the rows in this directory too, compressed: a backup, and a resume that does not read the "
      "source again");
  add_rewrite_options(set, options);
  add_yes_option(set, options);
  set.group("Result");
  set.flag("--dry-run", "show the plan and do nothing: the same as cutover plan", options.dry_run)
      .not_in_file();
  set.flag("--report-json",
           "the result as JSON instead of text on standard output; it is in DIR/report.json anyway",
           options.json);
}

}  // namespace

Run set_up_copy(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Copies the database: schema, rows, indexes, constraints, sequences, large objects, owners and grants. "
      "Then every "
      "table is read back from the target and compared with what left the source. All rows are of one moment "
      "of the "
      "source. Whatever interrupts it, the same command goes on where it stopped, and no row is lost or "
      "doubled.");
  set.example("copy everything",
              "cutover copy --source postgres://app@old.example/app --target "
              "postgres://app@new.example/app");
  set.example("eight workers, another owner, no audit log",
              "cutover copy --jobs 8 --role-map neondb_owner=app_owner --exclude 'audit.*'");
  set.example("into a schema that the application's migrations made, with a row filter",
              "cutover copy --schema none --where \"public.events=created_at >= '2025-01-01'\"");
  set.example("three databases, in a container",
              "cutover copy --databases auth,cashflow,web=www --yes --log-format json");
  add_copy_options(set, *options);
  return [options](const Invocation& invocation) {
    require_both(options->copy, options->databases);
    if (options->dry_run) return show_plan(invocation, *options);
    return for_each_database(invocation, *options, [&](const copy::Options& database) {
      return run_engine(invocation, *options, database, "copy", database.run_dir, copy::run_copy);
    });
  };
}

}  // namespace cli
