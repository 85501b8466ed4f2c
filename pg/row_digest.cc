#include "pg/row_digest.h"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "pg/row_hash.h"

namespace pg {
namespace {

using base::Bytes;
using base::ErrorKind;

// An incremental XXH3 with a secret; gives the same value as the one-shot functions for the same bytes.
class KeyStream {
 public:
  explicit KeyStream(Bytes secret) : secret_(secret) { restart(); }
  void restart() { XXH3_128bits_reset_withSecret(&state_, secret_.data(), secret_.size()); }
  void add(Bytes bytes) { XXH3_128bits_update(&state_, bytes.data(), bytes.size()); }
  base::uint128 value() const { return to_uint128(XXH3_128bits_digest(&state_)); }

 private:
  Bytes secret_;
  XXH3_state_t state_;
};

// What a row's key comes to: its hash, and the first bytes of it for a sketch.
class RowKey {
 public:
  void add_column(base::uint128 hash) { hash_.add_column(hash); }
  void add_bytes(Bytes bytes) {
    const auto take = std::min(bytes.size(), bytes_.size() - size_);
    std::memcpy(bytes_.data() + size_, bytes.data(), take);
    size_ += take;
  }
  const KeyHash& hash() const { return hash_; }
  Bytes bytes() const { return Bytes(bytes_).first(size_); }

 private:
  KeyHash hash_;
  std::array<std::byte, RowSketch::kKeyBytes> bytes_;
  size_t size_ = 0;
};

constexpr std::array kTab{std::byte{'\t'}};

uint32_t big_endian_32(const std::byte* at) {
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}

uint16_t big_endian_16(const std::byte* at) {
  uint16_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap16(value);
}

}  // namespace

// What both formats share: the hash of a row, whole or in pieces, and where it is counted.
class RowDigest::Parser {
 public:
  Parser(const DigestKey& key, const RowShape& shape, BucketDigest& digest, RowSketch* sketch)
      : key_(key),
        shape_(shape),
        digest_(digest),
        sketch_(sketch),
        row_stream_(key),
        key_stream_(key.secret()) {
    marks_.assign(shape.columns, kPlain);
    for (const auto column : shape.key) marks_[column] |= kKey;
    for (const auto column : shape.floats) marks_[column] |= kFloat;
    last_key_ = shape.key.empty() ? 0 : shape.key.back() + 1;
  }
  virtual ~Parser() = default;
  virtual void write(Bytes bytes) = 0;
  virtual void finish() = 0;

 protected:
  // What a column is beside a part of its row.
  static constexpr uint8_t kPlain = 0;
  static constexpr uint8_t kKey = 1;
  static constexpr uint8_t kFloat = 2;
  bool is_key(uint32_t column) const { return (marks_[column] & kKey) != 0; }
  bool is_float(uint32_t column) const { return (marks_[column] & kFloat) != 0; }
  bool wants_key() const { return (shape_.buckets > 1 || sketch_) && last_key_ != 0; }
  base::uint128 key_hash(Bytes bytes) const { return keyed_hash(key_, bytes); }
  void count_row(base::uint128 row_hash, const RowKey& key) {
    const auto bucket =
        wants_key() ? key.hash().bucket(shape_.buckets) : bucket_without_key(row_hash, shape_.buckets);
    digest_[bucket].add_row(row_hash);
    if (sketch_) sketch_->add(row_hash, key.bytes());
  }

