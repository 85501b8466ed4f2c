#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace base {

/// A value that can only be reached while its lock is held: `auto v = guarded.lock(); v->push_back(1);`
template <typename T>
class Guarded {
 public:
  template <typename... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  class Access {
   public:
    explicit Access(Guarded& owner) : owner_(owner), lock_(owner.mutex_) {}
    T* operator->() { return &owner_.value_; }
    T& operator*() { return owner_.value_; }
    /// Waits until `ready` holds; every change that can make it hold must call notify_all(), or notify_one()
    /// where one of those that wait is enough and any of them will do.
    template <typename Predicate>
    void wait(Predicate ready) {
      owner_.changed_.wait(lock_, ready);
    }
    /// Waits for one notify_all(), or for the time to pass.
    template <typename Duration>
    void wait_for(Duration duration) {
      owner_.changed_.wait_for(lock_, duration);
    }
    template <typename Duration, typename Predicate>
    bool wait_for(Duration duration, Predicate ready) {
      return owner_.changed_.wait_for(lock_, duration, ready);
    }

   private:
    Guarded& owner_;
    std::unique_lock<std::mutex> lock_;
  };

  Access lock() { return Access(*this); }
  void notify_all() { changed_.notify_all(); }
  void notify_one() { changed_.notify_one(); }

 private:
  T value_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace base
