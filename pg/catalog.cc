#include "pg/catalog.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

#include <fmt/format.h>
#include <strings.h>

#include "pg/binary_safety.h"
#include "pg/fence.h"
#include "pg/provider.h"

namespace pg {
namespace {

// The relations a user made, plus extensions' configuration tables. Every query below starts from it, so that
// "what is left out" is said once.
constexpr const char* kUserClass = R"(
  WITH config AS (
    SELECT u.oid, e.extcondition[u.position] AS condition
      FROM pg_catalog.pg_extension e, unnest(e.extconfig) WITH ORDINALITY u(oid, position)
  ), user_class AS (
    SELECT c.*, n.nspname, config.condition
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN config ON config.oid = c.oid
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover')
       AND c.relpersistence <> 't'
       AND (config.oid IS NOT NULL OR NOT EXISTS (
             SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'))
  ))";

Result query(Connection& connection, std::string_view sql) {
  return connection.exec(fmt::format("{} {}", kUserClass, sql));
}

// The same row by row, where there may be ten thousands of them.
void query_each(Connection& connection, std::string_view sql, const RowVisitor& visit) {
  connection.for_each_row(fmt::format("{} {}", kUserClass, sql), visit);
}

// Definitions that another server is to read: what is no keyword here may be one there ("system_user" since
// 16).
void query_quoted(Connection& connection, std::string_view sql, const RowVisitor& visit) {
  connection.exec("SET quote_all_identifiers = on");
  query_each(connection, sql, visit);
  connection.exec("SET quote_all_identifiers = off");
}

Table read_table(const Result& row) {
  Table table;
  int column = 0;
  table.oid = row.oid(0, column++);
  table.name.schema = row.string(0, column++);
  table.name.name = row.string(0, column++);
  table.kind = row.character(0, column++);
  table.persistence = row.character(0, column++);
  table.is_partition = row.boolean(0, column++);
  table.parent = row.oid(0, column++);
  table.hash_on_enum = row.boolean(0, column++);
  table.row_security = row.boolean(0, column++);
  table.force_row_security = row.boolean(0, column++);
  table.populated = row.boolean(0, column++);
  table.filenode = static_cast<uint64_t>(row.integer(0, column++));
  table.bytes = static_cast<uint64_t>(row.integer(0, column++));
  table.toast_bytes = static_cast<uint64_t>(row.integer(0, column++));
  const auto block_size = static_cast<uint64_t>(row.integer(0, column++));
  table.blocks = (table.bytes + block_size - 1) / block_size;
  table.row_estimate = row.integer(0, column++);
  table.owner = row.string(0, column++);
  table.extension_condition = row.optional_text(0, column++);
  return table;
}

std::vector<Table> read_tables(Connection& connection) {
  std::vector<Table> tables;
  query_each(connection, R"(
    SELECT c.oid, c.nspname, c.relname, c.relkind, c.relpersistence, c.relispartition,
           CASE WHEN c.relispartition THEN
             (SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) ELSE 0 END,
           p.partstrat = 'h' AND (0 = ANY (p.partattrs) OR EXISTS (
             SELECT FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum = ANY (p.partattrs) AND a.atttypid >= 16384)),
           c.relrowsecurity, c.relforcerowsecurity, c.relispopulated, c.relfilenode,
           CASE WHEN c.relkind IN ('r', 'm') THEN coalesce(pg_catalog.pg_relation_size(c.oid), 0) ELSE 0 END,
           CASE WHEN c.reltoastrelid <> 0 THEN coalesce(pg_catalog.pg_relation_size(c.reltoastrelid), 0) ELSE 0 END,
           pg_catalog.current_setting('block_size')::int, c.reltuples::bigint,
           pg_catalog.pg_get_userbyid(c.relowner), c.condition
      FROM user_class c LEFT JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid
     WHERE c.relkind IN ('r', 'p', 'm', 'f')
     ORDER BY c.oid)",
             [&](const Result& row) { tables.push_back(read_table(row)); });
  return tables;
}

using FilledByOid = std::unordered_map<Oid, Table*>;

void read_columns(Connection& connection, const FilledByOid& tables) {
  const BinarySafety safety(connection);
  const auto visit = [&](const Result& row) {
    const auto table = tables.find(row.oid(0, 0));
    if (table == tables.end()) return;
    table->second->columns.push_back({row.string(0, 1), row.string(0, 2), row.boolean(0, 3),
                                      row.boolean(0, 4), row.character(0, 5), safety.is_safe(row.oid(0, 6))});
  };
  query_each(connection, R"(
    SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
           a.attgenerated <> '', a.attidentity, a.atttypid
      FROM pg_catalog.pg_attribute a JOIN user_class c ON c.oid = a.attrelid
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attrelid, a.attnum)",
             visit);
}

void read_keys(Connection& connection, const FilledByOid& tables) {
  const auto visit = [&](const Result& row) {
    const auto table = tables.find(row.oid(0, 0));
    if (table != tables.end()) table->second->key = row.array(0, 1);
  };
  query_each(connection, R"(
    SELECT DISTINCT ON (i.indrelid) i.indrelid,
           ARRAY(SELECT a.attname::text
                   FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
                   JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                  WHERE k.position <= i.indnkeyatts ORDER BY k.position)
      FROM pg_catalog.pg_index i JOIN user_class c ON c.oid = i.indrelid
     WHERE i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
       AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
                         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                        WHERE k.position <= i.indnkeyatts AND NOT a.attnotnull)
     ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid)",
             visit);
}

