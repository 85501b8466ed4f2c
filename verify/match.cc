// Which relation of the source is compared with which of the target, and how.

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pg/large_objects.h"
#include "verify/unit.h"

namespace verify {
namespace {

uint32_t bucket_count(int64_t rows) {
  const auto wanted = static_cast<uint64_t>(std::max<int64_t>(rows, 1) / kRowsPerBucket);
  return std::bit_floor(static_cast<uint32_t>(std::clamp<uint64_t>(wanted, 1, kMostBuckets)));
}

// What was estimated before the table grew says too little. Too many buckets cost memory alone.
int64_t estimated_rows(const pg::Table& table) { return std::max(table.row_estimate, table.guessed_rows()); }

Part part_of(const pg::Table& table) {
  return {table.name,        table.oid,
          table.kind != 'm', std::ranges::any_of(table.columns, &pg::Column::generated),
          table.filenode,    table.all_bytes(),
          table.blocks};
}

const char* kind_name(char kind) {
  switch (kind) {
    case 'p':
      return "partitioned table";
    case 'm':
      return "materialized view";
    case 'f':
      return "foreign table";
    default:
      return "table";
  }
}

std::string described(const pg::Table& table) {
  return fmt::format("{} {}", kind_name(table.kind), table.name.display());
}

bool has_rows(const pg::Table& table) { return table.kind == 'r' || table.kind == 'm'; }

bool is_configuration(const pg::Table& table) { return table.kind == 'r' && table.extension_condition; }

bool is_float(const std::string& type) { return type == "real" || type == "double precision"; }

// Floats inside a value, where a NaN of another bit pattern cannot be made the same. Text knows one NaN only.
bool holds_floats(const std::string& type) {
  static const std::set<std::string_view> types = {
      "real[]", "double precision[]", "point", "line", "lseg", "box", "path", "polygon", "circle"};
  return types.contains(type);
}

// Positions within the row, ascending; no key when one of its columns is not on both sides.
void set_key(Unit& unit, const pg::Table& source) {
  for (uint32_t i = 0; i < unit.columns.size(); ++i)
    if (std::ranges::find(source.key, unit.columns[i]) != source.key.end()) unit.shape.key.push_back(i);
  if (unit.shape.key.size() != source.key.size()) unit.shape.key.clear();
  for (const auto position : unit.shape.key) {
    unit.key.push_back(unit.columns[position]);
    unit.key_types.push_back(std::ranges::find(source.columns, unit.key.back(), &pg::Column::name)->type);
  }
}

// A newer version of an extension may have tables that the source's does not know. What its own script put
// in there is the extension's; any other row is one that the source does not have.
void add_configuration(UnitPlan& plan, const pg::Table& table) {
  Unit unit;
  unit.name = table.name;
  unit.condition = table.condition({});
  for (const auto& column : table.columns)
    if (!column.generated) unit.columns.push_back(column.name);
  unit.shape.columns = static_cast<uint32_t>(unit.columns.size());
  unit.shape.format = pg::CopyFormat::text;
  unit.shape.buckets = bucket_count(estimated_rows(table));
  set_key(unit, table);
  unit.parts[index(Role::target)].push_back(part_of(table));
  plan.units.push_back(std::move(unit));
  plan.notes.push_back({described(table),
                        "only the target's version of its extension has it: the rows of it that are not the "
                        "extension's own are extra",
                        {}});
}

// The relations of one side, by name and as trees.
class Relations {
 public:
  Relations(const pg::Catalog& catalog, const Options& options, std::map<std::string, std::string>& skipped)
      : by_oid_(pg::by_oid(catalog.tables)) {
    for (const auto& table : catalog.tables) {
      if (const auto why = options.why_left_out(pg::lineage(by_oid_, table), &catalog)) {
        skipped.emplace(described(table), *why);
        continue;
      }
      by_name_.emplace(table.name, &table);
    }
    for (const auto& [name, extension] : catalog.extension_tables)
      if (!options.why_left_out(name, &catalog))
        skipped.emplace("table " + name.display(),
                        fmt::format("extension {} brings its rows along", pg::display_identifier(extension)));
  }

