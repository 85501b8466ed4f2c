#include "base/stop.h"

#include <cerrno>
#include <optional>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

namespace base {

struct Stop::State {
  State() : descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor < 0) throw system_error("create", "an eventfd", errno);
  }
  ~State() {
    parent_callback.reset();
    close(descriptor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void request() {
    if (source.request_stop()) {
      const uint64_t one = 1;
      // The counter cannot overflow by one write, so this cannot fail.
      [[maybe_unused]] const auto written = write(descriptor, &one, sizeof one);
    }
  }

  struct Forward {
    State* self;
    void operator()() const { self->request(); }
  };

  std::stop_source source;
  int descriptor;
  std::shared_ptr<State> parent;
  std::optional<std::stop_callback<Forward>> parent_callback;
};

Stop::Stop() : state_(std::make_shared<State>()) {}

Stop Stop::child_of(const Stop& parent) {
  Stop child;
  child.state_->parent = parent.state_;
  child.state_->parent_callback.emplace(parent.token(), State::Forward{child.state_.get()});
  return child;
}

void Stop::request() const { state_->request(); }
bool Stop::requested() const { return state_->source.stop_requested(); }
int Stop::descriptor() const { return state_->descriptor; }
std::stop_token Stop::token() const { return state_->source.get_token(); }

void Stop::check() const {
  if (requested()) throw Error(ErrorKind::cancelled, "stopped on request");
}

void Stop::sleep_for(std::chrono::milliseconds duration) const {
  const auto deadline = std::chrono::steady_clock::now() + duration;
  for (;;) {
    check();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now() + std::chrono::microseconds(999));
    if (left.count() <= 0) return;
    pollfd waiting{descriptor(), POLLIN, 0};
    poll(&waiting, 1, static_cast<int>(left.count()));
  }
}

}  // namespace base
