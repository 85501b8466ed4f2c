#include <memory>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/confirm.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/fence_report.h"
#include "cli/screen.h"
#include "cli/text.h"
#include "copy/recorded.h"
#include "pg/activity.h"
#include "pg/quote.h"
#include "pg/session.h"

namespace cli {
namespace {

enum class FenceAction { none, on, off, status, rights };

struct FenceOptions {
  RunOptions run;  ///< of which: source, databases, yes, json
  FenceAction action = FenceAction::none;
  bool end_sessions = false;  ///< that began before the fence, or write in spite of it
  bool of_run = false;        ///< only the source of the copy in run.copy.run_dir
};

[[noreturn]] void decline_fence() {
  throw base::Error(base::ErrorKind::usage, "nothing was changed, since the answer was not yes");
}

std::vector<std::string> end_open_sessions(pg::Connection& connection, const pg::Fence& fence,
                                           const copy::Confirm& confirm) {
  if (fence.sessions.empty()) return {};
  const auto count = counted(fence.sessions.size(), "session");
  if (!confirm(fmt::format("end {} of {} that can still write?", count, fence.database)))
    return {"the answer was not yes"};
  spdlog::info("ending {} of {}", count, fence.database);
  return pg::end_sessions(connection, fence.sessions);
}

/// What working on a fence needs to know.
struct FenceContext {
  const Invocation& invocation;
  const FenceOptions& options;
  copy::Confirm confirm;
  std::string where;  ///< the redacted connection
};

DatabaseResult fence_result(const FenceContext& context, const pg::Fence& fence,
                            const std::vector<std::string>& refused = {}) {
  if (!context.options.run.json) context.invocation.print(fence_text(fence, context.where, refused));
  return {exit_code_of(fence), fence_headline(fence), fence_json(fence, refused)};
}

DatabaseResult look_at_fence(const FenceContext& context, pg::Connection& connection) {
  const auto fence = pg::inspect_fence(connection);
  auto result = fence_result(context, fence);
  if (fence.up())
    result.json["activity"] =
        activity_json(pg::read_activity(connection.conninfo(), context.invocation.stop));
  return result;
}

DatabaseResult look_at_rights(const FenceContext& context, pg::Connection& connection) {
  const auto report = fence_rights_json(pg::fence_rights(connection));
  const auto section = fence_rights_section(report);
  if (!context.options.run.json)
    context.invocation.print(section_text(section, wants_colours(STDOUT_FILENO)));
  return {report.at("exit_code").get<int>(), sanitized_line(section.headline), report};
}

DatabaseResult raise_one(const FenceContext& context, pg::Connection& connection) {
  if (!pg::inspect_fence(connection).up() &&
      !context.confirm(fmt::format("let every new session of {} be read only?", context.where)))
    decline_fence();
  pg::raise_fence(connection);
  auto fence = pg::inspect_fence(connection);
  std::vector<std::string> refused;
  if (context.options.end_sessions) {
    refused = end_open_sessions(connection, fence, context.confirm);
    fence = pg::inspect_fence(connection);
  }
  return fence_result(context, fence, refused);
}

DatabaseResult lower_one(const FenceContext& context, pg::Connection& connection) {
  if (pg::inspect_fence(connection).note &&
      !context.confirm(fmt::format("let {} accept writes again, as before the fence?", context.where)))
    decline_fence();
  const auto lowered = pg::lower_fence(connection);
  const auto fence = pg::inspect_fence(connection);
  const auto database = sanitized_line(pg::display_identifier(fence.database));
  std::string line;
  switch (lowered) {
    case pg::Lowered::not_there:
      line = fmt::format("nothing to do: {} is not fenced", database);
      break;
    case pg::Lowered::restored:
      line = fmt::format(
          "OPEN: {} is as it was before the fence; sessions that began behind it stay read only", database);
      break;
    case pg::Lowered::kept:
      line =
          fmt::format("OPEN: the setting of {} was changed behind the fence, and stays as it is", database);
      break;
  }
  if (!context.options.run.json) context.invocation.print(line + "\n");
  auto json = fence_json(fence, {});
  json["exit_code"] = kEqual;
  return {kEqual, line, std::move(json)};
}

DatabaseResult work_on_fence(const Invocation& invocation, const FenceOptions& options,
                             const copy::Options& database) {
  if (options.of_run)
    copy::require_source(copy::read_recorded_run(database.run_dir), database.source, invocation.stop);
  auto connection = pg::open_first_session(database.source, {}, invocation.stop);
  const FenceContext context{invocation, options, confirmation(invocation, options.run.yes),
                             database.source.redacted()};
  switch (options.action) {
    case FenceAction::on:
      return raise_one(context, connection);
    case FenceAction::off:
      return lower_one(context, connection);
    case FenceAction::rights:
      return look_at_rights(context, connection);
    default:
      return look_at_fence(context, connection);
  }
}

void add_fence_options(OptionSet& set, FenceOptions& options) {
  set.group("What to do");
  set.positional("ACTION", "on, off, status or rights", "",
                 [&options](const std::string& text) {
                   options.action = parse_choice<FenceAction>(text, {{"on", FenceAction::on},
                                                                     {"off", FenceAction::off},
                                                                     {"status", FenceAction::status},
                                                                     {"rights", FenceAction::rights}});
                 })
      .takes({"on", "off", "status", "rights"});
  set.flag("--end-sessions",
           "with on: end the sessions that can still write; an application's pool connects again, and is "
           "read only then",
           options.end_sessions)
      .not_in_file();
  set.value("--of-run", "DIR",
            "with on: the run directory of a finished copy; another database than its source is refused", "",
            [&options](const std::string& text) {
              options.run.copy.run_dir = text;
              options.of_run = true;
            })
      .not_in_file();
  add_yes_option(set, options.run);
  set.group("Connections");
  add_source_option(set, options.run);
  add_databases_option(set, options.run);
  set.group("Result");
  set.flag("--json", "JSON instead of text on standard output", options.run.json);
}

}  // namespace

Run set_up_fence(OptionSet& set) {
  auto options = std::make_shared<FenceOptions>();
  set.describe(
      "Makes the source refuse writes before the last copy: new sessions of the database are read only, "
      "whatever the application does, and those that can still write are shown. \"off\" puts the database's "
      "setting back exactly as it was. Only the database's owner can do this; \"rights\" looks, long before, "
      "whether this role may. Exit code 0 means that the fence holds (with off: is gone; with rights: could "
      "be raised), 4 that somebody can still write, 1 with status that there is no fence, 2 with rights that "
      "one is missing.");
  set.example("days before: may this role do it?", "cutover fence rights");
  set.example("before the last copy", "cutover fence on --end-sessions");
  set.example("does it hold?", "cutover fence status --source postgres://app@old.example/app");
  set.example("the way back", "cutover fence off --yes");
  add_fence_options(set, *options);
  return [options](const Invocation& invocation) {
    if (options->action == FenceAction::none)
      throw base::Error(base::ErrorKind::usage, "the fence needs to know what to do",
                        "cutover fence on, off, status or rights");
    if (options->end_sessions && options->action != FenceAction::on)
      throw base::Error(base::ErrorKind::usage, "--end-sessions belongs to cutover fence on", "leave it out");
    if (options->of_run && options->action != FenceAction::on)
      throw base::Error(base::ErrorKind::usage, "--of-run belongs to cutover fence on", "leave it out");
    require_source(options->run.copy);
    return for_each_database(invocation, options->run, [&](const copy::Options& database) {
      return work_on_fence(invocation, *options, database);
    });
  };
}

}  // namespace cli
