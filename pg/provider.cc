#include "pg/provider.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace pg {
namespace {

template <size_t N>
bool starts_with_any(std::string_view text, const std::array<std::string_view, N>& prefixes) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, text) != names.end();
}

}  // namespace

bool is_vendor_role(std::string_view role) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "cloud_admin", "neon_superuser", "neon_service", "neon", "rdsadmin", "azuresu", "cloudsqladmin"};
  static constexpr std::array<std::string_view, 4> kPrefixes = {"rds_", "pg_", "supabase_", "cloudsql"};
  return is_one_of(role, kNames) || starts_with_any(role, kPrefixes);
}

bool is_vendor_schema(std::string_view schema) {
  static constexpr std::array<std::string_view, 12> kNames = {"neon",
                                                              "neon_auth_internal",
                                                              "rds_tools",
                                                              "supabase_functions",
                                                              "supabase_migrations",
                                                              "graphql",
                                                              "graphql_public",
                                                              "realtime",
                                                              "_realtime",
                                                              "pgbouncer",
                                                              "_analytics",
                                                              "cron"};
  return is_one_of(schema, kNames);
}

bool is_vendor_extension(std::string_view extension) {
  static constexpr std::array<std::string_view, 6> kNames = {"neon",      "neon_test_utils", "neon_utils",
                                                             "rds_tools", "supabase_vault",  "pg_graphql"};
  return is_one_of(extension, kNames);
}

}  // namespace pg
