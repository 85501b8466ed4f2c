#include "pg/strong_hash.h"

#include <cstring>

namespace pg {

base::uint128 StrongHash::take() {
  const auto whole = hmac_.take();
  base::uint128 value = 0;
  std::memcpy(&value, whole.data(), sizeof value);
  return value;
}

}  // namespace pg
