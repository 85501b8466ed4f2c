#include "cli/databases.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/authentication.h"
#include "cli/errors.h"
#include "cli/text.h"

namespace cli {
namespace {

/// A name of a file for a database: slashes and the like would lead elsewhere.
std::string directory_name(const std::string& database) {
  std::string out;
  for (const char c : database) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || (c == '.' && !out.empty());
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string name_of(const DatabasePair& database) {
  return database.source == database.target ? database.source
                                            : fmt::format("{} -> {}", database.source, database.target);
}

DatabaseResult work_on(const Invocation& invocation, const copy::Options& options, const DatabaseWork& work) {
  try {
    return work(options);
  } catch (const base::Error& error) {
    invocation.log.report(error);
    return failed_result(error);
  }
}

std::string summary_of(const std::vector<DatabasePair>& databases,
                       const std::vector<DatabaseResult>& results) {
  size_t width = 0;
  for (const auto& database : databases)
    width = std::max(width, display_width(sanitized_line(name_of(database))));
  std::string out = "\n";
  for (size_t i = 0; i < databases.size(); ++i)
    out +=
        fmt::format("{}  {}\n", left_aligned(sanitized_line(name_of(databases[i])), width), results[i].line);
  return out;
}

Json whole_json(const std::vector<DatabasePair>& databases, const std::vector<DatabaseResult>& results,
                int exit_code) {
  Json out{{"version", 1}, {"exit_code", exit_code}, {"databases", Json::array()}};
  for (size_t i = 0; i < databases.size(); ++i) {
    Json one{{"database", databases[i].source}, {"target_database", databases[i].target}};
    one.update(results[i].json);
    out["databases"].push_back(std::move(one));
  }
  return out;
}

}  // namespace

DatabaseResult failed_result(const base::Error& error) {
  const auto code = exit_code_of(error);
  return {
      code,
      fmt::format("{}: {}", code == kIncomplete ? "INCOMPLETE" : "FAILED", sanitized_line(error.message())),
      Json{{"exit_code", code}, {"error", {{"message", error.message()}, {"hint", error.hint()}}}}};
}

copy::Options options_for(const copy::Options& options, const DatabasePair& database) {
  auto out = options;
  if (!options.source.parameters().empty()) out.source = options.source.with("dbname", database.source);
  if (!options.target.parameters().empty()) out.target = options.target.with("dbname", database.target);
  out.run_dir = options.run_dir / directory_name(database.source);
  out.one_of_several = true;
  if (options.archive) out.archive = *options.archive / directory_name(database.source);
  return out;
}

int for_each_database(const Invocation& invocation, const RunOptions& options, const DatabaseWork& work) {
  const auto authenticated = with_authentication(options, invocation.stop);
  if (options.databases.empty()) {
    const auto result = work(authenticated);
    if (options.json) invocation.print(json_text(result.json, 2) + "\n");
    invocation.on_result(result.line, result.json);
    return result.exit_code;
  }
  std::vector<DatabaseResult> results;
  int exit_code = kEqual;
  bool going_on = true;
  for (const auto& database : options.databases) {
    if (going_on) {
      spdlog::info("database {}", name_of(database));
      if (!options.json) invocation.print(fmt::format("== {} ==\n", sanitized_line(name_of(database))));
      results.push_back(work_on(invocation, options_for(authenticated, database), work));
      going_on =
          !invocation.stop.requested() && !(options.copy.fail_fast && results.back().exit_code != kEqual);
    } else {
      results.push_back({kIncomplete, "INCOMPLETE: not started", Json{{"exit_code", kIncomplete}}});
    }
    exit_code = worse(exit_code, results.back().exit_code);
    invocation.on_result(fmt::format("{}: {}", sanitized_line(name_of(database)), results.back().line),
                         results.back().json);
  }
  if (options.json) {
    invocation.print(json_text(whole_json(options.databases, results, exit_code), 2) + "\n");
  } else {
    invocation.print(summary_of(options.databases, results));
  }
  return exit_code;
}

}  // namespace cli
