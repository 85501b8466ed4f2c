#include "tests/support/relay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <stdexcept>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool write_all(int socket, const char* bytes, size_t size) {
  while (size > 0) {
    const auto count = send(socket, bytes, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

/// In what a server sends when it lets a client in, which comes at once. False: it is not there.
bool replace_cancel_key(std::span<char> bytes) {
  // BackendKeyData: its type, its length; then the process id and the secret.
  static constexpr std::array<char, 5> kHead{'K', 0, 0, 0, 12};
  const auto found = std::ranges::search(bytes, kHead);
  if (found.empty() || bytes.end() - found.end() < 8) return false;
  std::fill_n(found.end(), 8, '\x11');
  return true;
}

}  // namespace

Relay::Relay(int server_port, CancelKeys keys, int port) : server_port_(server_port), keys_(keys) {
  listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto address = loopback(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listening_ < 0 || bind(listening_, generic, size) != 0 || listen(listening_, 512) != 0 ||
      getsockname(listening_, generic, &size) != 0)
    throw std::runtime_error("no relay");
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this] { accept_all(); });
}

Relay::~Relay() {
  stop_.request();
  accepting_.join();
  connections_.clear();  // joins
  close(listening_);
}

void Relay::accept_all() {
  for (;;) {
    std::array<pollfd, 2> ready{{{listening_, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
    if (stop_.requested()) return;
    const int client = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) connections_.emplace_back([this, client] { serve(client); });
  }
}

/// Until either side closes.
void Relay::serve(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto address = loopback(server_port_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::vector<char> buffer(size_t{256} << 10);
  bool replaced = keys_ == CancelKeys::forwarded;
  while (open) {
    std::array<pollfd, 3> ready{{{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
    if (stop_.requested()) break;
    for (const bool upwards : {true, false}) {
      if (ready[upwards ? 0 : 1].revents == 0 || !open) continue;
      const auto count = recv(upwards ? client : server, buffer.data(), buffer.size(), 0);
      if (!upwards && count > 0 && !replaced)
        replaced = replace_cancel_key(std::span(buffer).first(static_cast<size_t>(count)));
      open = count > 0 && write_all(upwards ? server : client, buffer.data(), static_cast<size_t>(count));
      if (upwards && count > 0) bytes_ += static_cast<uint64_t>(count);
    }
  }
  close(server);
  close(client);
}

}  // namespace support
