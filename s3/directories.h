#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/stop.h"
#include "s3/problems.h"
#include "s3/root.h"
#include "s3/walk.h"

namespace s3 {

/// What a walk says of whole directories: how many files each has of its own, and where file systems are
/// mounted (or links lead to others).
class Directories {
 public:
  /// A visitor for the walk, which passes on to `visitor`.
  WalkVisitor watch(WalkVisitor visitor);
  uint64_t files() const { return count_; }

 private:
  friend class DirectoryCheck;
  void add(std::string_view path);

  uint64_t count_ = 0;
  std::map<std::string, uint64_t, std::less<>> files_;  // by directory; the root is empty
  std::map<std::string, FileIdentity> mounts_;
};

/// The two walks of a run.
struct Walks {
  std::chrono::system_clock::time_point begun = std::chrono::system_clock::now();
  Directories first;
  Directories second;
};

/// What the second walk does not find any more counts as deleted. That is believed of single files, since
/// applications delete files. But a directory can also be unmounted, or moved to where the second walk has
/// been already: then there are files that nobody has read. So these are failures, each named once:
///   no file at all any more,
///   a directory that had files at the first walk and is not there now,
///   a file system that the second walk has not seen, or that is not there now,
///   a file of a directory in which the second walk saw none, that is there now and as old as the run.
void check_directories(const Root& root, const WalkOptions& options, const Walks& walks, Problems& problems,
                       const base::Stop& stop);

}  // namespace s3
