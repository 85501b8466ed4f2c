#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/copy_options.h"

namespace cli {

/// What came of one database.
struct DatabaseResult {
  int exit_code = 0;
  std::string line;  ///< for the summary: "EQUAL: …"
  Json json;         ///< empty when the command has none
};
/// Of work that ended with an error.
DatabaseResult failed_result(const base::Error& error);
using DatabaseWork = std::function<DatabaseResult(const copy::Options&)>;

/// The options for one of several databases: its name in both URLs, and a subdirectory of its own in the run
/// directory and the archive.
copy::Options options_for(const copy::Options& options, const DatabasePair& database);

/// Does the work for the database of the URLs, or for each of --databases, one after the other, with a
/// summary at the end. A database that cannot be worked on is reported and the next one is taken, unless the
/// user stopped the program or wants --fail-fast. With --json the results are one document. Whoever runs this
/// command gets each result. Returns the worst exit code.
int for_each_database(const Invocation& invocation, const RunOptions& options, const DatabaseWork& work);

}  // namespace cli
