#include <memory>

#include "cli/connection_options.h"
#include "cli/engine_run.h"

namespace cli {
namespace {

void add_import_options(OptionSet& set, RunOptions& options) {
  set.group("Connections and state");
  add_archive_option(set, options, "the directory that `cutover export` wrote");
  add_target_option(set, options);
  add_run_dir_option(set, options.copy);
  add_databases_option(set, options);
  add_role_options(set, options);
  add_work_options(set, options);
  add_index_jobs_option(set, options);
  add_rewrite_options(set, options);
  add_yes_option(set, options);
  set.group("Result");
  set.flag("--report-json",
           "the result as JSON instead of text on standard output; it is in DIR/report.json anyway",
           options.json);
}

}  // namespace

Run set_up_import(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Loads an archive into a database: schema, rows, indexes, constraints, sequences, owners and grants. "
      "Then every "
      "table is read back from the target and compared with what left the source. Whatever interrupts it, "
      "the same "
      "command goes on where it stopped.");
  set.example("load an archive",
              "cutover import --archive /backup/app --target postgres://app@new.example/app");
  set.example("under other roles", "cutover import --archive /backup/app --role-map neondb_owner=app_owner");
  set.example("start over", "cutover import --archive /backup/app --restart --yes");
  add_import_options(set, *options);
  return [options](const Invocation& invocation) {
    require_archive(options->copy);
    require_target(options->copy);
    return for_each_database(invocation, *options, [&](const copy::Options& database) {
      return run_engine(invocation, *options, database, "import", database.run_dir, copy::run_import);
    });
  };
}

}  // namespace cli