Index read_index(const Result& row) {
  Index index;
  Index::Words words;
  int column = 0;
  index.oid = row.oid(0, column++);
  index.table = row.oid(0, column++);
  words.name.schema = row.string(0, column++);
  words.name.name = row.string(0, column++);
  words.method = row.string(0, column++);
  index.bytes = static_cast<uint64_t>(row.integer(0, column++));
  index.constraint = row.oid(0, column++);
  index.constraint_type = row.character(0, column++);
  index.on_partitioned = row.boolean(0, column++);
  index.valid = row.boolean(0, column++);
  words.definition = row.string(0, column++);
  words.constraint_options = row.string(0, column++);
  index.words(words);
  return index;
}

std::vector<Index> read_indexes(Connection& connection) {
  std::vector<Index> indexes;
  query_quoted(connection, R"(
    SELECT i.indexrelid, i.indrelid, c.nspname, ic.relname, am.amname,
           coalesce(pg_catalog.pg_relation_size(i.indexrelid), 0), coalesce(k.oid, 0), coalesce(k.contype::text, ''),
           ic.relkind = 'I', i.indisvalid,
           CASE WHEN k.contype IN ('p', 'u') THEN pg_catalog.pg_get_indexdef(i.indexrelid) ELSE '' END,
           CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END ||
           CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
      FROM pg_catalog.pg_index i
      JOIN user_class c ON c.oid = i.indrelid
      JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
      JOIN pg_catalog.pg_am am ON am.oid = ic.relam
      LEFT JOIN pg_catalog.pg_constraint k
             ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
     ORDER BY i.indexrelid)",
               [&](const Result& row) { indexes.push_back(read_index(row)); });
  return indexes;
}

}  // namespace

std::vector<QualifiedName> read_names(Connection& connection) {
  const auto rows = connection.exec(R"(
    SELECT n.nspname, coalesce(c.relname, '')
      FROM pg_catalog.pg_namespace n,
           LATERAL (SELECT r.relname FROM pg_catalog.pg_class r
                     WHERE r.relnamespace = n.oid AND r.relkind IN ('r', 'p', 'f', 'm', 'v', 'S')
                    UNION ALL SELECT NULL) c
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover')
    UNION ALL
    SELECT 'pg_catalog', 'pg_largeobject' WHERE EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata))");
  std::vector<QualifiedName> names;
  for (int row = 0; row < rows.rows(); ++row) names.push_back({rows.string(row, 0), rows.string(row, 1)});
  for (auto& stranger : read_strangers(connection)) names.push_back(std::move(stranger.name));
  return names;
}

