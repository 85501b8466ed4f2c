#include "verify/repair.h"

#include <memory>
#include <stop_token>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/comparison.h"
#include "cli/confirm.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/progress_view.h"
#include "cli/repair_report.h"
#include "cli/report_section.h"
#include "copy/recorded.h"
#include "copy/run_dir.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr unsigned kWholeTable = 100;

struct RepairCommand {
  VerifyOptions verify;
  bool apply = false;
  unsigned most_percent = 10;
  std::vector<std::string> recopy;
  std::optional<std::filesystem::path> script;
};

/// Both databases are those of the copy: nobody repairs the wrong one.
void require_run(const copy::Options& database, const base::Stop& stop) {
  const auto run = copy::read_recorded_run(database.run_dir);
  if (const auto wrong = copy::wrong_pair(run, database.source, database.target, stop)) throw Error(*wrong);
}

verify::RepairOptions engine_options(const Invocation& invocation, const RepairCommand& command,
                                     const copy::Options& database) {
  verify::RepairOptions out;
  out.compare = comparison_options(command.verify, database);
  out.apply = command.apply;
  out.most_percent = command.most_percent;
  out.script = command.script;
  out.may_recopy = [&command](const pg::QualifiedName& table) {
    return copy::matches_any(command.recopy, table.schema, table.name);
  };
  out.confirm = [&invocation, &command](const verify::Repair& plan) {
    return confirmation(invocation, command.verify.run.yes)(repair_question(plan));
  };
  return out;
}

DatabaseResult repair_one(const Invocation& invocation, const RepairCommand& command,
                          const copy::Options& database) {
  VerifyContext context;
  context.again = invocation.again;
  std::optional<base::DirectoryLock> lock;
  if (command.verify.run_dir) {
    copy::RunDir::peek(database.run_dir);  // not a run directory: nothing is written into it
    lock.emplace(database.run_dir);
    context.run_dir = database.run_dir.string();
    require_run(database, invocation.stop);
  }
  const std::stop_callback announcement(invocation.stop.token(), [] {
    spdlog::warn("stopping; what is not committed is undone (again to quit at once)");
  });
  try {
    const auto repair = [&] {
      verify::Progress progress;
      const ProgressView view([&] { return shown(progress); }, invocation, context.run_dir, "repair");
      return verify::repair(engine_options(invocation, command, database), progress, invocation.stop);
    }();
    auto report = repair_json(repair, context);
    keep_result(command.verify, context.run_dir, "repair-report.json", report);
    const auto section = repair_section(report);
    if (!command.verify.run.json) invocation.print(section_text(section, wants_colours(STDOUT_FILENO)));
    return {repair.exit_code(), section.headline, std::move(report)};
  } catch (const Error& error) {
    keep_result(command.verify, context.run_dir, "repair-report.json",
                repair_error_report(error, exit_code_of(error), context));
    throw;
  }
}

/// Each of the databases would replace what another one wrote.
void refuse_single_files(const RepairCommand& command) {
  if (command.script || command.verify.report_file || command.verify.page_file)
    throw Error(ErrorKind::usage,
                "--script, --report and --html name one file, which each of --databases would replace",
                "use --run-dir, where each database has a directory");
}

void add_what_is_done(OptionSet& set, RepairCommand& command) {
  set.group("What is done");
  set.flag("--apply", "change the target; without it, the plan is shown and nothing is changed",
           command.apply)
      .not_in_file();
  set.value("--most", "PERCENT",
            "of a table of which more rows differ none is touched: it may be another database's",
            std::to_string(command.most_percent), [&command](const std::string& text) {
              command.most_percent = parse_number(text, 0, kWholeTable);
            });
  set.list("--recopy", "PATTERN",
           "delete every row of these tables and copy them again, if they differ and cannot be mended row by "
           "row: they have no key, or too much differs",
           [&command](const std::string& text) {
             for (auto& part : split_list(text)) command.recopy.push_back(std::move(part));
           });
  set.value("--script", "FILE", "write the statements to this file, for psql; it holds rows of the source",
            "", [&command](const std::string& text) { command.script = text; });
  add_yes_option(set, command.verify.run);
}

void add_options(OptionSet& set, RepairCommand& command) {
  auto& verify = command.verify;
  set.group("Connections and state");
  add_source_option(set, verify.run);
  add_target_option(set, verify.run);
  set.value("--run-dir", "DIR",
            "the run directory of the copy that made the target: any other source or target is refused", "",
            [&verify](const std::string& text) { verify.run_dir = text; });
  add_databases_option(set, verify.run);
  add_what_is_done(set, command);
  add_comparison_selection(set, verify.run);
  add_catalog_options(set, verify);
  add_reading_options(set, verify.run);
  set.group("Result");
  add_result_files(set, verify, "repair-report.json");
}

}  // namespace

Run set_up_repair(OptionSet& set) {
  auto command = std::make_shared<RepairCommand>();
  set.describe(
      "Compares both sides, and says what would make the target's rows, sequences and materialized views "
      "equal to the source's. With --apply it does so, in one transaction at the target, and compares what "
      "it "
      "touched again. The source is only read. Not for a target that an application already writes to: what "
      "the source does not have is deleted.");
  set.example(
      "what would it do?",
      "cutover repair --source postgres://app@old.example/app --target postgres://app@new.example/app");
  set.example("the statements, to be read first", "cutover repair --run-dir cutover-run --script repair.sql");
  set.example("do it, without being asked", "cutover repair --run-dir cutover-run --apply --yes");
  add_options(set, *command);
  set.require([command] {
    require_both(command->verify.run.copy, command->verify.run.databases);
    if (!command->verify.run.databases.empty()) refuse_single_files(*command);
  });
  return [command](const Invocation& invocation) {
    if (command->verify.run_dir) command->verify.run.copy.run_dir = *command->verify.run_dir;
    return for_each_database(invocation, command->verify.run, [&](const copy::Options& database) {
      return repair_one(invocation, *command, database);
    });
  };
}

}  // namespace cli
