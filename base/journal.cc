#include "base/journal.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/crc32c.h"
#include "base/error.h"

namespace base {
namespace {

constexpr std::array kMagic{std::byte{'C'}, std::byte{'U'}, std::byte{'T'},
                            std::byte{'J'}, std::byte{1},   std::byte{'\n'}};
constexpr std::byte kEnd{'\n'};
constexpr uint64_t kHeaderSize = 12;
/// No block device writes less than this at once.
constexpr uint64_t kSector = 512;

uint64_t record_size(uint64_t payload) { return kHeaderSize + payload + 1; }

void put_u32(std::span<std::byte> target, uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) target[i] = static_cast<std::byte>(value >> (8 * i));
}

uint32_t get_u32(Bytes source) {
  uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<uint32_t>(source[i]) << (8 * i);
  return value;
}

uint32_t header_crc(uint64_t offset, uint32_t length) {
  std::array<std::byte, 12> covered;
  put_u32(covered, static_cast<uint32_t>(offset));
  put_u32(std::span(covered).subspan(4), static_cast<uint32_t>(offset >> 32));
  put_u32(std::span(covered).subspan(8), length);
  return crc32c(covered);
}

/// Views of a file, read through a buffer so that short records do not cost a system call each.
class Window {
 public:
  explicit Window(const File& file) : file_(file) {}

  /// The bytes from `offset` on; fewer than `count` only where the file ends. Valid until the next call.
  Bytes at(uint64_t offset, size_t count) {
    if (offset < start_ || offset + count > start_ + have_) {
      if (buffer_.size() < count) buffer_.resize(std::max(count, kLeast));
      start_ = offset;
      have_ = file_.read_at(offset, buffer_);
    }
    const auto skip = static_cast<size_t>(offset - start_);
    return std::span(buffer_).subspan(skip, std::min(count, have_ - skip));
  }

 private:
  static constexpr size_t kLeast = size_t{256} << 10;
  const File& file_;
  std::vector<std::byte> buffer_;
  uint64_t start_ = 0;
  size_t have_ = 0;
};

/// What a pass over the file found: `end` is where the whole records end; torn_bytes follow it.
struct Scanned {
  Journal::Opened opened;
  uint64_t end = 0;
};

class Scanner {
 public:
  explicit Scanner(const File& file) : file_(file), window_(file), size_(file.size()) {}

  Scanned scan(const Journal::Visitor& visit) {
    if (!magic_is_whole()) return {{0, size_}, 0};
    Scanned found{{}, kMagic.size()};
    while (found.end < size_) {
      const auto payload = record_at(found.end);
      if (!payload) break;
      found.end += record_size(payload->size());
      ++found.opened.records;
      visit(*payload);
    }
    found.opened.torn_bytes = size_ - found.end;
    return found;
  }

 private:
  /// False when the file was cut while it was created. The magic is durable before the first record, so a
  /// file longer than it must have it.
  bool magic_is_whole() {
    const auto start = window_.at(0, kMagic.size());
    if (std::equal(start.begin(), start.end(), kMagic.begin(), kMagic.end())) return true;
    const auto differs = static_cast<size_t>(
        std::mismatch(start.begin(), start.end(), kMagic.begin(), kMagic.end()).first - start.begin());
    if (size_ > kMagic.size() || !is_zero_from(differs))
      fail(ErrorKind::corrupt, "{} does not begin as a journal of version 1", file_.path().native());
    return false;
  }

  /// The payload of the record that starts at `offset`; nothing when the tail of the file from there is torn.
  std::optional<Bytes> record_at(uint64_t offset) {
    const auto header = window_.at(offset, kHeaderSize);
    if (header.size() < kHeaderSize) return std::nullopt;
    const auto length = get_u32(header);
    const auto stored_header_crc = get_u32(header.subspan(4));
    const auto stored_payload_crc = get_u32(header.subspan(8));
    if (header_crc(offset, length) != stored_header_crc || length == 0 || length > Journal::kLongestPayload)
      return torn_or_corrupt(offset, kHeaderSize);

    const auto whole = record_size(length);
    if (whole > size_ - offset) return std::nullopt;
    const auto record = window_.at(offset, whole);
    if (record.size() < whole) return std::nullopt;
    const auto payload = record.subspan(kHeaderSize, length);
    if (crc32c(payload, stored_header_crc) != stored_payload_crc || record.back() != kEnd)
      return torn_or_corrupt(offset, whole);
    return payload;
  }

