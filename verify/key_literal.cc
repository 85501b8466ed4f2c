#include "verify/key_literal.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "pg/copy_rows.h"
#include "pg/quote.h"

namespace verify {
namespace {

bool is_integer(std::string_view type) { return type == "smallint" || type == "integer" || type == "bigint"; }

// Their binary form is the text itself.
bool is_text(std::string_view type) {
  return type == "text" || type.starts_with("character varying") || type.starts_with("character(") ||
         type.ends_with("citext");
}

std::string integer(std::string_view bytes) {
  uint64_t value = !bytes.empty() && static_cast<unsigned char>(bytes[0]) >= 0x80 ? UINT64_MAX : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  // Quoted: -9223372036854775808 without quotes is the negative of what no bigint can be.
  return fmt::format("'{}'", static_cast<int64_t>(value));
}

std::string uuid(std::string_view bytes) {
  std::string out = "'";
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out + "'";
}

std::optional<std::string> binary_literal(std::string_view type, std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  uint32_t size = 0;
  for (const char byte : rest.substr(0, 4)) size = size << 8 | static_cast<unsigned char>(byte);
  rest.remove_prefix(4);
  if (size > rest.size()) return std::nullopt;
  const auto value = rest.substr(0, size);
  rest.remove_prefix(size);
  if (is_integer(type)) return integer(value);
  if (type == "uuid") return uuid(value);
  return pg::quote_literal(value);
}

std::optional<std::string> text_literal(std::string_view& rest) {
  const auto tab = rest.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  const auto value = pg::column_value(pg::CopyFormat::text, std::as_bytes(std::span(rest.data(), tab)));
  rest.remove_prefix(tab + 1);
  return value ? std::optional(pg::quote_literal(*value)) : std::nullopt;
}

}  // namespace

bool has_key_literals(pg::CopyFormat format, const std::vector<std::string>& types) {
  return !types.empty() &&
         (format == pg::CopyFormat::text || std::ranges::all_of(types, [](const auto& type) {
            return is_integer(type) || is_text(type) || type == "uuid";
          }));
}

std::optional<std::vector<std::string>> key_literals(pg::CopyFormat format,
                                                     const std::vector<std::string>& types,
                                                     std::string_view key) {
  std::vector<std::string> out;
  for (const auto& type : types) {
    auto literal = format == pg::CopyFormat::binary ? binary_literal(type, key) : text_literal(key);
    if (!literal) return std::nullopt;
    out.push_back(std::move(*literal));
  }
  return out;
}

}  // namespace verify
