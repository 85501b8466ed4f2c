#include "copy/chunk_source.h"

#include <vector>

#include <fmt/format.h>

#include "base/zstd.h"
#include "copy/sql.h"
#include "pg/copy_stream.h"
#include "pg/snapshot.h"

namespace copy {
namespace {

void pour(base::ByteSource& from, base::ByteSink& out, std::vector<std::byte>& buffer) {
  while (const auto size = from.read(buffer)) out.write(base::Bytes(buffer).first(size));
}

class LiveSource final : public ChunkSource {
 public:
  LiveSource(const Context& context, const std::string& snapshot_id, const std::string& transactions,
             const base::Stop& stop)
      : plan_(context.plan), connection_(context.open_source(stop)), buffer_(pg::kCopyBatch) {
    try {
      pg::import_snapshot(connection_, snapshot_id, transactions);
    } catch (const base::Error& error) {
      if (pg::is_snapshot_gone(error)) throw SnapshotLost();
      throw;
    }
    connection_.exec("SAVEPOINT chunk");
  }

  void read(uint32_t relation, uint32_t chunk, base::ByteSink& out) override {
    const auto& from = plan_.relations[relation];
    hold_still(from);
    pg::CopyReader reader(connection_, copy_out_sql(from, chunk));
    pour(reader, out, buffer_);
    // Gives the lock back at once, since nobody knows when the next chunk comes: ten thousand tables would
    // not fit the server's lock table, and a session that waits for this one would hold up everybody else.
    connection_.exec("ROLLBACK TO SAVEPOINT chunk");
  }
  bool keeps_large_buffer() const override { return connection_.keeps_large_buffer(); }

 private:
  // TRUNCATE and rewrites (VACUUM FULL, CLUSTER, some ALTER TABLEs) are not safe under MVCC: an older
  // snapshot sees the new file, empty or with rows at other places. Nor are columns: COPY finds them by name
  // in the catalog of today. So the table is locked first, and its file and columns compared with those that
  // the snapshot knows.
  void hold_still(const Relation& relation) {
    if (relation.kind != Relation::Kind::table) return;
    const auto now = lock_and_look(relation);
    if (now.is_null(0, 1) || now.oid(0, 1) != relation.oid)
      throw base::Error(base::ErrorKind::permanent, "another table has its name at the source now",
                        "it was renamed during the copy; run the copy again with --restart");
    if (now.is_null(0, 0) || static_cast<uint64_t>(now.integer(0, 0)) != relation.filenode)
      throw base::Error(base::ErrorKind::permanent,
                        "the table was truncated or rewritten at the source while the copy ran",
                        "avoid TRUNCATE, VACUUM FULL, CLUSTER and rewriting ALTER TABLEs during the copy; "
                        "run it again to copy "
                        "this table at a new snapshot");
    check_columns(relation, now);
  }

  // Takes the lock. One row: the file, the oid of what has the name, what the snapshot says of the columns
  // ("NUMBER TYPE" each), and then the columns themselves, of which only the description matters.
  pg::Result lock_and_look(const Relation& relation) {
    try {
      // Behind a session that waits for an exclusive lock: it waits for our own keeper, which gives way
      // (copy/keeper_watch.h). Not behind one that has it and keeps it.
      return connection_.exec(
          fmt::format("SET LOCAL lock_timeout = '5s'; LOCK TABLE ONLY {0} IN ACCESS SHARE MODE; "
                      "SET LOCAL lock_timeout = 0; SELECT pg_catalog.pg_relation_filenode({1}), "
                      "pg_catalog.to_regclass({2})::pg_catalog.oid, {3}{4} "
                      "FROM (SELECT) one LEFT JOIN ONLY {0} t ON false",
                      relation.name.sql(), relation.oid, pg::quote_literal(relation.name.sql()),
                      columns_then_sql(relation), columns_now_sql(relation)));
    } catch (base::Error& error) {
      if (error.sqlstate() == "55P03") {
        connection_.exec("ROLLBACK TO SAVEPOINT chunk");
        error.hint(
            fmt::format("{} at the source has {} for itself (ALTER TABLE, TRUNCATE, VACUUM FULL) or waits "
                        "for that: end it, and "
                        "let such changes wait until the copy is done",
                        exclusive_sessions(connection_, relation.oid), relation.display()));
      }
      if (error.sqlstate() == "42P01")
        error.hint("it was dropped or renamed during the copy; run the copy again with --restart");
      if (error.sqlstate() == "42703") error.hint(kColumnsHint);
      throw;
    }
  }

