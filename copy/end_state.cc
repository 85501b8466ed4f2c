#include "copy/end_state.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace pg {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QualifiedName, schema, name)

}  // namespace pg

namespace copy {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SequenceValue, name, last_value, is_called)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LargeObjectInfo, oid, owner, comment)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LargeObjectGrant, oid, grantee, privilege, grant_option)

namespace {

constexpr size_t kSequencesPerStatement = 500;

std::string mapped(const std::string& role, const Options& options) {
  const auto found = options.role_map.find(role);
  return found == options.role_map.end() ? role : found->second;
}

// False: at least one of them does not exist, and nothing was read.
bool read_sequences(pg::Connection& source, std::span<const pg::Sequence> sequences,
                    const EndVisitor& visit) {
  std::string sql;
  for (size_t i = 0; i < sequences.size(); ++i)
    sql += fmt::format("{}SELECT {}, last_value, is_called FROM {}", sql.empty() ? "" : " UNION ALL ", i,
                       sequences[i].name.sql());
  try {
    const auto rows = source.exec(sql);
    for (int row = 0; row < rows.rows(); ++row)
      visit(SequenceValue{sequences[static_cast<size_t>(rows.integer(row, 0))].name, rows.integer(row, 1),
                          rows.boolean(row, 2)});
    return true;
  } catch (const base::Error& error) {
    constexpr std::string_view kUndefinedTable = "42P01";
    if (error.sqlstate() != kUndefinedTable) throw;
    return false;
  }
}

// One that was dropped since the plan was made must not keep the values of all others from the target.
void read_sequences(pg::Connection& source, const Plan& plan, const EndVisitor& visit,
                    std::vector<pg::QualifiedName>& dropped) {
  std::span<const pg::Sequence> left = plan.sequences;
  while (!left.empty()) {
    const auto batch = left.first(std::min(left.size(), kSequencesPerStatement));
    left = left.subspan(batch.size());
    if (read_sequences(source, batch, visit)) continue;
    for (const auto& sequence : batch)
      if (!read_sequences(source, std::span(&sequence, 1), visit)) dropped.push_back(sequence.name);
  }
}

void read_large_objects(pg::Connection& source, const EndVisitor& visit) {
  source.for_each_row(
      "SELECT oid, pg_catalog.pg_get_userbyid(lomowner), coalesce(pg_catalog.obj_description(oid, "
      "'pg_largeobject'), '') "
      "FROM pg_catalog.pg_largeobject_metadata ORDER BY oid",
      [&](const pg::Result& row) {
        visit(LargeObjectInfo{row.oid(0, 0), row.string(0, 1), row.string(0, 2)});
      });
  source.for_each_row(
      "SELECT m.oid, coalesce(r.rolname::text, ''), a.privilege_type, a.is_grantable "
      "FROM pg_catalog.pg_largeobject_metadata m, pg_catalog.aclexplode(m.lomacl) a "
      "LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE a.grantee <> m.lomowner ORDER BY 1, 2, 3",
      [&](const pg::Result& row) {
        visit(LargeObjectGrant{row.oid(0, 0), row.string(0, 1), row.string(0, 2), row.boolean(0, 3)});
      });
}

// What a record's line calls it.
const char* name_of(const SequenceValue&) { return "sequence"; }
const char* name_of(const LargeObjectInfo&) { return "large_object"; }
const char* name_of(const LargeObjectGrant&) { return "large_object_grant"; }

template <typename Record>
bool read_as(const nlohmann::json& line, std::optional<EndRecord>& record) {
  const auto found = line.find(name_of(Record()));
  if (found == line.end()) return false;
  record = found->template get<Record>();
  return true;
}

EndRecord record_in(const nlohmann::json& line) {
  std::optional<EndRecord> record;
  if (!read_as<SequenceValue>(line, record) && !read_as<LargeObjectInfo>(line, record) &&
      !read_as<LargeObjectGrant>(line, record))
    base::fail(base::ErrorKind::corrupt, "the stored end state has a line of an unknown kind");
  return *std::move(record);
}

// The value of a setting that is a list is stored as it is written in SQL; every other value is one string.
bool is_list_setting(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kLists = {"search_path",
                                                             "temp_tablespaces",
                                                             "local_preload_libraries",
                                                             "session_preload_libraries",
                                                             "shared_preload_libraries",
                                                             "unix_socket_directories"};
  return std::ranges::find(kLists, name) != kLists.end();
}

}  // namespace

void write_end_record(const EndRecord& record, base::ByteSink& out) {
  nlohmann::json line;
  std::visit([&](const auto& one) { line[name_of(one)] = one; }, record);
  out.write(base::bytes_of(line.dump() + "\n"));
}

