// A comparison, from beginning to end.

#include "verify/engine.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/thread_group.h"
#include "pg/session.h"
#include "verify/catalog_large_objects.h"
#include "verify/collation_versions.h"
#include "verify/pass.h"
#include "verify/recheck.h"
#include "verify/rows.h"
#include "verify/sequence_selection.h"
#include "verify/sequences.h"
#include "verify/server_side.h"
#include "verify/side.h"
#include "verify/unit.h"

namespace verify {
namespace {

using base::ErrorKind;

pg::DigestKey key_for(const Options& options) {
  if (options.recorded) return options.recorded->key;
  if (options.key) return *options.key;
  const auto key = pg::DigestKey::random();
  return options.strong ? key.strong() : key;
}

class Comparison {
 public:
  Comparison(const Options& options, Progress& progress, const base::Stop& stop)
      : options_(options),
        key_(key_for(options)),
        context_{options_, key_, {}, progress, stop},
        stop_(stop) {}

  Outcome run() {
    open_sides();
    compare_catalogs();
    look_at_collations();
    look_for_strangers();
    if (options_.level != Level::catalog) match_relations();
    look_for_patterns();
    if (options_.level == Level::catalog) return finish();
    compare_sequences();
    context_.progress.set_phase("compare");
    compare_units();
    context_.progress.set_phase("rows");
    look_into_differences();
    find_new_tables();
    return finish();
  }

 private:
  Outcome finish() {
    require_something();
    outcome_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Progress::Clock::now() -
                                                                             context_.progress.started);
    return std::move(outcome_);
  }
  void at_both_sides(const std::function<void(Role)>& work) const;
  std::optional<Side>& side_of(Role role) { return role == Role::source ? source_ : target_; }
  void open_sides();
  void open_side(Role role, const std::string& encoding);
  void compare_catalogs();
  void leave_out_definitions(const std::string& why);
  void look_at_collations();
  void look_for_strangers();
  void match_relations();
  void compare_sequences();
  void select_definitions(CatalogOptions& options) const;
  void open_journal(std::optional<ResultJournal>& journal);
  void compare_at_servers();
  void compare_units();
  TableResult result_of(size_t unit, UnitReading& reading);
  void look_into_differences();
  std::optional<std::string> why_no_source();
  void refuse_the_source_as_target() const;
  bool find_at_source(Unit& unit, TableResult& table);
  void find_new_tables();
  std::vector<Remark> new_tables(const Side& side) const;
  void look_for_patterns();
  std::vector<pg::QualifiedName> all_names();
  void require_something();

  bool after_copy() const { return options_.recorded.has_value(); }

