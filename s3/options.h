#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/retry.h"
#include "pg/conninfo.h"
#include "s3/object_headers.h"
#include "s3/uri.h"
#include "s3/walk.h"

namespace s3 {

/// How the bucket is compared with the directory.
enum class VerifyLevel {
  none,
  list,      ///< names, sizes and ETags, from listings
  checksum,  ///< the files are read again and compared with the checksums that the server keeps
  download,  ///< the objects are read back, byte by byte
};

/// Paths that a database mentions: each must be a file whose object has been verified.
struct ReferenceOptions {
  pg::Conninfo database;
  /// Each is "table.column", "schema.table.column" or a SELECT of one column.
  std::vector<std::string> queries;
  /// What stands in front of the paths in the database; a value that does not begin with it is none of ours.
  /// Empty: the values are the paths, with or without a slash in front.
  std::string prefix;
};

struct UploadOptions {
  std::filesystem::path directory;
  Uri target;
  std::filesystem::path run_dir = "cutover-upload";
  WalkOptions walk;
  ObjectSettings settings;
  /// Objects that this run directory did not write may be replaced when their content differs.
  bool overwrite = false;
  bool remove = false;  ///< objects under the prefix that have no file are deleted
  VerifyLevel verify = VerifyLevel::list;
  double download_share = 1;  ///< of the objects, for VerifyLevel::download
  ReferenceOptions references;
  unsigned concurrency = 64;  ///< transfers at once, at most
  uint64_t memory = uint64_t{256} << 20;
  uint64_t bytes_per_second = 0;  ///< 0: no limit
  base::RetryPolicy retry{std::chrono::milliseconds(50), std::chrono::milliseconds(20'000),
                          std::chrono::milliseconds(300'000)};
};

/// Something that is not as it should be.
struct Problem {
  enum class Kind {
    failed,     ///< not uploaded, or not verified
    different,  ///< the object is not what the file is
    note,       ///< to be known; nothing is wrong
  };
  Kind kind = Kind::failed;
  std::string path;  ///< as printable()
  std::string what;
};

}  // namespace s3
