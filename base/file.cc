#include "base/file.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

namespace base {
namespace {

constexpr mode_t kOwnerOnly = 0600;

/// A system call's result, tried again when a signal came first.
template <typename Call>
auto uninterrupted(Call&& call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

[[noreturn]] void fail_on(std::string_view action, const std::filesystem::path& path) {
  const int error_number = errno;
  throw system_error(action, path.native(), error_number);
}

int open_descriptor(const std::filesystem::path& path, int flags) {
  return uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly); });
}

int open_or_throw(std::string_view action, const std::filesystem::path& path, int flags) {
  const int descriptor = open_descriptor(path, flags);
  if (descriptor < 0) fail_on(action, path);
  return descriptor;
}

std::filesystem::path temporary_name(const std::filesystem::path& path) { return path.native() + ".tmp"; }

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

/// The last three steps that make a synced temporary file the file `path`, durably.
void publish(File& file, const std::filesystem::path& path) {
  file.sync();
  const auto temporary = file.path();
  file.close();
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail_on("rename a temporary file to", path);
  sync_directory(directory_of(path));
}

std::string read_rest(const File& file) {
  std::string content;
  std::array<std::byte, 16 * 1024> piece;
  while (const size_t got = file.read_some(piece))
    content.append(reinterpret_cast<const char*>(piece.data()), got);
  return content;
}

/// What the lock file of a directory holds that this process has locked.
std::string owner_line() {
  static const auto number = random_id();
  return fmt::format("{} {}\n", ::getpid(), number);
}

}  // namespace

File File::open_read(const std::filesystem::path& path) {
  return {open_or_throw("open", path, O_RDONLY), path};
}

File File::open_append(const std::filesystem::path& path) {
  return {open_or_throw("open", path, O_RDWR | O_CREAT | O_APPEND), path};
}

File File::create_anew(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_on("remove", path);
  return {open_or_throw("create", path, O_RDWR | O_CREAT | O_EXCL), path};
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (is_open()) ::close(descriptor_);
}

uint64_t File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail_on("examine", path_);
  return static_cast<uint64_t>(status.st_size);
}

void File::write_all(Bytes bytes) const {
  while (!bytes.empty()) {
    const auto wrote = uninterrupted([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (wrote < 0) fail_on("write", path_);
    bytes = bytes.subspan(static_cast<size_t>(wrote));
  }
}

size_t File::read_some(std::span<std::byte> buffer) const {
  const auto got = uninterrupted([&] { return ::read(descriptor_, buffer.data(), buffer.size()); });
  if (got < 0) fail_on("read", path_);
  return static_cast<size_t>(got);
}

size_t File::read_at(uint64_t offset, std::span<std::byte> buffer) const {
  size_t have = 0;
  while (have < buffer.size()) {
    const auto got = uninterrupted([&] {
      return ::pread(descriptor_, buffer.data() + have, buffer.size() - have,
                     static_cast<off_t>(offset + have));
    });
    if (got < 0) fail_on("read", path_);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

void File::truncate(uint64_t size) const {
  if (uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0)
    fail_on("truncate", path_);
}

void File::sync() const {
  if (uninterrupted([&] { return ::fdatasync(descriptor_); }) != 0) fail_on("sync", path_);
}

void File::close() {
  // Linux frees the descriptor even when close() fails, so it is never tried twice.
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR) fail_on("close", path_);
}

std::string read_file(const std::filesystem::path& path) { return read_rest(File::open_read(path)); }

std::optional<std::string> read_file_if_exists(const std::filesystem::path& path) {
  struct stat status {};
  // Only this one answer means "absent"; a file that cannot be reached may well exist.
  if (::stat(path.c_str(), &status) != 0 && errno == ENOENT) return std::nullopt;
  return read_file(path);
}

void sync_directory(const std::filesystem::path& directory) {
  const auto name = directory.empty() ? std::filesystem::path(".") : directory;
  const int descriptor = open_or_throw("open directory", name, O_RDONLY | O_DIRECTORY);
  const int result = uninterrupted([&] { return ::fsync(descriptor); });
  const int error_number = errno;
  ::close(descriptor);
  if (result != 0) throw system_error("sync directory", name.native(), error_number);
}

void replace_file(const std::filesystem::path& path, std::string_view content) {
  FileSink sink(path);
  sink.write(std::as_bytes(std::span(content)));
  sink.finish();
}

FileSink::FileSink(std::filesystem::path path)
    : path_(std::move(path)), file_(File::create_anew(temporary_name(path_))) {}

FileSink::~FileSink() {
  if (!finished_) ::unlink(temporary_name(path_).c_str());
}

void FileSink::write(Bytes bytes) {
  file_.write_all(bytes);
  written_ += bytes.size();
}

void FileSink::finish() {
  publish(file_, path_);
  finished_ = true;
}

DirectoryLock::DirectoryLock(const std::filesystem::path& directory)
    : file_(File::open_append(directory / "lock")) {
  // is_locked() may be looking: that takes no longer than this.
  constexpr int kTries = 20;
  const auto lock = [&] {
    return uninterrupted([&] { return ::flock(file_.descriptor(), LOCK_EX | LOCK_NB); });
  };
  int failed = lock();
  for (int i = 1; failed != 0 && errno == EWOULDBLOCK && i < kTries; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    failed = lock();
  }
  if (failed != 0) {
    if (errno != EWOULDBLOCK) fail_on("lock", file_.path());
    const auto line = read_rest(file_);
    const auto owner = line.substr(0, line.find_first_of(" \n"));
    // The owner writes its pid just after it got the lock, so the file can be empty for a moment.
    throw Error(ErrorKind::usage,
                fmt::format("{} is in use by {}", directory.native(),
                            owner.empty() ? "another process" : fmt::format("process {}", owner)),
                "wait until it ends, or stop it");
  }
  file_.truncate(0);
  file_.write_all(owner_line());
}

bool is_locked(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory / "lock", ignored)) return false;
  const auto file = File::open_read(directory / "lock");
  if (uninterrupted([&] { return ::flock(file.descriptor(), LOCK_SH | LOCK_NB); }) == 0) return false;
  if (errno != EWOULDBLOCK) fail_on("look at the lock of", directory);
  return true;
}

bool was_locked_here(const std::filesystem::path& directory) {
  return read_file_if_exists(directory / "lock") == owner_line();
}

uint64_t free_space(const std::filesystem::path& path) {
  struct statvfs status {};
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &status); }) != 0)
    fail_on("examine the file system of", path);
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace base
