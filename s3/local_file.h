#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "s3/file_state.h"
#include "s3/root.h"

namespace s3 {

/// A file of the tree, opened for reading. Failures are Error{permanent} that name the path in the tree.
class LocalFile {
 public:
  /// Nothing when it is not there any more.
  static std::optional<LocalFile> open(const Root& root, const std::string& path, Symlinks symlinks);
  LocalFile(LocalFile&& other) noexcept;
  LocalFile& operator=(LocalFile&&) = delete;
  ~LocalFile();

  /// As it was when it was opened.
  const FileState& opened() const { return opened_; }
  /// As it is now.
  FileState state() const;
  /// Fills `buffer` from `offset` on; less only where the file ends.
  size_t read_at(uint64_t offset, std::span<std::byte> buffer) const;

 private:
  LocalFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_;
  std::string path_;
  FileState opened_ = {};
};

/// A change within so short a time after the last one may not show in a file's times.
bool is_young(const FileState& state, std::chrono::system_clock::time_point now);

}  // namespace s3
