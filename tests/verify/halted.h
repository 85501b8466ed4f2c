#pragma once

#include <optional>
#include <string>

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {

inline constexpr const char* kTwo =
    "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'x'), (2, 'y');"
    "CREATE TABLE b (id int PRIMARY KEY, v text); INSERT INTO b VALUES (1, 'x');";

/// A condition on a table's rows that waits for an advisory lock where they are read.
inline std::string waits(const std::string& table) {
  return table + "=pg_advisory_lock_shared(42) IS NOT NULL";
}

/// A comparison that stands still in the middle, where reading a table of one side asks for an advisory lock
/// that the test holds.
class Halted {
 public:
  explicit Halted(const Pair& pair) : Halted(pair, pair.target) {}
  /// `there`: one of the pair. `port`: the one to reach it by, instead of its own.
  Halted(const Pair& pair, const support::TestDatabase& there, const Arguments& more = {}, int port = 0)
      : Halted(there, Tag()) {
    const auto url = [&](const support::TestDatabase& database) {
      return &database == &there ? url_by(there, port) : database.url();
    };
    Arguments arguments{"--source",       url(pair.source), "--target",
                        url(pair.target), "--where",        waits("public.a")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    start(arguments);
  }
  /// After a copy whose rows of public.a had to satisfy waits(): of its target alone.
  explicit Halted(const copy::test::Move& move, const Arguments& more = {}, int port = 0)
      : Halted(move.target, Tag()) {
    Arguments arguments{"--target", url_by(move.target, port), "--run-dir", move.way.run_dir()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    start(arguments);
  }

  void exec(const std::string& expression) const { there_.exec("SELECT " + expression + kWaiting); }
  Verdict go_on() {
    holder_.exec("SELECT pg_advisory_unlock(42)");
    Verdict verdict{process_->wait(), {}};
    verdict.report = json::parse(copy::test::slurp(directory_ / "report.json"));
    return verdict;
  }
  support::Process& process() { return *process_; }

 private:
  struct Tag {};
  static constexpr const char* kWaiting =
      " FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";

  Halted(const support::TestDatabase& there, Tag /*unused*/) : there_(there), holder_(there.url()) {
    holder_.exec("SELECT pg_advisory_lock(42)");
  }
  static std::string url_by(const support::TestDatabase& database, int port) {
    return port == 0 ? database.url()
                     : fmt::format("postgres://postgres@127.0.0.1:{}/{}", port, database.name());
  }
  void start(const Arguments& more) {
    Arguments arguments{"verify", "--no-progress", "--jobs", "1", "--report", directory_ / "report.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    process_.emplace(support::cutover_program(), arguments);
    there_.wait_until(std::string("SELECT count(*) = 1") + kWaiting);
  }

  const support::TestDatabase& there_;
  support::Session holder_;
  support::TempDir directory_;
  std::optional<support::Process> process_;
};

}  // namespace verify::test