  const DigestKey& key_;
  RowShape shape_;
  BucketDigest& digest_;
  RowSketch* sketch_;
  std::vector<uint8_t> marks_;
  uint32_t last_key_ = 0;  // columns to look at for the key
  RowStream row_stream_;
  KeyStream key_stream_;
  RowKey row_key_;
};

// -------------------------------------------------------------------------------------- binary format
//
//   stream  = header row* trailer
//   header  = "PGCOPY\n\377\r\n\0" flags:u32 extension-length:u32 extension
//   row     = columns:i16 (length:i32 bytes)*      length -1: NULL
//   trailer = -1:i16
// all big endian (documentation of COPY, "Binary Format").

class RowDigest::BinaryParser final : public Parser {
 public:
  using Parser::Parser;

  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      if (state_ == State::column_count && small_size_ == 0) bytes = whole_rows(bytes);
      if (!bytes.empty()) bytes = piece(bytes);
    }
  }

  void finish() override {
    if (state_ != State::ended) base::fail(ErrorKind::corrupt, "the COPY stream ends before its trailer");
  }

 private:
  enum class State { header, extension, column_count, length, value, float_value, ended };
  static constexpr std::string_view kSignature{"PGCOPY\n\377\r\n\0", 11};
  static constexpr size_t kHeader = 19;

  // The fast path: counts the rows that lie whole in `bytes`, returns the rest.
  Bytes whole_rows(Bytes bytes) {
    for (;;) {
      RowKey key;
      const size_t length = whole_row_length(bytes, key);
      if (length == 0) return bytes;
      count_row(row_stream_.whole(bytes.first(length)), key);
      bytes = bytes.subspan(length);
    }
  }

  // 0 when the row is not whole, is not a row, or holds a NaN that is digested as another.
  size_t whole_row_length(Bytes bytes, RowKey& key) const {
    if (bytes.size() < 2 || big_endian_16(bytes.data()) != shape_.columns) return 0;
    const bool with_key = wants_key();
    size_t at = 2;
    for (uint32_t column = 0; column < shape_.columns; ++column) {
      if (bytes.size() - at < 4) return 0;
      const auto length = static_cast<int32_t>(big_endian_32(bytes.data() + at));
      const size_t size = 4 + (length > 0 ? static_cast<size_t>(length) : 0);
      if (length < -1 || bytes.size() - at < size) return 0;
      if (marks_[column] != kPlain) {
        const auto value = bytes.subspan(at, size);
        if (is_float(column) && is_other_nan(value.subspan(4))) return 0;
        if (with_key && is_key(column)) {
          key.add_column(key_hash(value));
          if (sketch_) key.add_bytes(value);
        }
      }
      at += size;
    }
    return at;
  }

  // The slow path: takes one small step with what there is, returns the rest.
  Bytes piece(Bytes bytes) {
    switch (state_) {
      case State::header:
        if (gather(bytes, kHeader)) header_done();
        return bytes;
      case State::extension:
        return skip_extension(bytes);
      case State::column_count:
        if (gather(bytes, 2)) column_count_done();
        return bytes;
      case State::length:
        if (gather(bytes, 4)) length_done();
        return bytes;
      case State::value:
        return value_piece(bytes);
      case State::float_value:
        return float_piece(bytes);
      case State::ended:
        break;
    }
    base::fail(ErrorKind::corrupt, "the COPY stream goes on after its trailer");
  }

  // Moves bytes into small_ until it holds `wanted`.
  bool gather(Bytes& bytes, size_t wanted) {
    const auto take = std::min(bytes.size(), wanted - small_size_);
    std::memcpy(small_.data() + small_size_, bytes.data(), take);
    small_size_ += take;
    bytes = bytes.subspan(take);
    if (small_size_ < wanted) return false;
    small_size_ = 0;
    return true;
  }

  void header_done() {
    if (std::memcmp(small_.data(), kSignature.data(), kSignature.size()) != 0)
      base::fail(ErrorKind::corrupt, "the COPY stream does not begin with the binary signature");
    remaining_ = big_endian_32(small_.data() + 15);
    state_ = remaining_ > 0 ? State::extension : State::column_count;
  }

  Bytes skip_extension(Bytes bytes) {
    const auto take = std::min(bytes.size(), remaining_);
    remaining_ -= take;
    if (remaining_ == 0) state_ = State::column_count;
    return bytes.subspan(take);
  }

  void column_count_done() {
    const auto count = big_endian_16(small_.data());
    if (count == 0xFFFF) {
      state_ = State::ended;
      return;
    }
    if (count != shape_.columns)
      base::fail(ErrorKind::corrupt, "a row of {} columns in a COPY stream of {}", count, shape_.columns);
    row_stream_.restart();
    row_stream_.add(Bytes(small_).first(2));
    row_key_ = RowKey();
    column_ = 0;
    next_column();
  }

  void length_done() {
    const auto length = static_cast<int32_t>(big_endian_32(small_.data()));
    if (length < -1) base::fail(ErrorKind::corrupt, "a value of length {} in the COPY stream", length);
    if (is_key(column_)) key_stream_.restart();
    add(Bytes(small_).first(4));
    remaining_ = length > 0 ? static_cast<size_t>(length) : 0;
    state_ = is_float(column_) && remaining_ <= sizeof(double) ? State::float_value : State::value;
    if (remaining_ == 0) value_done();
  }

  Bytes value_piece(Bytes bytes) {
    const auto part = bytes.first(std::min(bytes.size(), remaining_));
    add(part);
    remaining_ -= part.size();
    if (remaining_ == 0) value_done();
    return bytes.subspan(part.size());
  }

  // Only a whole one can be looked at.
  Bytes float_piece(Bytes bytes) {
    if (!gather(bytes, remaining_)) return bytes;
    const auto value = Bytes(small_).first(std::exchange(remaining_, 0));
    add(is_other_nan(value) ? one_nan(value.size()) : value);
    value_done();
    return bytes;
  }

  // A piece of a column's length or value.
  void add(Bytes piece) {
    row_stream_.add(piece);
    if (!is_key(column_)) return;
    key_stream_.add(piece);
    row_key_.add_bytes(piece);
  }

  void value_done() {
    if (is_key(column_)) row_key_.add_column(key_stream_.value());
    ++column_;
    next_column();
  }

  void next_column() {
    state_ = State::length;
    if (column_ < shape_.columns) return;
    count_row(row_stream_.value(), row_key_);
    state_ = State::column_count;
  }

  State state_ = State::header;
  std::array<std::byte, kHeader> small_{};
  size_t small_size_ = 0;
  size_t remaining_ = 0;
  uint32_t column_ = 0;
};

