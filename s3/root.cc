#include "s3/root.h"

#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "s3/keys.h"

namespace s3 {
namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/// Nothing is at such a path, or can be.
bool is_absent(int number) {
  return number == ENOENT || number == ENOTDIR || number == ENAMETOOLONG || number == ELOOP;
}

/// As a walk names files. Other keys of a bucket would lead elsewhere in the tree, or out of it.
bool is_name_of_file(std::string_view path) {
  return key_problem(path).empty() && !path.starts_with('/') && !path.ends_with('/') &&
         path.find("//") == std::string_view::npos;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// Takes the descriptor. Nothing when it cannot be read.
std::optional<bool> is_empty(int descriptor) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(descriptor));
  if (!directory) {
    ::close(descriptor);
    return std::nullopt;
  }
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (entry == nullptr) return errno == 0 ? std::optional(true) : std::nullopt;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") return false;
  }
}

[[noreturn]] void fail_to_open(const std::filesystem::path& path, int reason) {
  auto error = base::system_error("open the directory", path.native(), reason);
  if (is_absent(reason)) error.hint("check its name, and that what it lies on is mounted");
  throw error.kind(base::ErrorKind::usage);
}

}  // namespace

Root::Root(std::filesystem::path path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), kOpenDirectory)) {
  if (descriptor_ < 0) fail_to_open(path_, errno);
}

Root::~Root() { ::close(descriptor_); }

std::filesystem::path Root::canonical() const {
  std::error_code error;
  auto canonical = std::filesystem::canonical(path_, error);
  if (error) fail_to_open(path_, error.value());
  return canonical;
}

bool Root::is_in_place() const {
  struct stat ours {};
  struct stat there {};
  return ::fstat(descriptor_, &ours) == 0 && ::stat(path_.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

std::optional<struct stat> Root::look_at(const std::string& path, Symlinks symlinks) const {
  if (!is_name_of_file(path)) return std::nullopt;
  struct stat status {};
  if (symlinks == Symlinks::follow && ::fstatat(descriptor_, path.c_str(), &status, 0) == 0) return status;
  if (::fstatat(descriptor_, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (is_absent(errno)) return std::nullopt;
  throw base::system_error("look at", printable(path), errno);
}

std::optional<mode_t> Root::mode_of(const std::string& path, Symlinks symlinks) const {
  const auto status = look_at(path, symlinks);
  return status ? std::optional(status->st_mode) : std::nullopt;
}

std::optional<FileIdentity> Root::directory_at(const std::string& path, Symlinks symlinks) const {
  const auto status = look_at(path, symlinks);
  return status && S_ISDIR(status->st_mode) ? std::optional(FileIdentity::of(*status)) : std::nullopt;
}

std::string Root::empty_directory_above(const std::string& path) const {
  if (!is_name_of_file(path)) return {};
  auto above = path;
  for (auto slash = above.rfind('/'); slash != std::string::npos; slash = above.rfind('/')) {
    above.resize(slash);
    const int descriptor = ::openat(descriptor_, above.c_str(), kOpenDirectory);
    if (descriptor < 0 && is_absent(errno)) continue;
    const auto empty = descriptor < 0 ? std::nullopt : is_empty(descriptor);
    if (!empty) throw base::system_error("read the directory", printable(above), errno);
    return *empty ? above : std::string();
  }
  return {};
}

}  // namespace s3
