#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace support {

/// Of one statement, text format; nullopt is NULL.
using Rows = std::vector<std::vector<std::optional<std::string>>>;

struct ClusterOptions {
  std::vector<std::string> settings = {};  ///< lines for postgresql.conf, after ours
};

enum class StopMode { fast, immediate };

/// A private PostgreSQL server in a temporary directory: user postgres, trust on 127.0.0.1 and on a socket,
/// fsync and autovacuum off, UTF8 with locale C.UTF-8. It runs as the user postgres when we are root, else as
/// us. If this process dies, however it does, a watchdog shuts the server down and removes the directory.
///
/// The port stays the same over stop() and start(), so urls stay true. It lies below the kernel's range for
/// outgoing connections: in that range a client that retries a stopped server can end up connected to itself.
class Cluster {
 public:
  explicit Cluster(int major, const ClusterOptions& options = {});
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  int major() const { return major_; }
  int port() const { return port_; }
  std::string url(std::string_view database = "postgres", std::string_view user = "postgres",
                  std::string_view password = {}) const;
  std::filesystem::path data_directory() const { return directory_ / "data"; }
  std::filesystem::path socket_directory() const { return directory_ / "socket"; }

  /// Returns once the server accepts connections.
  void start();
  void stop(StopMode mode = StopMode::fast);
  void restart(StopMode mode = StopMode::fast);
  /// SIGKILL to every process of the server, as a crash of its machine would look to a client.
  void kill9();
  bool running() const { return postmaster_ != nullptr; }
  /// What the running server wrote to its log since it was started.
  std::string log() const;
  /// Appends to postgresql.conf; call restart() for it to count.
  void add_setting(std::string_view line);
  /// From now on `role` needs its password (scram-sha-256) on TCP.
  void require_password(std::string_view role);
  /// Puts a line in front of pg_hba.conf and waits until it counts.
  void add_access_rule(std::string_view line);

  /// One or several statements on a connection of their own (as postgres, through the socket); the last one's
  /// rows.
  Rows exec(std::string_view database, std::string_view sql) const;
  /// The first column of the first row; throws if there is none.
  std::string value(std::string_view database, std::string_view sql) const;
  /// Polls `sql` until it returns true; a server that is not there yet counts as false.
  void wait_until(std::string_view database, std::string_view sql,
                  std::chrono::milliseconds deadline = std::chrono::seconds(30)) const;
  /// Runs a script with psql (-X, ON_ERROR_STOP); throws with its output if it fails.
  void psql_file(std::string_view database, const std::filesystem::path& script,
                 const std::map<std::string, std::string>& variables = {}) const;
  /// `options` as in CREATE DATABASE: "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'".
  void create_database(std::string_view name, std::string_view options = {}) const;
  /// Ends its sessions first.
  void drop_database(std::string_view name) const;

 private:
  class Watchdog;
  void create_data_directory() const;
  std::string socket_conninfo(std::string_view database) const;
  bool try_start();

  int major_;
  std::filesystem::path programs_;
  TempDir directory_;
  int port_ = 0;
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Process> postmaster_;
};

/// The directory of initdb and postgres. 15 is Debian's; others come from `./dev setup postgres`, which puts
/// them into $CUTOVER_PG_BINARIES, .cache/postgres or /var/tmp/cutover-postgres. Throws if there is none.
std::filesystem::path server_programs(int major);

/// A server shared by the tests of this process: started by the first call, stopped at exit. Tests use
/// databases of their own in it, and leave its settings and roles as they were; a test that stops or
/// reconfigures a server makes a Cluster.
Cluster& cluster(int major = 15, const std::string& name = "source");

/// A new database with a name of its own, dropped at the end.
class TestDatabase {
 public:
  explicit TestDatabase(const Cluster& cluster, std::string_view options = {});
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;
  ~TestDatabase();

  const Cluster& cluster() const { return cluster_; }
  const std::string& name() const { return name_; }
  std::string url(std::string_view user = "postgres", std::string_view password = {}) const {
    return cluster_.url(name_, user, password);
  }
  Rows exec(std::string_view sql) const { return cluster_.exec(name_, sql); }
  std::string value(std::string_view sql) const { return cluster_.value(name_, sql); }
  void wait_until(std::string_view sql, std::chrono::milliseconds deadline = std::chrono::seconds(30)) const {
    cluster_.wait_until(name_, sql, deadline);
  }
  void psql_file(const std::filesystem::path& script,
                 const std::map<std::string, std::string>& variables = {}) const {
    cluster_.psql_file(name_, script, variables);
  }

 private:
  const Cluster& cluster_;
  std::string name_;
};

/// A new role with a name of its own, dropped at the end: make it before the databases where it owns things.
class TestRole {
 public:
  /// `options` as in CREATE ROLE: "LOGIN PASSWORD 'x'".
  explicit TestRole(const Cluster& cluster, std::string_view options = "LOGIN");
  TestRole(const TestRole&) = delete;
  TestRole& operator=(const TestRole&) = delete;
  ~TestRole();
  const std::string& name() const { return name_; }

 private:
  const Cluster& cluster_;
  std::string name_;
};

/// Runs statements on a connection to `url`; the last one's rows.
Rows exec_url(const std::string& url, std::string_view sql);

}  // namespace support
