#include <memory>

#include "cli/connection_options.h"
#include "cli/engine_run.h"

namespace cli {
namespace {

void add_export_options(OptionSet& set, RunOptions& options) {
  set.group("Connections and state");
  add_source_option(set, options);
  add_archive_option(set, options,
                     "the directory to write; it is made if need be, and keeps the run's state too");
  add_databases_option(set, options);
  add_selection_options(set, options);
  add_work_options(set, options);
  set.group("What may be replaced");
  set.flag("--restart", "empty an archive that is there already, and start over", options.copy.restart)
      .not_in_file();
  set.group("Result");
  set.flag("--report-json",
           "the result as JSON instead of text on standard output; it is in DIR/report.json anyway",
           options.json);
}

}  // namespace

Run set_up_export(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Copies the database, as of one moment, into an archive: a directory of compressed files with "
      "checksums. `cutover "
      "import` loads it elsewhere, where there is no way to the source. An export is of one moment, so an "
      "interrupted "
      "one starts over.");
  set.example("write an archive",
              "cutover export --source postgres://app@old.example/app --archive /backup/app");
  set.example("replace yesterday's, with four workers",
              "cutover export --archive /backup/app --restart --jobs 4");
  set.example("one schema only", "cutover export --archive /backup/billing --include billing");
  add_export_options(set, *options);
  return [options](const Invocation& invocation) {
    require_source(options->copy);
    require_archive(options->copy);
    return for_each_database(invocation, *options, [&](const copy::Options& database) {
      const auto call = [](const copy::Options& given, copy::Progress& progress, const copy::Confirm&,
                           const base::Stop& stop) { return copy::run_export(given, progress, stop); };
      return run_engine(invocation, *options, database, "export", *database.archive, call);
    });
  };
}

}  // namespace cli
