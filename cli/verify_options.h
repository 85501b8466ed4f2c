#pragma once

#include <filesystem>
#include <optional>

#include "cli/copy_options.h"
#include "verify/options.h"

namespace cli {

struct VerifyOptions {
  RunOptions run;  ///< connections, databases, selection, jobs; what the command shares with the others
  /// Of a copy, whose digests are used; nothing: both sides are read.
  std::optional<std::filesystem::path> run_dir;
  bool independent = false;  ///< the source is read although a copy recorded its digests
  verify::Level level = verify::Level::rows;
  std::vector<verify::CatalogWaiver> waivers;
  std::string objects = "checksum";  ///< how an upload is compared, as `cutover upload --verify` has it
  bool strong = false;               ///< a cryptographic hash
  bool server_side = false;          ///< the servers digest
  std::optional<std::filesystem::path> resume;
  unsigned recheck = 0;
  unsigned max_rows = 20;
  unsigned max_differences = 1'000'000;
  uint64_t row_memory = verify::Options().row_memory;
  bool show_values = false;
  std::optional<std::filesystem::path> differences_file;
  std::optional<std::filesystem::path> report_file;
  std::optional<std::filesystem::path> page_file;
};

/// --report, --html, --report-json. `kept`: what the run directory calls the result.
void add_result_files(OptionSet& set, VerifyOptions& options, const std::string& kept);
/// How definitions are compared: roles, and --waive.
void add_catalog_options(OptionSet& set, VerifyOptions& options);
void add_verify_options(OptionSet& set, VerifyOptions& options);

}  // namespace cli
