#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>

namespace base {

/// Gives a container of many small entries its memory in large pieces, which go back when the container ends.
/// For entries that stay while everything around them comes and goes: allocated one by one each would split a
/// piece that was just freed, and what is left of it does not do for the next of its kind (measured: 100
/// bytes kept cost 700). As thread-safe as the container itself: a copy has pieces of its own. What was moved
/// takes them along, and what it was moved out of shares them from then on: only the same thread may fill
/// that again.
template <typename T>
class SlabAllocator {
 public:
  // The standard's names.
  // NOLINTBEGIN(readability-identifier-naming)
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;
  // NOLINTEND(readability-identifier-naming)

  SlabAllocator() : slabs_(std::make_shared<std::pmr::unsynchronized_pool_resource>()) {}
  // With these there is no move: it would leave a container that may be filled again without an allocator.
  SlabAllocator(const SlabAllocator&) = default;
  SlabAllocator& operator=(const SlabAllocator&) = default;
  ~SlabAllocator() = default;
  template <typename Other>
  SlabAllocator(const SlabAllocator<Other>& other)
      : slabs_(other.slabs_) {}  // NOLINT(google-explicit-constructor)

  // T may well be a pointer: the buckets of a hash table are.
  // NOLINTBEGIN(bugprone-sizeof-expression)
  T* allocate(size_t count) { return static_cast<T*>(slabs_->allocate(count * sizeof(T), alignof(T))); }
  void deallocate(T* entries, size_t count) noexcept {
    slabs_->deallocate(entries, count * sizeof(T), alignof(T));
  }
  // NOLINTEND(bugprone-sizeof-expression)
  SlabAllocator select_on_container_copy_construction() const { return {}; }
  template <typename Other>
  bool operator==(const SlabAllocator<Other>& other) const {
    return slabs_ == other.slabs_;
  }

 private:
  template <typename Other>
  friend class SlabAllocator;
  std::shared_ptr<std::pmr::unsynchronized_pool_resource> slabs_;
};

}  // namespace base
