#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/journal.h"
#include "s3/upload_state.h"

namespace s3 {

/// The directory in which an upload keeps what it knows:
///   lock             held by the running process
///   uploads.journal  the records, one after the other (docs/journal.md)
///   report.json      the result of the last command
///
/// Thread-safe. What a killed process has recorded is there for the next one; a power loss can take back the
/// last second, except for what was recorded with sync. What cannot be recorded throws JournalError.
class UploadJournal {
 public:
  /// Opens or makes the directory and locks it. A journal that is mostly outdated records is written anew
  /// first. Throws Error{usage} when another process has it or it belongs to another upload, Error{corrupt}
  /// on damage.
  UploadJournal(std::filesystem::path directory, const RunIdentity& identity);

  static constexpr const char* kFile = "uploads.journal";

  const std::filesystem::path& directory() const { return directory_; }

  std::optional<Capabilities> capabilities();
  void record(const Capabilities& capabilities);
  /// Unless the last process had the same one and did not come to its end.
  void begin(const Selection& selection);
  void record(const Finished& finished);

  enum class Known {
    no,       ///< not uploaded, or as it was before
    current,  ///< the object is what the file is
    unsure,   ///< probably; the content has to be compared with young_checksum()
  };
  Known lookup(std::string_view path, const FileState& state, uint64_t settings);
  std::optional<std::string> young_checksum(std::string_view path);
  std::optional<KnownObject> find(std::string_view path);
  uint64_t object_count();

  void record(const ObjectRecord& object);
  void record_removed(std::string_view path);
  /// The content of an object that was `unsure` has been compared: it is current, and no longer young.
  void record_settled(std::string_view path);

  /// Both durable before they return: otherwise a lost machine could leave an upload nobody knows of.
  /// `since`: now by the server's clock, in seconds since 1970.
  void record_intended(std::string_view path, uint64_t since);
  void record(const OpenUpload& upload);
  void record_cleared(std::string_view path);
  /// Paths of which the server may have an upload that the journal does not know.
  struct Intention {
    std::string path;
    uint64_t since = 0;  ///< seconds since 1970, or 0
  };
  std::vector<Intention> intended();
  bool is_intended(const std::string& path);
  void record_part(std::string_view upload_id, uint32_t number, const PartRecord& part);
  void record_ended(std::string_view upload_id);
  std::vector<OpenUpload> open_uploads();
  std::vector<OpenUpload> open_uploads_of(std::string_view path);

  void sync();

  /// Every object, as its latest record says, in the order of the records. Only while nobody records.
  void for_each_object(const std::function<void(const ObjectRecord&)>& visit);

 private:
  void append(const std::string& record, bool durable = false);
  void append_now(const std::string& record, bool durable);
  void compact();

  std::filesystem::path directory_;
  std::optional<base::DirectoryLock> lock_;
  std::mutex mutex_;  // guards what follows
  UploadState state_;
  std::optional<base::Journal> journal_;
  std::chrono::steady_clock::time_point last_sync_;
};

}  // namespace s3