  /// `known` is how far the record is known to reach. Zeros that begin only behind it belong to a later
  /// record and excuse nothing here.
  std::optional<Bytes> torn_or_corrupt(uint64_t offset, uint64_t known) {
    auto unwritten = offset;
    while (unwritten < offset + known) {
      if (is_zero_from(unwritten)) return std::nullopt;
      unwritten = (unwritten / kSector + 1) * kSector;
    }
    throw Error(ErrorKind::corrupt, fmt::format("{} is damaged at offset {}", file_.path().native(), offset),
                "nothing after this offset was read and the file was left as it is");
  }

  bool is_zero_from(uint64_t offset) {
    if (!nonzero_end_) nonzero_end_ = find_nonzero_end();
    return offset >= *nonzero_end_;
  }

  /// Where the zeros that the file ends in begin; its size when it does not end in zero.
  uint64_t find_nonzero_end() {
    std::vector<std::byte> piece(size_t{64} << 10);
    for (auto end = size_; end > 0;) {
      const auto count = std::min<uint64_t>(end, piece.size());
      const auto got = std::span(piece).first(file_.read_at(end - count, std::span(piece).first(count)));
      const auto last = std::find_if(got.rbegin(), got.rend(), [](std::byte b) { return b != std::byte{0}; });
      if (last != got.rend()) return end - count + static_cast<uint64_t>(got.rend() - last);
      end -= count;
    }
    return 0;
  }

  const File& file_;
  Window window_;
  uint64_t size_;
  std::optional<uint64_t> nonzero_end_;
};

}  // namespace

Journal::Journal(const std::filesystem::path& path, const Visitor& visit, Opened* opened)
    : file_(File::open_append(path)) {
  // A killed process can leave records that only the page cache has. They are about to be believed.
  file_.sync();
  const auto found = Scanner(file_).scan(visit);
  if (found.opened.torn_bytes > 0) file_.truncate(found.end);
  if (found.end == 0) file_.write_all(kMagic);
  if (found.end == 0 || found.opened.torn_bytes > 0) file_.sync();
  sync_directory(path.parent_path());
  size_ = found.end == 0 ? kMagic.size() : found.end;
  if (opened != nullptr) *opened = found.opened;
}

Journal::Opened Journal::read(const std::filesystem::path& path, const Visitor& visit) {
  const auto file = File::open_read(path);
  return Scanner(file).scan(visit).opened;
}

void Journal::check_usable() const {
  if (failed_)
    fail(ErrorKind::permanent, "{} cannot be written any more after an earlier failure", path().native());
}

void Journal::append(Bytes payload) {
  check_usable();
  if (payload.empty() || payload.size() > kLongestPayload)
    fail(ErrorKind::permanent, "a record of {} bytes does not fit into {}", payload.size(), path().native());
  const auto length = static_cast<uint32_t>(payload.size());
  const auto crc = header_crc(size_, length);
  record_.resize(record_size(length));
  const std::span record(record_);
  put_u32(record, length);
  put_u32(record.subspan(4), crc);
  put_u32(record.subspan(8), crc32c(payload, crc));
  std::copy(payload.begin(), payload.end(), record.begin() + kHeaderSize);
  record.back() = kEnd;

  failed_ = dirty_ = true;
  file_.write_all(record);
  failed_ = false;
  size_ += record.size();
}

void Journal::sync() {
  check_usable();
  if (!dirty_) return;
  // The kernel reports a lost write once; a second fdatasync would claim success.
  failed_ = true;
  file_.sync();
  failed_ = dirty_ = false;
}

}  // namespace base
