#include "base/tcp.h"

#include <cerrno>
#include <memory>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace base {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

struct AddressesDeleter {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

class Socket {
 public:
  explicit Socket(const addrinfo& address)
      : descriptor_(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// 0 once the connection stands, else why it does not.
int wait_for_connection(int descriptor, Deadline deadline, const Stop& stop) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    pollfd waiting[]{{descriptor, POLLOUT, 0}, {stop.descriptor(), POLLIN, 0}};
    if (::poll(waiting, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) return errno;
    stop.check();
    if (waiting[0].revents == 0) continue;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
    return error;
  }
}

int connect_to(const addrinfo& address, Deadline deadline, const Stop& stop) {
  const Socket socket(address);
  if (socket.descriptor() < 0) return errno;
  if (::connect(socket.descriptor(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  return errno == EINPROGRESS ? wait_for_connection(socket.descriptor(), deadline, stop) : errno;
}

}  // namespace

void try_connection(const std::string& host, const std::string& port, std::chrono::milliseconds timeout,
                    const Stop& stop) {
  const auto name = fmt::format("{}:{}", host, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0)
    fail(ErrorKind::transient, "cannot look up {}: {}", name, ::gai_strerror(code));
  const std::unique_ptr<addrinfo, AddressesDeleter> addresses(found);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  int error = ETIMEDOUT;
  for (const auto* address = addresses.get(); address; address = address->ai_next) {
    error = connect_to(*address, deadline, stop);
    if (error == 0) return;
  }
  throw system_error("connect to", name, error).kind(ErrorKind::transient);
}

}  // namespace base
