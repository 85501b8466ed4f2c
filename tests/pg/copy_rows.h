#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "pg/copy_rows.h"

/// Streams as COPY TO writes them.
namespace pg::test {

using Value = std::optional<std::string>;
using Row = std::vector<Value>;

template <typename Integer>
void put_big_endian(std::string& out, Integer value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::make_unsigned_t<Integer>>(value) >> shift);
}

inline std::string binary_header(std::string_view extension = {}) {
  std::string out("PGCOPY\n\377\r\n\0", 11);
  put_big_endian<int32_t>(out, 0);
  put_big_endian<int32_t>(out, static_cast<int32_t>(extension.size()));
  return out.append(extension);
}

inline std::string binary_trailer() { return "\xff\xff"; }

inline std::string binary_row(const Row& row) {
  std::string out;
  put_big_endian<int16_t>(out, static_cast<int16_t>(row.size()));
  for (const auto& value : row) {
    put_big_endian<int32_t>(out, value ? static_cast<int32_t>(value->size()) : -1);
    out += value.value_or("");
  }
  return out;
}

inline std::string text_row(const Row& row) {
  std::string out;
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += '\t';
    if (!row[i]) out += "\\N";
    for (const char c : row[i].value_or("")) {
      switch (c) {
        case '\\':
          out += "\\\\";
          break;
        case '\t':
          out += "\\t";
          break;
        case '\n':
          out += "\\n";
          break;
        default:
          out += c;
      }
    }
  }
  return out + '\n';
}

inline std::string stream_of(CopyFormat format, const std::vector<Row>& rows) {
  std::string out = format == CopyFormat::binary ? binary_header() : "";
  for (const auto& row : rows) out += format == CopyFormat::binary ? binary_row(row) : text_row(row);
  return format == CopyFormat::binary ? out + binary_trailer() : out;
}

}  // namespace pg::test
