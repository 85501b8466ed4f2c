#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"

namespace cli {

/// An [upload] or [[upload]] of cutover.toml.
struct DeclaredUpload {
  std::string from;  ///< the directory
  std::string to;    ///< s3://…
};

/// Those of the configuration file that is in force, in its order. Throws Error{usage} for one that lacks its
/// directory or bucket.
std::vector<DeclaredUpload> declared_uploads(const GlobalOptions& globals);

/// Does the file or the environment have a smoke test for `cutover check`?
bool declares_smoke_tests(const GlobalOptions& globals);

}  // namespace cli
