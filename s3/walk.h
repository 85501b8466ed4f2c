#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/stop.h"
#include "s3/file_state.h"
#include "s3/glob.h"
#include "s3/root.h"

namespace s3 {

struct WalkOptions {
  Symlinks symlinks = Symlinks::error;
  PathFilter filter;
  std::string prefix;  ///< of the keys: a path is only too long with it
};

struct WalkedFile {
  std::string path;  ///< raw bytes, relative to the root, with "/" between segments
  FileState state;
};

struct WalkCounts {
  uint64_t files = 0;
  uint64_t bytes = 0;
  uint64_t filtered = 0;  ///< files and directories that the filter leaves out
  uint64_t symlinks_skipped = 0;
  uint64_t empty_directories = 0;  ///< S3 has no counterpart for them
  uint64_t problems = 0;
};

struct WalkVisitor {
  std::function<void(const WalkedFile&)> file;
  /// Something the filter wants and that cannot be uploaded: `why` completes "PATH …".
  std::function<void(const std::string& path, const std::string& why)> problem;
  /// A directory in which another file system begins than the one that the directory above it lies in.
  std::function<void(const std::string& path, const FileIdentity& identity)> mount;
};

/// Visits every wanted regular file below `root`, in the order of the directories; memory does not grow with
/// the tree. Only a root that cannot be read throws; everything else is a problem of its path.
/// A directory that vanishes on the way is no problem, since nothing of it is left to upload.
WalkCounts walk(const Root& root, const WalkOptions& options, const WalkVisitor& visitor,
                const base::Stop& stop);

}  // namespace s3
