#include "copy/plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "copy/left_out_sequences.h"
#include "pg/large_objects.h"
#include "pg/oids.h"

namespace copy {

namespace {

// Rows per bucket that a difference should be narrowed down to, and the most buckets whose 24 bytes each are
// kept with every chunk.
constexpr int64_t kRowsPerBucket = 2048;
constexpr uint32_t kMostBuckets = 4096;
// TID range scans came with 14; before it every chunk of a table would read the whole table.
constexpr int kFirstMajorWithTidRanges = 14;

uint32_t bucket_count(int64_t rows) {
  const auto wanted = static_cast<uint64_t>(std::max<int64_t>(rows, 1) / kRowsPerBucket);
  return std::clamp<uint32_t>(std::bit_floor(static_cast<uint32_t>(std::min<uint64_t>(wanted, kMostBuckets))),
                              1, kMostBuckets);
}

template <typename T>
void release(std::vector<T>& list) {
  std::vector<T>().swap(list);
}

// What every relation needs to know of the others.
class Planner {
 public:
  Planner(pg::Catalog catalog, int source_major, const Options& options)
      : catalog_(std::move(catalog)),
        source_major_(source_major),
        options_(options),
        by_oid_(pg::by_oid(catalog_.tables)),
        named_(named_schemas(options)) {}

  Plan make() {
    plan_.source_major = source_major_;
    plan_.database = catalog_.database;
    if (plan_.database.encoding == "SQL_ASCII") plan_.client_encoding = plan_.database.encoding;
    plan_.schema = options_.schema;
    for (const auto& schema : catalog_.schemas)
      if (is_of_vendor(schema)) skip_schema(schema, "it belongs to the provider");
    check_row_filters();
    for (const auto& stranger : catalog_.strangers) add_stranger(stranger);
    plan_.relations.reserve(catalog_.tables.size() + 1);  // large objects
    for (auto& table : catalog_.tables) add_table(table);
    check_filters_below_roots();
    copied_.sort();
    left_out_.sort();
    split_all();
    add_indexes();
    add_foreign_keys();
    by_oid_.clear();
    release(catalog_.tables);
    add_the_rest();
    order();
    return std::move(plan_);
  }

 private:
  struct Columns {
    std::vector<std::string> names;
    std::vector<std::string> types;
  };

  void note(Severity severity, std::string object, std::string message, std::string fix = {}) {
    plan_.findings.push_back({severity, std::move(object), std::move(message), std::move(fix)});
  }

  void skip_schema(const std::string& schema, const std::string& why) {
    plan_.excluded_schemas.push_back(schema);
    note(Severity::skipped, "schema " + pg::display_identifier(schema), why);
  }

  // In the schema of the ledger, which no query here looks into and pg_dump leaves out.
  void add_stranger(const pg::Stranger& stranger) {
    if (const auto why = reason_to_skip(options_, std::span(&stranger.name, 1))) {
      note(Severity::skipped, stranger.display(), *why);
      return;
    }
    note(Severity::blocker, stranger.display(),
         fmt::format("is in the schema {}, which is the ledger's and is not copied", pg::kReservedSchema),
         fmt::format("rename that schema at the source, or leave it out: --exclude {}", pg::kReservedSchema));
  }

  bool is_of_vendor(const std::string& schema) const {
    return catalog_.vendor_schemas.contains(schema) && !named_.contains(schema);
  }

  void check_row_filters() {
    for (const auto& filter : options_.row_filters) {
      const auto& table = filter.first;
      const bool known = std::ranges::any_of(
          catalog_.tables, [&](const auto& t) { return t.name.display() == table && t.kind == 'r'; });
      if (!known)
        note(Severity::blocker, "row filter for " + table, "there is no such table at the source",
             "write the name as schema.table; for a partitioned table name its partitions");
    }
  }

