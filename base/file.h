#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/sink.h"

namespace base {

/// A file descriptor. Every failure is an Error{permanent} that names the path.
class File {
 public:
  File() = default;
  static File open_read(const std::filesystem::path& path);
  /// Opens for reading and writing, created (mode 0600) if it does not exist. Every write goes to the end.
  static File open_append(const std::filesystem::path& path);
  /// Creates for reading and writing, mode 0600; whatever had this name before is unlinked, never written
  /// through.
  static File create_anew(const std::filesystem::path& path);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }
  uint64_t size() const;
  void write_all(Bytes bytes) const;
  void write_all(std::string_view text) const { write_all(std::as_bytes(std::span(text))); }
  /// 0 only at the end of the file.
  size_t read_some(std::span<std::byte> buffer) const;
  /// Fills `buffer` from `offset` on without moving the position; less only at the end of the file.
  size_t read_at(uint64_t offset, std::span<std::byte> buffer) const;
  void truncate(uint64_t size) const;
  /// fdatasync
  void sync() const;
  /// Throws when the kernel reports a write that was lost; the destructor would not.
  void close();

 private:
  File(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// Reads the whole of a small file.
std::string read_file(const std::filesystem::path& path);
std::optional<std::string> read_file_if_exists(const std::filesystem::path& path);
/// Makes the names in a directory durable.
void sync_directory(const std::filesystem::path& directory);
/// Writes `path` so that it is either the old or the new content after a crash: a temporary name beside it,
/// fdatasync, rename, sync of the directory. Mode 0600.
void replace_file(const std::filesystem::path& path, std::string_view content);

/// A sink into a file that gets its name only at finish(): until then it is `path` + ".tmp", removed when the
/// sink is destroyed unfinished. finish() syncs, renames and syncs the directory.
class FileSink : public ByteSink {
 public:
  explicit FileSink(std::filesystem::path path);
  ~FileSink() override;
  void write(Bytes bytes) override;
  void finish() override;
  uint64_t written() const { return written_; }

 private:
  std::filesystem::path path_;
  File file_;
  uint64_t written_ = 0;
  bool finished_ = false;
};

class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path) : file_(File::open_read(path)) {}
  size_t read(std::span<std::byte> buffer) override { return file_.read_some(buffer); }

 private:
  File file_;
};

/// An exclusive lock on a directory (flock on DIR/lock), held until destruction and freed by the kernel if
/// the process dies. The file holds the owner's pid, for the message to the second comer, and behind it a
/// random number of the owner's: in containers every process may have the same pid.
class DirectoryLock {
 public:
  /// Throws Error{usage} naming the directory and the pid that holds it.
  explicit DirectoryLock(const std::filesystem::path& directory);

 private:
  File file_;
};

/// Is somebody's DirectoryLock on it? For that the lock is taken for a moment, shared, which makes nobody
/// fail: who wants it waits longer than that.
bool is_locked(const std::filesystem::path& directory);
/// Was the last DirectoryLock on it one of this process? It is held still, or nobody has taken it since.
bool was_locked_here(const std::filesystem::path& directory);

/// Free bytes for an unprivileged user on the file system of `path`.
uint64_t free_space(const std::filesystem::path& path);

}  // namespace base
