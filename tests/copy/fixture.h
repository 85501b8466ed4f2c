#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/build.h"
#include "tests/support/cluster.h"
#include "tests/support/database_digest.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"
#include "tests/support/temp_dir.h"

namespace copy::test {

using Arguments = std::vector<std::string>;

/// Many chunks out of little data.
inline const Arguments kTinyChunks{"--split-size", "8kB", "--jobs", "4"};

inline support::Cluster& source_server(int major = 15) { return support::cluster(major, "source"); }
inline support::Cluster& target_server(int major = 15) { return support::cluster(major, "target"); }

using support::data_file;

/// EXPECT_TRUE(exits(move.copy(), 0)): shows what the program said when it ended otherwise.
inline ::testing::AssertionResult exits(const support::ProcessResult& result, int code) {
  if (result.exit_code == code) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "exit code " << result.exit_code << " instead of " << code << "\n"
                                       << result.output << result.error;
}

/// Everything the program said.
inline std::string text_of(const support::ProcessResult& result) { return result.output + result.error; }

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void spill(const std::filesystem::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

using Digests = std::map<std::string, std::string>;

/// "table public.t: 5 rows … instead of 6 rows …" of each object that differs.
/// Columns need quotes in one version and not in another.
inline std::vector<std::string> differences(Digests found, Digests expected) {
  std::vector<std::string> out;
  for (auto* digests : {&found, &expected})
    for (auto& [name, digest] : *digests) std::erase(digest, '"');
  for (const auto& [name, digest] : expected)
    if (const auto at = found.find(name); at == found.end()) {
      out.push_back(name + " is missing");
    } else if (at->second != digest) {
      out.push_back(name + ": " + at->second + " instead of " + digest);
    }
  for (const auto& [name, digest] : found)
    if (!expected.contains(name)) out.push_back(name + " should not be there: " + digest);
  return out;
}

inline std::vector<std::string> differences(const support::TestDatabase& target,
                                            const support::TestDatabase& source) {
  return differences(support::database_digest(target.url()), support::database_digest(source.url()));
}

/// Lines of the source's schema that the target's lacks ("-") or has beside them ("+").
inline std::vector<std::string> schema_differences(const support::TestDatabase& target,
                                                   const support::TestDatabase& source) {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  };
  const auto found = lines(support::schema_dump(target.url()));
  const auto expected = lines(support::schema_dump(source.url()));
  if (found == expected) return {};
  std::vector<std::string> out{"the dumps differ"};
  std::multiset<std::string> left(found.begin(), found.end());
  for (const auto& line : expected)
    if (const auto at = left.find(line); at != left.end()) {
      left.erase(at);
    } else {
      out.push_back("- " + line);
    }
  for (const auto& line : left) out.push_back("+ " + line);
  return out;
}

/// Copies from `source` to `target`, each a URL, with a run directory of its own.
class Copy {
 public:
  Copy(std::string source, std::string target) : source_(std::move(source)), target_(std::move(target)) {}

  std::filesystem::path run_dir() const { return directory_ / "run"; }
  std::filesystem::path path(const std::string& name) const { return directory_ / name; }

  support::ProcessResult run(const std::string& command, const Arguments& more = {},
                             const support::ProcessOptions& options = {}) const {
    return support::cutover(arguments(command, more), options);
  }
  support::ProcessResult copy(const Arguments& more = {}) const { return run("copy", more); }
  /// A copy that is killed at the crash point.
  void crash_at(const std::string& point, const Arguments& more = {}) const {
    EXPECT_TRUE(exits(run("copy", more, {.environment = {{"CUTOVER_CRASH_AT", point}}}), 128 + SIGKILL));
  }
  support::ProcessResult clean() const {
    return support::cutover({"clean", "--yes", "--target", target_, "--run-dir", run_dir()});
  }
  Arguments arguments(const std::string& command, const Arguments& more) const {
    Arguments all{command, "--no-progress"};
    if (command != "import") all.insert(all.end(), {"--source", source_});
    if (command != "export") all.insert(all.end(), {"--target", target_, "--run-dir", run_dir()});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// What the last command left in the run directory.
  nlohmann::json report() const { return nlohmann::json::parse(slurp(run_dir() / "report.json")); }

 private:
  std::string source_;
  std::string target_;
  support::TempDir directory_;
};

/// Waits until the status of a run that is under way satisfies `is_reached`.
inline void wait_for_status(const Copy& way, const std::function<bool(const nlohmann::json&)>& is_reached) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    const auto status = support::cutover({"status", way.run_dir(), "--json"});  // fails while there is no run
    if (status.exit_code == 0 && is_reached(nlohmann::json::parse(status.output))) return;
    ASSERT_LT(std::chrono::steady_clock::now(), end) << text_of(status);
  }
}

/// A new database on either side, and the way between them.
class Move {
 public:
  explicit Move(std::string_view source_sql = {}, std::string_view target_sql = {}, int source_major = 15,
                int target_major = 15)
      : source(source_server(source_major)),
        target(target_server(target_major)),
        way(source.url(), target.url()) {
    if (!source_sql.empty()) source.exec(source_sql);
    if (!target_sql.empty()) target.exec(target_sql);
  }

  support::ProcessResult copy(const Arguments& more = {}) const { return way.copy(more); }
  /// Copies and expects success and equality, by the program's reckoning and by ours.
  void expect_equal_copy(const Arguments& more = {}) const {
    EXPECT_TRUE(exits(copy(more), 0));
    expect_equal();
  }
  void expect_equal() const { EXPECT_THAT(differences(target, source), ::testing::IsEmpty()); }
  void expect_equal_schema() const { EXPECT_THAT(schema_differences(target, source), ::testing::IsEmpty()); }

  support::TestDatabase source;
  support::TestDatabase target;
  Copy way;
};

}  // namespace copy::test
