#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/row_digest.h"

namespace verify {

/// True when key_literals() can write values of these types (as format_type() writes them).
bool has_key_literals(pg::CopyFormat format, const std::vector<std::string>& types);

/// The values of a key as SQL, from the bytes that pg::RowSketch keeps of it: in binary each column's length
/// and value, in text each column and a tab. Nothing when the bytes are cut short.
std::optional<std::vector<std::string>> key_literals(pg::CopyFormat format,
                                                     const std::vector<std::string>& types,
                                                     std::string_view key);

}  // namespace verify
