#pragma once

#include <filesystem>

#include "base/file.h"
#include "base/stop.h"

namespace base {

/// An exclusive lock (flock) on a file that is there for nothing else, held until destruction and freed by
/// the kernel if the process dies. The file stays: who removed it could lock another one than who waits.
class FileLock {
 public:
  /// Creates the file (mode 0600) where there is none, and waits while another has the lock. Throws
  /// Error{cancelled} when stopped meanwhile, else Error{permanent} naming the path.
  FileLock(const std::filesystem::path& path, const Stop& stop);

 private:
  File file_;
};

}  // namespace base
