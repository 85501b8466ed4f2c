#include "cli/live_server.h"

#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "cli/option_values.h"
#include "cli/report_page.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kRefreshSeconds = 2;
/// Long enough for a browser that renews the page to come once more.
constexpr std::chrono::seconds kFarewell{2 * kRefreshSeconds + 1};
constexpr size_t kThreads = 4;

std::string in_url(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// Literal addresses alone: 127.0.0.1.example.org is a name that anybody may have.
bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1)
    return (ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT) == IN_LOOPBACKNET;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

/// The name in a Host header, without its port.
std::string host_of(const std::string& header) {
  if (header.starts_with('[')) return header.substr(1, header.find(']') - 1);
  return header.substr(0, header.find(':'));
}

int number_of(const std::string& port) {
  int number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  return number;
}

}  // namespace

struct LiveServer::State {
  Look look;
  httplib::Server server;
  std::jthread thread;
  std::string url;

  std::mutex mutex;
  std::condition_variable shown;
  bool ending = false;
  bool shown_the_end = false;
  std::optional<Clock::time_point> last_page;

  void answer_page(httplib::Response& response) {
    const std::scoped_lock lock(mutex);
    const auto view = look();
    response.set_content(report_page(view.sections, view.running && !ending ? kRefreshSeconds : 0),
                         "text/html; charset=utf-8");
    last_page = Clock::now();
    shown_the_end = ending;
    shown.notify_all();
  }

  void answer_metrics(httplib::Response& response) {
    const std::scoped_lock lock(mutex);
    response.set_content(look().metrics, "text/plain; version=0.0.4; charset=utf-8");
  }

  /// What goes wrong in here is not the run's problem.
  template <typename Answer>
  httplib::Server::Handler handler(Answer answer) {
    return [answer](const httplib::Request&, httplib::Response& response) {
      response.set_header("Cache-Control", "no-store");
      response.set_header("X-Content-Type-Options", "nosniff");
      try {
        answer(response);
      } catch (const std::exception& error) {
        response.status = 503;
        response.set_content(fmt::format("{}\n", error.what()), "text/plain; charset=utf-8");
      }
    };
  }

  void set_up(bool loopback) {
    // The default lets two servers share a port.
    server.set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_pre_routing_handler([loopback](const httplib::Request& request, httplib::Response& response) {
      const bool reads = request.method == "GET" || request.method == "HEAD";
      const bool to_us = !loopback || is_loopback(host_of(request.get_header_value("Host")));
      if (reads && to_us) return httplib::Server::HandlerResponse::Unhandled;
      response.status = reads ? 403 : 405;
      return httplib::Server::HandlerResponse::Handled;
    });
    server.Get("/", handler([this](httplib::Response& response) { answer_page(response); }));
    server.Get("/metrics", handler([this](httplib::Response& response) { answer_metrics(response); }));
    server.Get("/healthz",
               handler([](httplib::Response& response) { response.set_content("ok\n", "text/plain"); }));
  }
};

LiveServer::LiveServer(const std::string& address, Look look) : state_(std::make_unique<State>()) {
  const auto [host, port] = parse_own_address(address);
  auto& state = *state_;
  state.look = std::move(look);
  state.set_up(is_loopback(host));
  auto number = number_of(port);
  const bool bound = number == 0 ? (number = state.server.bind_to_any_port(host)) > 0
                                 : state.server.bind_to_port(host, number);
  if (!bound)
    throw base::Error(base::ErrorKind::usage, fmt::format("{} cannot be listened on", address),
                      "name an address of this machine and a port that nobody uses, or port 0 for any");
  state.url = fmt::format("http://{}:{}/", in_url(host), number);
  state.thread = std::jthread([&state] { state.server.listen_after_bind(); });
  while (!state.server.is_running()) std::this_thread::yield();
  spdlog::info("the run can be watched at {}", state.url);
  if (!is_loopback(host))
    spdlog::warn("{} may be reached from other machines, without a password", state.url);
}

LiveServer::~LiveServer() { state_->server.stop(); }

// Whoever looked at the page a moment ago will ask once more.
void LiveServer::bid_farewell() {
  auto& state = *state_;
  std::unique_lock lock(state.mutex);
  state.ending = true;
  if (state.last_page)
    state.shown.wait_until(lock, *state.last_page + kFarewell, [&] { return state.shown_the_end; });
}

const std::string& LiveServer::url() const { return state_->url; }

}  // namespace cli
