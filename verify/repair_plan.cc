#include "verify/repair_plan.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "verify/recheck.h"

namespace verify {
namespace {

constexpr const char* kNoSuchFunction = "42883";

const pg::Table* find(const Side& side, const std::string& display) {
  for (const auto& table : side.catalog().tables)
    if (table.name.display() == display) return &table;
  return nullptr;
}

std::vector<std::string> stored_columns(const pg::Table& table) {
  std::vector<std::string> out;
  for (const auto& column : table.columns)
    if (!column.generated) out.push_back(column.name);
  return out;
}

// Rows that are put in anew would lose what only the target has, and lack what only the source has.
bool same_columns(const pg::Table& source, const pg::Table& target) {
  const auto as_set = [](const pg::Table& table) {
    std::set<std::pair<std::string, std::string>> out;
    for (const auto& column : table.columns)
      out.emplace(column.name, column.type + (column.generated ? " generated" : ""));
    return out;
  };
  return as_set(source) == as_set(target);
}

double percent_of(const TableResult& table, uint64_t rows) {
  const auto all = std::max(table.source.digest.rows, table.target.digest.rows);
  // Missing and extra ones together may be more than either side has.
  return rows >= all ? 100.0 : 100.0 * static_cast<double>(rows) / static_cast<double>(all);
}

bool is_far_off(const RepairOptions& options, const TableResult& table) {
  const auto& of_source = table.source.digest.rows;
  const auto& of_target = table.target.digest.rows;
  // Known or not which: so many more rows on one side differ at least.
  auto differing = of_source > of_target ? of_source - of_target : of_target - of_source;
  if (table.rows) differing = std::max(differing, table.rows->total());
  // The search for them was given up: how many more there are nobody knows.
  if (table.rows && !table.rows->complete && differing > kMostRowsHeld) return true;
  return differing > kFewRows && percent_of(table, differing) > options.most_percent;
}

// With an empty search_path, an extension's types may have no "=" by which a key could be looked for.
bool keys_can_be_found(Side& side, const pg::Table& table, const std::vector<std::string>& key) {
  std::string sql;
  for (const auto& name : key) {
    const auto& type = std::ranges::find(table.columns, name, &pg::Column::name)->type;
    sql += fmt::format("{}NULL::{} = NULL::{}", sql.empty() ? "SELECT " : ", ", type, type);
  }
  auto& session = side.connection();
  session.exec("SAVEPOINT keys");
  try {
    session.exec(sql);
  } catch (const base::Error& error) {
    if (error.sqlstate() != kNoSuchFunction) throw;
    session.exec("ROLLBACK TO SAVEPOINT keys");
    return false;
  }
  session.exec("RELEASE SAVEPOINT keys");
  return true;
}

// DELETE and SELECT of the root reach every leaf, also one that was left out of the comparison. Empty: there
// is none.
std::string why_not_whole(const RepairOptions& options, const Side& side, const pg::Table& root) {
  const auto tables = pg::by_oid(side.catalog().tables);
  for (const auto& leaf : side.catalog().tables) {
    const auto above = pg::ancestors(tables, leaf);
    if (std::ranges::find(above, &root) == above.end()) continue;
    if (leaf.kind == 'f')
      return fmt::format("its partition {} at the {} is a foreign table", leaf.name.display(),
                         name_of(side.role()));
    if (const auto why = options.compare.why_left_out(pg::lineage(tables, leaf), &side.catalog()))
      return fmt::format("its partition {} at the {} was not compared: {}", leaf.name.display(),
                         name_of(side.role()), *why);
  }
  return {};
}

// Empty: the rows that differ are known one by one, and few.
std::string why_all_rows(const RepairOptions& options, const TableResult& table, const DifferingKeys& rows) {
  if (table.key.empty()) return "it has no key by which single rows could be named";
  if (rows.too_many) return "too many of its rows differ to be kept one by one";
  if (!table.rows || !table.rows->complete) return "not all of its differing rows are known";
  const auto percent = percent_of(table, table.rows->total());
  if (table.rows->total() > kFewRows && percent > options.most_percent)
    return fmt::format("{:.0f} % of its rows differ", percent);
  return {};
}

class Planner {
 public:
  Planner(const RepairOptions& options, Side& source, Side& target, KeysByTable keys, Repair& repair)
      : options_(options), source_(source), target_(target), differing_(std::move(keys)), repair_(repair) {}

  std::vector<TableWork> run() {
    for (const auto& table : repair_.before.tables)
      if (table.state == State::different) plan(table);
    refresh_in_order();
    for (const auto& difference : repair_.before.differences)
      if (!difference.object.starts_with("sequence ")) repair_.left.push_back(difference);
    if (const auto& catalog = repair_.before.catalog; catalog && !catalog->differences.empty())
      leave("definitions",
            fmt::format("{} of them differ; only rows are mended", catalog->differences.size()),
            "`cutover verify --level catalog` lists them");
    return std::move(works_);
  }

