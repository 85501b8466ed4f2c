#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/packed_strings.h"
#include "base/sink.h"
#include "copy/finding.h"
#include "copy/options.h"
#include "pg/block_range.h"
#include "pg/catalog.h"
#include "pg/provider.h"
#include "pg/row_digest.h"

namespace copy {

/// A relation whose rows are copied: an ordinary table, a leaf of a partitioned one, an extension's
/// configuration table, or (kind large_objects) all large objects of the database.
struct Relation {
  enum class Kind { table, large_objects };

  Kind kind = Kind::table;
  pg::Oid oid = 0;
  pg::QualifiedName name;
  std::vector<pg::QualifiedName> above;  ///< of a partition: the partitioned tables above it, nearest first
  /// Where the rows go: 0 into the relation itself, N into the N-th one above it. That is the root of its
  /// partition tree when rows may belong to another leaf at the target (pg::Table::hash_on_enum).
  uint32_t root = 0;
  /// Extra WHERE condition: a row filter of the user or of the extension; empty: all rows. The proof reads
  /// the target under the same condition.
  std::string condition;
  base::PackedStrings columns;    ///< in the order of the COPY stream, without generated ones
  base::PackedStrings types;      ///< their types, for comparing shapes
  base::PackedStrings generated;  ///< columns that the source computes, for comparing shapes
  pg::RowShape shape;
  uint64_t filenode = 0;
  uint64_t bytes = 0;  ///< heap and TOAST at planning time
  int64_t row_estimate = 0;
  uint64_t index_cost =
      0;  ///< expected cost of its slowest index, in bytes of COPY equivalent; for ordering only

  /// Chunk k of a table holds the rows on blocks [k*chunk_blocks, (k+1)*chunk_blocks); the last one is
  /// open-ended. 0: one chunk, the whole relation, read without a TID condition.
  uint64_t chunk_blocks = 0;
  uint32_t chunks = 1;
  /// Large objects only: chunk k holds oids [bounds[k], bounds[k+1]); the last one is open-ended.
  std::vector<pg::Oid> large_object_bounds;

  /// Of a chunk of a table.
  pg::BlockRange blocks(uint32_t chunk) const;
  /// Do the chunks hold all of it, each row once?
  bool is_whole() const;

  bool via_root() const { return root > 0; }
  const pg::QualifiedName& load_into() const { return via_root() ? above.at(root - 1) : name; }
  std::string display() const { return kind == Kind::table ? name.display() : "large objects"; }
};

/// What a run does, decided once and kept with the run: a resumed run works by the stored plan.
struct Plan {
  int version = 4;
  std::string source_version;  ///< "15.18"
  int source_major = 0;
  pg::Database database;
  /// What sessions that carry rows and definitions speak on both sides: UTF8; where one side is SQL_ASCII,
  /// which converts nothing, the source's own encoding.
  std::string client_encoding = "UTF8";
  SchemaMode schema = SchemaMode::dump;
  std::map<std::string, std::string> selection;  ///< what the run was told to copy: selection_of()
  std::vector<Relation> relations;               ///< copied first to last
  std::vector<pg::Index> indexes;                ///< of the relations
  std::vector<pg::ForeignKey> foreign_keys;
  std::vector<pg::Sequence> sequences;
  std::vector<pg::Extension> extensions;
  std::vector<pg::QualifiedName> materialized_views;  ///< to refresh, in order
  std::vector<pg::QualifiedName> unpopulated_views;
  std::vector<pg::QualifiedName> excluded_tables;
  std::vector<pg::QualifiedName> excluded_sequences;
  std::vector<std::string> excluded_schemas;
  std::vector<pg::RoleUse> roles;
  std::vector<pg::QualifiedName> foreign_tables;
  std::vector<pg::QualifiedName> partitioned_tables;
  std::vector<Finding> findings;  ///< what was left out, and why; told with every result of the run

  uint64_t total_bytes() const;
  uint64_t total_chunks() const;
  /// Throws Error{corrupt} when a relation's chunks leave something out or overlap. The digests of what left
  /// the source are those of the chunks: what no chunk reads would be missing on both sides of every later
  /// comparison.
  void require_whole_relations() const;
  /// As JSON, one line for what is there once, and one for each relation, index and so on: a plan of many
  /// tables is never one document in memory. finish() is the caller's to call.
  void write(base::ByteSink& out) const;
  /// Throws Error{corrupt}, also as require_whole_relations() does; Error{usage} for a plan of another
  /// version of this program.
  static Plan read(base::ByteSource& in);
};

/// Decides what is copied and how.
Plan make_plan(pg::Connection& source, const Options& options);

/// Names what differs between the stored plan's tables and those of a fresh one, one line each, at most
/// `limit`; empty: a resumed run means the same.
std::vector<std::string> shape_changes(const Plan& stored, const Plan& fresh, size_t limit = 10);

/// Whether the load empties the relation's table in its own transaction (that it is empty was looked up),
/// which COPY FREEZE wants. An extension's own rows, a row filter's rest or another table's foreign key must
/// not be truncated away.
bool may_truncate(const Plan& plan, const Relation& relation);

using pg::is_vendor_extension;
using pg::is_vendor_role;

/// What is granted to this role is the provider's own affair, and the target need not have it. PostgreSQL's
/// own roles are everywhere; and one that --role-map gives another name was meant.
bool is_left_to_provider(const std::string& role, const Options& options);

/// The expected cost of building an index, in bytes of COPY equivalent: its size times a factor by access
/// method. Measured on 15: docs/benchmarks.md.
uint64_t index_build_cost(const pg::Index& index);

}  // namespace copy