namespace {

ForeignKey read_foreign_key(const Result& row) {
  ForeignKey key;
  key.oid = row.oid(0, 0);
  key.table = {row.string(0, 1), row.string(0, 2)};
  key.name = row.string(0, 3);
  key.referenced = {row.string(0, 4), row.string(0, 5)};
  key.validated = row.boolean(0, 6);
  key.inherited = row.boolean(0, 7);
  key.definition = row.string(0, 8);
  key.match_full = row.boolean(0, 9);
  key.columns = row.array(0, 10);
  key.referenced_columns = row.array(0, 11);
  key.equals = row.array(0, 12);
  key.on_partitioned = row.boolean(0, 13);
  key.to_partitioned = row.boolean(0, 14);
  return key;
}

}  // namespace

std::vector<ForeignKey> read_foreign_keys(Connection& connection) {
  std::vector<ForeignKey> keys;
  query_quoted(connection, R"(
    SELECT k.oid, c.nspname, c.relname, k.conname, rn.nspname, r.relname, k.convalidated, k.conparentid <> 0,
           pg_catalog.pg_get_constraintdef(k.oid), k.confmatchtype = 'f',
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(attnum, position)
                   JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
                  ORDER BY u.position),
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(attnum, position)
                   JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
                  ORDER BY u.position),
           ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
                   FROM unnest(k.conpfeqop) WITH ORDINALITY u(oid, position)
                   JOIN pg_catalog.pg_operator o ON o.oid = u.oid
                   JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                  ORDER BY u.position),
           c.relkind = 'p', r.relkind = 'p'
      FROM pg_catalog.pg_constraint k
      JOIN user_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
      JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
     WHERE k.contype = 'f'
     ORDER BY k.oid)",
               [&](const Result& row) { keys.push_back(read_foreign_key(row)); });
  return keys;
}

namespace {

std::vector<Sequence> read_sequences(Connection& connection) {
  std::vector<Sequence> sequences;
  const auto visit = [&](const Result& row) {
    auto& sequence = sequences.emplace_back();
    sequence = {row.oid(0, 0), {row.string(0, 1), row.string(0, 2)}, row.oid(0, 3)};
    for (const auto& table : row.array(0, 4)) sequence.users.push_back(static_cast<Oid>(std::stoul(table)));
  };
  query_each(connection, R"(
    SELECT c.oid, c.nspname, c.relname,
           coalesce((SELECT o.refobjid FROM pg_catalog.pg_depend o
                      WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid
                        AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.refobjsubid > 0
                        AND o.deptype IN ('a', 'i')), 0),
           ARRAY(SELECT DISTINCT f.adrelid FROM pg_catalog.pg_depend u
                   JOIN pg_catalog.pg_attrdef f ON f.oid = u.objid
                  WHERE u.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND u.refobjid = c.oid
                    AND u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass ORDER BY 1)
      FROM user_class c WHERE c.relkind = 'S' ORDER BY c.oid)",
             visit);
  return sequences;
}

std::vector<Extension> read_extensions(Connection& connection) {
  const auto rows = connection.exec(
      "SELECT e.extname, e.extversion, n.nspname FROM pg_catalog.pg_extension e "
      "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY 1");
  std::vector<Extension> extensions;
  for (int row = 0; row < rows.rows(); ++row)
    extensions.push_back({rows.string(row, 0), rows.string(row, 1), rows.string(row, 2)});
  return extensions;
}

