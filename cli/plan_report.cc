#include "cli/plan_report.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "cli/text.h"

namespace cli {
namespace {

using copy::Relation;
using copy::Severity;

constexpr size_t kTablesShown = 15;
constexpr size_t kNamesShown = 8;

bool is_text(const Relation& relation) {
  return relation.kind == Relation::Kind::table && relation.shape.format == pg::CopyFormat::text;
}

std::string_view format_of(const Relation& relation) {
  if (relation.kind == Relation::Kind::large_objects) return "large objects";
  return is_text(relation) ? "text" : "binary";
}

std::vector<const Relation*> largest_first(const copy::Plan& plan) {
  std::vector<const Relation*> out;
  for (const auto& relation : plan.relations) out.push_back(&relation);
  std::ranges::stable_sort(out, std::ranges::greater{}, [](const auto* relation) { return relation->bytes; });
  return out;
}

/// "a, b, c and 12 more"
std::string some_of(const std::vector<std::string>& names) {
  const auto shown = std::min(names.size(), kNamesShown);
  auto out =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) out += fmt::format(" and {} more", base::human_count(names.size() - shown));
  return out;
}

std::vector<std::string> text_tables(const copy::Plan& plan) {
  std::vector<std::string> out;
  for (const auto* relation : largest_first(plan))
    if (is_text(*relation)) out.push_back(sanitized_line(relation->display()));
  return out;
}

std::string objects_of(const copy::Plan& plan) {
  std::vector<std::string> parts;
  const auto add = [&](size_t count, std::string_view noun) {
    if (count > 0) parts.push_back(counted(count, noun));
  };
  add(plan.indexes.size(), "index");
  add(plan.foreign_keys.size(), "foreign key");
  add(plan.sequences.size(), "sequence");
  add(plan.materialized_views.size(), "materialized view");
  add(plan.extensions.size(), "extension");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string summary(const copy::PlanReport& report, const copy::Options& options) {
  const auto& plan = report.plan;
  std::string out;
  add_fact(out, "source", fmt::format("{}, PostgreSQL {}", options.source.redacted(), plan.source_version));
  if (!options.target.parameters().empty())
    add_fact(out, "target",
             fmt::format("{}, PostgreSQL {}", options.target.redacted(), report.target_version));
  add_fact(out, "database", fmt::format("{}, {}", plan.database.encoding, plan.database.collation));
  add_fact(out, "data",
           fmt::format("{}, {}, {} for {} and {}", counted(plan.relations.size(), "table"),
                       base::human_bytes(plan.total_bytes()), counted(plan.total_chunks(), "chunk"),
                       counted(options.jobs, "data worker"),
                       counted(options.effective_index_jobs(), "index worker")));
  add_fact(out, "objects", objects_of(plan));
  const auto as_text = text_tables(plan);
  const auto binary =
      std::ranges::count_if(plan.relations, [](const auto& one) { return format_of(one) == "binary"; });
  add_fact(out, "formats",
           fmt::format("{} in binary, {} in text{}", base::human_count(static_cast<uint64_t>(binary)),
                       base::human_count(as_text.size()), as_text.empty() ? "" : ": " + some_of(as_text)));
  add_fact(out, "schema",
           plan.schema == copy::SchemaMode::dump ? "pg_dump's, applied to the target"
                                                 : "the target's own (--schema none), compared first");
  return out;
}

std::string row_estimate(const Relation& relation) {
  return relation.row_estimate < 0 ? "?" : base::human_count(static_cast<uint64_t>(relation.row_estimate));
}

std::string table_list(const copy::Plan& plan) {
  const auto relations = largest_first(plan);
  if (relations.empty()) return {};
  const auto shown = std::min(relations.size(), kTablesShown);
  size_t name_width = 5;
  for (size_t i = 0; i < shown; ++i)
    name_width = std::clamp(display_width(sanitized_line(relations[i]->display())), name_width, size_t{52});
  const auto row = [&](std::string_view name, std::string_view size, std::string_view rows,
                       std::string_view chunks, std::string_view format) {
    return fmt::format("{}{}{}{}  {}\n", left_aligned(truncated(name, name_width), name_width),
                       right_aligned(size, 11), right_aligned(rows, 16), right_aligned(chunks, 8), format);
  };
  auto out = "\n" + row("TABLE", "SIZE", "ROWS (ABOUT)", "CHUNKS", "FORMAT");
  for (size_t i = 0; i < shown; ++i) {
    const auto& relation = *relations[i];
    out += row(sanitized_line(relation.display()), base::human_bytes(relation.bytes), row_estimate(relation),
               base::human_count(relation.chunks), format_of(relation));
  }
  uint64_t rest = 0;
  for (size_t i = shown; i < relations.size(); ++i) rest += relations[i]->bytes;
  if (shown < relations.size())
    out += fmt::format("and {} with {}\n", counted(relations.size() - shown, "smaller table"),
                       base::human_bytes(rest));
  return out;
}

std::string finding_list(const copy::PlanReport& report, Severity severity, std::string_view title,
                         Style style, bool colours) {
  std::string out;
  for (const auto& finding : report.findings) {
    if (finding.severity != severity) continue;
    if (out.empty()) out += fmt::format("\n{}:\n", styled(style, title, colours));
    out += fmt::format("  {}: {}\n", sanitized_line(finding.object), sanitized_line(finding.message));
    if (!finding.fix.empty()) out += fmt::format("    fix: {}\n", sanitized_line(finding.fix));
  }
  return out;
}

uint64_t count_of(const copy::PlanReport& report, Severity severity) {
  return static_cast<uint64_t>(std::ranges::count(report.findings, severity, &copy::Finding::severity));
}

std::string verdict(const copy::PlanReport& report, bool colours) {
  const auto warnings = counted(count_of(report, Severity::warning), "warning");
  if (report.blocked())
    return fmt::format("{}: {} to remove first, {}\n", styled(Style::red, "BLOCKED", colours),
                       counted(count_of(report, Severity::blocker), "blocker"), warnings);
  return fmt::format("{}: nothing stands in the way, {}\n", styled(Style::green, "READY", colours), warnings);
}

Json summary_json(const copy::Plan& plan, const copy::Options& options) {
  return {{"relations", plan.relations.size()},
          {"bytes", plan.total_bytes()},
          {"chunks", plan.total_chunks()},
          {"indexes", plan.indexes.size()},
          {"foreign_keys", plan.foreign_keys.size()},
          {"sequences", plan.sequences.size()},
          {"materialized_views", plan.materialized_views.size()},
          {"extensions", plan.extensions.size()},
          {"text_format", text_tables(plan).size()},
          {"jobs", options.jobs},
          {"index_jobs", options.effective_index_jobs()}};
}

}  // namespace

std::string plan_text(const copy::PlanReport& report, const copy::Options& options, bool colours) {
  std::string out = verdict(report, colours) + "\n";
  // A source that cannot be used was not looked at any further.
  if (!report.plan.source_version.empty()) out += summary(report, options) + table_list(report.plan);
  out += finding_list(report, Severity::blocker, "blockers", Style::red, colours);
  out += finding_list(report, Severity::warning, "warnings", Style::yellow, colours);
  out += finding_list(report, Severity::skipped, "not copied", Style::bold, colours);
  return out + finding_list(report, Severity::info, "notes", Style::bold, colours);
}

Json plan_json(const copy::PlanReport& report, const copy::Options& options) {
  Json out{{"version", 1},
           {"command", "plan"},
           {"blocked", report.blocked()},
           {"source", options.source.redacted()},
           {"target", options.target.parameters().empty() ? std::string() : options.target.redacted()},
           {"source_version", report.plan.source_version},
           {"target_version", report.target_version},
           {"schema", report.plan.schema == copy::SchemaMode::dump ? "dump" : "none"},
           {"summary", summary_json(report.plan, options)},
           {"tables", Json::array()},
           {"findings", Json::array()}};
  for (const auto* relation : largest_first(report.plan)) {
    Json table{{"name", relation->display()},
               {"bytes", relation->bytes},
               {"row_estimate", nullptr},
               {"chunks", relation->chunks},
               {"format", format_of(*relation)}};
    if (relation->row_estimate >= 0) table["row_estimate"] = relation->row_estimate;
    if (!relation->condition.empty()) table["condition"] = relation->condition;
    out["tables"].push_back(std::move(table));
  }
  for (const auto& finding : report.findings)
    out["findings"].push_back({{"severity", copy::to_string(finding.severity)},
                               {"object", finding.object},
                               {"message", finding.message},
                               {"fix", finding.fix}});
  return out;
}

ReportSection plan_section(const Json& report) {
  ReportList blockers{"in the way", Tone::bad, {}};
  ReportList warnings{"warnings", Tone::plain, {}};
  for (const auto& finding : report.at("findings")) {
    const auto severity = finding.at("severity").get<std::string>();
    if (severity == copy::to_string(copy::Severity::info)) continue;
    auto& list = severity == copy::to_string(copy::Severity::blocker) ? blockers : warnings;
    list.items.push_back({fmt::format("{}: {}", finding.at("object").get<std::string>(),
                                      finding.at("message").get<std::string>()),
                          finding.value("fix", "")});
  }
  ReportSection out;
  out.tone = blockers.items.empty() ? Tone::good : Tone::bad;
  out.headline =
      blockers.items.empty() ? "READY: nothing stands in the way" : "BLOCKED: " + blockers.items.front().text;
  add_list(out, std::move(blockers));
  add_list(out, std::move(warnings));
  return out;
}

}  // namespace cli
