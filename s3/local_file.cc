#include "s3/local_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "s3/keys.h"

namespace s3 {

namespace {

/// No part of the path may be a link: a directory that was walked can have become one since. Kernels and
/// sandboxes that do not know the call look at the last part only.
int open_below(int directory, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_NO_SYMLINKS;
  const auto descriptor = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
  if (descriptor >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(descriptor);
  return ::openat(directory, path.c_str(), flags | O_NOFOLLOW);
}

}  // namespace

std::optional<LocalFile> LocalFile::open(const Root& root, const std::string& path, Symlinks symlinks) {
  // What was a file when it was listed may be a FIFO by now, and must not block; or a link to anywhere.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  const int descriptor = symlinks == Symlinks::follow ? ::openat(root.descriptor(), path.c_str(), flags)
                                                      : open_below(root.descriptor(), path, flags);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw base::system_error("open", printable(path), errno);
  }
  LocalFile file(descriptor, path);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw base::system_error("look at", printable(path), errno);
  if (!S_ISREG(status.st_mode))
    base::fail(base::ErrorKind::permanent, "{} is no regular file any more", printable(path));
  file.opened_ = FileState::of(status);
  return file;
}

LocalFile::LocalFile(LocalFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      opened_(other.opened_) {}

LocalFile::~LocalFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileState LocalFile::state() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw base::system_error("look at", printable(path_), errno);
  return FileState::of(status);
}

size_t LocalFile::read_at(uint64_t offset, std::span<std::byte> buffer) const {
  size_t done = 0;
  while (done < buffer.size()) {
    const auto count =
        ::pread(descriptor_, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error("read", printable(path_), errno);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

bool is_young(const FileState& state, std::chrono::system_clock::time_point now) {
  constexpr std::chrono::nanoseconds kMargin = std::chrono::seconds(2);
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch() - kMargin);
  const auto latest = std::max(static_cast<int64_t>(state.mtime_ns), static_cast<int64_t>(state.ctime_ns));
  return latest >= time.count();
}

}  // namespace s3
