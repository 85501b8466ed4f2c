#include "s3/walk.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "s3/keys.h"
#include "s3/layout.h"

namespace s3 {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

/// Directories open at once: one for each level. A key has at most 512 segments.
constexpr size_t kDeepest = 500;

std::string error_text(int number) { return std::generic_category().message(number); }

std::string_view name_of_type(mode_t mode) {
  if (S_ISFIFO(mode)) return "is a FIFO";
  if (S_ISSOCK(mode)) return "is a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "is a device";
  return "is no regular file";
}

/// Also where a part of the same file system is mounted. Old kernels do not say.
bool is_mount_root(int descriptor) {
  struct statx status {};
  return ::statx(descriptor, "", AT_EMPTY_PATH, STATX_INO, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

class Walker {
 public:
  Walker(const WalkOptions& options, const WalkVisitor& visitor, const base::Stop& stop)
      : options_(options), visitor_(visitor), stop_(stop) {}

  WalkCounts walk_root(const Root& root) {
    // A descriptor of its own has a position of its own.
    const int descriptor = ::openat(root.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) throw base::system_error("open the directory", root.path().native(), errno);
    walk_directory(descriptor);
    return counts_;
  }

 private:
  void problem(const std::string& path, const std::string& why) {
    ++counts_.problems;
    if (visitor_.problem) visitor_.problem(path, why);
  }

  /// Takes the descriptor. `path_` names the directory, with a slash at its end; the root is empty.
  void walk_directory(int descriptor) {
    struct stat status {};
    ::fstat(descriptor, &status);
    const auto identity = FileIdentity::of(status);
    const Directory directory(::fdopendir(descriptor));
    if (!directory) {
      ::close(descriptor);
      return problem(path_, "cannot be read: " + error_text(ENOMEM));
    }
    if (std::ranges::find(ancestors_, identity) != ancestors_.end())
      return problem(path_.substr(0, path_.size() - 1), "leads back into a directory it lies in");
    if (ancestors_.size() >= kDeepest) return problem(path_, "is too deep in the tree");
    if (visitor_.mount && !ancestors_.empty() &&
        (identity.device != ancestors_.back().device || is_mount_root(descriptor)))
      visitor_.mount(path_.substr(0, path_.size() - 1), identity);
    ancestors_.push_back(identity);
    bool is_empty = true;
    std::set<std::string, std::less<>> absent;
    for_each_name(directory.get(), [&](const char* name) {
      is_empty = false;
      if (!visit(::dirfd(directory.get()), name)) absent.emplace(name);
    });
    if (!absent.empty()) look_again(directory.get(), absent);
    if (is_empty && !path_.empty()) ++counts_.empty_directories;
    ancestors_.pop_back();
  }

  /// During the call path_ names the entry.
  template <typename Visit>
  void for_each_name(DIR* directory, Visit visit_name) {
    for (;;) {
      errno = 0;
      const auto* entry = ::readdir(directory);  // NOLINT(concurrency-mt-unsafe): a stream of our own
      if (entry == nullptr) break;
      const std::string_view name(entry->d_name);
      if (name == "." || name == "..") continue;
      const auto length = path_.size();
      path_ += name;
      visit_name(entry->d_name);
      path_.resize(length);
    }
    if (errno != 0) problem(path_, "cannot be read to its end: " + error_text(errno));
  }

  /// What was listed and not there is deleted if it is not listed any more. It may be there again; and some
  /// file systems list names under which they find nothing, ever.
  void look_again(DIR* directory, const std::set<std::string, std::less<>>& absent) {
    ::rewinddir(directory);
    for_each_name(directory, [&](const char* name) {
      if (absent.contains(std::string_view(name)) && !visit(::dirfd(directory), name))
        problem(path_, "is listed in its directory, and cannot be found in it");
    });
  }

  /// False when nothing is there.
  bool visit(int parent, const char* name) {
    stop_.check();
    struct stat status {};
    if (::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return is_there(errno);
    const bool is_link = S_ISLNK(status.st_mode);
    if (is_link && !follow(parent, name, status)) return true;
    if (S_ISDIR(status.st_mode)) return visit_directory(parent, name, is_link);
    if (!options_.filter.wants_file(path_)) {
      ++counts_.filtered;
    } else if (!S_ISREG(status.st_mode)) {
      problem(path_, std::string(name_of_type(status.st_mode)));
    } else if (const auto why = key_problem(options_.prefix + path_); !why.empty()) {
      problem(path_, "cannot be the name of an object: it " + why);
    } else if (const auto size = static_cast<uint64_t>(status.st_size); size > kLargestObject) {
      problem(path_,
              fmt::format("cannot be an object: it has {} bytes, and S3 takes {}", size, kLargestObject));
    } else {
      ++counts_.files;
      counts_.bytes += static_cast<uint64_t>(status.st_size);
      if (visitor_.file) visitor_.file({path_, FileState::of(status)});
    }
    return true;
  }

  /// Replaces `status` by that of the link's target; false when there is nothing more to do.
  bool follow(int parent, const char* name, struct stat& status) {
    // Whether the filter wants it can depend on what it points to; a link that is not followed is a file.
    if (options_.symlinks != Symlinks::follow && !options_.filter.wants_file(path_)) {
      ++counts_.filtered;
      return false;
    }
    if (options_.symlinks == Symlinks::skip) {
      ++counts_.symlinks_skipped;
      return false;
    }
    if (options_.symlinks == Symlinks::error) {
      problem(path_, "is a symbolic link");
      return false;
    }
    if (::fstatat(parent, name, &status, 0) == 0) return true;
    const auto number = errno;
    if (!options_.filter.wants_file(path_)) {
      ++counts_.filtered;
    } else {
      problem(path_, number == ENOENT  ? "is a symbolic link to nothing"
                     : number == ELOOP ? "is a symbolic link in a loop"
                                       : "cannot be followed: " + error_text(number));
    }
    return false;
  }

  bool visit_directory(int parent, const char* name, bool is_link) {
    if (!options_.filter.wants_directory(path_)) {
      ++counts_.filtered;
      return true;
    }
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW);
    const int descriptor = ::openat(parent, name, flags);
    if (descriptor < 0) return is_there(errno);
    path_ += '/';
    walk_directory(descriptor);
    return true;
  }

  /// After an error of this number.
  bool is_there(int number) {
    if (number == ENOENT) return false;
    problem(path_, "cannot be read: " + error_text(number));
    return true;
  }

  const WalkOptions& options_;
  const WalkVisitor& visitor_;
  const base::Stop& stop_;
  WalkCounts counts_;
  std::string path_;
  std::vector<FileIdentity> ancestors_;
};

}  // namespace

WalkCounts walk(const Root& root, const WalkOptions& options, const WalkVisitor& visitor,
                const base::Stop& stop) {
  return Walker(options, visitor, stop).walk_root(root);
}

}  // namespace s3
