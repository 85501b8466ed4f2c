#include "cli/verify_report.h"

#include <fmt/format.h>

#include "base/format.h"
#include "cli/errors.h"
#include "cli/report.h"

namespace cli {
namespace {

using verify::Outcome;
using verify::Remark;
using verify::RowDifference;
using verify::State;
using verify::TableResult;

std::string_view verdict_name(int exit_code) {
  switch (exit_code) {
    case kEqual:
      return "equal";
    case kDifferent:
      return "different";
    case kIncomplete:
      return "incomplete";
    case kWaived:
      return "waived";
    default:
      return "unverified";
  }
}

std::string_view name_of(State state) {
  switch (state) {
    case State::equal:
      return "equal";
    case State::different:
      return "different";
    case State::unchecked:
      return "unchecked";
  }
  return "unchecked";
}

std::string_view name_of(RowDifference::Kind kind) {
  switch (kind) {
    case RowDifference::Kind::missing:
      return "missing";
    case RowDifference::Kind::extra:
      return "extra";
    case RowDifference::Kind::changed:
      return "changed";
    case RowDifference::Kind::duplicated:
      return "duplicated";
  }
  return "changed";
}

std::vector<Remark> unchecked_of(const Outcome& outcome) {
  std::vector<Remark> out;
  for (const auto& table : outcome.tables)
    if (table.state == State::unchecked)
      out.push_back({table.kind == "table" ? "table " + table.name : table.name, table.reason, table.hint});
  out.insert(out.end(), outcome.unchecked.begin(), outcome.unchecked.end());
  if (!outcome.catalog) return out;
  for (const auto& [what, reason, key, property] : outcome.catalog->unchecked)
    out.push_back({what, reason,
                   key.kind.empty() ? ""
                                    : fmt::format("if it may stay so: --waive '{} {}{}{}'", key.kind,
                                                  key.name, property.empty() ? "" : " ", property)});
  return out;
}

Json header(const VerifyContext& context, int exit_code) {
  return report_header({"verify", context.run_dir, context.again}, verdict_name(exit_code), exit_code);
}

Json side_json(const verify::SideInfo& side) {
  return {{"database", side.database},
          {"version", side.version},
          {"snapshot", side.snapshot.transactions},
          {"lsn", side.snapshot.lsn},
          {"system_identifier", side.snapshot.system_identifier},
          {"recorded", side.recorded},
          {"began", side.began},
          {"settings", side.settings}};
}

Json figures_json(const verify::SideFigures& side, bool digests) {
  Json out{{"rows", side.digest.rows}};
  if (digests) out["digest"] = side.digest.text();
  out["bytes"] = side.bytes;
  out["seconds"] = base::seconds_of(side.elapsed);
  out["recorded"] = side.recorded;
  return out;
}

Json rows_json(const TableResult& table) {
  const auto& rows = *table.rows;
  Json out{{"missing", rows.missing},   {"extra", rows.extra},
           {"changed", rows.changed},   {"duplicated", rows.duplicated},
           {"complete", rows.complete}, {"buckets_left", rows.buckets_left},
           {"note", rows.note},         {"passes", rows.passes},
           {"first", Json::array()}};
  for (const auto& row : rows.rows) out["first"].push_back(row_json(table, row));
  return out;
}

Json table_json(const TableResult& table, bool digests) {
  Json out{{"name", table.name},
           {"kind", table.kind},
           {"state", name_of(table.state)},
           {"source", figures_json(table.source, digests)},
           {"target", figures_json(table.target, digests)},
           {"columns", table.columns},
           {"key", table.key},
           {"format", table.format == pg::CopyFormat::binary ? "binary" : "text"},
           {"condition", table.condition},
           {"filtered", table.filtered},
           {"buckets", table.buckets},
           {"different_buckets", table.different_buckets}};
  if (table.state == State::unchecked) {
    out["reason"] = table.reason;
    out["hint"] = table.hint;
  }
  if (table.rows) out["rows"] = rows_json(table);
  return out;
}

Json difference_json(const verify::CatalogDifference& difference) {
  const auto value = [](const std::optional<std::string>& text) {
    return text ? Json(*text) : Json(nullptr);
  };
  return {{"kind", difference.kind},
          {"object", difference.object},
          {"property", difference.property},
          {"source", value(difference.source)},
          {"target", value(difference.target)},
          {"parts", difference.parts}};
}

Json waived_json(const std::vector<verify::WaivedDifference>& list) {
  auto out = Json::array();
  for (const auto& waived : list) {
    out.push_back(difference_json(waived.difference));
    out.back()["reason"] = waived.reason;
  }
  return out;
}

Json catalog_json(const verify::CatalogComparison& catalog) {
  Json out{{"compared", catalog.compared},
           {"excluded", catalog.excluded.size()},
           {"excluded_objects", Json::array()},
           {"differences", Json::array()},
           {"waived", waived_json(catalog.waived)},
           {"of_provider", waived_json(catalog.of_provider)},
           {"expected", waived_json(catalog.expected)},
           {"normalised", catalog.normalised},
           {"unused_waivers", Json::array()}};
  for (const auto& [kind, name] : catalog.excluded)
    out["excluded_objects"].push_back({{"kind", kind}, {"object", name}});
  for (const auto& difference : catalog.differences)
    out["differences"].push_back(difference_json(difference));
  for (const auto& waiver : catalog.unused_waivers)
    out["unused_waivers"].push_back(
        {{"kind", waiver.kind}, {"name", waiver.name}, {"property", waiver.property}});
  return out;
}

Json values_json(const TableResult& table, const std::vector<std::string>& columns,
                 const std::vector<std::optional<std::string>>& values) {
  Json out = Json::object();
  const auto& names = columns.empty() ? table.columns : columns;
  for (size_t i = 0; i < std::min(names.size(), values.size()); ++i)
    out[names[i]] = values[i] ? Json(*values[i]) : Json(nullptr);
  return out;
}

}  // namespace

Json remarks_json(const std::vector<Remark>& remarks) {
  auto out = Json::array();
  for (const auto& remark : remarks)
    out.push_back({{"object", remark.object}, {"message", remark.message}, {"hint", remark.hint}});
  return out;
}

Json row_json(const TableResult& table, const RowDifference& row) {
  Json out{{"table", table.name}, {"difference", name_of(row.kind)}, {"key", Json::object()}};
  for (size_t i = 0; i < row.key.size(); ++i)
    out["key"][i < table.key.size() ? table.key[i] : "row"] = row.key[i];
  out["columns"] = row.columns;
  out["source_copies"] = row.source_copies;
  out["target_copies"] = row.target_copies;
  if (!row.source_values.empty()) out["source_values"] = values_json(table, row.columns, row.source_values);
  if (!row.target_values.empty()) out["target_values"] = values_json(table, row.columns, row.target_values);
  return out;
}

Json verify_json(const Outcome& outcome, const VerifyContext& context) {
  Json out = header(context, outcome.exit_code());
  out.update(Json{{"source", side_json(outcome.source)},
                  {"target", side_json(outcome.target)},
                  {"recorded_by_run", outcome.run_id},
                  {"level", !outcome.rows_counted ? "catalog"
                            : outcome.digests     ? "digests"
                                                  : "counts"},
                  {"hash", outcome.strong        ? "HMAC-SHA-256/128"
                           : outcome.server_side ? "hashtextextended, twice"
                                                 : "XXH3-128"},
                  {"elapsed_seconds", base::seconds_of(outcome.elapsed)},
                  {"tables_equal", outcome.count(State::equal)},
                  {"tables_different", outcome.count(State::different)},
                  {"tables_unchecked", outcome.count(State::unchecked)},
                  {"rows", outcome.rows()},
                  {"sequences", outcome.sequences},
                  {"left_to_target",
                   {{"materialized_views", outcome.left_to_target.materialized_views},
                    {"generated_columns", outcome.left_to_target.generated_columns}}},
                  {"differences_file", context.differences_file},
                  {"differences", remarks_json(outcome.differences)},
                  {"unchecked", remarks_json(unchecked_of(outcome))},
                  {"skipped", remarks_json(outcome.skipped)},
                  {"notes", remarks_json(outcome.notes)},
                  {"tables", Json::array()}});
  out["catalog"] = outcome.catalog ? catalog_json(*outcome.catalog) : Json(nullptr);
  for (const auto& table : outcome.tables) out["tables"].push_back(table_json(table, outcome.digests));
  return out;
}

Json verify_error_report(const base::Error& error, int exit_code, const VerifyContext& context) {
  auto out = header(context, exit_code);
  out["error"] = error_json(error);
  return out;
}

}  // namespace cli
