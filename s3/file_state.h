#pragma once

#include <cstdint>

#include <sys/stat.h>

namespace s3 {

/// What tells, without reading it, that a file is still what it was.
struct FileState {
  uint64_t size = 0;
  uint64_t mtime_ns = 0;  ///< since 1970; what lies before it wraps around
  uint64_t ctime_ns = 0;
  uint64_t inode = 0;

  bool operator==(const FileState&) const = default;

  static FileState of(const struct stat& status) {
    const auto nanoseconds = [](const timespec& time) {
      return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(time.tv_nsec);
    };
    return {static_cast<uint64_t>(status.st_size), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim),
            status.st_ino};
  }
};

/// Tells one file or directory from another, as long as both exist.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
  static FileIdentity of(const struct stat& status) { return {status.st_dev, status.st_ino}; }
};

}  // namespace s3
