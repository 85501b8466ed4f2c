#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/authentication.h"
#include "cli/check_options.h"
#include "cli/check_outcome.h"
#include "cli/check_report.h"
#include "cli/check_steps.h"
#include "cli/commands.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/declared.h"
#include "cli/errors.h"
#include "cli/run_report.h"
#include "cli/run_state.h"
#include "cli/run_status.h"
#include "cli/run_steps.h"
#include "cli/run_timeline.h"
#include "cli/screen.h"
#include "cli/smoke_test.h"
#include "cli/subcommand.h"
#include "cli/text.h"
#include "copy/recorded.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

/// What there is to check, and what is left out of it.
struct Declared {
  bool databases = false;
  std::vector<DeclaredUpload> uploads;
  bool smoke = false;
  CheckScope scope = {};
};

/// A check that is another command of the program: what it says of each database or upload is one result.
class Checks {
 public:
  Checks(const Invocation& invocation, const CheckOptions& options)
      : invocation_(invocation), options_(options) {}

  /// Throws Error{usage} unless they are those that the run in its root has moved.
  void recognize_databases();
  void compare_databases();
  void compare_uploads(const std::vector<DeclaredUpload>& uploads);
  void try_the_new_stack();
  void look_at_fence() { fence_ = look(); }
  void look_at_fence_again();
  Json document(const CheckScope& scope) const {
    return check_json(results_, documents_, invocation_.again, scope);
  }

 private:
  struct Work {
    const char* kind;
    std::vector<std::string> names;  ///< of what the command has a result for each
    std::vector<std::string> arguments;
  };
  struct FenceLook {
    std::vector<CheckResult> results;
    std::vector<Json> activities;  ///< of the databases; null where there is none
    Json activity(size_t i) const { return i < activities.size() ? activities[i] : Json(); }
  };
  FenceLook look();
  std::vector<CheckResult> run(const Work& work, const CheckJudge& judge);
  void recognize(const copy::Options& database, const std::string& name);
  void add(std::vector<CheckResult> results);
  std::vector<std::string> databases() const;

  const Invocation& invocation_;
  const CheckOptions& options_;
  std::vector<CheckResult> results_;
  FenceLook fence_;  // before anything was compared
  std::vector<Json> documents_;
};

/// Of two looks at the same; where they say as much, the others.
void keep_worse(std::vector<CheckResult>& results, const std::vector<CheckResult>& others) {
  for (size_t i = 0; i < others.size(); ++i)
    if (i == results.size()) {
      results.push_back(others[i]);
    } else if (worse(others[i].exit_code, results[i].exit_code) == others[i].exit_code) {
      results[i] = others[i];
    }
}

std::vector<std::string> Checks::databases() const {
  std::vector<std::string> names;
  for (const auto& pair : options_.run.databases) names.push_back(pair.source);
  if (names.empty()) names.push_back(options_.run.copy.source.get("dbname"));
  return names;
}

std::vector<CheckResult> Checks::run(const Work& work, const CheckJudge& judge) {
  const auto start = std::chrono::steady_clock::now();
  auto outcome = run_command(invocation_, with_typed(work.arguments, invocation_), [](std::string_view) {});
  invocation_.stop.check();
  auto results = judged(work.kind, work.names, outcome, judge);
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  for (auto& result : results) result.took = took;
  for (auto& one : outcome.results)
    if (one.document.contains("command") && !one.document.contains("error") &&
        one.document.at("command") != "fence")
      documents_.push_back(std::move(one.document));
  return results;
}

void Checks::add(std::vector<CheckResult> results) {
  results_.insert(results_.end(), std::make_move_iterator(results.begin()),
                  std::make_move_iterator(results.end()));
}

// A GO about another pair would be kept as this run's, and nothing would be brought over any more.
void Checks::recognize_databases() {
  auto connections = with_authentication(options_.run, invocation_.stop);
  connections.run_dir = database_dir(connections.run_dir);
  const auto& pairs = options_.run.databases;
  const auto names = databases();
  if (pairs.empty()) recognize(connections, names.front());
  for (size_t i = 0; i < pairs.size(); ++i) recognize(options_for(connections, pairs[i]), names[i]);
}

