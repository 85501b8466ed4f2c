#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "copy/toc.h"

namespace copy {

/// Where an entry of a schema's dump is kept, and what is asked of it most.
struct StoredEntry {
  uint32_t id = 0;        ///< TocEntry::id
  pg::Oid oid = 0;        ///< TocEntry::oid
  bool is_index = false;  ///< an INDEX, which is no constraint's
  uint32_t size = 0;
  uint64_t offset = 0;
};

/// Entries of a schema's dump, in a file instead of in memory: ten thousands of them have many megabytes of
/// statements, each of which is needed once. The file has no name, so that nothing is left of it when the
/// process ends, however it does.
class EntryFile {
 public:
  static constexpr const char* kName = "schema.entries";  ///< for the moment in which it has one

  explicit EntryFile(const std::filesystem::path& directory);
  StoredEntry add(const TocEntry& entry);
  /// Thread-safe, once everything was added.
  TocEntry read(const StoredEntry& stored) const;

 private:
  base::File file_;
  uint64_t written_ = 0;
  std::string unwritten_;  ///< what comes behind that in the file
};

}  // namespace copy
