#include "cli/verify_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/report.h"
#include "cli/text.h"
#include "pg/quote.h"

namespace cli {
namespace {

using base::human_count;
using verify::Outcome;
using verify::Remark;
using verify::RowDifference;
using verify::State;
using verify::TableResult;

constexpr size_t kSkippedShown = 20;

std::string_view verdict_of(int exit_code) {
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

std::string described(const verify::SideInfo& side) {
  auto out =
      fmt::format("{}, PostgreSQL {}, snapshot {}", side.database, side.version, side.snapshot.transactions);
  if (!side.snapshot.lsn.empty()) out += " at LSN " + side.snapshot.lsn;
  if (!side.snapshot.system_identifier.empty()) out += ", system " + side.snapshot.system_identifier;
  return side.recorded ? out + " (as the copy recorded it)" : out;
}

void add_remarks(std::string& out, const std::vector<Remark>& remarks, std::string_view title, size_t most) {
  if (remarks.empty()) return;
  out += fmt::format("\n{}:\n", title);
  for (size_t i = 0; i < std::min(most, remarks.size()); ++i) {
    out += fmt::format("  {}: {}\n", sanitized_line(remarks[i].object), sanitized_line(remarks[i].message));
    if (!remarks[i].hint.empty()) out += fmt::format("    hint: {}\n", sanitized_line(remarks[i].hint));
  }
  if (remarks.size() > most) out += fmt::format("  and {} more\n", human_count(remarks.size() - most));
}

/// "2 missing, 1 changed"
std::string row_counts(const verify::RowDifferences& rows) {
  std::vector<std::string> parts;
  const auto add = [&](uint64_t count, std::string_view what) {
    if (count > 0) parts.push_back(fmt::format("{} {}", human_count(count), what));
  };
  add(rows.missing, "missing");
  add(rows.extra, "extra");
  add(rows.changed, "changed");
  add(rows.duplicated, "duplicated");
  return fmt::format("{}", fmt::join(parts, ", "));
}

uint64_t compared_objects(const verify::CatalogComparison& catalog) {
  uint64_t sum = 0;
  for (const auto& [kind, count] : catalog.compared) sum += count;
  return sum;
}

std::string difference_of(const TableResult& table, bool digests) {
  const auto source = table.source.digest.rows;
  const auto target = table.target.digest.rows;
  if (table.rows && table.rows->total() > 0)
    return fmt::format("{} at the source, {} on the target: {}", counted(source, "row"), human_count(target),
                       row_counts(*table.rows));
  auto out = fmt::format("{} at the source, {} on the target", counted(source, "row"), human_count(target));
  if (digests)
    out += fmt::format("; {} of {} digests differ", human_count(table.different_buckets),
                       human_count(table.buckets));
  return out;
}

void add_table(std::string& out, const Outcome& outcome, const TableResult& table,
               const VerifyContext& context) {
  out += fmt::format("  {}: {}\n", sanitized_line(table.name), difference_of(table, outcome.digests));
  if (!table.rows) return;
  for (const auto& row : table.rows->rows) out += fmt::format("    {}\n", row_text(table, row));
  const auto shown = table.rows->rows.size();
  if (table.rows->total() > shown)
    out += fmt::format(
        "    and {} more{}\n", human_count(table.rows->total() - shown),
        context.differences_file.empty() ? std::string() : ", all of them in " + context.differences_file);
  if (!table.rows->note.empty()) out += fmt::format("    {}\n", sanitized_line(table.rows->note));
}

void add_tables(std::string& out, const Outcome& outcome, const VerifyContext& context) {
  bool first = true;
  for (const auto& table : outcome.tables) {
    if (table.state != State::different) continue;
    if (std::exchange(first, false)) out += "\nrows differ:\n";
    add_table(out, outcome, table, context);
  }
}

std::vector<Remark> unchecked_of(const Outcome& outcome) {
  std::vector<Remark> out;
  for (const auto& table : outcome.tables)
    if (table.state == State::unchecked)
      out.push_back({table.kind == "table" ? "table " + table.name : table.name, table.reason, table.hint});
  out.insert(out.end(), outcome.unchecked.begin(), outcome.unchecked.end());
  if (outcome.catalog)
    for (const auto& unchecked : outcome.catalog->unchecked)
      out.push_back({unchecked.what, unchecked.reason});
  return out;
}

void add_catalog(std::string& out, const Outcome& outcome) {
  if (!outcome.catalog) return;
  const auto add = [&](std::string_view title, const auto& list, auto line) {
    if (!list.empty()) out += fmt::format("\n{}:\n", title);
    for (const auto& item : list) out += fmt::format("  {}\n", sanitized_line(line(item)));
  };
  const auto with_reason = [](const verify::WaivedDifference& waived) {
    return fmt::format("{} ({})", verify::describe(waived.difference), waived.reason);
  };
  add("definitions differ", outcome.catalog->differences, verify::describe);
  add("waived", outcome.catalog->waived, with_reason);
  add("the provider's own", outcome.catalog->of_provider, with_reason);
  add("differs as it must", outcome.catalog->expected, with_reason);
  add("waivers that met nothing", outcome.catalog->unused_waivers, [](const verify::CatalogWaiver& waiver) {
    return fmt::format("{} {} {}", waiver.kind, waiver.name, waiver.property);
  });
}

std::string next_step(const Outcome& outcome, const VerifyContext& context) {
  switch (outcome.exit_code()) {
    case kEqual:
    case kWaived:
      return "any later write on either side voids this verdict: stop the writers before the last comparison";
    case kDifferent:
      return fmt::format("mend what differs, then look again: {}", context.again);
    default:
      return fmt::format("see to what could not be compared, then look again: {}", context.again);
  }
}

Json header(const VerifyContext& context, int exit_code) {
  return report_header({"verify", context.run_dir, context.again}, verdict_of(exit_code), exit_code);
}

Json side_json(const verify::SideInfo& side) {
  return {{"database", side.database},
          {"version", side.version},
          {"snapshot", side.snapshot.transactions},
          {"lsn", side.snapshot.lsn},
          {"system_identifier", side.snapshot.system_identifier},
          {"recorded", side.recorded}};
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
  Json out{{"missing", rows.missing},
           {"extra", rows.extra},
           {"changed", rows.changed},
           {"duplicated", rows.duplicated},
           {"buckets_left", rows.buckets_left},
           {"note", rows.note},
           {"passes", rows.passes},
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
           {"excluded", catalog.excluded},
           {"differences", Json::array()},
           {"waived", waived_json(catalog.waived)},
           {"of_provider", waived_json(catalog.of_provider)},
           {"expected", waived_json(catalog.expected)},
           {"normalised", catalog.normalised},
           {"unused_waivers", Json::array()}};
  for (const auto& difference : catalog.differences)
    out["differences"].push_back(difference_json(difference));
  for (const auto& waiver : catalog.unused_waivers)
    out["unused_waivers"].push_back(
        {{"kind", waiver.kind}, {"name", waiver.name}, {"property", waiver.property}});
  return out;
}

Json remarks_json(const std::vector<Remark>& remarks) {
  auto out = Json::array();
  for (const auto& remark : remarks)
    out.push_back({{"object", remark.object}, {"message", remark.message}, {"hint", remark.hint}});
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

std::string shown(const std::optional<std::string>& value) {
  constexpr size_t kWidest = 60;
  return value ? "\"" + truncated(sanitized_line(*value), kWidest) + "\"" : "NULL";
}

}  // namespace

std::string row_text(const TableResult& table, const RowDifference& row) {
  std::vector<std::string> key;
  for (size_t i = 0; i < row.key.size(); ++i)
    key.push_back(fmt::format("{}={}", i < table.key.size() ? pg::display_identifier(table.key[i]) : "row",
                              sanitized_line(row.key[i])));
  auto out = fmt::format("{:<10} {}", name_of(row.kind), fmt::join(key, ", "));
  if (row.source_copies + row.target_copies > 1 && row.kind != RowDifference::Kind::changed)
    out += fmt::format(" ({} times at the source, {} on the target)", row.source_copies, row.target_copies);
  std::vector<std::string> columns;
  for (size_t i = 0; i < row.columns.size(); ++i) {
    auto column = pg::display_identifier(row.columns[i]);
    if (i < row.source_values.size() && i < row.target_values.size())
      column += fmt::format(" {} -> {}", shown(row.source_values[i]), shown(row.target_values[i]));
    columns.push_back(std::move(column));
  }
  if (!columns.empty()) out += fmt::format(": {}", fmt::join(columns, ", "));
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

std::string verify_line(const Outcome& outcome) {
  const auto took = base::human_duration(outcome.elapsed);
  const auto verdict = base::upper_case(verdict_of(outcome.exit_code()));
  const auto tables = counted(outcome.tables.size(), "table");
  const auto how = outcome.digests ? "every row digested" : "rows counted, not compared";
  switch (outcome.exit_code()) {
    case kEqual:
    case kWaived:
      if (!outcome.rows_counted)
        return fmt::format("{}: {}, rows not looked at, in {}", verdict,
                           counted(compared_objects(*outcome.catalog), "object"), took);
      return fmt::format("{}: {}, {}, {}, in {}", verdict, tables, counted(outcome.rows(), "row"), how, took);
    case kDifferent:
      return fmt::format("{}: {} of {} equal, {}, after {}", verdict,
                         human_count(outcome.count(State::equal)), tables,
                         counted(outcome.difference_count(), "difference"), took);
    default:
      return fmt::format("{}: {} could not be compared; {} of {} equal, {}, after {}", verdict,
                         counted(unchecked_of(outcome).size(), "thing"),
                         human_count(outcome.count(State::equal)), tables,
                         counted(outcome.difference_count(), "difference"), took);
  }
}

std::string verify_text(const Outcome& outcome, const VerifyContext& context, bool colours) {
  auto out = styled_verdict(verify_line(outcome), outcome.exit_code(), colours) + "\n\n";
  add_fact(out, "source", described(outcome.source));
  add_fact(out, "target", described(outcome.target));
  if (!outcome.run_id.empty())
    add_fact(out, "against",
             fmt::format("what run {} recorded when it read the source; the source was not read now",
                         outcome.run_id));
  if (outcome.sequences > 0) add_fact(out, "also", counted(outcome.sequences, "sequence") + " compared");
  if (outcome.catalog)
    add_fact(out, "catalog", counted(compared_objects(*outcome.catalog), "object") + " compared");
  add_catalog(out, outcome);
  add_remarks(out, outcome.differences, "different", SIZE_MAX);
  add_tables(out, outcome, context);
  add_remarks(out, unchecked_of(outcome), "not compared", SIZE_MAX);
  add_remarks(out, outcome.notes, "notes", SIZE_MAX);
  add_remarks(out, outcome.skipped, "left out", kSkippedShown);
  return out + fmt::format("\n{} {}\n", styled(Style::bold, "next:", colours), next_step(outcome, context));
}

Json verify_json(const Outcome& outcome, const VerifyContext& context) {
  Json out = header(context, outcome.exit_code());
  out.update(Json{{"source", side_json(outcome.source)},
                  {"target", side_json(outcome.target)},
                  {"recorded_by_run", outcome.run_id},
                  {"level", !outcome.rows_counted ? "catalog"
                            : outcome.digests     ? "digests"
                                                  : "counts"},
                  {"hash", outcome.strong ? "HMAC-SHA-256/128" : "XXH3-128"},
                  {"elapsed_seconds", base::seconds_of(outcome.elapsed)},
                  {"tables_equal", outcome.count(State::equal)},
                  {"tables_different", outcome.count(State::different)},
                  {"tables_unchecked", outcome.count(State::unchecked)},
                  {"rows", outcome.rows()},
                  {"sequences", outcome.sequences},
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
