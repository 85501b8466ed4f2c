#include "copy/preflight.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>

#include "base/file.h"
#include "base/format.h"
#include "copy/schema.h"
#include "copy/target_privileges.h"
#include "pg/large_objects.h"
#include "pg/pooler.h"
#include "pg/reserved_schema.h"

namespace copy {
namespace {

constexpr int kOldestSource = 12;
constexpr size_t kMostNamed = 20;

void add(std::vector<Finding>& findings, Severity severity, std::string object, std::string message,
         std::string fix = {}) {
  findings.push_back({severity, std::move(object), std::move(message), std::move(fix)});
}

std::string current_user(pg::Connection& connection) {
  return connection.exec("SELECT current_user").string(0, 0);
}

void check_pooler(pg::Connection& connection, const std::string& side, std::vector<Finding>& findings) {
  if (const auto fix = pg::direct_way(connection))
    add(findings, Severity::blocker, side,
        "the connection goes through a pooler, which shares sessions: snapshots and session settings would "
        "be lost",
        *fix);
}

const pg::QualifiedName& pointed_to(const pg::QualifiedName* name) { return *name; }

std::vector<const pg::QualifiedName*> target_tables(const Plan& plan) {
  std::vector<const pg::QualifiedName*> names;
  for (const auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::table) names.push_back(&relation.name);
  return names;
}

void check_large_object_privileges(pg::Connection& source, const std::string& user,
                                   std::vector<Finding>& findings) {
  const auto closed =
      source.exec(fmt::format("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata m WHERE NOT {}",
                              pg::may_read_large_object_sql("m")));
  if (const auto count = closed.integer(0, 0); count > 0)
    add(findings, Severity::blocker, "large objects",
        fmt::format("this role may not read {} of them at the source", count),
        fmt::format("connect as their owner, or let the owner say in psql: SELECT format("
                    "'GRANT SELECT ON LARGE OBJECT %s TO {}', oid) FROM pg_largeobject_metadata \\gexec",
                    user));
}

}  // namespace

void check_source_server(pg::Connection& source, const Options& options, std::vector<Finding>& findings) {
  check_pooler(source, "source", findings);
  if (source.major() < kOldestSource)
    add(findings, Severity::blocker, "source",
        fmt::format("PostgreSQL {} is older than {}, the oldest supported", source.major(), kOldestSource));
  if (source.exec("SELECT pg_catalog.pg_is_in_recovery()").boolean(0, 0))
    add(findings, Severity::warning, "source",
        "it is a replica: recovery conflicts may end the copy, and a snapshot is known on this instance only",
        "use the primary, or set hot_standby_feedback = on and max_standby_streaming_delay = -1 for the time "
        "of the copy");
  if (options.schema == SchemaMode::dump &&
      source.exec("SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()")
              .integer(0, 0) > 0)
    add(findings, Severity::warning, "source",
        "it has prepared transactions; what they hold is not in the snapshot",
        "commit or roll them back first: SELECT gid FROM pg_prepared_xacts");
}

void check_source_privileges(pg::Connection& source, const Plan& plan, std::vector<Finding>& findings) {
  const auto user = pg::quote_identifier(current_user(source));
  const auto names = target_tables(plan);
  if (!names.empty()) {
    const auto rows = source.exec(
        fmt::format("SELECT n.nspname, c.relname, pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "
                    "pg_catalog.has_table_privilege(c.oid, 'SELECT'), c.relrowsecurity AND "
                    "pg_catalog.row_security_active(c.oid) "
                    "FROM (VALUES {}) v(schema, name) JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
                    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                    "WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') OR NOT "
                    "pg_catalog.has_table_privilege(c.oid, 'SELECT') "
                    "OR (c.relrowsecurity AND pg_catalog.row_security_active(c.oid))",
                    pg::name_rows(names, pointed_to)));
    std::set<std::string> closed_schemas;
    for (int row = 0; row < rows.rows(); ++row) {
      const pg::QualifiedName name{rows.string(row, 0), rows.string(row, 1)};
      if (!rows.boolean(row, 2) && closed_schemas.insert(name.schema).second)
        add(findings, Severity::blocker, "schema " + pg::display_identifier(name.schema),
            "this role may not use it at the source",
            fmt::format("GRANT USAGE ON SCHEMA {} TO {}", pg::quote_identifier(name.schema), user));
      if (!rows.boolean(row, 3))
        add(findings, Severity::blocker, "table " + name.display(), "this role may not read it at the source",
            fmt::format("GRANT SELECT ON {} TO {}", name.sql(), user));
      if (rows.boolean(row, 4))
        add(findings, Severity::blocker, "table " + name.display(),
            "row level security would hide rows from this role: the copy would not be whole",
            fmt::format("connect as a role with BYPASSRLS, or: ALTER ROLE {} BYPASSRLS", user));
    }
  }
  if (std::ranges::any_of(plan.relations,
                          [](const auto& r) { return r.kind == Relation::Kind::large_objects; }))
    check_large_object_privileges(source, user, findings);
  for (const auto& name : sequences_without(source, plan, "SELECT"))
    add(findings, Severity::blocker, "sequence " + name.display(), "this role may not read it at the source",
        fmt::format("GRANT SELECT ON SEQUENCE {} TO {}", name.sql(), user));
}

void check_target_alone(pg::Connection& target, std::vector<Finding>& findings) {
  check_pooler(target, "target", findings);
  if (target.exec("SELECT pg_catalog.pg_is_in_recovery()").boolean(0, 0))
    add(findings, Severity::blocker, "target", "it is a replica, which takes no writes",
        "name the primary (the writer endpoint)");
  const auto row = target.exec(
      "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), "
      "pg_catalog.current_database(), current_user");
  if (!row.boolean(0, 0))
    add(findings, Severity::blocker, "target",
        "this role may not create schemas in the database (the ledger needs one)",
        fmt::format("GRANT CREATE ON DATABASE {} TO {}", pg::quote_identifier(row.string(0, 1)),
                    pg::quote_identifier(row.string(0, 2))));
}

// Advisory locks are known in one database only: a random one taken on the source that is taken on the target
// too means that both are the same, whatever the host names say.
void check_both_servers(pg::Connection& source, pg::Connection& target, std::vector<Finding>& findings) {
  std::random_device random;
  const auto key = (static_cast<int64_t>(random()) << 31) ^ random();
  source.exec(fmt::format("SELECT pg_catalog.pg_advisory_lock({})", key));
  const bool free = target.exec(fmt::format("SELECT pg_catalog.pg_try_advisory_lock({})", key)).boolean(0, 0);
  source.exec(fmt::format("SELECT pg_catalog.pg_advisory_unlock({})", key));
  if (free) {
    target.exec(fmt::format("SELECT pg_catalog.pg_advisory_unlock({})", key));
  } else {
    add(findings, Severity::blocker, "target", "it is the source: both URLs lead to the same database",
        "check --target");
  }
  if (target.major() < source.major())
    add(findings, Severity::warning, "target",
        fmt::format("PostgreSQL {} is older than the source's {}: definitions may use what it does not know",
                    target.major(), source.major()));
}

namespace {

void check_extensions(pg::Connection& target, const Plan& plan, std::vector<Finding>& findings) {
  struct Known {
    std::string version;
    std::optional<std::string> schema;  // where it is; none: it can be had
  };
  std::map<std::string, Known> known;
  const auto rows = target.exec(
      "SELECT coalesce(e.extname, a.name), coalesce(e.extversion, a.default_version), n.nspname FROM "
      "pg_catalog.pg_available_extensions a FULL JOIN pg_catalog.pg_extension e ON e.extname = a.name "
      "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace");
  for (int row = 0; row < rows.rows(); ++row)
    known[rows.string(row, 0)] = {rows.string(row, 1), rows.optional_text(row, 2)};
  for (const auto& extension : plan.extensions) {
    const auto label = "extension " + extension.name;
    const auto found = known.find(extension.name);
    if (found == known.end()) {
      add(findings, Severity::blocker, label, "the target does not offer it",
          "install it on the target (RDS: rds.allowed_extensions), or exclude what uses it");
      continue;
    }
    const auto& [version, schema] = found->second;
    if (version != extension.version)
      add(findings, Severity::info, label,
          fmt::format("version {} at the source, {} on the target", extension.version, version));
    // It stays there: what calls its functions by their schema fails, and not before it is called.
    if (schema && *schema != extension.schema)
      add(findings, Severity::warning, label,
          fmt::format("is in schema {} on the target, and in {} at the source",
                      pg::display_identifier(*schema), pg::display_identifier(extension.schema)),
          fmt::format("ALTER EXTENSION {} SET SCHEMA {}, or drop it there",
                      pg::quote_identifier(extension.name), pg::quote_identifier(extension.schema)));
  }
}

void check_collation(pg::Connection& target, const Plan& plan, std::vector<Finding>& findings) {
  const auto collation =
      target
          .exec("SELECT datcollate FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()")
          .string(0, 0);
  if (collation != plan.database.collation)
    add(findings, Severity::info, "target",
        fmt::format("collation {} instead of the source's {}: text is sorted by the target's", collation,
                    plan.database.collation));
}

void check_roles(pg::Connection& target, const Plan& plan, const Options& options,
                 std::vector<Finding>& findings) {
  std::map<std::string, bool> usable;
  const auto rows =
      target.exec("SELECT rolname, pg_catalog.pg_has_role(oid, 'MEMBER') FROM pg_catalog.pg_roles");
  for (int row = 0; row < rows.rows(); ++row) usable[rows.string(row, 0)] = rows.boolean(row, 1);
  const auto user = current_user(target);
  for (const auto& role : plan.roles) {
    const bool owns = role.owns && options.owners;
    if (!owns && !role.named && !(role.granted && options.grants)) continue;
    const auto found = options.role_map.find(role.name);
    const auto& name = found == options.role_map.end() ? role.name : found->second;
    const auto known = usable.find(name);
    if (known == usable.end()) {
      add(findings, Severity::blocker, "role " + pg::display_identifier(name),
          role.named ? "does not exist on the target, and a policy, a user mapping or its settings need it"
                     : "does not exist on the target",
          fmt::format("CREATE ROLE {} NOLOGIN on the target, or --role-map '{}=EXISTING'{}",
                      pg::quote_identifier(name), role.name,
                      role.named ? "" : ", or --no-owners --no-grants"));
    } else if (!known->second && owns) {
      add(findings, Severity::warning, "role " + pg::display_identifier(name),
          fmt::format("{} is not a member of it: objects cannot be given to it", user),
          fmt::format("GRANT {} TO {}", pg::quote_identifier(name), pg::quote_identifier(user)));
    }
  }
}

struct ExistingTable {
  pg::QualifiedName name;
  std::string condition;  // the run's rows are those it holds for; empty: all
};

// Tables that hold rows where the run would put its own; asked in statements of many tables each.
std::vector<pg::QualifiedName> tables_with_rows(pg::Connection& target,
                                                const std::vector<ExistingTable>& tables) {
  std::vector<pg::QualifiedName> found;
  constexpr size_t kTablesPerStatement = 500;
  for (size_t begin = 0; begin < tables.size(); begin += kTablesPerStatement) {
    std::string sql;
    for (size_t i = begin; i < std::min(tables.size(), begin + kTablesPerStatement); ++i)
      sql += fmt::format("{}SELECT {} WHERE EXISTS (SELECT FROM ONLY {}{}{})",
                         sql.empty() ? "" : " UNION ALL ", i, tables[i].name.sql(),
                         tables[i].condition.empty() ? "" : " WHERE ", tables[i].condition);
    const auto rows = base::during("look for rows in the target's tables", [&] { return target.exec(sql); });
    for (int row = 0; row < rows.rows(); ++row)
      found.push_back(tables[static_cast<size_t>(rows.integer(row, 0))].name);
  }
  return found;
}

void check_empty(pg::Connection& target, const Plan& plan, const Options& options,
                 std::vector<Finding>& findings) {
  const bool objects = std::ranges::any_of(
      plan.relations, [](const auto& r) { return r.kind == Relation::Kind::large_objects; });
  if (objects && target.exec("SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)").boolean(0, 0))
    add(findings, Severity::blocker, "large objects",
        "the target has some already, which may have the same oids",
        "copy into an empty database, or remove them there: SELECT lo_unlink(oid) FROM "
        "pg_largeobject_metadata");
  std::map<pg::QualifiedName, std::string> conditions;
  for (const auto& relation : plan.relations) conditions.emplace(relation.name, relation.condition);
  std::vector<ExistingTable> existing;
  for (const auto& name : existing_tables(target, plan)) existing.push_back({name, conditions.at(name)});
  size_t named = 0;
  const auto full = tables_with_rows(target, existing);
  for (const auto& table : full) {
    if (matches_any(options.overwrite, table.schema, table.name)) continue;
    if (++named > kMostNamed) continue;
    add(findings, Severity::blocker, "table " + table.display(),
        "has rows on the target that this run did not write",
        fmt::format("copy into an empty database, or let them be deleted: --overwrite '{}'",
                    table.display()));
  }
  if (named > kMostNamed)
    add(findings, Severity::blocker, "target", fmt::format("{} more tables have rows", named - kMostNamed));
}

// With a row filter, --overwrite deletes, and a foreign key may carry that on to rows that nobody named. A
// table that is emptied as a whole has none to lose.
void check_cascades(pg::Connection& target, const Plan& plan, const Options& options,
                    std::vector<Finding>& findings) {
  std::vector<const pg::QualifiedName*> filtered;
  std::set<pg::QualifiedName> kept_in_part;
  for (const auto& relation : plan.relations) {
    if (relation.condition.empty()) continue;
    kept_in_part.insert(relation.name);
    if (matches_any(options.overwrite, relation.name.schema, relation.name.name))
      filtered.push_back(&relation.name);
  }
  if (filtered.empty()) return;
  const auto rows = target.exec(fmt::format(
      "SELECT n.nspname, c.relname, rn.nspname, r.relname, k.conname FROM (VALUES {}) v(schema, name) "
      "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
      "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
      "JOIN pg_catalog.pg_constraint k ON k.confrelid = c.oid AND k.contype = 'f' AND k.confdeltype IN ('c', "
      "'n', 'd') JOIN pg_catalog.pg_class r ON r.oid = k.conrelid "
      "JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace ORDER BY 1, 2, 3, 4, 5",
      pg::name_rows(filtered, pointed_to)));
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName table{rows.string(row, 0), rows.string(row, 1)};
    const pg::QualifiedName referring{rows.string(row, 2), rows.string(row, 3)};
    if (matches_any(options.overwrite, referring.schema, referring.name) && !kept_in_part.contains(referring))
      continue;
    add(findings, Severity::blocker, "table " + table.display(),
        fmt::format(
            "deleting its filtered rows (--overwrite) would change rows of {} too, by its foreign key {}",
            referring.display(), pg::display_identifier(rows.text(row, 4))),
        fmt::format("copy that table whole and name it too (--overwrite '{}'), or delete the rows by hand",
                    referring.display()));
  }
}

// A run that did not end has left foreign keys and triggers of these tables put aside, or foreign keys to
// them. A new one would take
// the tables for what they are now, and nobody would miss them.
void check_quieted(pg::Connection& target, const Plan& plan, std::vector<Finding>& findings) {
  const auto names = target_tables(plan);
  if (names.empty() || target.exec("SELECT pg_catalog.to_regclass('cutover.quieted')").is_null(0, 0)) return;
  const auto rows = target.exec(fmt::format(
      "SELECT q.run_id, pg_catalog.string_agg(pg_catalog.format('%s %s of %s.%s', q.kind, q.name, q.schema, "
      "q.relation), ', ' ORDER BY q.kind, q.name) FROM cutover.quieted q WHERE EXISTS (SELECT FROM (VALUES "
      "{}) "
      "v(schema, name) WHERE (v.schema = q.schema AND v.name = q.relation) OR (q.kind = 'foreign key' AND "
      "pg_catalog.strpos(q.definition, pg_catalog.format(' REFERENCES %I.%I(', v.schema, v.name)) > 0)) "
      "GROUP BY 1",
      pg::name_rows(names, pointed_to)));
  for (int row = 0; row < rows.rows(); ++row)
    add(findings, Severity::blocker, "target",
        fmt::format("run {} did not end and has these put aside: {}", rows.text(row, 0), rows.text(row, 1)),
        "end that run with its run directory, or bring them back: cutover clean");
}

// The ledger would be made among them, and goes with all that is in its schema.
void check_strangers(pg::Connection& target, std::vector<Finding>& findings) {
  for (const auto& stranger : pg::read_strangers(target))
    add(findings, Severity::blocker, stranger.display(),
        fmt::format("is in the schema {} at the target, which is the ledger's", pg::kReservedSchema),
        fmt::format("rename that schema (ALTER SCHEMA {} RENAME TO …), or move this out of it",
                    pg::kReservedSchema));
}

}  // namespace