  static std::string columns_then_sql(const Relation& relation) {
    std::string names;
    for (const auto& column : relation.columns.list())
      names += (names.empty() ? "" : ", ") + pg::quote_literal(column);
    // The wire has a domain's base type, and changing a domain's base is not possible.
    return fmt::format(
        "ARRAY(SELECT a.attnum || ' ' || CASE y.typtype WHEN 'd' THEN 0 ELSE a.atttypid END "
        "FROM pg_catalog.unnest(ARRAY[{}]::pg_catalog.name[]) WITH ORDINALITY c (name, place) "
        "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = {} AND a.attname = c.name "
        "LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid ORDER BY c.place)",
        names, relation.oid);
  }
  static std::string columns_now_sql(const Relation& relation) {
    std::string columns;
    for (const auto& column : relation.columns.list()) columns += ", t." + pg::quote_identifier(column);
    return columns;
  }

  // A column that was dropped and added again, or swapped its name with another, is another column: under the
  // snapshot it reads as NULL, as its default, or as the other's values.
  static void check_columns(const Relation& relation, const pg::Result& row) {
    const auto then = row.array(0, 2);
    const auto columns = relation.columns.list();
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto shown = static_cast<int>(i) + 3;
      const auto number = row.table_column(shown);
      if (then[i] == fmt::format("{} {}", number, row.type(shown)) || then[i] == fmt::format("{} 0", number))
        continue;
      throw base::Error(base::ErrorKind::permanent,
                        fmt::format("its columns were changed at the source while the copy ran: \"{}\" is "
                                    "another column now",
                                    columns[i]),
                        kColumnsHint);
    }
  }

  static constexpr const char* kColumnsHint =
      "let changes of columns wait until the copy is done; run it again to copy this table at a new "
      "snapshot, or with --restart if it has other columns now";

  const Plan& plan_;
  pg::Connection connection_;
  std::vector<std::byte> buffer_;
};

class ArchiveSource final : public ChunkSource {
 public:
  ArchiveSource(std::filesystem::path archive, std::shared_ptr<const RunState> state)
      : archive_(std::move(archive)), state_(std::move(state)), buffer_(pg::kCopyBatch) {}

  void read(uint32_t relation, uint32_t chunk, base::ByteSink& out) override {
    const auto path = Archive::chunk_path(archive_, relation, chunk);
    base::during(fmt::format("read {}", path.string()), [&] {
      base::FileSource file(path);
      base::ZstdSource content(file);
      pour(content, out, buffer_);
    });
  }
  const ChunkRecord* recorded(uint32_t relation, uint32_t chunk) const override {
    return state_->chunk(relation, chunk);
  }

 private:
  std::filesystem::path archive_;
  std::shared_ptr<const RunState> state_;
  std::vector<std::byte> buffer_;
};

}  // namespace

ChunkSourceFactory live_source(const Context& context, const KeeperWatch& keeper) {
  return [&context, id = keeper.id(), transactions = keeper.mark().transactions](const base::Stop& stop) {
    return std::make_unique<LiveSource>(context, id, transactions, stop);
  };
}

ChunkSourceFactory archive_source(std::filesystem::path archive, RunState state) {
  return [path = std::move(archive), state = std::make_shared<const RunState>(std::move(state))](
             const base::Stop&) { return std::make_unique<ArchiveSource>(path, state); };
}

}  // namespace copy