  const std::map<pg::QualifiedName, const pg::Table*>& by_name() const { return by_name_; }
  const pg::Table* find(const pg::QualifiedName& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  std::vector<const pg::Table*> ancestors(const pg::Table& table) const {
    return pg::ancestors(by_oid_, table);
  }
  bool is_below(const pg::Table& leaf, const pg::Table& root) const {
    const auto above = ancestors(leaf);
    return std::ranges::find(above, &root) != above.end();
  }
  /// Leaves with rows below each topmost partitioned table, by the root's name.
  std::map<pg::QualifiedName, std::vector<const pg::Table*>> trees() const {
    std::map<pg::QualifiedName, std::vector<const pg::Table*>> out;
    for (const auto& [name, table] : by_name_) {
      if (table->kind == 'p' && !table->is_partition) out[name];
      if (const auto above = ancestors(*table); has_rows(*table) && !above.empty())
        out[above.back()->name].push_back(table);
    }
    return out;
  }

 private:
  std::map<pg::QualifiedName, const pg::Table*> by_name_;
  pg::TablesByOid by_oid_;
};

std::set<pg::QualifiedName> names_of(const std::vector<const pg::Table*>& tables) {
  std::set<pg::QualifiedName> out;
  for (const auto* table : tables) out.insert(table->name);
  return out;
}

class Matcher {
 public:
  Matcher(const Side& source, const Side& target, const Options& options)
      : options_(options),
        source_(source.catalog(), options, skipped_),
        target_(target.catalog(), options, skipped_) {
    find_whole_trees();
    check_row_filters();
    match_relations();
    for (const auto& [name, tree] : trees_) add_tree(name, tree);
    match_large_objects(source.catalog().large_objects, target.catalog().large_objects);
    for (auto& [object, why] : skipped_) plan_.skipped.push_back({object, why});
    std::ranges::stable_sort(plan_.units, std::ranges::greater{},
                             [](const Unit& unit) { return unit.bytes(Role::source); });
  }

  UnitPlan take() { return std::move(plan_); }

 private:
  struct Tree {
    PerSide<const pg::Table*> root{};
    PerSide<std::vector<const pg::Table*>> leaves;
  };

  const Relations& relations(Role role) const { return role == Role::source ? source_ : target_; }

  void difference(const pg::Table& table, std::string message) {
    auto& list = table.extension_condition ? plan_.extension_structure : plan_.structure;
    list.push_back({described(table), std::move(message)});
  }

  // Roots whose leaves cannot be compared one by one.
  void find_whole_trees() {
    for (const auto role : kSides)
      for (const auto& [name, table] : relations(role).by_name())
        for (const auto* above : relations(role).ancestors(*table))
          if (above->hash_on_enum) trees_[relations(role).ancestors(*table).back()->name];
    const auto source = source_.trees();
    const auto target = target_.trees();
    for (const auto& [name, leaves] : source) compare_leaves(name, leaves, target);
    for (const auto& [name, leaves] : target)
      if (!source.contains(name) && source_.find(name)) trees_[name];
    for (auto& [name, tree] : trees_)
      for (const auto role : kSides) fill_tree(tree, name, role);
  }

  void compare_leaves(const pg::QualifiedName& name, const std::vector<const pg::Table*>& leaves,
                      const std::map<pg::QualifiedName, std::vector<const pg::Table*>>& others) {
    const auto other = others.find(name);
    const bool on_both = other != others.end();
    if (!on_both && target_.find(name)) trees_[name];
    if (on_both && names_of(leaves) != names_of(other->second)) trees_[name];
  }

  void fill_tree(Tree& tree, const pg::QualifiedName& name, Role role) const {
    const auto* root = relations(role).find(name);
    tree.root[index(role)] = root;
    if (!root) return;
    auto& leaves = tree.leaves[index(role)];
    if (has_rows(*root)) leaves.push_back(root);
    for (const auto& [leaf_name, leaf] : relations(role).by_name())
      if (const auto above = relations(role).ancestors(*leaf);
          has_rows(*leaf) && !above.empty() && above.back() == root)
        leaves.push_back(leaf);
  }

  bool in_whole_tree(Role role, const pg::Table& table) const {
    if (trees_.contains(table.name)) return true;
    const auto above = relations(role).ancestors(table);
    return !above.empty() && trees_.contains(above.back()->name);
  }

  /// As in_whole_tree(), of a tree that add_tree() compares or says to be unchecked.
  bool in_tree_of_both(Role role, const pg::Table& table) const {
    const auto above = relations(role).ancestors(table);
    const auto tree = trees_.find(above.empty() ? table.name : above.back()->name);
    return tree != trees_.end() && !tree->second.root[0] == !tree->second.root[1];
  }

  // A filter must not be dropped in silence: it counts for what is compared as one.
  void check_row_filters() const {
    for (const auto& filter : options_.row_filters) {
      const auto& name = filter.first;
      const auto table = std::ranges::find_if(source_.by_name(),
                                              [&](const auto& item) { return item.first.display() == name; });
      const bool is_unit = table != source_.by_name().end() &&
                           (trees_.contains(table->first) ||
                            (has_rows(*table->second) && !in_whole_tree(Role::source, *table->second)));
      if (!is_unit)
        throw base::Error(
            base::ErrorKind::usage,
            fmt::format("the row filter for {} matches nothing that is compared by itself", name),
            "write the name as schema.table; for a partitioned table name its partitions, unless it is "
            "partitioned by hash on a type of your own: then name the table itself");
    }
  }

