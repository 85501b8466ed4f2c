#include "cli/verify_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/text.h"
#include "pg/quote.h"
#include "verify/catalog.h"

namespace cli {
namespace {

using base::human_count;

constexpr size_t kSkippedInText = 20;

uint64_t number(const Json& object, const char* member) { return object.at(member).get<uint64_t>(); }
std::string text(const Json& object, const char* member) { return object.at(member).get<std::string>(); }

std::string side_fact(const Json& side) {
  auto out = fmt::format("{}, PostgreSQL {}, snapshot {}", text(side, "database"), text(side, "version"),
                         text(side, "snapshot"));
  if (const auto lsn = text(side, "lsn"); !lsn.empty()) out += " at LSN " + lsn;
  if (const auto system = text(side, "system_identifier"); !system.empty()) out += ", system " + system;
  return side.at("recorded").get<bool>() ? out + " (as the copy recorded it)" : out;
}

uint64_t compared_objects(const Json& report) {
  uint64_t sum = 0;
  if (!report.at("catalog").is_null())
    for (const auto& count : report.at("catalog").at("compared")) sum += count.get<uint64_t>();
  return sum;
}

uint64_t difference_count(const Json& report) {
  const auto& catalog = report.at("catalog");
  return report.at("differences").size() + number(report, "tables_different") +
         (catalog.is_null() ? 0 : catalog.at("differences").size());
}

/// "2 missing, 1 changed"
std::string row_counts(const Json& rows) {
  std::vector<std::string> parts;
  for (const auto* what : {"missing", "extra", "changed", "duplicated"})
    if (const auto count = number(rows, what); count > 0)
      parts.push_back(fmt::format("{} {}", human_count(count), what));
  return fmt::format("{}", fmt::join(parts, ", "));
}

uint64_t row_total(const Json& rows) {
  return number(rows, "missing") + number(rows, "extra") + number(rows, "changed") +
         number(rows, "duplicated");
}

// Others may differ too, unless the rows that were found are all.
bool are_all(const Json& rows) { return rows.value("complete", false); }

std::string difference_of(const Json& table, bool digests) {
  auto out = fmt::format("{}: {} at the source, {} on the target", text(table, "name"),
                         counted(number(table.at("source"), "rows"), "row"),
                         human_count(number(table.at("target"), "rows")));
  if (table.contains("rows") && row_total(table.at("rows")) > 0)
    return out + ": " + row_counts(table.at("rows")) + (are_all(table.at("rows")) ? "" : ", and maybe more");
  if (digests)
    out += fmt::format("; {} of {} digests differ", human_count(number(table, "different_buckets")),
                       human_count(number(table, "buckets")));
  return out;
}

ReportItem table_item(const Json& table, const Json& report) {
  ReportItem out{difference_of(table, text(report, "level") == "digests")};
  if (!table.contains("rows")) return out;
  const auto& rows = table.at("rows");
  for (const auto& row : rows.at("first")) out.details.push_back(row_text(row));
  const auto total = row_total(rows);
  const auto file = text(report, "differences_file");
  const auto* found = are_all(rows) ? "" : " that were found";
  if (total > out.details.size())
    out.remarks.push_back(fmt::format("and {} more{}{}", human_count(total - out.details.size()), found,
                                      file.empty() ? std::string() : ", all of them in " + file));
  if (const auto note = text(rows, "note"); !note.empty()) out.remarks.push_back(note);
  return out;
}

ReportList different_tables(const Json& report) {
  ReportList out{"rows differ", Tone::bad, {}};
  for (const auto& table : report.at("tables"))
    if (table.at("state") == "different") out.items.push_back(table_item(table, report));
  return out;
}

std::optional<std::string> optional(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

std::string described(const Json& difference) {
  return verify::describe({text(difference, "kind"), text(difference, "object"), text(difference, "property"),
                           optional(difference.at("source")), optional(difference.at("target")),
                           number(difference, "parts")});
}

void add_catalog(ReportSection& out, const Json& catalog) {
  const auto add = [&](const char* member, std::string title, Tone tone = Tone::plain) {
    ReportList list{std::move(title), tone, {}};
    for (const auto& difference : catalog.at(member)) {
      const auto reason = difference.value("reason", "");
      list.items.push_back({described(difference) + (reason.empty() ? "" : " (" + reason + ")")});
    }
    add_list(out, std::move(list));
  };
  add("differences", "definitions differ", Tone::bad);
  add("waived", "waived", Tone::unsure);
  add("of_provider", "the provider's own");
  add("expected", "differs as it must");
  ReportList excluded{"definitions not selected", Tone::plain, {}};
  excluded.in_text = false;
  for (const auto& object : catalog.value("excluded_objects", Json::array()))
    excluded.items.push_back({text(object, "kind") + " " + text(object, "object")});
  add_list(out, std::move(excluded));
  ReportList unused{"waivers that met nothing", Tone::plain, {}};
  for (const auto& waiver : catalog.at("unused_waivers"))
    unused.items.push_back(
        {fmt::format("{} {} {}", text(waiver, "kind"), text(waiver, "name"), text(waiver, "property"))});
  add_list(out, std::move(unused));
}

bool is_filtered(const Json& table) { return table.value("filtered", false); }

ReportList filtered_tables(const Json& report) {
  ReportList out{"selected rows", Tone::plain, {}};
  for (const auto& table : report.at("tables"))
    if (is_filtered(table))
      out.items.push_back({fmt::format("of {} only rows where {} were compared", text(table, "name"),
                                       base::trimmed(text(table, "condition")))});
  return out;
}

std::string how_far(const Json& report) {
  const bool filtered = std::ranges::any_of(report.at("tables"), is_filtered);
  if (text(report, "level") == "digests")
    return filtered ? "every one of the selected rows digested" : "every row digested";
  return filtered ? "selected rows counted, not compared" : "rows counted, not compared";
}

/// ", definitions and 3 materialized views not compared"; after a copy, which has none of them.
std::string not_compared(const Json& report) {
  std::vector<std::string> parts;
  if (report.at("catalog").is_null()) parts.emplace_back("definitions");
  const auto left = report.value("left_to_target", Json::object());
  const auto add = [&](const char* member, const char* noun) {
    if (const auto count = left.value(member, uint64_t{0}); count > 0) parts.push_back(counted(count, noun));
  };
  add("materialized_views", "materialized view");
  add("generated_columns", "generated column");
  if (parts.empty()) return {};
  const auto last = std::move(parts.back());
  parts.pop_back();
  return fmt::format(", {}{}{} not compared", fmt::join(parts, ", "), parts.empty() ? "" : " and ", last);
}

std::string next_step(const Json& report) {
  const auto again = report.value("again", "");
  switch (report.at("exit_code").get<int>()) {
    case kEqual:
    case kWaived:
      return "any later write on either side voids this verdict: stop the writers before the last comparison";
    case kDifferent:
      return "mend what differs, then look again: " + again;
    default:
      return "see to what could not be compared, then look again: " + again;
  }
}

/// The count, which precedes it, is shown anyway.
std::string sum_of(const std::string& digest) {
  const auto colon = digest.find(':');
  return colon == std::string::npos ? digest : digest.substr(colon + 1);
}

std::string rows_that_differ(const Json& table) {
  if (!table.contains("rows")) return {};
  const auto& rows = table.at("rows");
  return human_count(row_total(rows)) + (are_all(rows) ? "" : ", maybe more");
}

ReportTable::Row table_row(const Json& table) {
  const auto state = text(table, "state");
  const auto& source = table.at("source");
  const auto& target = table.at("target");
  const auto seconds = source.at("seconds").get<double>() + target.at("seconds").get<double>();
  const bool is_read = state != "unchecked";
  return {state == "equal"       ? Tone::good
          : state == "different" ? Tone::bad
                                 : Tone::unsure,
          {text(table, "name"), state, is_read ? human_count(number(source, "rows")) : "",
           is_read ? human_count(number(target, "rows")) : "", rows_that_differ(table),
           base::human_bytes(number(source, "bytes") + number(target, "bytes")),
           fmt::format("{:.2f}", seconds), sum_of(source.value("digest", ""))}};
}

// What differs first.
ReportTable all_tables(const Json& report) {
  ReportTable out{"tables",
                  {{"table"},
                   {"state"},
                   {"rows at the source", true},
                   {"rows on the target", true},
                   {"rows that differ", true},
                   {"read", true},
                   {"seconds", true},
                   {"digest at the source"}},
                  {}};
  for (const auto& table : report.at("tables")) out.rows.push_back(table_row(table));
  const auto rank = [](const ReportTable::Row& row) {
    return row.tone == Tone::bad ? 0 : row.tone == Tone::unsure ? 1 : 2;
  };
  std::ranges::stable_sort(out.rows, {}, rank);
  return out;
}

std::string value_text(const Json& values, const std::string& column) {
  constexpr size_t kWidest = 60;
  const auto& value = values.at(column);
  return value.is_null() ? "NULL"
                         : "\"" + truncated(sanitized_line(value.get<std::string>()), kWidest) + "\"";
}

/// What the figures depend on beside the data: how it was asked for, by what, under which settings.
ReportList circumstances(const Json& report) {
  ReportList out{"settings", Tone::plain, {}};
  out.in_text = false;
  out.items = {{fmt::format("cutover {}", text(report, "tool_version"))},
               {"command: " + text(report, "again")},
               {fmt::format("level {}, hash {}", text(report, "level"), text(report, "hash"))}};
  const auto source = report.at("source").value("settings", Json::object());
  const auto target = report.at("target").value("settings", Json::object());
  const auto add = [&](const std::string& name, const Json& value, std::string_view where) {
    out.items.push_back({fmt::format("{} = '{}'{}", name, value.get<std::string>(), where)});
  };
  const auto is_common = [&](const std::string& name) {
    return source.contains(name) && target.contains(name) && source.at(name) == target.at(name);
  };
  for (const auto& [name, value] : source.items()) add(name, value, is_common(name) ? "" : " at the source");
  for (const auto& [name, value] : target.items())
    if (!is_common(name)) add(name, value, " at the target");
  return out;
}

ReportList by_hand() {
  ReportList out{"by hand", Tone::plain, {}};
  out.in_text = false;
  out.items = {
      {"a count: SELECT count(*) FROM ONLY table, with the table's condition, if it has one"},
      {"a row: SELECT * FROM table WHERE key = …, on both sides, with SET extra_float_digits = 3; SET "
       "timezone "
       "= 'UTC'"},
      {"a digest: docs/verification.md says how it is made of the output of COPY (SELECT columns FROM ONLY "
       "table) TO STDOUT; the columns, their format and the condition are in the JSON document"}};
  return out;
}

void add_step(ReportList& list, const Json& step) {
  const auto kind = text(step, "kind");
  const auto object = text(step, "object");
  if (kind == "rows") {
    list.items.push_back({object + ": " + row_counts(step)});
  } else if (kind == "recopy") {
    list.items.push_back(
        {fmt::format("{}: every row is copied again, since {}", object, text(step, "reason"))});
  } else {
    list.items.push_back({fmt::format("{}: {}", object, text(step, "statement"))});
  }
}

}  // namespace

std::string row_text(const Json& row) {
  std::vector<std::string> key;
  for (const auto& [column, value] : row.at("key").items())
    key.push_back(
        fmt::format("{}={}", pg::display_identifier(column), sanitized_line(value.get<std::string>())));
  const auto kind = text(row, "difference");
  auto out = fmt::format("{:<10} {}", kind, fmt::join(key, ", "));
  const auto at_source = number(row, "source_copies");
  const auto at_target = number(row, "target_copies");
  if (at_source + at_target > 1 && kind != "changed")
    out += fmt::format(" ({} times at the source, {} on the target)", at_source, at_target);
  std::vector<std::string> columns;
  for (const auto& name : row.at("columns")) {
    const auto column = name.get<std::string>();
    auto shown = pg::display_identifier(column);
    if (row.contains("source_values") && row.contains("target_values"))
      shown += fmt::format(" {} -> {}", value_text(row.at("source_values"), column),
                           value_text(row.at("target_values"), column));
    columns.push_back(std::move(shown));
  }
  if (!columns.empty()) out += fmt::format(": {}", fmt::join(columns, ", "));
  return out;
}

std::string moment_of(std::span<const Json> documents) {
  std::vector<std::string> moments;
  std::vector<std::string> names;
  for (const auto& document : documents) {
    if (document.value("command", "") != "verify" || !document.contains("source")) continue;
    const auto& source = document.at("source");
    const auto lsn = source.value("lsn", "");
    moments.push_back(fmt::format("source snapshot {}{}", source.value("snapshot", ""),
                                  lsn.empty() ? "" : " at LSN " + lsn));
    names.push_back(source.value("database", ""));
  }
  if (moments.size() > 1)
    for (size_t i = 0; i < moments.size(); ++i) moments[i] += fmt::format(" of {}", names[i]);
  return fmt::format("{}", fmt::join(moments, ", "));
}

std::string verify_line(const Json& report) {
  const auto took = duration_text(report.at("elapsed_seconds"));
  const auto verdict = base::upper_case(text(report, "verdict"));
  const auto tables = counted(report.at("tables").size(), "table");
  const auto level = text(report, "level");
  const auto equal = human_count(number(report, "tables_equal"));
  const auto differences = counted(difference_count(report), "difference");
  const auto left_out = not_compared(report);
  switch (report.at("exit_code").get<int>()) {
    case kEqual:
    case kWaived:
      if (level == "catalog")
        return fmt::format("{}: {}, rows not looked at, in {}", verdict,
                           counted(compared_objects(report), "object"), took);
      return fmt::format("{}: {}, {}, {}{}, in {}", verdict, tables, counted(number(report, "rows"), "row"),
                         how_far(report), left_out, took);
    case kDifferent:
      return fmt::format("{}: {} of {} equal, {}{}, after {}", verdict, equal, tables, differences, left_out,
                         took);
    default:
      return fmt::format("{}: {} could not be compared; {} of {} equal, {}{}, after {}", verdict,
                         counted(report.at("unchecked").size(), "thing"), equal, tables, differences,
                         left_out, took);
  }
}

ReportSection verify_section(const Json& report) {
  ReportSection out;
  out.headline = verify_line(report);
  out.tone = tone_of(report.at("exit_code").get<int>());
  add_fact(out, "source", side_fact(report.at("source")));
  add_fact(out, "target", side_fact(report.at("target")));
  if (const auto run = text(report, "recorded_by_run"); !run.empty())
    add_fact(out, "against",
             fmt::format("what run {} recorded when it read the source; the source was not read now", run));
  if (const auto sequences = number(report, "sequences"); sequences > 0)
    add_fact(out, "also", counted(sequences, "sequence") + " compared");
  const auto& catalog = report.at("catalog");
  if (!catalog.is_null()) {
    add_fact(out, "catalog", counted(compared_objects(report), "object") + " compared");
    add_catalog(out, catalog);
  }
  add_list(out, remark_list(report.at("differences"), "different", Tone::bad));
  add_list(out, different_tables(report));
  add_list(out, remark_list(report.at("unchecked"), "not compared", Tone::unsure));
  add_list(out, filtered_tables(report));
  add_list(out, remark_list(report.at("notes"), "notes"));
  auto skipped = remark_list(report.at("skipped"), "left out");
  skipped.most_in_text = kSkippedInText;
  add_list(out, std::move(skipped));
  if (!report.at("tables").empty()) {
    out.tables.push_back(all_tables(report));
    add_list(out, by_hand());
  }
  add_list(out, circumstances(report));
  out.next = next_step(report);
  return out;
}

ReportSection repair_section(const Json& report) {
  ReportSection out;
  const auto& after = report.at("after");
  const auto& shown = after.is_null() ? report.at("before") : after;
  const bool applied = report.at("applied").get<bool>();
  const bool has_steps = !report.at("steps").empty();
  ReportList steps{applied ? "done" : "planned", Tone::plain, {}};
  for (const auto& step : report.at("steps")) add_step(steps, step);
  out.headline = fmt::format("{}: {}, {} not mended{}", base::upper_case(text(report, "verdict")),
                             counted(steps.items.size(), "step"), human_count(report.at("left").size()),
                             applied ? "" : "; nothing was changed");
  out.tone = applied || !has_steps ? tone_of(report.at("exit_code").get<int>()) : Tone::unsure;
  add_fact(out, "source", text(report.at("before").at("source"), "database"));
  add_fact(out, "target", text(report.at("before").at("target"), "database"));
  add_list(out, std::move(steps));
  add_list(out, remark_list(report.at("left"), "not mended", Tone::bad));
  for (const auto* compared : {"before", "after"})
    if (!report.at(compared).is_null())
      add_list(out, remark_list(report.at(compared).at("unchecked"), "not compared", Tone::unsure));
  add_list(out, remark_list(report.at("notes"), "notes"));
  if (applied && !shown.at("tables").empty()) {
    add_list(out, different_tables(shown));
    out.tables.push_back(all_tables(shown));
    out.tables.back().title = "tables, compared again";
  }
  const bool looked_again = applied && (after.is_null() || after.at("unchecked").empty());
  out.next = looked_again
                 ? "what was touched was compared again, and nothing else: cutover verify gives the verdict"
             : applied   ? "the changes are committed; see to what could not be compared: cutover verify"
             : has_steps ? report.value("again", "") + " --apply"
                         : "cutover verify looks at everything";
  return out;
}

}  // namespace cli
