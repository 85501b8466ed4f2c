// The stored form of a plan: JSON, so that a person can read what a run decided.

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/lines.h"
#include "copy/plan.h"

namespace base {

static void to_json(nlohmann::json& out, const PackedStrings& texts) { out = texts.list(); }
static void from_json(const nlohmann::json& in, PackedStrings& texts) {
  texts = PackedStrings(in.get<std::vector<std::string>>());
}

}  // namespace base

namespace pg {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QualifiedName, schema, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RowShape, format, columns, key, buckets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Index::Words, name, method, definition, constraint_options)

template <typename I, typename F>
static void for_each_member(I& index, const F& visit) {
  visit("oid", index.oid);
  visit("table", index.table);
  visit("bytes", index.bytes);
  visit("constraint", index.constraint);
  visit("constraint_type", index.constraint_type);
  visit("on_partitioned", index.on_partitioned);
  visit("valid", index.valid);
}
static void to_json(nlohmann::json& out, const Index& index) {
  out = index.words();
  for_each_member(index, [&](const char* name, const auto& value) { out[name] = value; });
}
static void from_json(const nlohmann::json& in, Index& index) {
  index.words(in.get<Index::Words>());
  for_each_member(index, [&](const char* name, auto& value) { in.at(name).get_to(value); });
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ForeignKey, oid, table, name, referenced, validated, inherited, definition,
                                   columns, referenced_columns, equals, match_full, on_partitioned,
                                   to_partitioned)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Sequence, oid, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Extension, name, version, schema)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RoleUse, name, owns, granted, named)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DatabaseSetting, role, setting)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Database, name, encoding, collation, comment, settings)
NLOHMANN_JSON_SERIALIZE_ENUM(CopyFormat, {{CopyFormat::binary, "binary"}, {CopyFormat::text, "text"}})

}  // namespace pg

namespace copy {

NLOHMANN_JSON_SERIALIZE_ENUM(SchemaMode, {{SchemaMode::dump, "dump"}, {SchemaMode::none, "none"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Severity, {{Severity::info, "info"},
                                        {Severity::skipped, "skipped"},
                                        {Severity::warning, "warning"},
                                        {Severity::blocker, "blocker"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finding, severity, object, message, fix)
NLOHMANN_JSON_SERIALIZE_ENUM(Relation::Kind, {{Relation::Kind::table, "table"},
                                              {Relation::Kind::large_objects, "large objects"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Relation, kind, oid, name, above, root, condition, columns, types,
                                   generated, shape, filenode, bytes, row_estimate, index_cost, chunk_blocks,
                                   chunks, large_object_bounds)
namespace {

using nlohmann::json;

// A list that grows as it is filled would be there twice at times. More than this is not taken on the word of
// a file.
constexpr size_t kMostReserved = 100'000;

/// What is there once.
template <typename P, typename F>
void for_each_fact(P& plan, const F& visit) {
  visit("source_version", plan.source_version);
  visit("source_major", plan.source_major);
  visit("database", plan.database);
  visit("client_encoding", plan.client_encoding);
  visit("schema", plan.schema);
  visit("selection", plan.selection);
}

/// What is there any number of times.
template <typename P, typename F>
void for_each_list(P& plan, const F& visit) {
  visit("relation", plan.relations);
  visit("index", plan.indexes);
  visit("foreign_key", plan.foreign_keys);
  visit("sequence", plan.sequences);
  visit("extension", plan.extensions);
  visit("materialized_view", plan.materialized_views);
  visit("unpopulated_view", plan.unpopulated_views);
  visit("excluded_table", plan.excluded_tables);
  visit("excluded_sequence", plan.excluded_sequences);
  visit("excluded_schema", plan.excluded_schemas);
  visit("role", plan.roles);
  visit("foreign_table", plan.foreign_tables);
  visit("partitioned_table", plan.partitioned_tables);
  visit("finding", plan.findings);
}

// Names in a SQL_ASCII database need not be UTF-8.
std::string line_of(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::strict) + "\n";
}

// The last line may lack its end: a plan of format 1 does, and one that is cut off.
json next_object(base::Lines& lines) {
  const auto line = lines.next();
  auto object = line ? json::parse(*line, nullptr, lines.ended()) : json();
  // The version is looked at first: another one's may have no line ends.
  const bool is_whole = object.is_object() && (lines.ended() || object.contains("version"));
  if (!is_whole) base::fail(base::ErrorKind::corrupt, "the stored plan is cut off");
  return object;
}

Plan read_plan(base::Lines& lines) {
  Plan plan;
  const auto facts = next_object(lines);
  if (const auto version = facts.at("version").get<int>(); version != plan.version)
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("the plan has format {}, this program knows format {}: it was made by another version",
                    version, plan.version),
        "end the run, or take back what it made (--restart), with the version that began it; or clean it, "
        "empty the target, and copy again");
  for_each_fact(plan, [&](const char* name, auto& value) { facts.at(name).get_to(value); });
  for_each_list(plan, [&](const char* name, auto& list) {
    auto count = facts.at("counts").at(name).get<size_t>();
    list.reserve(std::min(count, kMostReserved));
    for (; count > 0; --count) next_object(lines).at(name).get_to(list.emplace_back());
  });
  if (lines.next()) base::fail(base::ErrorKind::corrupt, "the stored plan has more lines than it says");
  for (const auto& relation : plan.relations)
    if (relation.root > relation.above.size())
      base::fail(base::ErrorKind::corrupt, "the stored plan has no root for {}", relation.display());
  plan.require_whole_relations();
  return plan;
}

}  // namespace

void Plan::write(base::ByteSink& out) const {
  json facts{{"version", version}, {"counts", json::object()}};
  for_each_fact(*this, [&](const char* name, const auto& value) { facts[name] = value; });
  for_each_list(*this, [&](const char* name, const auto& list) { facts["counts"][name] = list.size(); });
  out.write(base::bytes_of(line_of(facts)));
  for_each_list(*this, [&](const char* name, const auto& list) {
    for (const auto& one : list) out.write(base::bytes_of(line_of({{name, one}})));
  });
}

Plan Plan::read(base::ByteSource& in) {
  try {
    base::Lines lines(in);
    return read_plan(lines);
  } catch (const json::exception& error) {
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("the stored plan cannot be read: {}", error.what()));
  }
}

}  // namespace copy
