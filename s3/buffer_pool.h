#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/guarded.h"
#include "base/stop.h"

namespace s3 {

/// Memory for what is being sent, with a hard limit: who asks for more than is left waits. Those who wait are
/// served in their order, so that a large request is not starved by small ones. Thread-safe.
class BufferPool {
 public:
  explicit BufferPool(uint64_t limit) : limit_(limit) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// Goes back to the pool at the end of its life.
  class Buffer {
   public:
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&&) = delete;
    ~Buffer();
    std::span<std::byte> bytes() const { return bytes_.first(size_); }

   private:
    friend class BufferPool;
    Buffer(BufferPool& pool, std::span<std::byte> bytes, size_t size)
        : pool_(&pool), bytes_(bytes), size_(size) {}
    BufferPool* pool_;
    std::span<std::byte> bytes_;
    size_t size_;
  };

  /// A buffer of `size` bytes, uninitialised. A single one may be larger than the limit, then it is the only
  /// one. Throws Error{cancelled} on a stop.
  Buffer acquire(size_t size, const base::Stop& stop);

 private:
  struct Shared {
    uint64_t used = 0;  // mapped: lent and free ones
    uint64_t lent = 0;
    uint64_t next_ticket = 0;
    uint64_t serving = 0;
    std::vector<std::span<std::byte>> free;
  };
  void give_back(std::span<std::byte> bytes);

  const uint64_t limit_;
  base::Guarded<Shared> shared_;
};

}  // namespace s3
