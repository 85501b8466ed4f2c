#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/copy/fixture.h"

namespace verify::test {

using copy::test::Arguments;
using copy::test::data_file;
using copy::test::exits;
using copy::test::source_server;
using copy::test::target_server;
using copy::test::text_of;
using nlohmann::json;

/// The result of one comparison, as the program reports it.
struct Verdict {
  support::ProcessResult process;
  json report;

  int code() const { return process.exit_code; }
  json table(const std::string& name) const {
    for (const auto& table : report.at("tables"))
      if (table.at("name") == name) return table;
    return {};
  }
  std::string state(const std::string& name) const {
    const auto found = table(name);
    return found.is_null() ? "not there" : found.at("state").get<std::string>();
  }
  /// Names of tables in that state.
  std::vector<std::string> in_state(const std::string& state) const {
    std::vector<std::string> out;
    for (const auto& table : report.at("tables"))
      if (table.at("state") == state) out.push_back(table.at("name"));
    std::ranges::sort(out);
    return out;
  }
  /// "changed {"id":"3"} v" of each differing row of a table.
  std::vector<std::string> rows(const std::string& name) const {
    std::vector<std::string> out;
    const auto found = table(name);
    if (found.is_null() || !found.contains("rows")) return out;
    for (const auto& row : found.at("rows").at("first")) {
      std::string text = row.at("difference").get<std::string>() + " " + row.at("key").dump();
      for (const auto& column : row.at("columns")) text += " " + column.get<std::string>();
      out.push_back(text);
    }
    std::ranges::sort(out);
    return out;
  }
  /// "object: message" of "differences", "unchecked", "skipped" or "notes".
  std::vector<std::string> remarks(const std::string& member) const {
    std::vector<std::string> out;
    for (const auto& remark : report.at(member))
      out.push_back(remark.at("object").get<std::string>() + ": " + remark.at("message").get<std::string>());
    return out;
  }
  /// "kind object property" of what the catalogs differ in.
  std::vector<std::string> definitions() const {
    std::vector<std::string> out;
    for (const auto& difference : report.at("catalog").at("differences")) {
      auto line = difference.at("kind").get<std::string>() + " " + difference.at("object").get<std::string>();
      if (const auto property = difference.at("property").get<std::string>(); !property.empty())
        line += " " + property;
      out.push_back(std::move(line));
    }
    return out;
  }
  std::string text() const { return text_of(process) + report.dump(1); }
};

inline Verdict compare(const std::string& source, const std::string& target, const Arguments& more = {}) {
  const support::TempDir directory;
  Arguments arguments{"verify", "--no-progress", "--target", target, "--report", directory / "report.json"};
  if (!source.empty()) arguments.insert(arguments.end(), {"--source", source});
  arguments.insert(arguments.end(), more.begin(), more.end());
  Verdict verdict{support::cutover(arguments), {}};
  const auto text = copy::test::slurp(directory / "report.json");
  verdict.report = text.empty() ? json{{"tables", json::array()}} : json::parse(text);
  return verdict;
}

/// Two databases, and the comparison of them.
struct Pair {
  explicit Pair(std::string_view source_sql = {}, std::string_view target_sql = {}, int source_major = 15,
                int target_major = 15)
      : source(source_server(source_major)), target(target_server(target_major)) {
    if (!source_sql.empty()) source.exec(source_sql);
    if (!target_sql.empty()) target.exec(target_sql);
  }
  Verdict compare(const Arguments& more = {}) const {
    return test::compare(source.url(), target.url(), more);
  }

  support::TestDatabase source;
  support::TestDatabase target;
};

}  // namespace verify::test