// ---------------------------------------------------------------------------------------- text format
//
//   stream = (value ("\t" value)* "\n")*      tabs, newlines and backslashes inside values are escaped

class RowDigest::TextParser final : public Parser {
 public:
  using Parser::Parser;

  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      const auto* newline = std::memchr(bytes.data(), '\n', bytes.size());
      const auto size = newline
                            ? static_cast<size_t>(static_cast<const std::byte*>(newline) - bytes.data()) + 1
                            : bytes.size();
      const auto line = bytes.first(size);
      bytes = bytes.subspan(size);
      if (newline && !inside_) {
        if (wants_key()) key_piece(line.first(size - 1), true);
        count_row(row_stream_.whole(line), std::exchange(row_key_, {}));
        column_ = 0;
      } else {
        partial_line(line, newline != nullptr);
      }
    }
  }

  void finish() override {
    if (inside_) base::fail(ErrorKind::corrupt, "the COPY stream ends inside a line");
  }

 private:
  void partial_line(Bytes piece, bool last) {
    if (!inside_) row_stream_.restart();
    inside_ = true;
    row_stream_.add(piece);
    if (wants_key()) key_piece(last ? piece.first(piece.size() - 1) : piece, last);
    if (!last) return;
    count_row(row_stream_.value(), std::exchange(row_key_, {}));
    inside_ = false;
    column_ = 0;
  }

  // Walks the columns of a piece of a line; `last` when the line ends with it.
  void key_piece(Bytes piece, bool last) {
    while (column_ < last_key_) {
      const auto* tab = std::memchr(piece.data(), '\t', piece.size());
      const auto size =
          tab ? static_cast<size_t>(static_cast<const std::byte*>(tab) - piece.data()) : piece.size();
      if (is_key(column_)) {
        if (!std::exchange(in_key_, true)) key_stream_.restart();
        key_stream_.add(piece.first(size));
        row_key_.add_bytes(piece.first(size));
      }
      if (!tab && !last) return;
      if (std::exchange(in_key_, false)) {
        row_key_.add_column(key_stream_.value());
        row_key_.add_bytes(kTab);
      }
      ++column_;
      if (!tab) return;
      piece = piece.subspan(size + 1);
    }
  }

  bool inside_ = false;  // between the pieces of one line
  bool in_key_ = false;
  uint32_t column_ = 0;
};

// ------------------------------------------------------------------------------------------ RowDigest

RowDigest::RowDigest(const DigestKey& key, const RowShape& shape, RowSketch* sketch)
    : digest_(shape.buckets) {
  if (shape.format == CopyFormat::binary) {
    parser_ = std::make_unique<BinaryParser>(key, shape, digest_, sketch);
  } else {
    parser_ = std::make_unique<TextParser>(key, shape, digest_, sketch);
  }
}

RowDigest::~RowDigest() = default;
void RowDigest::write(Bytes bytes) { parser_->write(bytes); }
void RowDigest::finish() { parser_->finish(); }

}  // namespace pg