// Materialized views in an order in which each can be refreshed: depth first along what their rules read,
// through plain views. (What a function inside a view reads is not in pg_depend; the refresher tries again
// for that.)
std::vector<QualifiedName> read_materialized_views(Connection& connection, const std::vector<Table>& tables) {
  const auto rows = connection.exec(
      "SELECT DISTINCT r.ev_class, d.refobjid FROM pg_catalog.pg_depend d "
      "JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid "
      "JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm') "
      "WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass "
      "AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.ev_class <> d.refobjid");
  std::unordered_map<Oid, std::vector<Oid>> reads;
  for (int row = 0; row < rows.rows(); ++row) reads[rows.oid(row, 0)].push_back(rows.oid(row, 1));

  std::unordered_map<Oid, const Table*> views;
  for (const auto& table : tables)
    if (table.kind == 'm' && table.populated) views.emplace(table.oid, &table);

  std::vector<QualifiedName> order;
  std::set<Oid> seen;
  const auto visit = [&](auto& self, Oid view) -> void {
    if (!seen.insert(view).second) return;
    for (const auto read : reads[view]) self(self, read);
    if (const auto found = views.find(view); found != views.end()) order.push_back(found->second->name);
  };
  for (const auto& table : tables)
    if (views.contains(table.oid)) visit(visit, table.oid);
  return order;
}

Database read_database(Connection& connection) {
  const auto row = connection.exec(
      "SELECT d.datname, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, "
      "coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '') "
      "FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()");
  Database database{row.string(0, 0), row.string(0, 1), row.string(0, 2), row.string(0, 3), {}};
  const auto settings =
      connection.exec(fmt::format("SELECT coalesce(r.rolname::text, ''), s.setting FROM {} s "
                                  "LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole ORDER BY 1, 2",
                                  settings_without_fence()));
  for (int i = 0; i < settings.rows(); ++i)
    database.settings.push_back({settings.string(i, 0), settings.string(i, 1)});
  return database;
}

DatabaseAccess read_database_access(Connection& connection) {
  DatabaseAccess access;
  access.connection_limit =
      connection
          .exec(
              "SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()")
          .integer(0, 0);
  const auto grants = connection.exec(
      "SELECT coalesce(r.rolname::text, ''), a.privilege_type, a.is_grantable FROM pg_catalog.pg_database d, "
      "pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a "
      "LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee "
      "WHERE d.datname = pg_catalog.current_database() AND a.grantee <> d.datdba ORDER BY 1, 2");
  access.revoked = {"CONNECT", "TEMPORARY"};
  for (int row = 0; row < grants.rows(); ++row) {
    DatabaseAccess::Grant grant{grants.string(row, 0), grants.string(row, 1), grants.boolean(row, 2)};
    const bool is_default = grant.role.empty() && std::erase(access.revoked, grant.privilege) > 0;
    if (!is_default) access.grants.push_back(std::move(grant));
  }
  return access;
}

std::vector<ExtensionTable> read_extension_tables(Connection& connection) {
  const auto rows = connection.exec(R"(
    SELECT n.nspname, c.relname, x.extname
      FROM pg_catalog.pg_extension x
      JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                                 AND d.refobjid = x.oid AND d.deptype = 'e'
                                 AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      JOIN pg_catalog.pg_class c ON c.oid = d.objid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm') AND c.oid <> ALL (coalesce(x.extconfig, '{}'))
     ORDER BY 1, 2)");
  std::vector<ExtensionTable> tables;
  for (int row = 0; row < rows.rows(); ++row)
    tables.push_back({{rows.string(row, 0), rows.string(row, 1)}, rows.string(row, 2)});
  return tables;
}

std::vector<std::string> first_column(const Result& rows) {
  std::vector<std::string> out;
  for (int row = 0; row < rows.rows(); ++row) out.push_back(rows.string(row, 0));
  return out;
}