// One that cannot be asked is no reason to look at nothing else; without an answer there is no GO.
void Checks::recognize(const copy::Options& database, const std::string& name) {
  if (!is_run_directory(database.run_dir)) return;
  const auto run = copy::read_recorded_run(database.run_dir);
  std::optional<Error> wrong;
  try {
    wrong = copy::wrong_pair(run, database.source, database.target, invocation_.stop);
  } catch (const Error& error) {
    invocation_.stop.check();
    add({{.kind = "database",
          .name = sanitized_line(name),
          .exit_code = kFailed,
          .problem = sanitized_line(error.message())}});
  }
  if (wrong)
    throw Error(wrong->kind(), wrong->message(),
                fmt::format("what is checked in {} are the databases that were moved there: `cutover config "
                            "check` shows what names these; for others give another --run-dir",
                            options_.run.copy.run_dir.string()));
}

void Checks::compare_databases() {
  add(run({"database", databases(), comparison_of_databases()}, judge_databases));
}

void Checks::compare_uploads(const std::vector<DeclaredUpload>& uploads) {
  for (const auto& upload : uploads)
    add(run({"upload", {upload.to}, comparison_of_upload(upload)}, judge_upload));
}

void Checks::try_the_new_stack() { add(run_smoke_tests(options_, invocation_.stop)); }

Checks::FenceLook Checks::look() {
  FenceLook look;
  look.results =
      run({"fence", databases(), look_at_the_fence()}, [&](CheckResult& result, const Json& document) {
        judge_fence(result, document, options_.require_fence);
        look.activities.push_back(document.value("activity", Json()));
      });
  return look;
}

// What was compared is only the last word if nobody could write before, nor while it was compared, and nobody
// did: a session can step over the fence, write and be gone between the two looks.
void Checks::look_at_fence_again() {
  const auto end = look();
  auto now = end;
  const auto is_told = [&] {
    bool told = true;
    for (size_t i = 0; i < now.results.size(); ++i)
      told = judge_activity(now.results[i], {fence_.activity(i), end.activity(i), now.activity(i)},
                            options_.require_fence) &&
             told;
    return told;
  };
  bool is_said = false;
  look_until_told(is_told, [&] {
    if (!std::exchange(is_said, true))
      spdlog::info("sessions worked at the source: waiting until they have told the server what they wrote");
    invocation_.stop.sleep_for(std::chrono::seconds(1));
    now = look();
  });
  keep_worse(now.results, end.results);
  keep_worse(now.results, fence_.results);
  add(std::move(now.results));
}

[[noreturn]] void refuse_half(const std::string& what) {
  throw Error(ErrorKind::usage, what + ": a GO would not be about the databases",
              "give --source and --target (CUTOVER_SOURCE, CUTOVER_TARGET), or ask for less: --only "
              "uploads,smoke");
}

/// One side alone is half of what was meant: a variable that is not exported, or has a slip in its name.
bool declares_databases(const CheckOptions& options) {
  const auto& connections = options.run.copy;
  const bool source = !connections.source.parameters().empty();
  const bool target = !connections.target.parameters().empty();
  if (!options.does(CheckPart::databases)) return source && target;
  if (source != target)
    refuse_half(source ? "the source is declared, and no target" : "the target is declared, and no source");
  if (source) return true;
  if (!options.run.databases.empty()) refuse_half("--databases is declared, and neither source nor target");
  if (has_moved_databases(connections.run_dir))
    refuse_half(fmt::format("the run in {} has moved databases, and neither source nor target is declared",
                            connections.run_dir.string()));
  return false;
}

CheckScope scope_of(const CheckOptions& options) {
  static constexpr std::array kParts{std::pair{CheckPart::databases, "the databases"},
                                     std::pair{CheckPart::uploads, "the uploads"},
                                     std::pair{CheckPart::smoke, "the smoke tests"}};
  CheckScope scope;
  for (const auto& [part, name] : kParts)
    (options.does(part) ? scope.parts : scope.left_out).emplace_back(name);
  return scope;
}

