#include "pg/pooler.h"

#include <string_view>

#include <fmt/format.h>

namespace pg {
namespace {

// How a provider names the host of its pooler.
constexpr std::string_view kPoolerHost = "-pooler.";

// A pooler answers the connection itself and tells a process id of its own; the server tells the true one.
bool through_pooler(Connection& connection) {
  return connection.exec("SELECT pg_catalog.pg_backend_pid()").integer(0, 0) != connection.backend_pid();
}

}  // namespace

std::optional<std::string> direct_way(Connection& connection) {
  const auto host = connection.conninfo().get("host");
  if (const auto at = host.find(kPoolerHost); at != std::string::npos)
    return fmt::format("use the direct host: {}{}", host.substr(0, at),
                       host.substr(at + kPoolerHost.size() - 1));
  if (through_pooler(connection)) return "use the server's direct host and port";
  return std::nullopt;
}

}  // namespace pg
