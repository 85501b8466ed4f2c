#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/stop.h"
#include "cli/demo_servers.h"
#include "pg/connection.h"

namespace cli {

/// The database that `cutover demo` moves (cli/demo): a delivery company's, with every kind of object that
/// PostgreSQL 15 has, and beside it a shop's tables as Prisma's migrations would make them, with some 60 MB
/// of rows.
class DemoDatabase {
 public:
  static constexpr const char* kName = "atlas";

  /// Puts the scripts into `directory`.
  DemoDatabase(const DemoServers& servers, std::filesystem::path directory, base::Stop stop);

  /// Makes it at the source; at the target an empty one, with what no copy brings along: the roles, and an
  /// extension's own tables. Throws Error{usage} when these servers cannot have it.
  void make() const;
  /// "9 schemas, 91 tables, …": what is in it, as its catalog says.
  std::string contents() const;

  pg::Connection at_source() const;
  pg::Connection at_target() const;

 private:
  void require_servers_to_have_it() const;
  void run_scripts(const std::string& url, const std::vector<std::string>& names) const;

  const DemoServers& servers_;
  std::filesystem::path directory_;
  base::Stop stop_;
};

/// The files that the shop's table "Document" mentions, under `directory`.
void make_demo_files(const std::filesystem::path& directory);

}  // namespace cli