  // Leaves that are loaded through one root are read back from it together, under one condition.
  void check_filters_below_roots() {
    std::map<pg::QualifiedName, std::vector<const Relation*>> leaves;
    for (const auto& relation : plan_.relations)
      if (relation.via_root()) leaves[relation.load_into()].push_back(&relation);
    for (const auto& [root, below] : leaves) {
      const auto& first = below[0]->condition;
      if (std::ranges::all_of(below, [&](const auto* leaf) { return leaf->condition == first; })) continue;
      std::string conditions;
      for (const auto* leaf : below)
        conditions += fmt::format("{}{}: {}", conditions.empty() ? "" : "; ", leaf->display(),
                                  leaf->condition.empty() ? "every row" : leaf->condition);
      note(Severity::blocker, "table " + root.display(),
           fmt::format("its partitions have different row filters ({}), but their rows change places on the "
                       "target, where it is partitioned by hash on an enum, and are compared together",
                       conditions),
           "give each of these partitions the same --where");
    }
  }

  // Its columns become the relation's: there may be many.
  void add_table(pg::Table& table) {
    if (is_of_vendor(table.name.schema)) return;
    if (const auto why = reason_to_skip(options_, pg::lineage(by_oid_, table))) {
      left_out_.add(table.oid);
      plan_.excluded_tables.push_back(table.name);
      note(Severity::skipped, "table " + table.name.display(), *why);
      return;
    }
    copied_.add(table.oid);
    if (table.kind == 'p') plan_.partitioned_tables.push_back(table.name);
    if (table.kind == 'm' && !table.populated) plan_.unpopulated_views.push_back(table.name);
    if (table.kind == 'f') {
      plan_.foreign_tables.push_back(table.name);
      note(Severity::skipped, "rows of foreign table " + table.name.display(), "they live elsewhere");
    }
    if (table.kind == 'r') plan_.relations.push_back(relation(table));
  }

  Relation relation(pg::Table& table) {
    Relation out;
    out.oid = table.oid;
    out.name = table.name;
    for (const auto* above : pg::ancestors(by_oid_, table)) out.above.push_back(above->name);
    out.root = root_above(table);
    out.filenode = table.filenode;
    out.bytes = table.all_bytes();
    out.row_estimate = table.row_estimate > 0 ? table.row_estimate : table.guessed_rows();
    out.condition = table.condition(options_.row_filters);
    bool binary = true;
    Columns columns;
    std::vector<std::string> generated;
    for (auto& column : table.columns) {
      if (column.generated) {
        generated.push_back(std::move(column.name));
        continue;
      }
      const auto is_key = std::ranges::find(table.key, column.name) != table.key.end();
      if (is_key) out.shape.key.push_back(static_cast<uint32_t>(columns.names.size()));
      columns.names.push_back(std::move(column.name));
      columns.types.push_back(std::move(column.type));
      binary = binary && column.binary_safe;
    }
    // A key with a generated column is not whole in the stream: the whole row serves then.
    if (out.shape.key.size() != table.key.size()) out.shape.key.clear();
    out.columns = base::PackedStrings(columns.names);
    out.types = base::PackedStrings(columns.types);
    out.generated = base::PackedStrings(generated);
    release(table.columns);
    release(table.key);
    out.shape.columns = static_cast<uint32_t>(columns.names.size());
    out.shape.format = binary ? pg::CopyFormat::binary : pg::CopyFormat::text;
    // Statistics may be older than most rows.
    out.shape.buckets = bucket_count(std::max(out.row_estimate, table.guessed_rows()));
    blocks_.push_back(table.blocks);
    if (out.via_root()) match_root(out, table);
    return out;
  }

  void split_all() {
    const auto rule = pg::split_rule(options_.split_size, options_.jobs, plan_.total_bytes());
    if (source_major_ < kFirstMajorWithTidRanges) return;
    for (size_t i = 0; i < plan_.relations.size(); ++i) split(plan_.relations[i], blocks_[i], rule);
  }

  static void split(Relation& out, uint64_t blocks, const pg::SplitRule& rule) {
    if (out.bytes <= rule.above || blocks <= 1) return;
    // Blocks of heap that, with their share of TOAST, make up one chunk.
    const double share = static_cast<double>(rule.chunk) / static_cast<double>(out.bytes);
    out.chunk_blocks = std::max<uint64_t>(1, static_cast<uint64_t>(share * static_cast<double>(blocks)));
    out.chunks = static_cast<uint32_t>((blocks + out.chunk_blocks - 1) / out.chunk_blocks);
    if (out.chunks == 1) out.chunk_blocks = 0;
  }

