#include "s3/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/mman.h>

#include "base/error.h"

namespace s3 {
namespace {

/// Few different sizes, so that a buffer that comes back fits the next request. Up to 4 MiB powers of two
/// from 64 KiB, then whole multiples of 4 MiB.
size_t rounded(size_t size) {
  constexpr size_t kStep = size_t{4} << 20;
  if (size <= kStep) return std::max(std::bit_ceil(size), size_t{64} << 10);
  return (size + kStep - 1) / kStep * kStep;
}

std::span<std::byte> map(size_t size) {
  // Not from malloc: what is given back must leave the process, whatever else was allocated since.
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw base::system_error("get memory for", "a buffer", errno);
  return {static_cast<std::byte*>(memory), size};
}

void unmap(std::span<std::byte> bytes) { ::munmap(bytes.data(), bytes.size()); }

}  // namespace

BufferPool::~BufferPool() {
  auto shared = shared_.lock();
  for (const auto bytes : shared->free) unmap(bytes);
}

BufferPool::Buffer BufferPool::acquire(size_t size, const base::Stop& stop) {
  const auto wanted = rounded(size);
  auto shared = shared_.lock();
  const auto ticket = shared->next_ticket++;
  const auto is_ready = [&] {
    return shared->serving == ticket && (shared->lent == 0 || shared->lent + wanted <= limit_);
  };
  // A stop ends the whole run: the turn of one who leaves need not be passed on.
  while (!shared.wait_for(base::kStopCheck, is_ready)) stop.check();
  ++shared->serving;
  shared_.notify_all();
  const auto same = std::ranges::find(shared->free, wanted, [](const auto& bytes) { return bytes.size(); });
  if (same != shared->free.end()) {
    const auto bytes = *same;
    shared->free.erase(same);
    shared->lent += wanted;
    return {*this, bytes, size};
  }
  while (!shared->free.empty() && shared->used + wanted > limit_) {
    shared->used -= shared->free.back().size();
    unmap(shared->free.back());
    shared->free.pop_back();
  }
  const auto bytes = map(wanted);
  shared->used += wanted;
  shared->lent += wanted;
  return {*this, bytes, size};
}

void BufferPool::give_back(std::span<std::byte> bytes) {
  {
    auto shared = shared_.lock();
    shared->lent -= bytes.size();
    shared->free.push_back(bytes);
  }
  shared_.notify_all();
}

BufferPool::Buffer::Buffer(Buffer&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), bytes_(other.bytes_), size_(other.size_) {}

BufferPool::Buffer::~Buffer() {
  if (pool_ != nullptr) pool_->give_back(bytes_);
}

}  // namespace s3
