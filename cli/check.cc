#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/http.h"
#include "base/tcp.h"
#include "cli/authentication.h"
#include "cli/check_options.h"
#include "cli/commands.h"
#include "cli/connection_options.h"
#include "cli/errors.h"
#include "cli/output.h"
#include "cli/text.h"
#include "pg/connection.h"

namespace cli {
namespace {

struct CheckResult {
  std::string kind;  ///< "http", "tcp", "sql"
  std::string name;
  std::string problem;  ///< empty: it holds
  std::chrono::milliseconds took{0};
};

/// Returns what is wrong; empty when nothing is.
using CheckWork = std::function<std::string()>;

CheckResult run_check(std::string kind, const std::string& name, const CheckWork& work) {
  CheckResult result{std::move(kind), sanitized_line(name), {}};
  const auto start = std::chrono::steady_clock::now();
  try {
    result.problem = sanitized_line(work());
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::cancelled) throw;
    result.problem = sanitized_line(error.message());
  }
  result.took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  return result;
}

std::string check_http(const HttpCheck& check, const base::Stop& stop) {
  base::HttpClient client(std::make_shared<base::HttpShare>());
  const auto response =
      client.send({.url = check.url, .connect_timeout = check.timeout, .timeout = check.timeout}, stop);
  if (response.status != check.status)
    return fmt::format("it answered with status {}, not {}", response.status, check.status);
  if (response.body.find(check.contains) == std::string::npos)
    return fmt::format("its answer does not contain \"{}\"", check.contains);
  return {};
}

std::string check_sql(const SqlCheck& check, const pg::Conninfo& conninfo, const base::Stop& stop) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(check.timeout).count();
  // Not a pinned session: the query is the application's, with the search path that it would have.
  pg::Connection connection(conninfo.with_default("connect_timeout", std::to_string(seconds)), stop);
  connection.exec(fmt::format("SET statement_timeout = {}; BEGIN READ ONLY", check.timeout.count()));
  const auto answer = connection.exec(check.query, {});
  constexpr pg::Oid kBoolean = 16;
  if (answer.columns() != 1 || answer.type(0) != kBoolean) return "it is no query of one boolean";
  if (answer.rows() != 1)
    return fmt::format("it answered with {}", counted(static_cast<uint64_t>(answer.rows()), "row"));
  return !answer.is_null(0, 0) && answer.boolean(0, 0) ? "" : "it is not true";
}

std::vector<CheckResult> run_checks(const CheckOptions& options, const base::Stop& stop) {
  std::vector<CheckResult> results;
  for (const auto& check : options.http)
    results.push_back(run_check("http", check.name, [&] { return check_http(check, stop); }));
  for (const auto& check : options.tcp)
    results.push_back(run_check("tcp", check.name, [&] {
      base::try_connection(check.host, check.port, check.timeout, stop);
      return std::string();
    }));
  const auto connections = with_authentication(options.run, stop);
  for (const auto& check : options.sql)
    results.push_back(run_check("sql", check.name, [&] {
      return check_sql(check, check.on_source ? connections.source : connections.target, stop);
    }));
  return results;
}

std::string checks_text(const std::vector<CheckResult>& results) {
  const auto failed =
      std::ranges::find_if(results, [](const auto& result) { return !result.problem.empty(); });
  std::string out = failed == results.end()
                        ? fmt::format("GO: {} passed\n", counted(results.size(), "check"))
                        : fmt::format("NO-GO: {} {}: {}\n", failed->kind, failed->name, failed->problem);
  for (const auto& result : results)
    out += fmt::format("  {}  {:4}  {} ({}){}\n", result.problem.empty() ? "ok    " : "failed", result.kind,
                       result.name, base::human_duration(result.took),
                       result.problem.empty() ? "" : ": " + result.problem);
  return out;
}

Json checks_json(const std::vector<CheckResult>& results, int exit_code) {
  Json out{{"version", 1},
           {"command", "check"},
           {"verdict", exit_code == kEqual ? "go" : "no-go"},
           {"exit_code", exit_code},
           {"checks", Json::array()}};
  for (const auto& result : results) {
    Json one{{"kind", result.kind}, {"name", result.name}, {"holds", result.problem.empty()}};
    one["problem"] = result.problem;
    one["seconds"] = base::seconds_of(result.took);
    out["checks"].push_back(std::move(one));
  }
  return out;
}

void require_checks(const CheckOptions& options) {
  if (options.http.empty() && options.tcp.empty() && options.sql.empty())
    throw base::Error(base::ErrorKind::usage, "there is nothing to check, and so no GO",
                      "declare checks in cutover.toml ([[check.http]], [[check.tcp]], [[check.sql]]) or give "
                      "--http, --tcp, --sql");
  for (const auto& check : options.sql) {
    if (check.on_source) require_source(options.run.copy);
    if (!check.on_source) require_target(options.run.copy);
  }
}

int run_check_command(const Invocation& invocation, const CheckOptions& options) {
  require_checks(options);
  const auto results = run_checks(options, invocation.stop);
  const bool go = std::ranges::all_of(results, [](const auto& result) { return result.problem.empty(); });
  const int exit_code = go ? kEqual : kDifferent;
  print(options.run.json ? json_text(checks_json(results, exit_code), 2) + "\n" : checks_text(results));
  return exit_code;
}

}  // namespace

Run set_up_check(OptionSet& set) {
  auto options = std::make_shared<CheckOptions>();
  set.describe(
      "Smoke tests of the new stack before the switch, declared in cutover.toml: does it answer over HTTP, "
      "can "
      "what it needs be reached, does its database say what it should? Each one has a time limit. GO, and "
      "exit "
      "code 0, only if all of them hold; else NO-GO with the first reason, and 1. It writes nothing.");
  set.example("what cutover.toml declares", "cutover check");
  set.example("by hand", "cutover check --http https://new.example/api/health --tcp redis.internal:6379");
  set.example(
      "the new database",
      "cutover check --sql 'SELECT count(*) > 0 FROM drivers' --target postgres://app@new.example/app");
  add_check_options(set, *options);
  return [options](const Invocation& invocation) { return run_check_command(invocation, *options); };
}

}  // namespace cli
