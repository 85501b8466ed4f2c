#pragma once

#include <string_view>

namespace pg {

/// True for roles and objects that a provider (Neon, RDS, Supabase, …) or PostgreSQL itself has in every
/// database that it manages: a move neither carries nor compares them.
bool is_vendor_role(std::string_view role);
bool is_vendor_schema(std::string_view schema);
bool is_vendor_extension(std::string_view extension);

}  // namespace pg