  // The topmost ancestor at which rows must enter, see pg::Table::hash_on_enum and Relation::root.
  uint32_t root_above(const pg::Table& table) const {
    const auto above = pg::ancestors(by_oid_, table);
    for (auto root = static_cast<uint32_t>(above.size()); root > 0; --root)
      if (above[root - 1]->hash_on_enum) return root;
    return 0;
  }

  // Leaves that share a root are proven together, so their streams must have one shape: the root's.
  void match_root(Relation& out, const pg::Table& leaf) const {
    Columns columns;
    for (const auto& column : pg::ancestors(by_oid_, leaf)[out.root - 1]->columns) {
      if (column.generated) continue;
      columns.names.push_back(column.name);
      columns.types.push_back(column.type);
    }
    out.columns = base::PackedStrings(columns.names);
    out.types = base::PackedStrings(columns.types);
    out.shape.key.clear();
    out.shape.buckets = 1;
  }

  void add_indexes() {
    // Taken as they are: there may be many.
    plan_.indexes = std::move(catalog_.indexes);
    std::erase_if(plan_.indexes, [&](const auto& index) { return !copied_.contains(index.table); });
    std::unordered_map<pg::Oid, uint64_t> slowest;
    for (const auto& index : plan_.indexes) {
      if (!index.valid && !index.on_partitioned)
        note(Severity::warning, "index " + index.name().display(),
             "is invalid at the source and is not copied",
             fmt::format("DROP INDEX {}; or REINDEX it at the source first", index.name().sql()));
      auto& cost = slowest[index.table];
      cost = std::max(cost, index_build_cost(index));
    }
    for (auto& relation : plan_.relations) relation.index_cost = slowest[relation.oid];
  }

  void add_foreign_keys() {
    if (catalog_.foreign_keys.empty()) return;
    std::set<pg::QualifiedName> included;
    for (const auto& table : catalog_.tables)
      if (copied_.contains(table.oid)) included.insert(table.name);
    for (const auto& key : catalog_.foreign_keys) {
      if (!included.contains(key.table)) continue;
      const auto object =
          fmt::format("foreign key {} of {}", pg::display_identifier(key.name), key.table.display());
      if (!included.contains(key.referenced)) {
        note(Severity::warning, object,
             fmt::format("skipped: it refers to {}, which is excluded", key.referenced.display()));
        continue;
      }
      if (!key.validated) note(Severity::info, object, "is NOT VALID at the source and stays so");
      plan_.foreign_keys.push_back(key);
    }
  }

  void add_the_rest() {
    for (const auto& schema : catalog_.schemas)
      if (!is_of_vendor(schema) && matches_any(options_.exclude, schema, ""))
        skip_schema(schema, "left out by --exclude");
    for (const auto& sequence : catalog_.sequences) add_sequence(sequence);
    for (const auto& view : catalog_.materialized_views)
      if (!is_of_vendor(view.schema) && !reason_to_skip(options_, std::span(&view, 1)))
        plan_.materialized_views.push_back(view);
    for (const auto& view : plan_.unpopulated_views)
      note(Severity::info, "materialized view " + view.display(),
           "is not populated at the source and stays so");
    for (const auto& extension : catalog_.extensions) {
      if (is_vendor_extension(extension.name)) {
        note(Severity::skipped, "extension " + extension.name, "it belongs to the provider");
      } else {
        plan_.extensions.push_back(extension);
      }
    }
    for (const auto& role : catalog_.roles)
      if (!is_vendor_role(role.name)) plan_.roles.push_back(role);
    if (catalog_.large_objects > 0) add_large_objects();
    if (options_.schema == SchemaMode::dump && options_.grants) look_at_access();
  }