void check_target_content(pg::Connection& target, const Plan& plan, const Options& options,
                          std::vector<Finding>& findings) {
  check_strangers(target, findings);
  const auto encoding = server_encoding(target);
  if (encoding != plan.database.encoding)
    add(findings, encoding == "SQL_ASCII" ? Severity::warning : Severity::info, "target",
        fmt::format("encoding {} instead of the source's {}: text is {}", encoding, plan.database.encoding,
                    plan.client_encoding == "UTF8" && encoding != "SQL_ASCII" ? "converted"
                                                                              : "taken over byte by byte"));
  check_collation(target, plan, findings);
  if (plan.schema == SchemaMode::dump) {
    check_extensions(target, plan, findings);
    check_default_privileges(target, plan, findings);
    check_roles(target, plan, options, findings);
  }
  check_quieted(target, plan, findings);
  for (auto& finding : compare_shapes(target, plan)) findings.push_back(std::move(finding));
  if (check_target_privileges(target, plan, options, findings)) check_empty(target, plan, options, findings);
  check_cascades(target, plan, options, findings);
}

std::set<pg::QualifiedName> existing_tables(pg::Connection& target, const Plan& plan) {
  std::set<pg::QualifiedName> found;
  const auto names = target_tables(plan);
  if (names.empty()) return found;
  const auto rows =
      target.exec(fmt::format("SELECT n.nspname, c.relname FROM (VALUES {}) v(schema, name) JOIN "
                              "pg_catalog.pg_namespace n ON n.nspname = v.schema "
                              "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                              "AND c.relkind IN ('r', 'p')",
                              pg::name_rows(names, pointed_to)));
  for (int row = 0; row < rows.rows(); ++row) found.insert({rows.string(row, 0), rows.string(row, 1)});
  return found;
}

