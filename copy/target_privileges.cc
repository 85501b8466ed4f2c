#include "copy/target_privileges.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "copy/preflight.h"
#include "copy/quiet.h"

namespace copy {
namespace {

constexpr size_t kMostRights = 20;
constexpr std::string_view kSelect = "SELECT";

// What this role lacks, and whether the tables may be looked into all the same.
struct Closed {
  std::vector<Finding> findings;
  bool readable = true;

  void add(std::string object, std::string message, std::string fix, Severity severity = Severity::blocker) {
    findings.push_back({severity, std::move(object), std::move(message), std::move(fix)});
  }
};

void check_schemas(pg::Connection& target, const Plan& plan, const std::string& user, Closed& closed) {
  std::set<std::string_view> schemas;
  for (const auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::table)
      schemas.insert({relation.name.schema, relation.load_into().schema});
  for (const auto& sequence : plan.sequences) schemas.insert(sequence.name.schema);
  if (schemas.empty()) return;
  std::string values;
  for (const auto schema : schemas)
    values += fmt::format("{}({})", values.empty() ? "" : ", ", pg::quote_literal(schema));
  const auto rows = target.exec(
      fmt::format("SELECT n.nspname, p FROM (VALUES {}) v(schema) JOIN pg_catalog.pg_namespace n ON "
                  "n.nspname = v.schema, "
                  "pg_catalog.unnest(ARRAY['USAGE'{}]) p WHERE NOT pg_catalog.has_schema_privilege(n.oid, p) "
                  "ORDER BY 1, 2 DESC",
                  values, plan.schema == SchemaMode::dump ? ", 'CREATE'" : ""));
  for (int row = 0; row < rows.rows(); ++row) {
    const auto label = "schema " + pg::display_identifier(rows.text(row, 0));
    const auto fix = fmt::format("GRANT {} ON SCHEMA {} TO {}", rows.text(row, 1),
                                 pg::quote_identifier(rows.text(row, 0)), user);
    if (rows.text(row, 1) == "CREATE") {
      closed.add(label, "this role may make nothing in it on the target", fix, Severity::warning);
    } else {
      closed.readable = false;
      closed.add(label, "this role may not use it on the target", fix);
    }
  }
}

using Needs = std::map<pg::QualifiedName, std::set<std::string_view>>;  // table -> privileges

Needs table_needs(const Plan& plan, const Options& options) {
  Needs needs;
  for (const auto& relation : plan.relations) {
    if (relation.kind != Relation::Kind::table) continue;
    auto& own = needs[relation.name];
    own.insert(kSelect);
    if (may_truncate(plan, relation)) own.insert("TRUNCATE");
    if (matches_any(options.overwrite, relation.name.schema, relation.name.name))
      own.insert(relation.condition.empty() ? "TRUNCATE" : "DELETE");
    needs[relation.load_into()].insert({kSelect, "INSERT"});
  }
  return needs;
}

// Of tables that are there: what is missing, whether row level security hides rows, and the owner, where he
// is another one. (An extension's tables are nobody's to alter.)
pg::Result closed_tables(pg::Connection& target, const Needs& needs) {
  std::string values;
  for (const auto& [table, privileges] : needs)
    values +=
        fmt::format("{}({}, {}, ARRAY['{}'])", values.empty() ? "" : ", ", pg::quote_literal(table.schema),
                    pg::quote_literal(table.name), fmt::join(privileges, "', '"));
  return target.exec(
      fmt::format("SELECT * FROM (SELECT n.nspname, c.relname, "
                  "(SELECT pg_catalog.string_agg(p, ', ') FROM pg_catalog.unnest(v.privileges) p "
                  "WHERE NOT pg_catalog.has_table_privilege(c.oid, p)) AS missing, "
                  "c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AS hidden, "
                  "CASE WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') AND NOT EXISTS (SELECT FROM "
                  "pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND "
                  "d.objid = c.oid "
                  "AND d.deptype = 'e') THEN pg_catalog.pg_get_userbyid(c.relowner) END AS owner "
                  "FROM (VALUES {}) v(schema, name, privileges) "
                  "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
                  "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                  "AND c.relkind IN ('r', 'p')) t "
                  "WHERE missing IS NOT NULL OR hidden OR owner IS NOT NULL ORDER BY 1, 2",
                  values));
}

void check_tables(pg::Connection& target, const Plan& plan, const Options& options, const std::string& user,
                  Closed& closed) {
  const auto needs = table_needs(plan, options);
  if (needs.empty()) return;
  const auto rows = closed_tables(target, needs);
  for (int row = 0; row < rows.rows(); ++row) {
    const pg::QualifiedName name{rows.string(row, 0), rows.string(row, 1)};
    const auto label = "table " + name.display();
    if (const auto missing = rows.optional_text(row, 2)) {
      if (missing->find(kSelect) != std::string::npos) closed.readable = false;
      closed.add(label, fmt::format("this role lacks {} on it on the target", *missing),
                 fmt::format("GRANT {} ON {} TO {}", *missing, name.sql(), user));
    }
    if (rows.boolean(row, 3)) {
      closed.readable = false;
      closed.add(
          label,
          "row level security on the target applies to this role: it could not load rows, nor read them back",
          fmt::format("connect as the table's owner, or: ALTER ROLE {} BYPASSRLS", user));
    }
    if (const auto owner = rows.optional_text(row, 4); owner && plan.schema == SchemaMode::dump)
      closed.add(label,
                 "it belongs to another role on the target: only that may make indexes and the like on it",
                 fmt::format("GRANT {} TO {}", pg::quote_identifier(*owner), user), Severity::warning);
  }
}

// Foreign keys and triggers that are put aside are an owner's to take away, and to bring back.
void check_owners(pg::Connection& target, const Plan& plan, const std::string& user, Closed& closed) {
  const bool replica_role = plan.schema == SchemaMode::none && loads_in_replica_role(target, plan);
  for (const auto& object :
       not_ours_to_put_aside(target, plan, {.foreign_keys = !replica_role, .replica_role = replica_role})) {
    if (object.owner)
      closed.add(object.object, "it is put aside for the load, which only the table's owner may",
                 fmt::format("GRANT {} TO {}", pg::quote_identifier(*object.owner), user));
    if (object.referenced)
      closed.add(object.object, "it is put aside for the load, and this role could not make it again",
                 fmt::format("GRANT REFERENCES ON {} TO {}", object.referenced->sql(), user));
  }
}

}  // namespace

