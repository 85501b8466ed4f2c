#pragma once

#include <set>
#include <string>
#include <string_view>

#include "pg/connection.h"

namespace pg {

// What a provider (Neon, RDS, Supabase, …) or PostgreSQL itself has in every database that it manages: a move
// neither carries nor compares it.

/// By its whole name: "rds_app" may be anybody's.
bool is_vendor_role(std::string_view role);
bool is_vendor_extension(std::string_view extension);
/// Schemas of this database that are the provider's. A name alone says nothing: "cron" or "auth" may be the
/// user's own. So one of the provider's roles has to own it, the role that all its servers have has to be
/// here, or the extension that makes such a schema.
std::set<std::string> read_vendor_schemas(Connection& connection);

}  // namespace pg
