#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

#include "s3/file_state.h"
#include "s3/symlinks.h"

namespace s3 {

/// The directory of a run, opened once: whatever its path comes to name meanwhile (a link is switched, a file
/// system is unmounted), all walks and files of the run are of this one. Thread-safe.
class Root {
 public:
  /// Throws Error{usage} for what cannot be read as a directory.
  explicit Root(std::filesystem::path path);
  ~Root();
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  /// The path without links and dots. Throws as the constructor, should it lead nowhere by now.
  std::filesystem::path canonical() const;

  /// False when the path names another directory by now, or nothing.
  bool is_in_place() const;
  /// Type and permissions of what is at a path of the tree now; nothing where nothing is, nor under names
  /// that no walk gives to a file. Links are seen through if `symlinks` says so and they lead anywhere.
  /// Throws Error{permanent} when it cannot be told.
  std::optional<mode_t> mode_of(const std::string& path, Symlinks symlinks) const;
  /// Which directory is at a path of the tree now; nothing where none is. A link to one counts if `symlinks`
  /// says so. Throws Error{permanent} when it cannot be told.
  std::optional<FileIdentity> directory_at(const std::string& path, Symlinks symlinks) const;
  /// Of the directories that `path` lies in, the nearest that is there, if nothing at all is in it; otherwise
  /// empty. The root itself does not count. Throws Error{permanent} when it cannot be told.
  std::string empty_directory_above(const std::string& path) const;

 private:
  std::optional<struct stat> look_at(const std::string& path, Symlinks symlinks) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace s3
