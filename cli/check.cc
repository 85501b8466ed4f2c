#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/check_options.h"
#include "cli/check_outcome.h"
#include "cli/check_report.h"
#include "cli/commands.h"
#include "cli/connection_options.h"
#include "cli/declared.h"
#include "cli/errors.h"
#include "cli/run_timeline.h"
#include "cli/screen.h"
#include "cli/smoke_test.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

/// A check that is another command of the program: what it says of each database or upload is one result.
class Checks {
 public:
  Checks(const Invocation& invocation, const CheckOptions& options)
      : invocation_(invocation), options_(options) {}

  void compare_databases();
  void compare_uploads(const std::vector<DeclaredUpload>& uploads);
  void try_the_new_stack();
  void look_at_fence();
  void report_fence();
  Json document() const { return check_json(results_, documents_, invocation_.again); }

 private:
  struct Work {
    const char* kind;
    std::vector<std::string> names;  ///< of what the command has a result for each
    std::vector<std::string> arguments;
  };
  std::vector<CheckResult> run(const Work& work, const CheckJudge& judge);
  void add(std::vector<CheckResult> results);
  std::vector<std::string> databases() const;

  const Invocation& invocation_;
  const CheckOptions& options_;
  std::vector<CheckResult> results_;
  std::vector<CheckResult> fence_;  // before anything was compared
  std::vector<Json> documents_;
};

bool declares_databases(const CheckOptions& options) {
  const auto& connections = options.run.copy;
  return !connections.source.parameters().empty() && !connections.target.parameters().empty();
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

// Both sides, whatever a copy has recorded, and every row: what it is for is the moment of the switch.
void Checks::compare_databases() {
  add(run({"database", databases(), {"verify", "--run-dir", "", "--independent=false", "--level", "rows"}},
          judge_databases));
}

void Checks::compare_uploads(const std::vector<DeclaredUpload>& uploads) {
  for (const auto& upload : uploads) {
    Work work{"upload", {upload.to}, {"upload", upload.from, upload.to, "--verify-only"}};
    // Enough right behind the upload, of which the journal knows; here a listing would only have sizes.
    if (upload.verify == "list" || upload.verify == "none")
      work.arguments.insert(work.arguments.end(), {"--verify", "checksum"});
    add(run(work, judge_upload));
  }
}

void Checks::try_the_new_stack() { add(run_smoke_tests(options_, invocation_.stop)); }

// What was compared is only the last word if nobody could write before, nor while it was compared.
void Checks::look_at_fence() {
  auto now = run({"fence", databases(), {"fence", "status"}}, [&](CheckResult& result, const Json& document) {
    if (document.contains("error")) {
      result.exit_code = kFailed;
    } else if (!document.at("holds").get<bool>()) {
      result.exit_code = options_.require_fence ? kDifferent : kWaived;
      result.problem = document.at("up").get<bool>()
                           ? "somebody can still write to the source: see cutover fence status"
                           : "the source still accepts writes: see cutover fence on";
    }
  });
  for (size_t i = 0; i < fence_.size(); ++i)
    if (i == now.size()) {
      now.push_back(fence_[i]);
    } else if (worse(fence_[i].exit_code, now[i].exit_code) == fence_[i].exit_code) {
      now[i] = fence_[i];
    }
  fence_ = std::move(now);
}

void Checks::report_fence() { add(std::move(fence_)); }

void require_checks(const CheckOptions& options, const std::vector<DeclaredUpload>& uploads) {
  const bool smoke =
      options.does(CheckPart::smoke) && !(options.http.empty() && options.tcp.empty() && options.sql.empty());
  const bool databases = options.does(CheckPart::databases) && declares_databases(options);
  if (!smoke && !databases && !(options.does(CheckPart::uploads) && !uploads.empty()))
    throw Error(ErrorKind::usage, "there is nothing to check, and so no GO",
                "declare source and target, uploads, or checks in cutover.toml ([[check.http]], "
                "[[check.tcp]], [[check.sql]]) or give --http, --tcp, --sql");
  if (databases) require_both(options.run.copy, options.run.databases);
  for (const auto& check : options.sql) {
    if (check.on_source) require_source(options.run.copy);
    if (!check.on_source) require_target(options.run.copy);
  }
  // With --only the databases may be somebody else's turn: what is declared of them stays so.
  if (options.require_fence && !declares_databases(options))
    throw Error(ErrorKind::usage, "--require-fence needs the databases, and they are not declared",
                "declare source and target, or leave --require-fence out");
}

// Everything is looked at, whatever the first of them say.
int run_check_command(const Invocation& invocation, const CheckOptions& options) {
  const auto uploads = declared_uploads(invocation.globals);
  require_checks(options, uploads);
  const bool databases = options.does(CheckPart::databases) && declares_databases(options);
  std::vector<std::string_view> commands;
  if (databases) commands.insert(commands.end(), {"verify", "fence"});
  if (options.does(CheckPart::uploads) && !uploads.empty()) commands.emplace_back("upload");
  require_one_meaning(commands);
  const CheckByHand by_hand(databases ? options.run.copy.run_dir : "");
  Checks checks(invocation, options);
  if (databases) checks.look_at_fence();
  if (databases) checks.compare_databases();
  if (options.does(CheckPart::uploads)) checks.compare_uploads(uploads);
  if (options.does(CheckPart::smoke)) checks.try_the_new_stack();
  if (databases) checks.look_at_fence();
  checks.report_fence();
  const auto document = checks.document();
  const auto section = check_section(document);
  invocation.print(options.run.json ? json_text(document, 2) + "\n"
                                    : section_text(section, wants_colours(STDOUT_FILENO)));
  by_hand.keep(invocation.again, section.headline, document);
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
              "cutover check --sql 'SELECT count(*) > 0 FROM drivers' --target "
              "postgres://app@new.example/app");
  add_check_options(set, *options);
  return [options](const Invocation& invocation) { return run_check_command(invocation, *options); };
}

}  // namespace cli
