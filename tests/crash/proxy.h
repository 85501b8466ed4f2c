#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace crash {

/// Stands between the program and a server, forwards bytes, and fails where a rule says so.
class Proxy {
 public:
  enum class Verdict {
    forward,
    cut,        ///< the server does not get these bytes; the connection is reset on both sides
    cut_reply,  ///< the server gets them; the connection is cut when it has answered, and the answer is lost
    hold,       ///< they wait for release() or reset()
  };
  /// Decides about bytes with the `n`th occurrence of the text in what clients send; all connections counted
  /// together.
  using Rule = std::function<Verdict(int n)>;

  Proxy(int server_port, std::string text, Rule rule)
      : server_port_(server_port), text_(std::move(text)), rule_(std::move(rule)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no proxy");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy() {
    ending_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    reset();
    cut();
    links_.clear();
    close(listener_);
  }

  std::string url(std::string_view database) const {
    return fmt::format("postgres://postgres@127.0.0.1:{}/{}", port_, database);
  }
  int held() const { return held_; }
  /// Lets go of what is held, and holds no more.
  void release() { let_go(Verdict::forward); }
  /// From now on new connections are accepted and get nothing.
  void freeze() { frozen_ = true; }
  /// Resets every connection. A server that is at work does not notice before it answers.
  void cut() {
    const std::lock_guard lock(mutex_);
    for (auto& link : links_) link.cut();
  }
  /// Resets the connections that are held, and holds no more.
  void reset() { let_go(Verdict::cut); }

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool frozen = false;
    std::atomic<bool> swallow{false};
    std::jthread up;
    std::jthread down;
    void cut() {
      for (const int side : {client, server}) {
        const linger now{1, 0};  // a reset, not an orderly end
        setsockopt(side, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        shutdown(side, SHUT_RDWR);
      }
    }
    ~Link() {
      if (up.joinable()) up.join();
      if (down.joinable()) down.join();
      close(client);
      close(server);
    }
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void accept_all() {
    while (!ending_) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const auto address = loopback(server_port_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        close(client);
        close(server);
        continue;
      }
      const std::lock_guard lock(mutex_);
      auto& link = links_.emplace_back();
      link.client = client;
      link.server = server;
      link.frozen = frozen_;
      link.up = std::jthread([this, &link] { pump_up(link); });
      link.down = std::jthread([&link] { pump_down(link); });
    }
  }

  static bool send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void pump_up(Link& link) {
    std::string buffer(size_t{64} << 10, '\0');
    std::string last;
    for (;;) {
      const auto got = recv(link.client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      if (link.frozen) continue;
      const std::string_view bytes(buffer.data(), static_cast<size_t>(got));
      last += bytes;
      const auto verdict = last.find(text_) == std::string::npos ? Verdict::forward : decide();
      // So that no occurrence is cut in two, nor counted twice.
      if (last.size() >= text_.size()) last.erase(0, last.size() - text_.size() + 1);
      if (verdict == Verdict::cut) break;
      if (verdict == Verdict::cut_reply) link.swallow = true;
      if (!send_all(link.server, bytes)) break;
    }
    if (link.swallow) return;  // the other direction ends it
    link.cut();
  }

  static void pump_down(Link& link) {
    std::string buffer(size_t{64} << 10, '\0');
    for (;;) {
      const auto got = recv(link.server, buffer.data(), buffer.size(), 0);
      if (got <= 0 || link.swallow) break;
      if (!send_all(link.client, {buffer.data(), static_cast<size_t>(got)})) break;
    }
    link.cut();
  }

  Verdict decide() {
    std::unique_lock lock(mutex_);
    const auto verdict = rule_(++seen_);
    if (verdict != Verdict::hold) return verdict;
    if (let_go_ == Verdict::hold) {
      ++held_;
      changed_.wait(lock, [this] { return let_go_ != Verdict::hold; });
      --held_;
      return let_go_;
    }
    return Verdict::forward;
  }
  void let_go(Verdict verdict) {
    const std::lock_guard lock(mutex_);
    let_go_ = verdict;
    changed_.notify_all();
  }

  int server_port_;
  std::string text_;
  Rule rule_;  // called under the mutex
  int seen_ = 0;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<bool> frozen_{false};
  std::atomic<int> held_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  Verdict let_go_ = Verdict::hold;
  std::list<Link> links_;
  std::jthread acceptor_;
};

/// For use as a rule: holds from the nth occurrence on.
inline Proxy::Rule hold_from(int first) {
  return [first](int n) { return n >= first ? Proxy::Verdict::hold : Proxy::Verdict::forward; };
}

}  // namespace crash