  void match_relations() {
    for (const auto& [name, table] : source_.by_name()) {
      const auto* other = target_.find(name);
      if (!other && !missing_in_tree(Role::source, *table)) difference(*table, "is missing on the target");
      if (other) match_pair(*table, *other);
    }
    for (const auto& [name, table] : target_.by_name())
      if (!source_.find(name) && !missing_in_tree(Role::target, *table)) extra(*table);
  }

  void extra(const pg::Table& table) {
    if (is_configuration(table))
      add_configuration(plan_, table);
    else
      difference(table, "is on the target, but not at the source");
  }

  // A leaf that the other side has not: its rows are compared with the whole tree.
  bool missing_in_tree(Role role, const pg::Table& table) {
    if (!in_whole_tree(role, table) || trees_.contains(table.name)) return false;
    if (table.kind == 'f') skip_foreign(table);
    difference(table, fmt::format("is a partition at the {} only{}", name_of(role),
                                  has_rows(table) ? "; its rows are compared with those of the whole "
                                                    "partitioned table"
                                                  : ""));
    return true;
  }

  void skip_foreign(const pg::Table& table) {
    skipped_.emplace(described(table), "its rows live elsewhere: it is a foreign table");
  }

  void match_pair(const pg::Table& source, const pg::Table& target) {
    if (source.kind != target.kind)
      difference(source, fmt::format("is a {} on the target", kind_name(target.kind)));
    if (source.kind == 'f' || target.kind == 'f') skip_foreign(source.kind == 'f' ? source : target);
    if (in_whole_tree(Role::source, source)) {
      if (has_rows(target) && !in_tree_of_both(Role::target, target)) leave_alone(target);
      return;
    }
    if (!has_rows(source) || source.kind != target.kind) return;
    if (!source.populated || !target.populated) {
      if (source.populated != target.populated)
        difference(source, source.populated ? "is populated at the source, but not on the target"
                                            : "is populated on the target, but not at the source");
      else
        skipped_.emplace(described(source), "it is not populated on either side");
      return;
    }
    auto unit = unit_of(source, target);
    unit.kind = source.kind == 'm' ? Unit::Kind::materialized_view : Unit::Kind::table;
    unit.parts = {std::vector{part_of(source)}, std::vector{part_of(target)}};
    plan_.units.push_back(std::move(unit));
  }

  // Its namesake at the source is a partition, whose rows are not compared with those of one table.
  void leave_alone(const pg::Table& target) {
    plan_.unchecked.push_back(
        {described(target),
         "is by itself on the target, and at the source a partition of what is compared as a whole: its rows "
         "on the target are not compared",
         "attach it on the target, or drop it there if its rows are of no use"});
  }

  void add_tree(const pg::QualifiedName& name, const Tree& tree) {
    if (!tree.root[0] && !tree.root[1]) {
      plan_.unchecked.push_back({fmt::format("partitions of {}", name.display()),
                                 "only the whole partitioned table can be compared, and it is not selected",
                                 "select it too, or leave its partitions out"});
      return;
    }
    if (!tree.root[0] || !tree.root[1]) return;  // missing on one side: said already
    auto unit = unit_of(*tree.root[0], *tree.root[1]);
    unit.kind = Unit::Kind::tree;
    unit.name = name;
    int64_t rows = 0;
    for (const auto* leaf : tree.leaves[0]) rows += estimated_rows(*leaf);
    unit.shape.buckets = bucket_count(rows);
    for (const auto role : kSides)
      for (const auto* leaf : tree.leaves[index(role)]) unit.parts[index(role)].push_back(part_of(*leaf));
    plan_.units.push_back(std::move(unit));
  }

  Unit unit_of(const pg::Table& source, const pg::Table& target) {
    Unit unit;
    unit.name = source.name;
    unit.condition = source.condition(options_.row_filters);
    unit.filtered = options_.row_filters.contains(source.name.display());
    bool binary = true;
    // The generated ones last: what precedes them is what a copy streams.
    for (const bool generated : {false, true})
      for (const auto& column : source.columns)
        if (column.generated == generated) add_column(unit, source, target, column, binary);
    for (const auto& column : target.columns)
      if (std::ranges::find(source.columns, column.name, &pg::Column::name) == source.columns.end())
        difference(source,
                   fmt::format("has a column {} on the target only", pg::display_identifier(column.name)));
    unit.shape.columns = static_cast<uint32_t>(unit.columns.size());
    unit.shape.format = binary ? pg::CopyFormat::binary : pg::CopyFormat::text;
    unit.shape.buckets = bucket_count(estimated_rows(source));
    set_key(unit, source);
    return unit;
  }

