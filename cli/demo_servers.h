#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/stop.h"

namespace cli {

/// A PostgreSQL server of `cutover demo`, made in a directory and gone with it: on 127.0.0.1 and a free port,
/// with a password that nobody else on this machine knows. For root it runs as the user postgres, to whom the
/// directory belongs.
class DemoServer {
 public:
  /// `programs`: where initdb and pg_ctl are.
  DemoServer(const std::filesystem::path& programs, const std::filesystem::path& directory,
             const std::string& name, const base::Stop& stop);
  ~DemoServer();
  DemoServer(const DemoServer&) = delete;
  DemoServer& operator=(const DemoServer&) = delete;

  /// postgres://postgres:PASSWORD@127.0.0.1:PORT/DATABASE
  std::string url(const std::string& database) const;

 private:
  DemoServer(std::filesystem::path programs, std::filesystem::path directory, const std::string& name);
  void make(const base::Stop& stop) const;
  void start(const base::Stop& stop);
  void run(const std::string& program, std::vector<std::string> arguments, const base::Stop& stop) const;

  std::filesystem::path programs_;
  std::filesystem::path directory_;
  std::filesystem::path data_;
  std::string password_;
  int port_ = 0;
};

/// Both of them, with the programs of the newest PostgreSQL on this machine.
class DemoServers {
 public:
  /// Throws Error{usage} when there is no initdb.
  DemoServers(const std::filesystem::path& directory, const base::Stop& stop);

  std::string source(const std::string& database) const { return source_.url(database); }
  std::string target(const std::string& database) const { return target_.url(database); }
  /// The program of the same version. Throws Error{usage} when there is none.
  std::filesystem::path psql() const;

 private:
  std::filesystem::path programs_;
  DemoServer source_;
  DemoServer target_;
};

}  // namespace cli
