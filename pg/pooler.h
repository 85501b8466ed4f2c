#pragma once

#include <optional>
#include <string>

#include "pg/connection.h"

namespace pg {

/// What to connect to instead, when a pooler answers in the server's place: it may give every transaction
/// another session, so that snapshots and settings are lost, or reach somebody else. Nothing: it is the
/// server itself.
std::optional<std::string> direct_way(Connection& connection);

}  // namespace pg