  void add_column(Unit& unit, const pg::Table& source, const pg::Table& target, const pg::Column& column,
                  bool& binary) {
    const auto other = std::ranges::find(target.columns, column.name, &pg::Column::name);
    const auto shown = pg::display_identifier(column.name);
    if (other == target.columns.end()) {
      difference(source, fmt::format("has no column {} on the target", shown));
      return;
    }
    if (is_float(column.type)) unit.shape.floats.push_back(static_cast<uint32_t>(unit.columns.size()));
    unit.columns.push_back(column.name);
    binary = binary && column.binary_safe && other->binary_safe && !holds_floats(column.type);
    if (column.type == other->type) return;
    // The values may be the same all the same; as text they can be compared.
    binary = false;
    difference(source, fmt::format("column {} is {} at the source and {} on the target", shown, column.type,
                                   other->type));
  }

  void match_large_objects(uint64_t source, uint64_t target) {
    if (source == 0 && target == 0) return;
    if (options_.why_left_out(pg::kLargeObjects)) {
      plan_.skipped.push_back({"large objects", "they are not selected"});
      return;
    }
    Unit unit;
    unit.kind = Unit::Kind::large_objects;
    unit.columns = {"oid", "page", "data"};
    unit.key = {"oid", "page"};
    unit.shape = {
        pg::CopyFormat::binary, 3, {0, 1}, bucket_count(static_cast<int64_t>(std::max(source, target)))};
    unit.parts = {std::vector{Part{}}, std::vector{Part{}}};
    plan_.units.push_back(std::move(unit));
  }

  const Options& options_;
  std::map<std::string, std::string> skipped_;
  Relations source_;
  Relations target_;
  std::map<pg::QualifiedName, Tree> trees_;
  UnitPlan plan_;
};

}  // namespace

UnitPlan match(const Side& source, const Side& target, const Options& options) {
  return Matcher(source, target, options).take();
}

// ------------------------------------------------------------------------------------------ after a copy

namespace {

std::string missing_columns(const Recorded::Table& table, const pg::Table& target) {
  std::vector<std::string> missing;
  for (const auto& column : table.columns)
    if (std::ranges::find(target.columns, column, &pg::Column::name) == target.columns.end())
      missing.push_back(pg::display_identifier(column));
  return fmt::format("{}", fmt::join(missing, ", "));
}

constexpr const char* kLeftOutOfCopy = "the copy was told to leave it out";

class RecordedMatcher {
 public:
  RecordedMatcher(const Side& target, const Options& options)
      : options_(options),
        recorded_(*options.recorded),
        target_(target.catalog(), options, skipped_),
        target_large_objects_(target.catalog().large_objects) {
    for (const auto& table : target.catalog().tables) at_target_.insert(table.name);
    for (size_t i = 0; i < recorded_.tables.size(); ++i) add(i);
    find_extra_tables();
    note_what_is_not_recorded();
    for (auto& [object, why] : skipped_) plan_.skipped.push_back({object, why});
    std::ranges::stable_sort(plan_.units, std::ranges::greater{},
                             [](const Unit& unit) { return unit.bytes(Role::target); });
  }

  UnitPlan take() { return std::move(plan_); }

 private:
  void add(size_t number) {
    const auto& table = recorded_.tables[number];
    Unit unit;
    unit.recorded = number;
    unit.name = table.name;
    unit.condition = table.condition;
    unit.columns = table.columns;
    unit.shape = table.shape;
    if (table.large_objects) {
      if (!skips_large_objects()) add_large_objects(std::move(unit));
      return;
    }
    for (const auto position : table.shape.key) unit.key.push_back(table.columns[position]);
    known_.insert(table.name);
    if (const auto why = options_.why_left_out(lineage(table))) {
      note_left_out(table.name, *why);
      return;
    }
    const auto* found = target_.find(table.name);
    if (!found) {
      plan_.differences.push_back({"table " + table.name.display(), "is missing on the target", {}});
      return;
    }
    if (const auto missing = missing_columns(table, *found); !missing.empty()) {
      plan_.differences.push_back(
          {described(*found), fmt::format("has no column {} on the target", missing), {}});
      return;
    }
    unit.filtered = table.condition != found->condition({});
    unit.kind = table.whole_tree ? Unit::Kind::tree : Unit::Kind::table;
    for (const auto& [name, leaf] : target_.by_name())
      if (has_rows(*leaf) && (leaf == found || target_.is_below(*leaf, *found))) {
        unit.parts[index(Role::target)].push_back(part_of(*leaf));
        known_.insert(name);
      }
    if (unit.parts[index(Role::target)].empty() && found->kind != 'p') {
      plan_.differences.push_back({"table " + table.name.display(),
                                   fmt::format("is a {} on the target", kind_name(found->kind)),
                                   {}});
      return;
    }
    plan_.units.push_back(std::move(unit));
  }

