#include "tests/support/password_server.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {
namespace {

/// What LDAP messages are made of (X.690): a tag, a length, the content.
struct Element {
  uint8_t tag = 0;
  std::string_view content;
};

/// Takes the element at the front off; nothing while it is not whole.
std::optional<Element> take(std::string_view& bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  size_t header = 2;
  size_t length = byte(1);
  if (length >= 0x80) {  // then it is the number of bytes of the length
    const size_t count = length & 0x7FU;
    if (bytes.size() < header + count) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < count; ++i) length = length << 8U | byte(header + i);
    header += count;
  }
  if (bytes.size() < header + length) return std::nullopt;
  const Element out{byte(0), bytes.substr(header, length)};
  bytes.remove_prefix(header + length);
  return out;
}

constexpr uint8_t kMessage = 0x30;
constexpr uint8_t kBindRequest = 0x60;
constexpr char kSuccess = 0;
constexpr char kInvalidCredentials = 49;

}  // namespace

PasswordServer::PasswordServer(Judge judge) : judge_(std::move(judge)) {
  listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listening_ < 0 || bind(listening_, generic, size) != 0 || listen(listening_, 64) != 0 ||
      getsockname(listening_, generic, &size) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this] { accept_all(); });
}

PasswordServer::~PasswordServer() {
  stop_.request();
  accepting_.join();
  close(listening_);
}

std::string PasswordServer::access_rules(const std::string& role) const {
  return fmt::format(
      "hostssl all {0} 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={1} ldapprefix=\"\" ldapsuffix=\"\"\n"
      "host all {0} all reject",
      role, port_);
}

void PasswordServer::accept_all() {
  for (;;) {
    std::array<pollfd, 2> ready{{{listening_, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
    if (stop_.requested()) return;
    const int socket = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    serve(socket);
    close(socket);
  }
}

/// One login; the client closes the connection, or is closed out after the answer.
void PasswordServer::serve(int socket) const {
  std::string received;
  std::array<char, 4096> piece{};
  std::optional<Element> message;
  while (!message) {
    const auto count = recv(socket, piece.data(), piece.size(), 0);
    if (count <= 0) return;
    received.append(piece.data(), static_cast<size_t>(count));
    std::string_view rest = received;
    message = take(rest);
  }
  auto content = message->content;
  const auto id = take(content);
  const auto request = take(content);
  if (message->tag != kMessage || !id || !request || request->tag != kBindRequest) return;
  auto bind = request->content;
  const auto version = take(bind);
  const auto user = take(bind);
  const auto password = take(bind);
  if (!version || !user || !password) return;
  const bool good = judge_(std::string(user->content), std::string(password->content));
  std::string answer{'\x02', static_cast<char>(id->content.size())};
  answer += id->content;
  answer +=
      {'\x61', '\x07', '\x0a', '\x01', good ? kSuccess : kInvalidCredentials, '\x04', '\0', '\x04', '\0'};
  answer = std::string{'\x30', static_cast<char>(answer.size())} + answer;
  if (send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  recv(socket, piece.data(), piece.size(), 0);  // unbind, or the end
}

}  // namespace support
