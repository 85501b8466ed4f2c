#pragma once

#include <string>

#include "cli/copy_options.h"
#include "cli/option_set.h"
#include "s3/options.h"

namespace cli {

/// What `cutover upload` is told.
struct UploadCommand {
  s3::UploadOptions upload;
  std::string directory;
  std::string target;        ///< s3://…
  std::string endpoint_url;  ///< empty: AWS
  std::string region;        ///< empty: from the environment and the profile, and then as the bucket says
  std::string profile;
  Authentication database_authentication = Authentication::password;  ///< of --database
  RunOptions move;  ///< of which, where --refs looks without --database: target and databases
  bool path_style = false;
  bool fips = false;
  bool dualstack = false;
  bool requester_pays = false;
  bool dry_run = false;
  bool verify_only = false;
  bool level_given = false;  ///< --verify
  bool json = false;
};

/// "none", "list", "checksum", "download" or "download=5%".
void set_verification(s3::UploadOptions& options, const std::string& text);

void add_upload_options(OptionSet& set, UploadCommand& command);
/// What can only be checked when everything is known. Throws Error{usage}.
void complete_upload_options(UploadCommand& command);

}  // namespace cli
