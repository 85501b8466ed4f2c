#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/sink.h"
#include "base/uint128.h"
#include "pg/digest.h"
#include "pg/row_digest.h"

namespace pg {

/// Cuts a COPY stream into rows and columns, for looking at single rows; RowDigest does without. Memory: the
/// longest row. Damage is Error{corrupt}, as with RowDigest.
class RowSplitter : public base::ByteSink {
 public:
  /// The columns of a row as they stand in the stream, valid during the call: in binary a length (4 bytes,
  /// big endian, -1 for NULL) and the value, in text what is between the tabs, escaped. The columns of one
  /// row follow each other in one piece of memory.
  using Visitor = std::function<void(std::span<const base::Bytes> columns)>;

  /// `floats` as in RowShape: a NaN in one of these columns is given as the one that it is digested as.
  RowSplitter(CopyFormat format, uint32_t columns, Visitor visit, std::vector<uint32_t> floats = {});
  void write(base::Bytes bytes) override;
  void finish() override;

 private:
  size_t take_rows(base::Bytes bytes);
  size_t binary_row(base::Bytes bytes);
  size_t text_row(base::Bytes bytes);
  void unify_nan(base::Bytes row);

  CopyFormat format_;
  uint32_t column_count_;
  Visitor visit_;
  std::vector<uint32_t> floats_;
  std::vector<base::Bytes> columns_;
  std::vector<std::byte> unified_;  // a row with another NaN than the server sent
  std::vector<std::byte> pending_;  // the start of a row whose end has not come yet
  size_t searched_ = 0;             // of pending_, for the end of the line
  bool begun_ = false;              // binary: the header is behind us
  bool ended_ = false;              // binary: so is the trailer
};

/// The value of a column as RowSplitter gives it: in text without its escapes; nothing for NULL.
std::optional<std::string> column_value(CopyFormat format, base::Bytes column);

class RowStream;

/// Hashes single rows exactly as RowDigest does.
class RowHasher {
 public:
  RowHasher(const DigestKey& key, RowShape shape);
  ~RowHasher();

  /// Only the first columns count, as many as the shape has: a stream may carry more behind them.
  base::uint128 row(std::span<const base::Bytes> columns);
  uint32_t bucket(std::span<const base::Bytes> columns, base::uint128 row_hash) const;
  uint64_t column(base::Bytes column) const;
  const RowShape& shape() const { return shape_; }

 private:
  const DigestKey& key_;
  RowShape shape_;
  std::unique_ptr<RowStream> stream_;
};

}  // namespace pg