namespace {

struct TargetColumn {
  std::string type;
  bool generated = false;
  bool needs_value = false;
};

using TargetColumns = std::map<std::string, TargetColumn>;

std::map<pg::QualifiedName, TargetColumns> columns_at(pg::Connection& target, const Plan& plan) {
  std::map<pg::QualifiedName, TargetColumns> found;
  const auto names = target_tables(plan);
  if (names.empty()) return found;
  const auto rows = target.exec(fmt::format(
      "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), "
      "a.attgenerated <> '', "
      "a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' "
      "FROM (VALUES {}) v(schema, name) JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
      "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name AND c.relkind IN ('r', "
      "'p') "
      "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped",
      pg::name_rows(names, pointed_to)));
  for (int row = 0; row < rows.rows(); ++row) {
    auto& columns = found[{rows.string(row, 0), rows.string(row, 1)}];
    if (!rows.is_null(row, 2))
      columns[rows.string(row, 2)] = {rows.string(row, 3), rows.boolean(row, 4), rows.boolean(row, 5)};
  }
  return found;
}

// One table's, see compare_shapes().
class ShapeComparison {
 public:
  ShapeComparison(const Relation& relation, TargetColumns target, std::vector<Finding>& findings)
      : relation_(relation), target_(std::move(target)), findings_(findings) {}