  // A sequence goes with the table that owns it, whose name is what patterns are about, as long as no other
  // table of the copy takes values of it; one that nobody owns goes with its schema, and where the target has
  // its schema already, by its own name.
  void add_sequence(const pg::Sequence& sequence) {
    if (std::ranges::find(plan_.excluded_schemas, sequence.name.schema) != plan_.excluded_schemas.end())
      return;
    const bool used =
        std::ranges::any_of(sequence.users, [&](auto table) { return copied_.contains(table); });
    std::optional<std::string> why;
    if (left_out_.contains(sequence.owner))
      why = "the table that owns it is left out, and no other default depends on it";
    else if (sequence.owner == 0 && options_.schema == SchemaMode::none)
      why = reason_to_skip(options_, std::span(&sequence.name, 1));
    if (!why || used) {
      plan_.sequences.push_back(sequence);
      return;
    }
    plan_.excluded_sequences.push_back(sequence.name);
    note(Severity::skipped, "sequence " + sequence.name.display(), *why);
  }

  // Left to a person: what it takes away may lock out those who administer the target.
  void look_at_access() {
    const auto& [grants, revoked, connection_limit] = catalog_.access;
    const auto database = pg::quote_identifier(plan_.database.name);
    std::vector<std::string> statements;
    for (const auto& privilege : revoked)
      statements.push_back(fmt::format("REVOKE {} ON DATABASE {} FROM PUBLIC", privilege, database));
    for (const auto& grant : grants) {
      if (is_vendor_role(grant.role)) continue;
      const auto mapped = options_.role_map.find(grant.role);
      const auto& role = mapped == options_.role_map.end() ? grant.role : mapped->second;
      statements.push_back(fmt::format("GRANT {} ON DATABASE {} TO {}{}", grant.privilege, database,
                                       role.empty() ? "PUBLIC" : pg::quote_identifier(role),
                                       grant.grantable ? " WITH GRANT OPTION" : ""));
    }
    if (connection_limit != -1)
      statements.push_back(fmt::format("ALTER DATABASE {} CONNECTION LIMIT {}", database, connection_limit));
    if (statements.empty()) return;
    note(Severity::warning, "database " + pg::display_identifier(plan_.database.name),
         "who may use it as a whole, and how many connections at once, is not copied",
         fmt::format("on the target: {}", fmt::join(statements, "; ")));
  }

  void add_large_objects() {
    if (const auto why = reason_to_skip(options_, std::span(&pg::kLargeObjects, 1))) {
      // Nobody who names tables thinks of them.
      const bool named = matches_any(options_.exclude, pg::kLargeObjects.schema, pg::kLargeObjects.name);
      note(named ? Severity::skipped : Severity::warning, "large objects",
           named ? *why : fmt::format("{} of them are not copied: they are {}", catalog_.large_objects, *why),
           named ? std::string()
                 : fmt::format("if they are used, --include {} as well", pg::kLargeObjects.display()));
      return;
    }
    Relation objects;
    objects.kind = Relation::Kind::large_objects;
    objects.shape = {pg::CopyFormat::binary, 3, {0, 1}, 1};
    objects.row_estimate = static_cast<int64_t>(catalog_.large_objects);
    objects.large_object_bounds = {0};
    plan_.relations.push_back(std::move(objects));
  }

  // What keeps a core busy longest afterwards comes first: a table with one slow index, then by size.
  void order() {
    std::ranges::stable_sort(plan_.relations, [](const Relation& a, const Relation& b) {
      return a.bytes + a.index_cost > b.bytes + b.index_cost;
    });
  }