void check_default_privileges(pg::Connection& target, const Plan& plan, std::vector<Finding>& findings) {
  std::set<std::string> schemas{""};
  for (const auto& relation : plan.relations) schemas.insert(relation.name.schema);
  const auto rows = target.exec(
      "SELECT coalesce(n.nspname, ''), CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' "
      "WHEN "
      "'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END, "
      "d.defaclacl, "
      "pg_catalog.quote_ident(current_user) FROM pg_catalog.pg_default_acl d LEFT JOIN "
      "pg_catalog.pg_namespace n "
      "ON n.oid = d.defaclnamespace WHERE pg_catalog.pg_get_userbyid(d.defaclrole) = current_user ORDER BY "
      "1, 2");
  for (int row = 0; row < rows.rows(); ++row) {
    const auto schema = rows.string(row, 0);
    if (!schemas.contains(schema)) continue;
    const auto where = schema.empty() ? std::string() : " IN SCHEMA " + pg::quote_identifier(schema);
    findings.push_back({Severity::warning, "default privileges",
                        fmt::format("the target has some for {} made by this role{}: {}. What is made there "
                                    "gets them, whether it has them "
                                    "at the source or not",
                                    rows.text(row, 1), where, rows.text(row, 2)),
                        fmt::format("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} REVOKE … ON {} FROM …, before "
                                    "the copy; afterwards `cutover verify` "
                                    "names what differs",
                                    rows.text(row, 3), where, rows.text(row, 1))});
  }
}

bool check_target_privileges(pg::Connection& target, const Plan& plan, const Options& options,
                             std::vector<Finding>& findings) {
  const auto user = pg::quote_identifier(target.exec("SELECT current_user").text(0, 0));
  Closed closed;
  check_schemas(target, plan, user, closed);
  check_tables(target, plan, options, user, closed);
  for (const auto& name : sequences_without(target, plan, "UPDATE"))
    closed.add("sequence " + name.display(), "this role may not set it on the target",
               fmt::format("GRANT UPDATE ON SEQUENCE {} TO {}", name.sql(), user));
  check_owners(target, plan, user, closed);
  std::stable_partition(closed.findings.begin(), closed.findings.end(),
                        [](const auto& finding) { return finding.severity == Severity::blocker; });
  if (const auto count = closed.findings.size(); count > kMostRights) {
    const auto severity = closed.findings[kMostRights].severity;
    closed.findings.resize(kMostRights);
    closed.add("target", fmt::format("this role lacks {} more rights", count - kMostRights), {}, severity);
  }
  findings.insert(findings.end(), closed.findings.begin(), closed.findings.end());
  return closed.readable;
}

std::vector<pg::QualifiedName> sequences_without(pg::Connection& connection, const Plan& plan,
                                                 const char* privilege) {
  std::vector<pg::QualifiedName> names;
  if (plan.sequences.empty()) return names;
  const auto rows = connection.exec(
      fmt::format("SELECT n.nspname, c.relname FROM (VALUES {}) v(schema, name) JOIN "
                  "pg_catalog.pg_namespace n ON n.nspname = v.schema "
                  "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                  // CASE keeps the order of the two: the function throws on anything but a sequence, and the
                  // planner may call it first.
                  "WHERE CASE WHEN c.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege(c.oid, '{}') "
                  "ELSE false END",
                  pg::name_rows(plan.sequences, &pg::Sequence::name), privilege));
  for (int row = 0; row < rows.rows(); ++row) names.push_back({rows.string(row, 0), rows.string(row, 1)});
  return names;
}

}  // namespace copy
