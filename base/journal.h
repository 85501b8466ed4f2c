#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/file.h"
#include "base/sink.h"

namespace base {

/// An append-only file of framed records, the one journal format of the project (docs/journal.md).
///
///   journal     = magic record*
///   magic       = "CUTJ" version:u8(1) 0x0A                      6 bytes
///   record      = length:u32le  header_crc:u32le  payload_crc:u32le  payload  end:u8(0x0A)
///   length      = bytes of payload, 1 .. 64 MiB
///   header_crc  = CRC32C(offset:u64le length:u32le)              offset = where the record starts
///   payload_crc = CRC32C(offset:u64le length:u32le payload)
///
/// The header's own CRC makes a length trustworthy before it is used: a record whose whole header checks out
/// and which runs past the end of the file was cut there, and nothing can follow it. The offset in both CRCs
/// ties a record to its place. The end byte is never zero, so zeros at the end of the file were never
/// written.
///
/// A crash can leave a torn tail: the last record cut short, or (after a power loss) its last blocks never
/// written. A tail is torn when the file ends inside the record, or when everything from the record's start,
/// or from a multiple of 512 bytes inside the record, to the end of the file is zero bytes. Such a tail is
/// cut off and its size reported. Any other mismatch is Error{corrupt} naming the file and the offset:
/// nothing after it is read and nothing is written.
class Journal {
 public:
  using Visitor = std::function<void(Bytes payload)>;
  struct Opened {
    uint64_t records = 0;
    uint64_t torn_bytes = 0;  ///< bytes that were cut off the end
  };

  static constexpr uint32_t kLongestPayload = 64U << 20;

  /// Opens or creates, and hands every whole record to `visit` in order. All of them are durable before the
  /// first is handed over, and so is the file's name: what they tell can be acted on. A payload is valid
  /// during the call. Only one process may have a journal open; DirectoryLock sees to that.
  Journal(const std::filesystem::path& path, const Visitor& visit, Opened* opened = nullptr);

  /// Reads without changing the file and without a lock, as `status` does beside a running writer; a torn
  /// tail is left alone.
  static Opened read(const std::filesystem::path& path, const Visitor& visit);

  /// One write() call, so that a killed process leaves whole records or a torn tail. Not thread-safe. The
  /// payload is 1 byte to 64 MiB. After a failed append() or sync() nobody knows what is on the disk, so
  /// every later call fails too; opening the journal again finds out.
  void append(Bytes payload);
  /// Makes everything appended durable; one fdatasync for however many records came since the last.
  void sync();
  uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  void check_usable() const;

  File file_;
  uint64_t size_ = 0;
  bool dirty_ = false;
  bool failed_ = false;
  std::vector<std::byte> record_;  ///< kept for its memory
};

}  // namespace base