std::optional<EndRecord> EndRecords::next() {
  const auto line = lines_.next();
  if (!line) return std::nullopt;
  try {
    return record_in(nlohmann::json::parse(*line));
  } catch (const nlohmann::json::exception& error) {
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("the stored end state cannot be read: {}", error.what()));
  }
}

void read_end_state(pg::Connection& source, const Plan& plan, const EndVisitor& visit,
                    std::vector<pg::QualifiedName>& dropped) {
  dropped.clear();
  read_sequences(source, plan, visit, dropped);
  const bool large_objects = std::ranges::any_of(plan.relations, [](const Relation& relation) {
    return relation.kind == Relation::Kind::large_objects;
  });
  if (large_objects) read_large_objects(source, visit);
}

std::vector<pg::QualifiedName> set_sequences(pg::Connection& target, std::span<const SequenceValue> values) {
  std::set<pg::QualifiedName> missing;
  for (size_t begin = 0; begin < values.size(); begin += kSequencesPerStatement) {
    std::string rows;
    const auto end = std::min(values.size(), begin + kSequencesPerStatement);
    for (size_t i = begin; i < end; ++i) {
      // Quoted: -9223372036854775808 without quotes is the negative of what no bigint can be.
      rows += fmt::format("{}({}, {}, '{}'::bigint, {})", rows.empty() ? "" : ", ",
                          pg::quote_literal(values[i].name.schema), pg::quote_literal(values[i].name.name),
                          values[i].last_value, values[i].is_called);
      missing.insert(values[i].name);
    }
    const auto set = target.exec(fmt::format(
        "SELECT v.schema, v.name, pg_catalog.setval(c.oid::pg_catalog.regclass, v.value, v.called) "
        "FROM (VALUES {}) v(schema, name, value, called) "
        "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
        "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name AND c.relkind = 'S'",
        rows));
    for (int row = 0; row < set.rows(); ++row) missing.erase({set.string(row, 0), set.string(row, 1)});
  }
  return {missing.begin(), missing.end()};
}

namespace {

std::vector<std::string> statements_of(const SequenceValue&, const Options&) { return {}; }

std::vector<std::string> statements_of(const LargeObjectInfo& object, const Options& options) {
  std::vector<std::string> statements;
  if (!object.comment.empty())
    statements.push_back(
        fmt::format("COMMENT ON LARGE OBJECT {} IS {}", object.oid, pg::quote_literal(object.comment)));
  if (options.owners && !is_vendor_role(object.owner))
    statements.push_back(fmt::format("ALTER LARGE OBJECT {} OWNER TO {}", object.oid,
                                     pg::quote_identifier(mapped(object.owner, options))));
  return statements;
}

std::vector<std::string> statements_of(const LargeObjectGrant& grant, const Options& options) {
  if (!options.grants || is_left_to_provider(grant.grantee, options)) return {};
  return {fmt::format("GRANT {} ON LARGE OBJECT {} TO {}{}", grant.privilege, grant.oid,
                      grant.grantee.empty() ? "PUBLIC" : pg::quote_identifier(mapped(grant.grantee, options)),
                      grant.grant_option ? " WITH GRANT OPTION" : "")};
}

}  // namespace

pg::Oid large_object_of(const EndRecord& record) {
  if (const auto* object = std::get_if<LargeObjectInfo>(&record)) return object->oid;
  if (const auto* grant = std::get_if<LargeObjectGrant>(&record)) return grant->oid;
  return 0;
}

std::vector<std::string> large_object_statements(const EndRecord& record, const Options& options) {
  return std::visit([&](const auto& one) { return statements_of(one, options); }, record);
}

std::vector<std::string> database_statements(const pg::Database& source, const std::string& target_database,
                                             const Options& options) {
  std::vector<std::string> statements;
  const auto database = pg::quote_identifier(target_database);
  for (const auto& [role, setting] : source.settings) {
    if (is_vendor_role(role)) continue;
    const auto equals = setting.find('=');
    const auto name = setting.substr(0, equals);
    const auto value = setting.substr(equals + 1);
    const auto object = role.empty() ? "DATABASE " + database
                                     : fmt::format("ROLE {} IN DATABASE {}",
                                                   pg::quote_identifier(mapped(role, options)), database);
    // An empty list is stored as two quotes, which SQL would read as an empty identifier.
    const auto written = is_list_setting(name) && !value.empty() && value != "\"\""
                             ? value
                             : pg::quote_literal(value == "\"\"" ? "" : value);
    statements.push_back(fmt::format("ALTER {} SET {} TO {}", object, pg::quote_identifier(name), written));
  }
  if (!source.comment.empty())
    statements.push_back(
        fmt::format("COMMENT ON DATABASE {} IS {}", database, pg::quote_literal(source.comment)));
  return statements;
}

}  // namespace copy
