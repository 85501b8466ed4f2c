#include "s3/layout.h"

#include <algorithm>

#include "base/error.h"

namespace s3 {
namespace {

constexpr uint64_t kSmallestPart = 16 * kMiB;
constexpr uint64_t kWantedParts = 9'000;

uint64_t divided_up(uint64_t value, uint64_t by) { return (value + by - 1) / by; }

}  // namespace

Layout layout_of(uint64_t size) {
  if (size > kLargestObject)
    base::fail(base::ErrorKind::permanent, "{} bytes are more than an object can have ({})", size,
               kLargestObject);
  const auto wanted = divided_up(divided_up(size, kWantedParts), kMiB) * kMiB;
  return {size, std::clamp(wanted, kSmallestPart, kLargestPart)};
}

}  // namespace s3