  void run() {
    const auto columns = relation_.columns.list();
    const auto types = relation_.types.list();
    for (size_t i = 0; i < columns.size(); ++i) compare(columns[i], types[i]);
    for (const auto& name : relation_.generated.list()) compare_generated(name);
    for (const auto& [name, column] : target_) look_at_own(name, column);
  }

 private:
  void note(Severity severity, std::string message, std::string fix) {
    findings_.push_back({severity, "table " + relation_.display(), std::move(message), std::move(fix)});
  }
  std::string or_else() const {
    return fmt::format(
        "or drop the table there and let it be made as at the source (--schema dump), or --exclude {}",
        relation_.display());
  }

  void compare(const std::string& column, const std::string& type) {
    const auto name = pg::display_identifier(column);
    const auto found = target_.extract(column);
    if (found.empty()) {
      note(Severity::blocker, fmt::format("column {} is missing on the target", name),
           "run the application's migrations there that the source has seen, " + or_else());
      return;
    }
    if (found.mapped().generated)
      note(Severity::blocker, fmt::format("column {} is generated on the target only", name),
           fmt::format("ALTER TABLE {} ALTER {} DROP EXPRESSION on the target, {}", relation_.name.sql(),
                       pg::quote_identifier(column), or_else()));
    if (found.mapped().type != type)
      note(Severity::blocker,
           fmt::format("column {} is {} at the source and {} on the target", name, type, found.mapped().type),
           fmt::format("ALTER TABLE {} ALTER {} TYPE {} on the target, {}", relation_.name.sql(),
                       pg::quote_identifier(column), type, or_else()));
  }

