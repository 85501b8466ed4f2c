#pragma once

#include <cstdint>

#include "base/sink.h"

namespace base {

/// The standard CRC32C (Castagnoli; check value 0xE3069283 for "123456789"). `before` is the CRC of the bytes
/// in front of these, so that crc32c(b, crc32c(a)) is the CRC of a and b together.
uint32_t crc32c(Bytes bytes, uint32_t before = 0);

}  // namespace base
