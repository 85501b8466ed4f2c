#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/sink.h"
#include "pg/digest.h"
#include "pg/row_sketch.h"

namespace pg {

enum class CopyFormat { binary, text };

/// What RowDigest must know of a table's COPY stream.
struct RowShape {
  CopyFormat format = CopyFormat::binary;
  uint32_t columns = 0;
  /// Positions of the key's columns within the row, ascending. Empty: the bucket comes from the whole row.
  std::vector<uint32_t> key;
  /// A power of two.
  uint32_t buckets = 1;
  /// Positions of the float columns of which all NaN count as one, in binary (text knows one only): a float
  /// has many bit patterns for it, which Postgres takes for equal. Empty in what a copy records: it digests
  /// the values as they are.
  std::vector<uint32_t> floats = {};
};

/// Digests the rows of a COPY stream as it passes, whatever the split of the bytes. A row's hash is XXH3-128,
/// with the run's secret, of the row as the server sent it: in binary every column's length and bytes, in
/// text the line with its newline. Both are unambiguous (lengths; escapes), so ('a|b','c') and ('a','b|c')
/// differ and so do NULL and ''. Rows that lie whole in one piece are hashed at one go; a row that spans
/// pieces, of whatever size, is hashed piece by piece in constant memory.
///
/// It also checks the stream: in binary its header, its trailer and the number of columns of each row, in
/// text that it ends with a newline. A stream that is damaged or ends early is Error{corrupt}.
class RowDigest : public base::ByteSink {
 public:
  /// Rows are added to `sketch` too, when there is one, with their keys: the columns as they stand in the
  /// stream, each with its length (in binary) or followed by a tab (in text).
  RowDigest(const DigestKey& key, const RowShape& shape, RowSketch* sketch = nullptr);
  ~RowDigest() override;

  void write(base::Bytes bytes) override;
  void finish() override;
  const BucketDigest& digest() const { return digest_; }

 private:
  class Parser;
  class BinaryParser;
  class TextParser;

  BucketDigest digest_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace pg
