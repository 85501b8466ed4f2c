#include "base/thread_group.h"

#include <utility>

#include <pthread.h>

#include "base/error.h"

namespace base {
namespace {

bool is_cancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.kind() == ErrorKind::cancelled;
  } catch (...) {
    return false;
  }
}

}  // namespace

ThreadGroup::~ThreadGroup() { stop_.request(); }

void ThreadGroup::start(std::string name, std::function<void()> body) {
  threads_.emplace_back([this, name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    try {
      body();
    } catch (...) {
      {
        auto first = first_.lock();
        // Members stopped because of the first failure report "cancelled": never let that hide it.
        if (!*first || (is_cancelled(*first) && !is_cancelled(std::current_exception())))
          *first = std::current_exception();
      }
      stop_.request();
    }
  });
}

void ThreadGroup::join() {
  threads_.clear();
  if (const auto error = *first_.lock()) std::rethrow_exception(error);
}

}  // namespace base
