#include "pg/pooler.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace pg {
namespace {

// How a provider names the host of its pooler.
constexpr std::string_view kPoolerHost = "-pooler.";

// Neon's proxy stands before its direct endpoints too, and tells a process id of its own there as well. Which
// of the two an endpoint is, its name says.
bool is_known_by_name(std::string_view host) {
  static constexpr std::array<std::string_view, 2> kNeon = {".neon.tech", ".neon.build"};
  return std::ranges::any_of(kNeon, [&](auto domain) { return host.ends_with(domain); });
}

// A pooler answers the connection itself and tells a process id of its own; the server tells the true one.
bool through_pooler(Connection& connection) {
  return connection.exec("SELECT pg_catalog.pg_backend_pid()").integer(0, 0) != connection.backend_pid();
}

}  // namespace

std::optional<std::string> direct_way(Connection& connection) {
  const auto host = base::lower_case(connection.host());
  if (const auto at = host.find(kPoolerHost); at != std::string::npos)
    return fmt::format("use the direct host: {}{}", host.substr(0, at),
                       host.substr(at + kPoolerHost.size() - 1));
  if (!is_known_by_name(host) && through_pooler(connection)) return "use the server's direct host and port";
  return std::nullopt;
}

}  // namespace pg