  // No stream has its values: the target has to compute them too.
  void compare_generated(const std::string& column) {
    const auto name = pg::display_identifier(column);
    const auto found = target_.extract(column);
    if (found.empty()) {
      note(Severity::warning,
           fmt::format("column {}, which the source computes, is missing on the target", name), {});
    } else if (!found.mapped().generated) {
      note(Severity::blocker,
           fmt::format(
               "column {} is generated at the source and an ordinary one on the target: its values would "
               "be lost",
               name),
           fmt::format(
               "make it on the target as it is at the source (DROP COLUMN, ADD COLUMN … GENERATED ALWAYS "
               "AS …), {}",
               or_else()));
    }
  }

  void look_at_own(const std::string& column, const TargetColumn& own) {
    if (own.generated) return;
    note(own.needs_value ? Severity::blocker : Severity::warning,
         fmt::format("column {} is on the target only: {}", pg::display_identifier(column),
                     own.needs_value ? "it gets no value, but may not be NULL" : "it gets its default"),
         own.needs_value ? "give it a default on the target, " + or_else() : std::string());
  }

  const Relation& relation_;
  TargetColumns target_;
  std::vector<Finding>& findings_;
};

}  // namespace

std::vector<Finding> compare_shapes(pg::Connection& target, const Plan& plan) {
  std::vector<Finding> findings;
  auto tables = columns_at(target, plan);
  for (const auto& relation : plan.relations) {
    if (relation.kind != Relation::Kind::table) continue;
    if (auto table = tables.extract(relation.name)) {
      ShapeComparison(relation, std::move(table.mapped()), findings).run();
    } else if (plan.schema == SchemaMode::none) {
      add(findings, Severity::blocker, "table " + relation.display(), "does not exist on the target",
          "run the application's migrations there first, or let the schema be copied (--schema dump)");
    }
  }
  return findings;
}