// pg_shdepend knows every owner, grantee and policy role of this database, except the bootstrap superuser,
// which is pinned; that one is found as an owner.
std::vector<RoleUse> read_roles(Connection& connection) {
  const auto rows = query(connection, R"(
    SELECT name, bool_or(use = 'o'), bool_or(use = 'a'), bool_or(use = 'n') FROM (
      SELECT r.rolname::text,
             CASE WHEN d.deptype = 'r' OR d.classid = 'pg_catalog.pg_user_mapping'::pg_catalog.regclass THEN 'n'
                  WHEN d.deptype = 'a' OR d.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass THEN 'a'
                  ELSE 'o' END
        FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
       WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype IN ('o', 'a', 'r')
         AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      UNION SELECT r.rolname, 'n' FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
       WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      UNION SELECT pg_catalog.pg_get_userbyid(c.relowner), 'o' FROM user_class c
      UNION SELECT pg_catalog.pg_get_userbyid(n.nspowner), 'o' FROM pg_catalog.pg_namespace n
       WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover', 'public')
    ) u(name, use) GROUP BY 1 ORDER BY 1)");
  std::vector<RoleUse> roles;
  for (int row = 0; row < rows.rows(); ++row)
    roles.push_back({rows.string(row, 0), rows.boolean(row, 1), rows.boolean(row, 2), rows.boolean(row, 3)});
  return roles;
}

/// What of an extension's table are the user's rows. Extensions store it as it follows the table's name in a
/// query: "WHERE …".
std::string own_rows(const std::optional<std::string>& extension_condition) {
  if (!extension_condition) return {};
  const auto& text = *extension_condition;
  const auto where = text.find_first_not_of(' ');
  if (where == std::string::npos || text.size() < where + 5) return text;
  return strncasecmp(text.c_str() + where, "where", 5) == 0 ? text.substr(where + 5) : text;
}

}  // namespace

std::string Table::condition(const std::map<std::string, std::string>& row_filters) const {
  auto own = own_rows(extension_condition);
  const auto filter = row_filters.find(name.display());
  if (filter == row_filters.end()) return own;
  return own.empty() ? filter->second : fmt::format("({}) AND ({})", own, filter->second);
}

Index::Words Index::words() const {
  auto words = words_.list();
  words.resize(5);
  return {{std::move(words[0]), std::move(words[1])},
          std::move(words[2]),
          std::move(words[3]),
          std::move(words[4])};
}

void Index::words(const Words& words) {
  words_ = {words.name.schema, words.name.name, words.method, words.definition, words.constraint_options};
}

TablesByOid by_oid(const std::vector<Table>& tables) {
  TablesByOid out;
  for (const auto& table : tables) out.emplace(table.oid, &table);
  return out;
}

std::vector<const Table*> ancestors(const TablesByOid& tables, const Table& table) {
  std::vector<const Table*> out;
  for (const auto* at = &table; at->is_partition;) {
    const auto parent = tables.find(at->parent);
    if (parent == tables.end()) break;
    at = parent->second;
    out.push_back(at);
  }
  return out;
}

std::vector<QualifiedName> lineage(const TablesByOid& tables, const Table& table) {
  std::vector<QualifiedName> names{table.name};
  for (const auto* above : ancestors(tables, table)) names.push_back(above->name);
  return names;
}

Catalog read_catalog(Connection& connection) {
  Catalog catalog;
  catalog.database = read_database(connection);
  catalog.access = read_database_access(connection);
  catalog.tables = read_tables(connection);
  FilledByOid filled;
  for (auto& table : catalog.tables) filled.emplace(table.oid, &table);
  read_columns(connection, filled);
  read_keys(connection, filled);
  catalog.indexes = read_indexes(connection);
  catalog.foreign_keys = read_foreign_keys(connection);
  catalog.sequences = read_sequences(connection);
  catalog.extensions = read_extensions(connection);
  catalog.extension_tables = read_extension_tables(connection);
  catalog.materialized_views = read_materialized_views(connection, catalog.tables);
  catalog.schemas =
      first_column(connection.exec("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' "
                                   "AND nspname NOT IN ('information_schema', 'cutover') ORDER BY 1"));
  catalog.vendor_schemas = read_vendor_schemas(connection);
  catalog.roles = read_roles(connection);
  catalog.strangers = read_strangers(connection);
  catalog.large_objects = static_cast<uint64_t>(
      connection.exec("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata").integer(0, 0));
  return catalog;
}

Catalog read_table_list(Connection& connection) {
  Catalog catalog;
  catalog.tables = read_tables(connection);
  catalog.vendor_schemas = read_vendor_schemas(connection);
  return catalog;
}

}  // namespace pg
