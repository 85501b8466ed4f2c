#include "cli/comparison.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/format.h"
#include "cli/engine_run.h"
#include "cli/report_page.h"
#include "pg/large_objects.h"

namespace cli {
namespace {

/// Above what holds the rows at the target, which may be an ancestor of the relation.
std::vector<pg::QualifiedName> above(const copy::Relation& relation) {
  return {relation.above.begin() + relation.root, relation.above.end()};
}

/// One database of several need not have what a pattern is meant for; something has to be compared in each
/// all the same. What is left out of a copy is not at its target.
std::vector<verify::NamePattern> patterns_of(const copy::Options& options) {
  std::vector<verify::NamePattern> out;
  const auto add = [&](const char* option, const std::vector<std::string>& patterns, bool must_match) {
    for (const auto& pattern : patterns)
      out.push_back({fmt::format("{} {}", option, pattern),
                     [pattern](const pg::QualifiedName& name) {
                       return copy::matches_any({pattern}, name.schema, name.name);
                     },
                     must_match});
  };
  add("--include", options.include, !options.one_of_several);
  add("--exclude", options.exclude, false);
  return out;
}

// A plan tells of what it leaves out by findings alone where no query looks: in the schema of the ledger.
std::set<std::string> skipped_in(const copy::Plan& plan) {
  std::set<std::string> objects;
  for (const auto& finding : plan.findings)
    if (finding.severity == copy::Severity::skipped) objects.insert(finding.object);
  return objects;
}

// The plan has them among its relations, or says why not.
bool left_large_objects_out(const copy::Plan& plan) {
  return std::ranges::any_of(plan.findings,
                             [](const auto& finding) { return finding.object == "large objects"; });
}

}  // namespace

verify::Recorded recorded_by(copy::RecordedRun run) {
  verify::Recorded out{.run_id = run.run_id,
                       .key = run.key,
                       .began = base::utc_timestamp(run.started),
                       .snapshot = run.snapshot.mark,
                       .source = run.source,
                       .source_version = run.snapshot.source_version,
                       .encoding = run.plan.client_encoding,
                       .left_out = run.plan.excluded_tables,
                       .left_out_sequences = run.plan.excluded_sequences,
                       .left_out_strangers = skipped_in(run.plan)};
  if (left_large_objects_out(run.plan)) out.left_out.push_back(pg::kLargeObjects);
  for (auto& unit : run.units) {
    const auto& relation = run.plan.relations[unit.unit.relations.front()];
    out.tables.push_back({.name = relation.load_into(),
                          .above = above(relation),
                          .whole_tree = relation.via_root(),
                          .large_objects = relation.kind == copy::Relation::Kind::large_objects,
                          .condition = relation.condition,
                          .columns = relation.columns.list(),
                          .shape = relation.shape,
                          .digest = std::move(unit.digest)});
  }
  if (run.sequences) {
    out.sequences.emplace();
    for (const auto& sequence : *run.sequences)
      out.sequences->push_back({sequence.name, sequence.last_value, sequence.is_called});
  }
  return out;
}

verify::Options comparison_options(const VerifyOptions& options, const copy::Options& database) {
  verify::Options out;
  out.source = database.source;
  out.target = database.target;
  out.level = options.level;
  out.jobs = database.jobs;
  out.split_size = database.split_size;
  // What is left out, and why: what a copy leaves out too.
  out.skip = [&database](std::span<const pg::QualifiedName> names) {
    return copy::reason_to_skip(database, names);
  };
  out.patterns = patterns_of(database);
  out.row_filters = database.row_filters;
  out.catalog.own_schemas = copy::named_schemas(database);
  out.catalog.role_map = database.role_map;
  out.catalog.owners = database.owners;
  out.catalog.grants = database.grants;
  out.catalog.waivers = options.waivers;
  out.strong = options.strong;
  out.server_side = options.server_side;
  out.journal = options.resume;
  out.recheck = options.recheck;
  out.max_rows = options.max_rows;
  out.most_differences = options.max_differences;
  out.row_memory = options.row_memory;
  out.show_values = options.show_values;
  out.retry = database.retry;
  return out;
}

void require_recorded_filters(const std::map<std::string, std::string>& filters,
                              const verify::Recorded& recorded) {
  for (const auto& [table, filter] : filters) {
    const auto found =
        std::ranges::find(recorded.tables, table, [](const auto& one) { return one.name.display(); });
    // An extension's own condition may stand in front of it.
    if (found != recorded.tables.end() &&
        (found->condition == filter || found->condition.ends_with(fmt::format(" AND ({})", filter))))
      continue;
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the copy in the run directory was made without this --where of {}", table),
                      "give the row filters of the copy, add --independent, or leave --run-dir out");
  }
}

copy::Progress::Snapshot shown(verify::Progress& progress) {
  copy::Progress::Snapshot out;
  out.phase = progress.phase();
  out.started = out.data_started = progress.started;
  out.bytes_total = progress.bytes_total;
  out.bytes_expected_done = progress.bytes_done;
  out.bytes_copied = progress.bytes_read;
  out.rows_copied = progress.rows_read;
  out.chunks_total = progress.slices_total;
  out.chunks_done = progress.slices_done;
  out.proofs_total = progress.tables_total;
  out.proofs_done = progress.tables_done;
  out.retries = progress.retries;
  out.activities = progress.activities();
  return out;
}

void keep_result(const VerifyOptions& options, const std::string& run_dir, const std::string& name,
                 const Json& report) {
  if (!run_dir.empty()) keep_report(run_dir, report, name);
  if (options.report_file) base::replace_file(*options.report_file, json_text(report, 2) + "\n");
  if (options.page_file)
    base::replace_file(*options.page_file, report_page(sections_of(report, "the result")));
}

}  // namespace cli