 private:
  void leave(std::string object, std::string why, std::string hint = {}) {
    repair_.left.push_back({std::move(object), std::move(why), std::move(hint)});
  }

  void plan(const TableResult& table) {
    if (table.kind == "materialized view") {
      refreshed_.insert(table.name);
      return;
    }
    const auto* source = find(source_, table.name);
    const auto* target = find(target_, table.name);
    if (!source || !target) {  // large objects; or gone meanwhile
      leave(table.name, "cannot be mended row by row", "copy it again with `cutover copy`");
      return;
    }
    if (!same_columns(*source, *target)) {
      leave(table.name, "has other columns on the target", "mend its definition first");
      return;
    }
    auto& rows = differing_[table.name];
    auto reason = why_all_rows(options_, table, rows);
    if (reason.empty() &&
        !(keys_can_be_found(source_, *source, table.key) && keys_can_be_found(target_, *target, table.key)))
      reason = "its key is of a type whose values cannot be looked for";
    const bool may_recopy = options_.may_recopy && options_.may_recopy(target->name);
    if (!reason.empty() && !may_recopy && is_far_off(options_, table))
      repair_.suspicious.push_back(table.name);
    if (table.kind == "partitioned table") {
      auto why = why_not_whole(options_, source_, *source);
      if (why.empty()) why = why_not_whole(options_, target_, *target);
      if (!why.empty()) {
        leave(table.name, why + "; the partitioned table is mended as a whole or not at all",
              "include that partition, or mend the rows of the others by hand");
        return;
      }
    }
    if (!reason.empty() && !may_recopy) {
      leave(table.name, reason + ": its rows would have to be copied again, all of them",
            fmt::format("check that this is the right target; then --recopy {}", table.name));
      return;
    }
    add(table, *source, *target, std::move(reason), std::move(rows));
  }

  void add(const TableResult& table, const pg::Table& source, const pg::Table& target, std::string reason,
           DifferingKeys rows) {
    RepairStep step;
    step.object = table.name;
    if (table.rows) {
      step.missing = table.rows->missing;
      step.extra = table.rows->extra;
      step.changed = table.rows->changed;
      step.duplicated = table.rows->duplicated;
    }
    step.kind = reason.empty() ? RepairStep::Kind::rows : RepairStep::Kind::recopy;
    step.reason = std::move(reason);
    works_.push_back({&source, &target, table.kind == "partitioned table",
                      step.kind == RepairStep::Kind::recopy, table.condition, stored_columns(source),
                      table.key, std::move(rows)});
    repair_.steps.push_back(std::move(step));
  }

  // Each after those it reads.
  void refresh_in_order() {
    for (const auto& name : target_.catalog().materialized_views)
      if (refreshed_.contains(name.display())) {
        RepairStep step;
        step.kind = RepairStep::Kind::refresh;
        step.object = name.display();
        step.statement = fmt::format("REFRESH MATERIALIZED VIEW {}", name.sql());
        repair_.steps.push_back(std::move(step));
      }
  }

  const RepairOptions& options_;
  Side& source_;
  Side& target_;
  KeysByTable differing_;
  Repair& repair_;
  std::set<std::string> refreshed_;
  std::vector<TableWork> works_;
};

}  // namespace

void DifferingKeys::add(const RowDifference& row) {
  if (too_many) return;
  keys.insert(row.key);
  too_many = keys.size() > kMostRowsHeld;
  if (too_many) keys.clear();
}

std::string TableWork::from(const pg::Table& table, bool whole_tree) {
  return (whole_tree ? "" : "ONLY ") + table.name.sql();
}

// One statement for all of them: keys that are written differently may be equal (0 and -0, 1 day and 24
// hours), and a row that each of two statements finds would come twice.
std::string TableWork::has_key(const pg::Table& table) const {
  std::string list;
  std::string names;
  std::string arrays;
  for (size_t i = 0; i < key.size(); ++i) {
    const auto& type = std::ranges::find(table.columns, key[i], &pg::Column::name)->type;
    std::string array;
    for (const auto& values : rows.keys) {
      array += array.empty() ? "{\"" : ",\"";
      for (const char c : values[i]) {
        if (c == '"' || c == '\\') array += '\\';
        array += c;
      }
      array += '"';
    }
    const auto* comma = i == 0 ? "" : ", ";
    list += fmt::format("{}c{}::{}", comma, i, type);
    names += fmt::format("{}c{}", comma, i);
    arrays +=
        fmt::format("{}pg_catalog.unnest({}::pg_catalog.text[])", comma, pg::quote_literal(array + "}"));
  }
  return fmt::format("({}) IN (SELECT {} FROM ROWS FROM ({}) AS k({}))", pg::quote_list(key), list, arrays,
                     names);
}

std::vector<TableWork> plan_tables(const RepairOptions& options, Side& source, Side& target, KeysByTable keys,
                                   Repair& repair) {
  return Planner(options, source, target, std::move(keys), repair).run();
}

}  // namespace verify
