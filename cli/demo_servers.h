#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/stop.h"

namespace cli {

/// Two PostgreSQL servers of `cutover demo`, made in a directory and gone with it: on 127.0.0.1 and free
/// ports, with the programs of the newest PostgreSQL on this machine. For root they run as the user postgres.
class DemoServers {
 public:
  /// Throws Error{usage} when there is no initdb.
  DemoServers(std::filesystem::path directory, base::Stop stop);
  ~DemoServers();
  DemoServers(const DemoServers&) = delete;
  DemoServers& operator=(const DemoServers&) = delete;

  /// postgres://postgres@127.0.0.1:PORT/DATABASE
  std::string source(const std::string& database) const { return url(source_port_, database); }
  std::string target(const std::string& database) const { return url(target_port_, database); }

 private:
  static std::string url(int port, const std::string& database);
  int start(const std::string& name);
  void run(const std::string& program, std::vector<std::string> arguments, const base::Stop& stop) const;

  std::filesystem::path programs_;
  std::filesystem::path directory_;
  base::Stop stop_;
  int source_port_ = 0;
  int target_port_ = 0;
};

}  // namespace cli