  pg::Catalog catalog_;
  int source_major_;
  const Options& options_;
  pg::TablesByOid by_oid_;
  std::set<std::string> named_;
  Plan plan_;
  pg::Oids copied_;
  pg::Oids left_out_;
  std::vector<uint64_t> blocks_;  // of the heap, per relation of plan_
};

// One large object counts as its size; bounds are put where a chunk is full. lo_lseek64 to the end is an
// index look-up; the descriptor is closed at once, so that a million objects do not keep a million open.
// Those that may not be read are the preflight's business; their oids lie within some chunk all the same.
void bound_large_objects(pg::Connection& source, Relation& objects, uint64_t split_size) {
  const auto rows = source.exec(fmt::format(
      "WITH size AS MATERIALIZED (SELECT m.oid, s.bytes FROM (SELECT oid FROM "
      "pg_catalog.pg_largeobject_metadata l WHERE {} "
      "ORDER BY oid) m, LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd) o, "
      "LATERAL (SELECT pg_catalog.lo_lseek64(o.fd, 0, 2) AS bytes) s, "
      "LATERAL (SELECT pg_catalog.lo_close(o.fd) + s.bytes * 0 AS closed) c WHERE c.closed >= 0), "
      "running AS (SELECT oid, sum(bytes + 1024) OVER (ORDER BY oid) AS upto, bytes FROM size) "
      "SELECT min(oid), sum(bytes) FROM running GROUP BY pg_catalog.div(upto, {}) ORDER BY 1",
      pg::may_read_large_object_sql("l"), std::max<uint64_t>(split_size, 1)));
  objects.large_object_bounds.assign(1, 0);
  objects.bytes = 0;
  for (int row = 0; row < rows.rows(); ++row) {
    if (row > 0) objects.large_object_bounds.push_back(rows.oid(row, 0));
    objects.bytes += static_cast<uint64_t>(rows.integer(row, 1));
  }
  objects.chunks = static_cast<uint32_t>(objects.large_object_bounds.size());
}

}  // namespace

bool is_left_to_provider(const std::string& role, const Options& options) {
  return !role.starts_with("pg_") && is_vendor_role(role) && !options.role_map.contains(role);
}

bool may_truncate(const Plan& plan, const Relation& relation) {
  return relation.kind == Relation::Kind::table && relation.chunks == 1 && !relation.via_root() &&
         plan.schema == SchemaMode::dump && relation.condition.empty();
}

uint64_t index_build_cost(const pg::Index& index) {
  const auto method = index.words().method;
  double factor = 1.5;
  if (method == "gin") factor = 12;
  if (method == "gist" || method == "spgist" || method == "hnsw" || method == "ivfflat") factor = 8;
  if (method == "brin") factor = 1;
  return static_cast<uint64_t>(factor * static_cast<double>(index.bytes));
}

pg::BlockRange Relation::blocks(uint32_t chunk) const {
  if (chunk_blocks == 0) return {};
  const auto first = chunk * chunk_blocks;
  return {first, chunk + 1 < chunks ? first + chunk_blocks : 0};
}

bool Relation::is_whole() const {
  if (kind == Kind::large_objects)
    return large_object_bounds.size() == chunks && chunks > 0 && large_object_bounds.front() == 0 &&
           std::ranges::adjacent_find(large_object_bounds, std::ranges::greater_equal{}) ==
               large_object_bounds.end();
  uint64_t next = 0;
  for (uint32_t chunk = 0; chunk + 1 < chunks; ++chunk) {
    const auto range = blocks(chunk);
    if (range.first != next || range.last <= range.first) return false;
    next = range.last;
  }
  return chunks > 0 && blocks(chunks - 1).first == next && blocks(chunks - 1).last == 0;
}

void Plan::require_whole_relations() const {
  for (const auto& relation : relations)
    if (!relation.is_whole())
      throw base::Error(base::ErrorKind::corrupt,
                        fmt::format("the plan's chunks of {} are not the whole of it", relation.display()),
                        "start over with --restart");
}

uint64_t Plan::total_bytes() const {
  uint64_t total = 0;
  for (const auto& relation : relations) total += relation.bytes;
  return total;
}

uint64_t Plan::total_chunks() const {
  uint64_t total = 0;
  for (const auto& relation : relations) total += relation.chunks;
  return total;
}

namespace {

// A name with a slip in it selects nothing, or leaves nothing out, and everything goes well.
void check_patterns(pg::Connection& source, const Options& options, std::vector<Finding>& findings) {
  if (options.include.empty() && options.exclude.empty()) return;
  const auto names = pg::read_names(source);
  const auto check = [&](const char* option, const std::vector<std::string>& patterns, Severity severity) {
    for (const auto& pattern : patterns)
      if (std::ranges::none_of(
              names, [&](const auto& name) { return matches_any({pattern}, name.schema, name.name); }))
        findings.push_back({severity, fmt::format("{} {}", option, pattern),
                            "matches no relation and no schema of the source",
                            "correct the name, or take it out"});
  };
  check("--include", options.include, options.one_of_several ? Severity::warning : Severity::blocker);
  check("--exclude", options.exclude, Severity::warning);
}

void check_content(Plan& plan, const Options& options) {
  if (!plan.relations.empty()) return;
  const bool blocks = !options.include.empty();
  plan.findings.push_back({blocks ? Severity::blocker : Severity::warning, "source",
                           blocks ? "no table is selected: nothing would be copied"
                                  : "there is no table: nothing will be copied, and nothing can be compared",
                           "check the database's name in --source, and --include and --exclude"});
}

}  // namespace

Plan make_plan(pg::Connection& source, const Options& options) {
  auto plan = Planner(pg::read_catalog(source), source.major(), options).make();
  check_patterns(source, options, plan.findings);
  warn_of_left_out_sequences(source, plan);
  plan.source_version = source.exec("SELECT pg_catalog.current_setting('server_version')").string(0, 0);
  for (auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::large_objects)
      bound_large_objects(source, relation, pg::split_rule(options.split_size, options.jobs, 0).chunk);
  plan.require_whole_relations();
  check_content(plan, options);
  return plan;
}

std::vector<std::string> shape_changes(const Plan& stored, const Plan& fresh, size_t limit) {
  std::vector<std::string> changes;
  std::map<pg::QualifiedName, const Relation*> by_name;
  for (const auto& relation : fresh.relations)
    if (relation.kind == Relation::Kind::table) by_name.emplace(relation.name, &relation);
  const auto add = [&](std::string line) {
    if (changes.size() < limit) changes.push_back(std::move(line));
  };
  for (const auto& relation : stored.relations) {
    if (relation.kind != Relation::Kind::table) continue;
    const auto found = by_name.find(relation.name);
    if (found == by_name.end()) {
      add(fmt::format("table {} no longer exists", relation.display()));
      continue;
    }
    if (found->second->columns != relation.columns || found->second->types != relation.types)
      add(fmt::format("table {} has other columns", relation.display()));
    if (found->second->condition != relation.condition)
      add(fmt::format("table {} has another row filter", relation.display()));
    by_name.erase(found);
  }
  for (const auto& [name, relation] : by_name) add(fmt::format("table {} is new", name.display()));

  const auto has_large_objects = [](const Plan& plan) {
    return std::ranges::any_of(plan.relations,
                               [](const auto& r) { return r.kind == Relation::Kind::large_objects; });
  };
  if (has_large_objects(fresh) && !has_large_objects(stored)) add("large objects are new");
  const auto compare = [&](const char* kind, const std::map<std::string, std::string>& before,
                           std::map<std::string, std::string> now) {
    for (const auto& [name, definition] : before) {
      const auto found = now.find(name);
      if (found == now.end()) {
        add(fmt::format("{} {} no longer exists", kind, name));
      } else {
        if (found->second != definition) add(fmt::format("{} {} has another definition", kind, name));
        now.erase(found);
      }
    }
    for (const auto& [name, definition] : now) add(fmt::format("{} {} is new", kind, name));
  };
  const auto indexes = [](const Plan& plan) {
    std::map<std::string, std::string> found;
    for (const auto& index : plan.indexes) {
      auto words = index.words();
      found[words.name.display()] = std::move(words.definition);
    }
    return found;
  };
  const auto foreign_keys = [](const Plan& plan) {
    std::map<std::string, std::string> found;
    for (const auto& key : plan.foreign_keys)
      found[fmt::format("{} of {}", pg::display_identifier(key.name), key.table.display())] = key.definition;
    return found;
  };
  const auto sequences = [](const Plan& plan) {
    std::map<std::string, std::string> found;
    for (const auto& sequence : plan.sequences) found[sequence.name.display()];
    return found;
  };
  compare("index", indexes(stored), indexes(fresh));
  compare("foreign key", foreign_keys(stored), foreign_keys(fresh));
  compare("sequence", sequences(stored), sequences(fresh));
  return changes;
}

}  // namespace copy