void check_connections(pg::Connection& server, const std::string& side, unsigned wanted,
                       std::vector<Finding>& findings) {
  const auto row = server.exec(
      "SELECT pg_catalog.current_setting('max_connections')::int - "
      "pg_catalog.current_setting('superuser_reserved_connections')::int "
      "- count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'");
  const auto free = row.integer(0, 0);
  if (free < static_cast<int64_t>(wanted))
    add(findings, Severity::blocker, side,
        fmt::format("{} connections are free, {} are needed", std::max<int64_t>(free, 0), wanted),
        "lower --jobs and --index-jobs, or end idle sessions");
}

void check_local(const Options& options, const Plan& plan, PgToolFinder& tools,
                 std::vector<Finding>& findings) {
  if (plan.schema == SchemaMode::dump) {
    try {
      if (const auto major = tools.get().major; major < plan.source_major)
        add(findings, Severity::blocker, "pg_dump",
            fmt::format("version {} is older than the source, which is {}", major, plan.source_version),
            fmt::format("install postgresql-client-{}, or name its directory with --pg-bin-dir",
                        plan.source_major));
    } catch (const base::Error& error) {
      add(findings, Severity::blocker, "pg_dump", error.message(), error.hint());
    }
  }
  if (!options.archive) return;
  auto existing = *options.archive;
  while (!existing.empty() && !std::filesystem::exists(existing)) existing = existing.parent_path();
  const auto room = base::free_space(existing.empty() ? std::filesystem::path(".") : existing);
  // COPY data compresses to a quarter of the relation size or less in most databases; less room than that is
  // hopeless.
  if (room < plan.total_bytes() / 4)
    add(findings, Severity::warning, "archive " + options.archive->string(),
        fmt::format("{} are free; the tables have {}", base::human_bytes(room),
                    base::human_bytes(plan.total_bytes())),
        "put the archive on a larger disk");
}