  const Options& options_;
  pg::DigestKey key_;
  Context context_;
  base::Stop stop_;
  std::optional<Side> source_;
  std::optional<Side> target_;
  std::string source_refusal_;  // why the source cannot be looked at, after a copy
  std::vector<Unit> units_;
  std::map<size_t, Differing> different_;  // by unit
  Outcome outcome_;
};

SideInfo info_of(Side& side) {
  return {.database = side.conninfo().redacted(),
          .version = side.version(),
          .snapshot = side.mark(),
          .settings = pg::pinned_settings(side.connection())};
}

// Two servers, which need not wait for each other.
void Comparison::at_both_sides(const std::function<void(Role)>& work) const {
  base::ThreadGroup group(stop_);
  for (const auto role : kSides) group.start(name_of(role), [&work, role] { work(role); });
  group.join();
}

void Comparison::open_side(Role role, const std::string& encoding) {
  const bool is_source = role == Role::source;
  auto& side = side_of(role);
  side.emplace(role, is_source ? options_.source : options_.target, encoding, stop_);
  context_.sides[index(role)] = &*side;
  (is_source ? outcome_.source : outcome_.target) = info_of(*side);
}

void Comparison::open_sides() {
  if (after_copy()) {
    const auto& recorded = *options_.recorded;
    outcome_.run_id = recorded.run_id;
    outcome_.source = {recorded.source, recorded.source_version, recorded.snapshot, true, recorded.began};
    open_side(Role::target, recorded.encoding);
  } else {
    const auto encoding = common_encoding(options_.source, options_.target, stop_);
    at_both_sides([&](Role role) { open_side(role, encoding); });
  }
  if (outcome_.source.snapshot.same_database(outcome_.target.snapshot))
    throw base::Error(ErrorKind::usage, "source and target are the same database",
                      "check --source and --target: comparing a database with itself proves nothing");
}

// A copy's digests would only be compared with what they were made of. That the two are one is certain while
// both are open; what was recorded may be older than a restart, and is also a clone's (copy/recorded.h).
void Comparison::refuse_the_source_as_target() const {
  if (!source_->mark().same_database(target_->mark())) return;
  throw base::Error(ErrorKind::usage,
                    fmt::format("{} is the source of run {}, not its target", options_.target.redacted(),
                                options_.recorded->run_id),
                    "check --target");
}

// What is in a database beside rows. A copy keeps no definitions: after it, the source's are taken as they
// are now, if it is there.
void Comparison::compare_catalogs() {
  outcome_.rows_counted = options_.level != Level::catalog;
  if (!options_.only.empty()) return;
  context_.progress.set_phase("catalog");
  auto options = options_.catalog;
  if (after_copy()) {
    if (const auto why = why_no_source()) return leave_out_definitions(*why);
    outcome_.notes.push_back(
        {"definitions, owners and grants", "are compared with the source as it is now", {}});
  }
  select_definitions(options);
  PerSide<Catalog> catalogs;
  at_both_sides([&](Role role) {
    // Both namespaces have one, and the argument's would be found too.
    catalogs[index(role)] = verify::read_catalog(side_of(role)->connection());
  });
  outcome_.catalog = verify::compare(catalogs[0], catalogs[1], options);
  if (source_->catalog().large_objects > 0 && target_->catalog().large_objects > 0)
    compare_large_objects(source_->connection(), target_->connection(), options, *outcome_.catalog);
  outcome_.user_waived = !outcome_.catalog->waived.empty();
  if (!options.owners) outcome_.skipped.push_back({"owners", "not compared: --no-owners", {}});
  if (!options.grants) outcome_.skipped.push_back({"grants", "not compared: --no-grants", {}});
}

// Whoever names a source means it to be compared with. Without one, or with one that is gone where no more
// than digests is asked for, the copy's own memory has to do.
void Comparison::leave_out_definitions(const std::string& why) {
  const bool is_given = !options_.source.parameters().empty();
  const bool may_be_gone = !source_ && options_.level != Level::rows;
  Remark remark{"definitions, owners and grants", "the copy keeps none of the source's: " + why, {}};
  if (!is_given || may_be_gone) {
    outcome_.skipped.push_back(std::move(remark));
    return;
  }
  remark.hint =
      "mend --source; when the old database is gone for good, leave it out (--source '' where CUTOVER_SOURCE "
      "or "
      "cutover.toml names it): definitions are not compared then";
  outcome_.unchecked.push_back(std::move(remark));
}

// Rows are read without indexes: one that misses some would be found by the application first.
void Comparison::look_at_collations() {
  if (options_.only.empty())
    std::ranges::move(outdated_collations(target_->connection()), std::back_inserter(outcome_.notes));
}

// No query looks into the schema of the ledger: what else is there would be missed by nobody.
void Comparison::look_for_strangers() {
  if (!options_.only.empty()) return;
  for (const auto* side : {source_ ? &*source_ : nullptr, &*target_}) {
    if (!side) continue;
    const bool is_copied = after_copy() && side->role() == Role::source;
    for (const auto& stranger : side->catalog().strangers) {
      if (is_copied && options_.recorded->left_out_strangers.contains(stranger.display()))
        outcome_.skipped.push_back({stranger.display(), "the copy was told to leave it out", {}});
      else if (const auto why = options_.why_left_out(stranger.name))
        outcome_.skipped.push_back({stranger.display(), *why, {}});
      else
        outcome_.unchecked.push_back(
            {stranger.display(),
             fmt::format("is in the schema {} at the {}, which is the ledger's and is not looked into",
                         pg::kReservedSchema, name_of(side->role())),
             fmt::format("rename that schema, or leave it out: --exclude {}", pg::kReservedSchema)});
    }
  }
}

// A partition, and what belongs to it, goes with the partitioned tables above it, at either side; a sequence
// is looked at when either side has a reason to.
void Comparison::select_definitions(CatalogOptions& options) const {
  std::set<pg::QualifiedName> left_out;
  if (after_copy())
    for (const auto* names : {&options_.recorded->left_out, &options_.recorded->left_out_sequences})
      left_out.insert(names->begin(), names->end());
  std::map<pg::QualifiedName, std::vector<pg::QualifiedName>> lineages;
  for (const auto* side : {&*source_, &*target_}) {
    const auto tables = pg::by_oid(side->catalog().tables);
    for (const auto& table : side->catalog().tables) {
      if (!table.is_partition) continue;
      const auto names = pg::lineage(tables, table);
      auto& known = lineages[table.name];
      known.insert(known.end(), names.begin(), names.end());
    }
  }
  options.selects = [this, left_out, lineages = std::move(lineages)](std::string_view schema,
                                                                     std::string_view relation) {
    const pg::QualifiedName name{std::string(schema), std::string(relation)};
    if (left_out.contains(name)) return false;
    const auto found = lineages.find(name);
    return !(found == lineages.end() ? options_.why_left_out(name) : options_.why_left_out(found->second));
  };
  const PerSide<SequenceSelection> sequences{SequenceSelection(source_->catalog(), options_),
                                             SequenceSelection(target_->catalog(), options_)};
  options.selects_sequence = [left_out, sequences](std::string_view schema, std::string_view sequence) {
    const pg::QualifiedName name{std::string(schema), std::string(sequence)};
    return !left_out.contains(name) && std::ranges::any_of(sequences, [&](const auto& side) {
      return side.has(name) && !side.why_left_out(name);
    });
  };
}

void Comparison::match_relations() {
  auto plan = after_copy() ? match_recorded(*target_, options_) : match(*source_, *target_, options_);
  units_ = std::move(plan.units);
  if (!options_.only.empty())
    std::erase_if(units_, [&](const Unit& unit) { return !options_.only.contains(unit.display()); });
  // What was said before stays.
  const auto add = [](std::vector<Remark>& list, const std::vector<Remark>& more) {
    list.insert(list.end(), more.begin(), more.end());
  };
  if (options_.only.empty()) {
    if (!outcome_.catalog) add(outcome_.differences, plan.structure);
    add(outcome_.differences, plan.extension_structure);
  }
  add(outcome_.differences, plan.differences);
  add(outcome_.unchecked, plan.unchecked);
  add(outcome_.skipped, plan.skipped);
  add(outcome_.notes, plan.notes);
  outcome_.left_to_target = plan.left_to_target;
  outcome_.digests = options_.level != Level::counts;
  outcome_.strong = key_.is_strong();
  if (!outcome_.digests)
    for (auto& unit : units_) unit.shape.buckets = 1;
}

// Before the rows: values that are handed out while those are read make the target no worse.
void Comparison::compare_sequences() {
  if (!options_.only.empty()) return;
  if (after_copy()) {
    const auto target = read_sequences(*target_, options_);
    if (!options_.recorded->sequences) {
      if (!target.sequences.empty())
        outcome_.unchecked.push_back({"sequences", "the run directory does not hold the source's",
                                      "compare both sides with --independent"});
      return;
    }
    verify::compare_sequences(recorded_sequences(*options_.recorded, target), target, false, outcome_);
    return;
  }
  const auto source = read_sequences(*source_, options_);
  verify::compare_sequences(source, read_sequences(*target_, options_), outcome_.catalog.has_value(),
                            outcome_);
}

const char* kind_name(Unit::Kind kind) {
  switch (kind) {
    case Unit::Kind::table:
      return "table";
    case Unit::Kind::tree:
      return "partitioned table";
    case Unit::Kind::materialized_view:
      return "materialized view";
    case Unit::Kind::large_objects:
      return "large objects";
  }
  return "table";
}

TableResult described(const Unit& unit) {
  TableResult out;
  out.name = unit.display();
  out.kind = kind_name(unit.kind);
  out.condition = unit.condition;
  out.filtered = unit.filtered;
  out.columns = unit.columns;
  out.key = unit.key;
  out.format = unit.shape.format;
  out.buckets = unit.shape.buckets;
  return out;
}

// What an interrupted comparison of the same has found equal is not read again.
void Comparison::open_journal(std::optional<ResultJournal>& journal) {
  // Counts say less than digests: what they found equal would be taken for more.
  if (!options_.journal || !outcome_.digests) return;
  ResultJournal::Subject subject{
      after_copy() ? options_.recorded->run_id : "both sides", key_.hex(), {target_->mark()}};
  if (!after_copy()) subject.marks.push_back(source_->mark());
  if (key_.is_strong()) subject.what += ", strong";
  journal.emplace(*options_.journal, subject);
  context_.journal = &*journal;
  if (journal->size() == 0) return;
  if (!after_copy())
    key_ = key_.is_strong() ? pg::DigestKey::from_hex(journal->key()).strong()
                            : pg::DigestKey::from_hex(journal->key());
  outcome_.notes.push_back(
      {"resumed",
       fmt::format("{} tables were compared by an interrupted run; not one transaction began at {} since",
                   journal->size(), after_copy() ? "the target" : "either side")});
}

// What is equal, or cannot be read, is done with; what differs is read here, to say what.
void Comparison::compare_at_servers() {
  require_same_hashes(context_);
  const auto found = read_at_servers(context_, units_);
  std::vector<Unit> rest;
  for (size_t i = 0; i < units_.size(); ++i) {
    if (!found[i] || (!found[i]->equal && !found[i]->failed)) {
      rest.push_back(std::move(units_[i]));
      continue;
    }
    auto table = described(units_[i]);
    table.source = found[i]->figures[0];
    table.target = found[i]->figures[1];
    table.reason = found[i]->reason;
    table.hint = found[i]->hint;
    table.state = found[i]->equal && !found[i]->failed ? State::equal : State::unchecked;
    outcome_.tables.push_back(std::move(table));
  }
  units_ = std::move(rest);
}

void Comparison::compare_units() {
  std::optional<ResultJournal> journal;
  open_journal(journal);
  outcome_.server_side = options_.server_side && outcome_.digests;
  if (outcome_.server_side) compare_at_servers();
  auto readings = read_units(context_, units_);
  for (size_t i = 0; i < units_.size(); ++i) outcome_.tables.push_back(result_of(i, readings[i]));
  context_.journal = nullptr;
  if (journal) journal->remove();
}

TableResult Comparison::result_of(size_t number, UnitReading& reading) {
  auto& source = reading.sides[0];
  auto& target = reading.sides[1];
  auto out = described(units_[number]);
  out.source = source.figures;
  out.target = target.figures;
  out.reason = reading.reason;
  out.hint = reading.hint;
  if (reading.failed) return out;
  if (reading.equal) {
    out.state = State::equal;
    return out;
  }
  if (!outcome_.digests) {
    out.state = source.figures.digest.rows == target.figures.digest.rows ? State::equal : State::different;
    return out;
  }
  std::vector<DifferentBucket> different;
  for (uint32_t bucket = 0; bucket < out.buckets; ++bucket)
    if (source.buckets[bucket] != target.buckets[bucket])
      different.push_back({bucket, {source.buckets[bucket], target.buckets[bucket]}});
  out.different_buckets = static_cast<uint32_t>(different.size());
  out.state = different.empty() ? State::equal : State::different;
  if (!different.empty())
    different_.emplace(number, Differing{std::move(different), std::move(reading.sketch)});
  return out;
}

void Comparison::look_into_differences() {
  if (options_.level != Level::rows) return;
  for (const auto& [number, differing] : different_) {
    // Those that the servers compared stand before.
    auto& table = outcome_.tables[outcome_.tables.size() - units_.size() + number];
    if (units_[number].recorded && !find_at_source(units_[number], table)) continue;
    find_rows(context_, units_[number], differing, table);
  }
}

// After a copy the source has not been read; for what the copy does not know it is looked at as it is now.
// Nothing: it can be.
std::optional<std::string> Comparison::why_no_source() {
  if (options_.source.parameters().empty()) return "give --source too";
  if (!source_ && source_refusal_.empty()) {
    try {
      source_.emplace(Role::source, options_.source, options_.recorded->encoding, stop_);
      context_.sides[0] = &*source_;
    } catch (const base::Error& error) {
      if (error.kind() == ErrorKind::cancelled) throw;
      source_refusal_ = error.message();
    }
    if (source_) refuse_the_source_as_target();
  }
  if (!source_refusal_.empty()) return source_refusal_;
  const auto& then = options_.recorded->snapshot;
  const auto& now = source_->mark();
  if (then.database_oid != now.database_oid || then.system_identifier != now.system_identifier)
    return "--source is not the database that was copied";
  return std::nullopt;
}

bool Comparison::find_at_source(Unit& unit, TableResult& table) {
  const auto refuse = [&](const std::string& why) {
    table.rows.emplace();
    table.rows->note = "which rows differ cannot be said: " + why;
    table.rows->buckets_left = table.different_buckets;
    return false;
  };
  if (const auto why = why_no_source()) return refuse(*why);
  unit.parts[index(Role::source)] = parts_below(*source_, unit);
  if (unit.parts[index(Role::source)].empty()) return refuse("the source does not have it any more");
  return true;
}

// What was made while we read is not in our snapshots: nobody has compared it.
void Comparison::find_new_tables() {
  PerSide<std::vector<Remark>> found;
  at_both_sides([&](Role role) {
    if (role == Role::source && after_copy()) return;
    try {
      base::retry(options_.retry, stop_, context_.retry_notice("look for new tables"),
                  [&] { found[index(role)] = new_tables(*side_of(role)); });
    } catch (const base::Error& error) {
      if (error.kind() == ErrorKind::cancelled) throw;
      found[index(role)] = {{fmt::format("tables made at the {} meanwhile", name_of(role)),
                             "could not be looked for: " + error.message(), error.hint()}};
    }
  });
  for (auto& remarks : found) std::ranges::move(remarks, std::back_inserter(outcome_.unchecked));
}

std::vector<Remark> Comparison::new_tables(const Side& side) const {
  std::set<pg::Oid> known;
  for (const auto& table : side.catalog().tables) known.insert(table.oid);
  auto session = side.open_present(stop_);
  const auto now = pg::read_table_list(session);
  const auto tables = pg::by_oid(now.tables);
  std::vector<Remark> remarks;
  for (const auto& table : now.tables)
    if (!known.contains(table.oid) && !options_.why_left_out(pg::lineage(tables, table), &now))
      remarks.push_back({"table " + table.name.display(),
                         fmt::format("was created at the {} while the comparison ran", name_of(side.role())),
                         "run the comparison again when nobody changes the schema"});
  return remarks;
}

/// On either side, and of a copy what it has recorded.
std::vector<pg::QualifiedName> Comparison::all_names() {
  std::vector<pg::QualifiedName> names;
  for (auto* side : {source_ ? &*source_ : nullptr, &*target_})
    if (side) std::ranges::move(pg::read_names(side->connection()), std::back_inserter(names));
  if (!after_copy()) return names;
  for (const auto& table : options_.recorded->tables) names.push_back(table.name);
  const auto& left_out = options_.recorded->left_out;
  names.insert(names.end(), left_out.begin(), left_out.end());
  return names;
}

// A name with a slip in it selects nothing, or leaves nothing out, and the result looks like any other.
void Comparison::look_for_patterns() {
  if (options_.patterns.empty() || !options_.only.empty()) return;
  const auto names = all_names();
  for (const auto& pattern : options_.patterns) {
    if (std::ranges::any_of(names, pattern.matches)) continue;
    auto& remarks = pattern.must_match ? outcome_.unchecked : outcome_.notes;
    remarks.push_back(
        {pattern.text, "matches no relation and no schema", "correct the name, or take it out"});
  }
}

// That nothing differs among nothing proves nothing: an empty database, maybe another one than was meant.
void Comparison::require_something() {
  if (!options_.only.empty() || !outcome_.rows_counted) return;
  if (!outcome_.tables.empty() || outcome_.sequences > 0) return;
  if (outcome_.unchecked_count() > 0 || outcome_.difference_count() > 0) return;
  outcome_.unchecked.push_back({"rows",
                                "nothing was compared: no table and no sequence is selected on either side",
                                "check the databases' names in both URLs, and --include and --exclude"});
}

}  // namespace

Outcome compare(const Options& options, Progress& progress, const base::Stop& stop) {
  const auto once = [&](const Options& one) { return Comparison(one, progress, stop).run(); };
  if (options.recheck == 0) return once(options);
  // A row without a key is known again by its hash: that needs the same secret each time.
  auto all = options;
  all.key = key_for(options);
  return compare_with_rechecks(all, stop, once);
}

}  // namespace verify
