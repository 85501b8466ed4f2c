#include "pg/provider.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "pg/quote.h"

namespace pg {
namespace {

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, text) != names.end();
}

struct VendorSchema {
  const char* name;
  const char* role;       ///< that is on every server of the provider; empty: the schema is not only there
  const char* extension;  ///< that makes the schema; empty: none does
};

constexpr VendorSchema kVendorSchemas[] = {
    {"neon", "cloud_admin", "neon"},
    {"neon_auth_internal", "cloud_admin", ""},
    {"rds_tools", "rdsadmin", "rds_tools"},
    {"auth", "supabase_admin", ""},
    {"storage", "supabase_admin", ""},
    {"realtime", "supabase_admin", ""},
    {"_realtime", "supabase_admin", ""},
    {"_analytics", "supabase_admin", ""},
    {"_supavisor", "supabase_admin", ""},
    {"graphql_public", "supabase_admin", ""},
    {"pgbouncer", "supabase_admin", ""},
    {"supabase_functions", "supabase_admin", ""},
    {"supabase_migrations", "supabase_admin", ""},
    {"cron", "", "pg_cron"},
    {"graphql", "", "pg_graphql"},
    {"net", "", "pg_net"},
    {"vault", "", "supabase_vault"},
};

}  // namespace

bool is_vendor_role(std::string_view role) {
  static constexpr std::array<std::string_view, 36> kNames = {
      // Neon
      "cloud_admin", "neon_superuser", "neon_service",
      // RDS and Aurora
      "rdsadmin", "rdsproxyadmin", "rdsrepladmin", "rdstopmgr", "rdswriteforwarduser", "rds_ad",
      "rds_extension", "rds_iam", "rds_password", "rds_replication", "rds_reserved", "rds_superuser",
      // Supabase
      "supabase_admin", "supabase_auth_admin", "supabase_etl_admin", "supabase_functions_admin",
      "supabase_privileged_role", "supabase_read_only_user", "supabase_realtime_admin",
      "supabase_replication_admin", "supabase_storage_admin",
      // Azure
      "azuresu", "azure_pg_admin",
      // Cloud SQL
      "cloudsqladmin", "cloudsqlagent", "cloudsqlconnpooladmin", "cloudsqliamserviceaccount",
      "cloudsqliamuser", "cloudsqlimportexport", "cloudsqllogical", "cloudsqlobservabilityadmin",
      "cloudsqlreplica", "cloudsqlsuperuser"};
  // PostgreSQL lets nobody make a role of that prefix.
  return role.starts_with("pg_") || is_one_of(role, kNames);
}

bool is_vendor_extension(std::string_view extension) {
  static constexpr std::array<std::string_view, 6> kNames = {"neon",      "neon_test_utils", "neon_utils",
                                                             "rds_tools", "supabase_vault",  "pg_graphql"};
  return is_one_of(extension, kNames);
}

std::set<std::string> read_vendor_schemas(Connection& connection) {
  std::string known;
  for (const auto& [name, role, extension] : kVendorSchemas)
    known += fmt::format("{}({}, {}, {})", known.empty() ? "" : ", ", quote_literal(name),
                         quote_literal(role), quote_literal(extension));
  const auto rows = connection.exec(fmt::format(
      R"(SELECT n.nspname, pg_catalog.pg_get_userbyid(n.nspowner),
                EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = known.role)
                OR EXISTS (SELECT FROM pg_catalog.pg_extension x
                            WHERE x.extname = known.extension AND (x.extnamespace = n.oid OR EXISTS (
                              SELECT FROM pg_catalog.pg_depend d
                               WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid
                                 AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                                 AND d.refobjid = x.oid AND d.deptype = 'e')))
           FROM (VALUES {}) known(name, role, extension)
           JOIN pg_catalog.pg_namespace n ON n.nspname = known.name)",
      known));
  std::set<std::string> schemas;
  for (int row = 0; row < rows.rows(); ++row)
    if (rows.boolean(row, 2) || is_vendor_role(rows.text(row, 1))) schemas.insert(rows.string(row, 0));
  return schemas;
}

}  // namespace pg
