#include "copy/finished_run.h"

#include <fmt/format.h>

#include "copy/durability.h"
#include "copy/ledger.h"
#include "copy/preflight.h"
#include "copy/resume.h"

namespace copy {

using base::ErrorKind;

void require_same_databases(const Options& options, const RunDir& dir, bool with_source) {
  const auto& state = dir.state();
  const auto check = [&](const std::string& then, const std::string& now, const char* option) {
    if (then == now) return;
    throw base::Error(
        ErrorKind::usage,
        fmt::format("{} holds a finished run of {}, not of {}", dir.path().string(), then, now),
        fmt::format("check {}, name another --run-dir for a new run, or use --restart", option));
  };
  if (with_source) check(state.source, options.source.redacted(), "--source");
  check(state.target, options.target.redacted(), "--target");
}

void require_same_selection(const Options& options, const Plan& plan, const RunDir& dir) {
  if (plan.selection.empty()) return;
  const auto shown = [](const std::string& value) { return value.empty() ? "not given" : "'" + value + "'"; };
  for (const auto& [option, value] : selection_of(options)) {
    const auto found = plan.selection.find(option);
    const auto then = found == plan.selection.end() ? std::string() : found->second;
    if (value == then) continue;
    throw base::Error(ErrorKind::usage,
                      fmt::format("{} holds a run of another selection: {} was {}, and is {} now",
                                  dir.path().string(), option, shown(then), shown(value)),
                      "give the option as it was, name another --run-dir for a new run, or use --restart");
  }
}

void require_same_archive(const RunDir& dir, const std::filesystem::path& archive) {
  const auto refuse = [](const std::string& message) {
    throw base::Error(
        ErrorKind::usage, message,
        "give the archive that the run was begun with, name another --run-dir for a new run, or "
        "use --restart");
  };
  if (!std::filesystem::exists(archive / RunDir::kKeyFile))
    refuse(fmt::format("{} is not an archive: whether the run in {} was of it cannot be told",
                       archive.string(), dir.path().string()));
  if (RunDir::load_key(archive).hex() != dir.load_key().hex())
    refuse(
        fmt::format("{} holds a run of another archive, not of {}", dir.path().string(), archive.string()));
}

std::string require_still_there(pg::Connection& target, const Plan& plan, const RunDir& dir) {
  const auto fail = [&](const std::string& what, const char* hint) {
    throw base::Error(
        ErrorKind::permanent,
        fmt::format("the target does not have what the finished run in {} has copied: {} is not there",
                    dir.path().string(), what),
        hint);
  };
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds)
      fail(what,
           "was the database made anew, or the ledger dropped by a `clean`? cutover verify compares what is "
           "there; to copy again, name another --run-dir or use --restart");
  };
  const Ledger ledger(dir.state().run_id);
  const auto finished_at = ledger.finished_at(target);
  require(finished_at.has_value(), "its ledger (schema cutover)");
  require(kept_chunks(ledger, dir.state(), target) == dir.state().chunks.size(),
          "a part of its ledger (schema cutover)");
  const auto tables = existing_tables(target, plan);
  for (const auto& relation : plan.relations)
    require(relation.kind != Relation::Kind::table || tables.contains(relation.name),
            "table " + relation.display());
  if (!ledger.has_crash_mark(target))
    for (const auto& object : unlogged_objects(target, plan))
      fail("what was in the unlogged " + object,
           "the target's server has crashed since (or another one took over), which empties such tables: "
           "cutover repair brings over what is missing, and cutover verify says when nothing is any more; to "
           "copy again, use --restart");
  return *finished_at;
}

}  // namespace copy
