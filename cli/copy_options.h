#pragma once

#include <vector>

#include "cli/option_set.h"
#include "cli/option_values.h"
#include "copy/options.h"

namespace cli {

/// Where the password of a connection comes from.
enum class Authentication {
  password,  ///< the URL and libpq's own places
  rds_iam,   ///< a token for each connection, signed with AWS credentials
};

/// What the commands that work on databases share: the engine's options, and how the program goes about it.
struct RunOptions {
  copy::Options copy;
  Authentication source_authentication = Authentication::password;
  Authentication target_authentication = Authentication::password;
  std::vector<DatabasePair>
      databases;         ///< several databases, one after the other; empty: the one of the URLs
  bool yes = false;      ///< every question is answered with yes
  bool dry_run = false;  ///< plan only
  bool json = false;     ///< JSON instead of text on standard output
};

/// What is copied: --include, --exclude, --where, --schema.
void add_selection_options(OptionSet& set, RunOptions& options);
/// What is compared: --include, --exclude, --where.
void add_comparison_selection(OptionSet& set, RunOptions& options);
/// How it is read: --jobs, --split-size, --retry-for.
void add_reading_options(OptionSet& set, RunOptions& options);
/// What becomes of roles: --role-map, --no-owners, --no-grants.
void add_role_options(OptionSet& set, RunOptions& options);
/// How it is done: --jobs, --split-size, --retry-for, --pg-bin-dir, …
void add_work_options(OptionSet& set, RunOptions& options);
void add_index_jobs_option(OptionSet& set, RunOptions& options);
/// What may be thrown away: --overwrite, --restart.
void add_rewrite_options(OptionSet& set, RunOptions& options);
void add_archive_option(OptionSet& set, RunOptions& options, std::string help);
void add_databases_option(OptionSet& set, RunOptions& options);
void add_yes_option(OptionSet& set, RunOptions& options);

/// Throws Error{usage} when export or import has no --archive.
void require_archive(const copy::Options& options);

}  // namespace cli
