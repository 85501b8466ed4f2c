#include "base/crc32c.h"

#include <algorithm>

#include <isa-l/crc.h>

namespace base {

uint32_t crc32c(Bytes bytes, uint32_t before) {
  // ISA-L leaves the initial and the final inversion to its caller, counts bytes in an int, and takes a
  // pointer to non-const that it does not write through.
  constexpr size_t kLongestRun = size_t{1} << 30;
  uint32_t crc = ~before;
  while (!bytes.empty()) {
    const auto run = bytes.first(std::min(bytes.size(), kLongestRun));
    auto* start = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(run.data()));
    crc = crc32_iscsi(start, static_cast<int>(run.size()), crc);
    bytes = bytes.subspan(run.size());
  }
  return ~crc;
}

}  // namespace base