  // What the target has is told with its tables; of what it does not have nothing else tells.
  void note_left_out(const pg::QualifiedName& name, const std::string& why) {
    if (!at_target_.contains(name)) skipped_.emplace("table " + name.display(), why);
  }

  static std::vector<pg::QualifiedName> lineage(const Recorded::Table& table) {
    std::vector<pg::QualifiedName> names{table.name};
    names.insert(names.end(), table.above.begin(), table.above.end());
    return names;
  }

  bool skips_large_objects() const { return options_.why_left_out(pg::kLargeObjects).has_value(); }

  void add_large_objects(Unit unit) {
    unit.kind = Unit::Kind::large_objects;
    unit.columns = {"oid", "page", "data"};
    unit.key = {"oid", "page"};
    unit.parts[index(Role::target)].push_back({});
    has_large_objects_ = true;
    plan_.units.push_back(std::move(unit));
  }

  void find_extra_tables() {
    const std::set<pg::QualifiedName> left_out(recorded_.left_out.begin(), recorded_.left_out.end());
    for (const auto& [name, table] : target_.by_name()) {
      if (known_.contains(name)) continue;
      if (left_out.contains(name)) {
        skipped_.emplace(described(*table), kLeftOutOfCopy);
      } else if (is_configuration(*table)) {
        add_configuration(plan_, *table);
      } else if (table->kind == 'r') {
        plan_.differences.push_back(
            {described(*table), "is on the target, but the copy did not make it", {}});
      } else if (table->kind == 'm') {
        ++plan_.left_to_target.materialized_views;
        skipped_.emplace(described(*table),
                         "a copy refreshes what the source has too, and has no digest of its rows");
      } else if (table->kind == 'f') {
        skipped_.emplace(described(*table), "its rows live elsewhere: it is a foreign table");
      }
    }
    for (const auto& name : left_out)
      if (name != pg::kLargeObjects) note_left_out(name, kLeftOutOfCopy);
    if (skips_large_objects())
      skipped_.emplace("large objects", "they are not selected");
    else if (left_out.contains(pg::kLargeObjects))
      skipped_.emplace("large objects", "the copy was told to leave them out");
    else if (!has_large_objects_ && target_large_objects_ > 0)
      plan_.differences.push_back(
          {"large objects", "are on the target, but the copy did not find any at the source", {}});
  }

  void note_what_is_not_recorded() {
    for (const auto& unit : plan_.units) {
      if (unit.kind == Unit::Kind::large_objects) continue;
      const auto* table = target_.find(unit.name);
      const auto generated = std::ranges::count_if(table->columns, &pg::Column::generated);
      plan_.left_to_target.generated_columns += static_cast<uint64_t>(generated);
      if (generated > 0)
        skipped_.emplace("generated columns of " + unit.name.display(),
                         "the target computes them, and the copy has no digest of the source's");
    }
  }

  const Options& options_;
  const Recorded& recorded_;
  std::map<std::string, std::string> skipped_;
  Relations target_;
  uint64_t target_large_objects_;
  std::set<pg::QualifiedName> at_target_;  // compared or not
  std::set<pg::QualifiedName> known_;
  bool has_large_objects_ = false;
  UnitPlan plan_;
};

}  // namespace

std::vector<Part> parts_below(const Side& side, const Unit& unit) {
  if (unit.kind == Unit::Kind::large_objects) return {Part{}};
  Options all;
  all.catalog.own_schemas = side.catalog().vendor_schemas;
  std::map<std::string, std::string> ignored;
  const Relations relations(side.catalog(), all, ignored);
  const auto* root = relations.find(unit.name);
  std::vector<Part> parts;
  if (!root) return parts;
  for (const auto& [name, table] : relations.by_name())
    if (has_rows(*table) && (table == root || relations.is_below(*table, *root)))
      parts.push_back(part_of(*table));
  return parts;
}

UnitPlan match_recorded(const Side& target, const Options& options) {
  return RecordedMatcher(target, options).take();
}

}  // namespace verify
