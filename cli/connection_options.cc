#include "cli/connection_options.h"

#include <algorithm>

#include "base/error.h"
#include "cli/authentication.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* kUrlForm = "postgres://USER:PASSWORD@HOST:PORT/DBNAME?sslmode=require";

void require(const pg::Conninfo& conninfo, const std::string& side, const std::string& variable) {
  if (!conninfo.parameters().empty()) return;
  throw Error(ErrorKind::usage, "no " + side + " was given",
              "give --" + side + " URL or set " + variable + ", as " + kUrlForm);
}

}  // namespace

void add_source_option(OptionSet& set, RunOptions& options) {
  set.value("--source", "URL",
            "the database to copy from: a postgres:// URL or a libpq keyword string. PGPASSFILE and "
            "PGSERVICE work. In "
            "CUTOVER_SOURCE nobody sees its password",
            "",
            [&options](const std::string& text) {
              // Empty takes back what the environment or cutover.toml says: verify --run-dir does without.
              options.copy.source = text.empty() ? pg::Conninfo() : pg::Conninfo::parse(text);
            })
      .at("source.url")
      .hidden();
  add_authentication_option(set, "source", options.source_authentication).at("source.auth");
}

void add_target_option(OptionSet& set, RunOptions& options) {
  set.value("--target", "URL", "the database to copy to, in the same form; it must exist", "",
            [&options](const std::string& text) { options.copy.target = pg::Conninfo::parse(text); })
      .at("target.url")
      .hidden();
  add_authentication_option(set, "target", options.target_authentication).at("target.auth");
}

void add_run_dir_option(OptionSet& set, copy::Options& options) {
  set.value(
         "--run-dir", "DIR",
         "where the run keeps its journal, plan and report. The same command on the same directory resumes",
         "./" + options.run_dir.string(), [&options](const std::string& text) { options.run_dir = text; })
      .in("copy");
}

void require_source(const copy::Options& options) { require(options.source, "source", "CUTOVER_SOURCE"); }
void require_target(const copy::Options& options) { require(options.target, "target", "CUTOVER_TARGET"); }

void require_both(const copy::Options& options, const std::vector<DatabasePair>& databases) {
  require_source(options);
  require_target(options);
  const auto same = [&](const char* keyword) {
    return options.source.get(keyword) == options.target.get(keyword);
  };
  if (!same("host") || !same("hostaddr") || !same("port") || !same("service")) return;
  bool same_database = same("dbname");
  // By libpq's default, a database that is not named is the user's.
  if (options.source.get("dbname").empty()) same_database = same_database && same("user");
  if (!databases.empty())
    same_database =
        std::ranges::any_of(databases, [](const auto& pair) { return pair.source == pair.target; });
  if (!same_database) return;
  throw Error(ErrorKind::usage, "source and target are the same database: " + options.source.redacted(),
              "check --source and --target (CUTOVER_SOURCE and CUTOVER_TARGET)");
}

}  // namespace cli
