#include "pg/copy_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "pg/row_hash.h"

namespace pg {
namespace {

using base::Bytes;
using base::ErrorKind;

constexpr std::string_view kSignature{"PGCOPY\n\377\r\n\0", 11};
constexpr size_t kHeader = 19;

uint16_t count_at(Bytes bytes) {
  return static_cast<uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8 |
                               std::to_integer<unsigned>(bytes[1]));
}

int32_t length_at(Bytes bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return static_cast<int32_t>(__builtin_bswap32(value));
}

// Bytes of the header and its extension; 0 when they have not all come.
size_t header_size(Bytes bytes) {
  if (bytes.size() < kHeader) return 0;
  if (std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) != 0)
    base::fail(ErrorKind::corrupt, "the COPY stream does not begin with the binary signature");
  const auto size = kHeader + static_cast<uint32_t>(length_at(bytes.subspan(15)));
  return bytes.size() < size ? 0 : size;
}

}  // namespace

RowSplitter::RowSplitter(CopyFormat format, uint32_t columns, Visitor visit, std::vector<uint32_t> floats)
    : format_(format),
      column_count_(columns),
      visit_(std::move(visit)),
      floats_(std::move(floats)),
      columns_(columns) {}

void RowSplitter::write(Bytes bytes) {
  if (pending_.empty()) {
    bytes = bytes.subspan(take_rows(bytes));
    pending_.assign(bytes.begin(), bytes.end());
    return;
  }
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  const auto taken = take_rows(pending_);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
}

void RowSplitter::finish() {
  if (format_ == CopyFormat::binary && !ended_)
    base::fail(ErrorKind::corrupt, "the COPY stream ends before its trailer");
  if (!pending_.empty()) base::fail(ErrorKind::corrupt, "the COPY stream ends inside a row");
}

size_t RowSplitter::take_rows(Bytes bytes) {
  size_t at = 0;
  if (format_ == CopyFormat::binary && !begun_) {
    at = header_size(bytes);
    if (at == 0) return 0;
    begun_ = true;
  }
  for (;;) {
    const auto rest = bytes.subspan(at);
    const auto size = format_ == CopyFormat::binary ? binary_row(rest) : text_row(rest);
    if (size == 0) return at;
    at += size;
  }
}

size_t RowSplitter::binary_row(Bytes bytes) {
  if (bytes.empty()) return 0;
  if (ended_) base::fail(ErrorKind::corrupt, "the COPY stream goes on after its trailer");
  if (bytes.size() < 2) return 0;
  const auto count = count_at(bytes);
  if (count == 0xFFFF) {
    ended_ = true;
    return 2;
  }
  if (count != column_count_)
    base::fail(ErrorKind::corrupt, "a row of {} columns in a COPY stream of {}", count, column_count_);
  size_t at = 2;
  for (auto& column : columns_) {
    if (bytes.size() - at < 4) return 0;
    const auto length = length_at(bytes.subspan(at));
    if (length < -1) base::fail(ErrorKind::corrupt, "a value of length {} in the COPY stream", length);
    const size_t size = 4 + (length > 0 ? static_cast<size_t>(length) : 0);
    if (bytes.size() - at < size) return 0;
    column = bytes.subspan(at, size);
    at += size;
  }
  const auto has_other_nan = [&](uint32_t column) { return is_other_nan(columns_[column].subspan(4)); };
  if (std::ranges::any_of(floats_, has_other_nan)) unify_nan(bytes.first(at));
  visit_(columns_);
  return at;
}

void RowSplitter::unify_nan(Bytes row) {
  unified_.assign(row.begin(), row.end());
  for (auto& column : columns_)
    column = Bytes(unified_).subspan(static_cast<size_t>(column.data() - row.data()), column.size());
  for (const auto float_column : floats_) {
    const auto value = columns_[float_column].subspan(4);
    const auto at = unified_.begin() + (value.data() - unified_.data());
    if (is_other_nan(value)) std::ranges::copy(one_nan(value.size()), at);
  }
}

size_t RowSplitter::text_row(Bytes bytes) {
  const auto unsearched = bytes.subspan(std::min(searched_, bytes.size()));
  const auto* newline =
      unsearched.empty() ? nullptr : std::memchr(unsearched.data(), '\n', unsearched.size());
  if (!newline) {
    searched_ = bytes.size();
    return 0;
  }
  searched_ = 0;
  const auto length = static_cast<size_t>(static_cast<const std::byte*>(newline) - bytes.data());
  auto line = bytes.first(length);
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto* tab = line.empty() ? nullptr : std::memchr(line.data(), '\t', line.size());
    const bool last = i + 1 == columns_.size();
    if (last != (tab == nullptr))
      base::fail(ErrorKind::corrupt, "a line in the COPY stream has not {} columns", column_count_);
    columns_[i] =
        last ? line : line.first(static_cast<size_t>(static_cast<const std::byte*>(tab) - line.data()));
    line = last ? Bytes() : line.subspan(columns_[i].size() + 1);
  }
  visit_(columns_);
  return length + 1;
}

// ----------------------------------------------------------------------------------------------- values

namespace {

// "Text Format" in the documentation of COPY: what COPY TO writes behind a backslash is one of these letters
// or the character itself. (It also reads octal and hexadecimal numbers, but does not write them.)
std::string unescaped(std::string_view text) {
  static constexpr std::string_view kLetters = "bfnrtv";
  static constexpr std::string_view kMeanings = "\b\f\n\r\t\v";
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    const auto letter = kLetters.find(next);
    out += letter == std::string_view::npos ? next : kMeanings[letter];
  }
  return out;
}

}  // namespace

std::optional<std::string> column_value(CopyFormat format, Bytes column) {
  const std::string_view text(reinterpret_cast<const char*>(column.data()), column.size());  // NOLINT
  if (format == CopyFormat::text) return text == "\\N" ? std::nullopt : std::optional(unescaped(text));
  if (length_at(column) < 0) return std::nullopt;
  return std::string(text.substr(4));
}

// --------------------------------------------------------------------------------------------- RowHasher

RowHasher::RowHasher(const DigestKey& key, RowShape shape)
    : key_(key), shape_(std::move(shape)), stream_(std::make_unique<RowStream>(key)) {}

RowHasher::~RowHasher() = default;

base::uint128 RowHasher::row(std::span<const Bytes> columns) {
  const bool binary = shape_.format == CopyFormat::binary;
  const std::array count{static_cast<std::byte>(shape_.columns >> 8), static_cast<std::byte>(shape_.columns)};
  stream_->restart();
  if (binary) stream_->add(count);
  if (shape_.columns > 0) {
    const auto* end = columns[shape_.columns - 1].data() + columns[shape_.columns - 1].size();
    stream_->add({columns.front().data(), end});
  }
  constexpr std::array kNewline{std::byte{'\n'}};
  if (!binary) stream_->add(kNewline);
  return stream_->value();
}

uint32_t RowHasher::bucket(std::span<const Bytes> columns, base::uint128 row_hash) const {
  if (shape_.buckets == 1) return 0;
  if (shape_.key.empty()) return bucket_without_key(row_hash, shape_.buckets);
  KeyHash hash;
  for (const auto column : shape_.key) hash.add_column(keyed_hash(key_, columns[column]));
  return hash.bucket(shape_.buckets);
}

uint64_t RowHasher::column(Bytes column) const { return static_cast<uint64_t>(keyed_hash(key_, column)); }

}  // namespace pg
