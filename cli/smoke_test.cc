#include "cli/smoke_test.h"

#include <functional>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/error.h"
#include "base/http.h"
#include "base/tcp.h"
#include "cli/authentication.h"
#include "cli/errors.h"
#include "cli/text.h"
#include "pg/connection.h"

namespace cli {
namespace {

/// Returns what is wrong; empty when nothing is.
using SmokeTest = std::function<std::string()>;

/// What the server says of a query may quote a part of it.
std::string problem_of(const base::Error& error, const FoundSecrets& secrets) {
  if (secrets.empty() || error.sqlstate().empty()) return error.message();
  return fmt::format("the server refused it, with SQLSTATE {}", error.sqlstate());
}

template <typename Check>
CheckResult try_out(const char* kind, const Check& check, const SmokeTest& test) {
  CheckResult result{.kind = kind, .name = sanitized_line(check.name)};
  const auto start = std::chrono::steady_clock::now();
  try {
    result.problem = test();
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::cancelled) throw;
    result.problem = problem_of(error, check.secrets);
  }
  result.problem = sanitized_line(check.secrets.hidden_in(std::move(result.problem)));
  result.exit_code = result.problem.empty() ? kEqual : kDifferent;
  result.took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  return result;
}

std::string try_http(const HttpCheck& check, const base::Stop& stop) {
  base::HttpClient client(std::make_shared<base::HttpShare>());
  const auto response = client.send({.url = check.url,
                                     .headers = check.headers,
                                     .connect_timeout = check.timeout,
                                     .timeout = check.timeout},
                                    stop);
  if (response.status != check.status)
    return fmt::format("it answered with status {}, not {}", response.status, check.status);
  if (response.body.find(check.contains) == std::string::npos)
    return fmt::format("its answer does not contain \"{}\"", check.contains);
  return {};
}

std::string try_sql(const SqlCheck& check, const pg::Conninfo& conninfo, const base::Stop& stop) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(check.timeout).count();
  // Not a pinned session: the query is the application's, with the search path that it would have.
  pg::Connection connection(conninfo.with_default("connect_timeout", std::to_string(seconds))
                                .with_default("application_name", "cutover check"),
                            stop);
  connection.exec(fmt::format("SET statement_timeout = {}; BEGIN READ ONLY", check.timeout.count()));
  const auto answer = connection.exec(check.query, {});
  constexpr pg::Oid kBoolean = 16;
  if (answer.columns() != 1 || answer.type(0) != kBoolean) return "it is no query of one boolean";
  if (answer.rows() != 1)
    return fmt::format("it answered with {}", counted(static_cast<uint64_t>(answer.rows()), "row"));
  return !answer.is_null(0, 0) && answer.boolean(0, 0) ? "" : "it is not true";
}

}  // namespace

std::vector<CheckResult> run_smoke_tests(const CheckOptions& options, const base::Stop& stop) {
  std::vector<CheckResult> results;
  for (const auto& check : options.http)
    results.push_back(try_out("http", check, [&] { return try_http(check, stop); }));
  for (const auto& check : options.tcp)
    results.push_back(try_out("tcp", check, [&] {
      base::try_connection(check.host, check.port, check.timeout, stop);
      return std::string();
    }));
  const auto connections = with_authentication(options.run, stop);
  for (const auto& check : options.sql)
    results.push_back(try_out("sql", check, [&] {
      return try_sql(check, check.on_source ? connections.source : connections.target, stop);
    }));
  return results;
}

}  // namespace cli
