#include "pg/large_objects.h"

#include <fmt/format.h>

namespace pg {

std::string read_large_objects_sql(Oid first, Oid last) {
  std::string range = fmt::format("oid >= {}", first);
  if (last > 0) range += fmt::format(" AND oid < {}", last);
  return fmt::format(
      "COPY (SELECT m.oid, p.page, pg_catalog.lo_get(m.oid, p.page * {0}, {0}) "
      "FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE {1} ORDER BY oid OFFSET 0) m, "
      "LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) o, "
      "LATERAL (SELECT pg_catalog.lo_lseek64(o.fd, 0, 2) AS bytes OFFSET 0) s, "
      "LATERAL (SELECT s.bytes + pg_catalog.lo_close(o.fd) AS bytes OFFSET 0) c, "
      "LATERAL pg_catalog.generate_series(0::bigint, greatest(c.bytes - 1, 0) / {0}) p(page)) TO STDOUT WITH "
      "(FORMAT binary)",
      kLargeObjectPage, range);
}

std::string may_read_large_object_sql(std::string_view alias) {
  return fmt::format(
      "((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) "
      "OR pg_catalog.current_setting('lo_compat_privileges')::boolean OR EXISTS (SELECT FROM "
      "pg_catalog.aclexplode(coalesce({0}.lomacl, pg_catalog.acldefault('L', {0}.lomowner))) a WHERE "
      "a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'))))",
      alias);
}

}  // namespace pg