/// Throws Error{usage} when that is nothing, or less than what was asked for.
Declared require_checks(const Invocation& invocation, const CheckOptions& options) {
  Declared out{.databases = declares_databases(options), .uploads = {}, .scope = scope_of(options)};
  // With --only the databases may be somebody else's turn: what is declared of them stays so.
  if (options.require_fence && !out.databases)
    throw Error(ErrorKind::usage, "--require-fence needs the databases, and they are not declared",
                "declare source and target, or leave --require-fence out");
  out.databases = out.databases && options.does(CheckPart::databases);
  if (options.does(CheckPart::uploads)) out.uploads = declared_uploads(invocation.globals);
  out.smoke =
      options.does(CheckPart::smoke) && !(options.http.empty() && options.tcp.empty() && options.sql.empty());
  if (!out.databases && out.uploads.empty() && !out.smoke)
    throw Error(ErrorKind::usage, "there is nothing to check, and so no GO",
                "declare source and target, uploads, or checks in cutover.toml ([[check.http]], "
                "[[check.tcp]], [[check.sql]]) or give --http, --tcp, --sql");
  const auto require_part = [&](CheckPart part, bool is_declared, const char* name) {
    if (std::ranges::find(options.only, part) != options.only.end() && !is_declared)
      throw Error(ErrorKind::usage, fmt::format("--only {}: none are declared", name),
                  "declare them, or take it out of --only");
  };
  require_part(CheckPart::databases, out.databases, "databases");
  require_part(CheckPart::uploads, !out.uploads.empty(), "uploads");
  require_part(CheckPart::smoke, out.smoke, "smoke");
  if (out.databases) require_both(options.run.copy, options.run.databases);
  if (!out.smoke) return out;
  for (const auto& check : options.sql) {
    if (check.on_source) require_source(options.run.copy);
    if (!check.on_source) require_target(options.run.copy);
  }
  return out;
}

void require_the_whole_run(const CheckOptions& options, const Declared& declared) {
  Move move;
  move.root = options.run.copy.run_dir;
  move.uploads = declared.uploads;
  require_all_that_was_moved(move, options.run.databases);
}

// Everything is looked at, whatever the first of them say.
int run_check_command(const Invocation& invocation, const CheckOptions& options) {
  const auto declared = require_checks(invocation, options);
  std::vector<std::string_view> commands;
  if (declared.databases) commands.insert(commands.end(), {"verify", "fence"});
  if (!declared.uploads.empty()) commands.emplace_back("upload");
  require_one_meaning(commands);
  const auto& root = options.run.copy.run_dir;
  // A verdict on a part of it is not the run's.
  const bool is_of_run = declared.scope.left_out.empty() && !root.empty() && is_run_root(root);
  if (is_of_run) require_the_whole_run(options, declared);
  const bool is_kept = is_of_run && declared.databases;
  const CheckByHand by_hand(is_kept && !invocation.of_run ? root : "");
  Checks checks(invocation, options);
  if (is_kept) checks.recognize_databases();
  if (declared.databases) checks.look_at_fence();
  if (declared.databases) checks.compare_databases();
  checks.compare_uploads(declared.uploads);
  if (declared.smoke) checks.try_the_new_stack();
  if (declared.databases) checks.look_at_fence_again();
  const auto document = checks.document(declared.scope);
  const auto section = check_section(document);
  // First: whoever has read a GO may have switched, and the run must know.
  by_hand.keep(invocation.again, section.headline, document);
  invocation.print(options.run.json ? json_text(document, 2) + "\n"
                                    : section_text(section, wants_colours(STDOUT_FILENO)));
  invocation.on_result(section.headline, document);
  return document.at("exit_code").get<int>();
}

}  // namespace

Run set_up_check(OptionSet& set) {
  auto options = std::make_shared<CheckOptions>();
  set.describe(
      "The verdict before the switch; it changes nothing. It looks at all that cutover.toml declares: do "
      "source and target have the same definitions and rows, is every file of the uploads in its bucket, "
      "and every file that the database mentions, and does the new stack answer over HTTP, TCP and SQL as "
      "it should? GO, and exit code 0, only if all of it holds. GO WITH WAIVERS, 5, if the source still "
      "accepts writes, or differences were accepted. Else NO-GO with the first reason: 1, or 3 when "
      "something could not be checked.");
  set.example("all that cutover.toml declares", "cutover check");
  set.example("is the new stack up? The databases may be far from equal yet", "cutover check --only smoke");
  set.example("by hand", "cutover check --http https://new.example/api/health --tcp redis.internal:6379");
  set.example("the new database",
              "cutover check --only smoke --sql 'SELECT count(*) > 0 FROM drivers' --target "
              "postgres://app@new.example/app");
  add_check_options(set, *options);
  return [options](const Invocation& invocation) { return run_check_command(invocation, *options); };
}

}  // namespace cli
