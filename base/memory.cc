#include "base/memory.h"

#include <malloc.h>

namespace base {

void give_large_pieces_back() {
#ifdef __GLIBC__
  // Above the buffers that are made for every chunk of rows. Setting them keeps them from being adapted.
  ::mallopt(M_MMAP_THRESHOLD, 512 << 10);  // NOLINT(concurrency-mt-unsafe)
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);    // NOLINT(concurrency-mt-unsafe)
#endif
}

void share_heaps() {
#ifdef __GLIBC__
  ::mallopt(M_ARENA_MAX, 2);  // NOLINT(concurrency-mt-unsafe)
#endif
}

void give_free_memory_back() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace base
