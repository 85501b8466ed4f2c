#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace cli {

/// An [upload] or [[upload]] of cutover.toml.
struct DeclaredUpload {
  std::string from;         ///< the directory
  std::string to;           ///< s3://…
  std::string verify = {};  ///< "list", "download=5%"; empty: nobody says
};

/// Those of the configuration file that is in force, in its order. Throws Error{usage} for one that lacks its
/// directory or bucket, or stands there twice: nobody could tell their results apart.
std::vector<DeclaredUpload> declared_uploads(const GlobalOptions& globals);

/// Commands that work together on one move share its environment. Throws Error{usage} for a variable that is
/// set and means one thing to one of them, and another to another: CUTOVER_INCLUDE, tables and files.
void require_one_meaning(std::span<const std::string_view> commands);

/// Do the environment or the file say anything of a command's option? "verify", "--strong".
bool is_declared(const GlobalOptions& globals, std::string_view command, std::string_view option);

}  // namespace cli
