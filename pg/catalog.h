#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/packed_strings.h"
#include "pg/connection.h"
#include "pg/quote.h"
#include "pg/reserved_schema.h"
#include "pg/row_digest.h"

namespace pg {

/// What a run must know of a database, read in a handful of set-based queries: their number does not depend
/// on how many tables there are. System schemas, temporary objects, our own ledger and what belongs to an
/// extension (other than its configuration tables) are left out.

struct Column {
  std::string name;
  std::string type;  ///< format_type(), with modifiers
  bool not_null = false;
  bool generated = false;  ///< GENERATED ALWAYS AS (…): computed by the target, never copied
  char identity = '\0';    ///< 'a' always, 'd' by default
  bool binary_safe =
      false;  ///< its binary COPY form means the same in another database, see is_binary_safe()
};

struct Table {
  Oid oid = 0;
  QualifiedName name;
  char kind = 'r';         ///< pg_class.relkind: r table, p partitioned, m materialized view, f foreign table
  char persistence = 'p';  ///< p permanent, u unlogged
  bool is_partition = false;
  Oid parent = 0;             ///< of a partition
  bool hash_on_enum = false;  ///< partitioned by hash on an enum: rows land in other leaves elsewhere, since
                              ///< the hash is that of the enum value's oid
  bool row_security = false;
  bool force_row_security = false;
  bool populated = true;  ///< of a materialized view
  uint64_t filenode =
      0;  ///< pg_class.relfilenode as the snapshot sees it; another one later: rewritten or truncated
  uint64_t bytes = 0;  ///< of the main fork
  uint64_t toast_bytes = 0;
  uint64_t blocks = 0;
  int64_t row_estimate = -1;
  std::string owner;
  /// Set for an extension's configuration table: what the extension says are the user's rows (may be empty:
  /// all).
  std::optional<std::string> extension_condition;
  std::vector<Column> columns;
  std::vector<std::string> key;  ///< columns of the primary key, else of a unique, immediate, not-null index

  uint64_t all_bytes() const { return bytes + toast_bytes; }
  /// Without statistics (never analyzed), or when they are old: a row is taken to have 100 bytes.
  int64_t guessed_rows() const { return static_cast<int64_t>(all_bytes() / 100); }
  /// Which rows are meant, as it can follow WHERE: the user's of an extension's table, and those of the
  /// filter that `row_filters` has for it by its display name. Empty: all.
  std::string condition(const std::map<std::string, std::string>& row_filters) const;
};

struct Index {
  /// What is told of it in words. There may be ten thousands of indexes, so it is kept packed.
  struct Words {
    QualifiedName name;
    std::string method;              ///< btree, gin, …
    std::string definition;          ///< pg_get_indexdef(), for p and u constraints only
    std::string constraint_options;  ///< " DEFERRABLE INITIALLY DEFERRED" and the like
  };

  Oid oid = 0;
  Oid table = 0;
  uint64_t bytes = 0;           ///< at the source: what building it is expected to cost
  Oid constraint = 0;           ///< of the constraint that owns it
  char constraint_type = '\0';  ///< p, u or x
  bool on_partitioned = false;
  bool valid = true;

  Words words() const;
  void words(const Words& words);
  QualifiedName name() const { return words().name; }

 private:
  base::PackedStrings words_;
};

struct ForeignKey {
  Oid oid = 0;
  QualifiedName table;
  std::string name;
  QualifiedName referenced;
  bool validated = true;
  bool inherited = false;  ///< belongs to a partition because its parent has it
  std::string definition;  ///< pg_get_constraintdef()
  std::vector<std::string> columns;
  std::vector<std::string> referenced_columns;
  /// For each column what compares it with the referenced one: "OPERATOR(public.=)", as SQL.
  std::vector<std::string> equals;
  bool match_full = false;
  bool on_partitioned = false;  ///< declared on a partitioned table: rows of its leaves count
  bool to_partitioned = false;  ///< refers to a partitioned table
};

struct Sequence {
  Oid oid = 0;
  QualifiedName name;
  Oid owner = 0;                ///< the table whose column owns it (serial, identity, OWNED BY); 0: none
  std::vector<Oid> users = {};  ///< the tables with a default that takes values of it
};

struct Extension {
  std::string name;
  std::string version;
  std::string schema;
};

/// A table of an extension that is none of its configuration tables: its rows come with the extension.
struct ExtensionTable {
  QualifiedName name;
  std::string extension;
};

struct DatabaseSetting {
  std::string role;     ///< empty: for everybody in this database
  std::string setting;  ///< "name=value"
};

struct Database {
  std::string name;
  std::string encoding;
  std::string collation;
  std::string comment;
  std::vector<DatabaseSetting> settings;
};

/// Who may do what with the database as a whole. No dump of what is in a database has it.
struct DatabaseAccess {
  struct Grant {
    std::string role;  ///< empty: everybody
    std::string privilege;
    bool grantable = false;
  };
  std::vector<Grant> grants;         ///< beyond the owner's, and what everybody has by default
  std::vector<std::string> revoked;  ///< what everybody has by default, but not here
  int64_t connection_limit = -1;
};

/// A role that something in this database names, and how.
struct RoleUse {
  std::string name;
  bool owns = false;     ///< an object
  bool granted = false;  ///< a privilege, also by default
  bool named = false;    ///< by a policy, a user mapping, or settings of its own in this database
};

struct Catalog {
  Database database;
  DatabaseAccess access;
  std::vector<Table> tables;
  std::vector<Index> indexes;
  std::vector<ForeignKey> foreign_keys;
  std::vector<Sequence> sequences;
  std::vector<Extension> extensions;
  std::vector<ExtensionTable> extension_tables;
  /// Materialized views, each after those it reads.
  std::vector<QualifiedName> materialized_views;
  std::vector<std::string> schemas;
  std::set<std::string> vendor_schemas;  ///< those of them that are the provider's, see pg/provider.h
  std::vector<RoleUse> roles;
  uint64_t large_objects = 0;
  std::vector<Stranger> strangers;  ///< what the schema of the ledger hides of the user's
};

using TablesByOid = std::unordered_map<Oid, const Table*>;
TablesByOid by_oid(const std::vector<Table>& tables);
/// The partitioned tables above a partition, nearest first.
std::vector<const Table*> ancestors(const TablesByOid& tables, const Table& table);
/// A table's own name and, of a partition, those of its ancestors.
std::vector<QualifiedName> lineage(const TablesByOid& tables, const Table& table);
/// What a pattern of names may mean: relations with rows, views and sequences, and each schema itself with an
/// empty name; the large objects as pg_catalog.pg_largeobject, where there are some.
std::vector<QualifiedName> read_names(Connection& connection);

/// Of tables that read_catalog() names; also for the other side, where no catalog is needed.
std::vector<ForeignKey> read_foreign_keys(Connection& connection);

/// Reads what this session sees. With a snapshot's session, that snapshot's state.
Catalog read_catalog(Connection& connection);
/// Of that only which tables there are, without columns and keys, and which schemas are the provider's.
Catalog read_table_list(Connection& connection);

}  // namespace pg