std::string server_encoding(pg::Connection& server) {
  return server.exec("SELECT pg_catalog.current_setting('server_encoding')").string(0, 0);
}

std::string server_version(pg::Connection& server) {
  return server.exec("SELECT pg_catalog.current_setting('server_version')").string(0, 0);
}

bool may_set_replica_role(pg::Connection& target) {
  try {
    target.exec("BEGIN; SET LOCAL session_replication_role = replica; ROLLBACK");
    return true;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::permanent) throw;
    target.exec("ROLLBACK");
    return false;
  }
}

bool loads_in_replica_role(pg::Connection& target, const Plan& plan) {
  const auto names = target_tables(plan);
  return !names.empty() && may_set_replica_role(target) &&
         !target
              .exec(fmt::format(
                  "SELECT EXISTS (SELECT FROM (VALUES {}) v(schema, name) "
                  "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
                  "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                  "JOIN pg_catalog.pg_constraint k ON k.condeferrable AND k.contype IN ('p', 'u', 'x') AND "
                  "(k.conrelid = c.oid OR k.conrelid IN (SELECT relid FROM "
                  "pg_catalog.pg_partition_tree(c.oid))))",
                  pg::name_rows(names, pointed_to)))
              .boolean(0, 0);
}

void throw_blockers(const std::vector<Finding>& findings) {
  std::string message;
  size_t count = 0;
  for (const auto& finding : findings) {
    if (finding.severity != Severity::blocker) continue;
    ++count;
    message += fmt::format("\n  {}: {}", finding.object, finding.message);
    if (!finding.fix.empty()) message += fmt::format("\n    fix: {}", finding.fix);
  }
  if (count > 0)
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("{} in the way of the copy; nothing was changed:{}",
                    count == 1 ? std::string("1 thing is") : fmt::format("{} things are", count), message));
}

}  // namespace copy
