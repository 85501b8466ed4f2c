#include "copy/chunk_source.h"

#include <vector>

#include <fmt/format.h>

#include "base/zstd.h"
#include "copy/keeper_watch.h"
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
  LiveSource(const Context& context, const std::string& snapshot_id, const base::Stop& stop)
      : plan_(context.plan), connection_(context.open_source(stop)), buffer_(pg::kCopyBatch) {
    try {
      pg::import_snapshot(connection_, snapshot_id);
    } catch (const base::Error& error) {
      if (error.sqlstate() == "22023" || error.sqlstate() == "42704") throw SnapshotLost();
      throw;
    }
    connection_.exec("SAVEPOINT chunk");
  }

  void read(uint32_t relation, uint32_t chunk, base::ByteSink& out) override {
    const auto& from = plan_.relations[relation];
    hold_still(from);
    pg::CopyReader reader(connection_, copy_out_sql(from, chunk));
    pour(reader, out, buffer_);
  }

 private:
  // TRUNCATE and rewrites (VACUUM FULL, CLUSTER, some ALTER TABLEs) are not safe under MVCC: an older
  // snapshot sees the new file, empty or with rows at other places. So the table is locked first and its file
  // compared with the one the snapshot knows. The savepoint gives the locks of the previous chunk back: ten
  // thousand tables would not fit the server's lock table.
  void hold_still(const Relation& relation) {
    connection_.exec("ROLLBACK TO SAVEPOINT chunk");
    if (relation.kind != Relation::Kind::table) return;
    pg::Result row(nullptr);
    try {
      // Behind a session that waits for an exclusive lock: it waits for our own keeper, which gives way
      // (copy/keeper_watch.h). Not behind one that has it and keeps it.
      row = connection_.exec(
          fmt::format("SET LOCAL lock_timeout = '5s'; LOCK TABLE ONLY {} IN ACCESS SHARE MODE; "
                      "SET LOCAL lock_timeout = 0; SELECT pg_catalog.pg_relation_filenode({}), "
                      "pg_catalog.to_regclass({})::pg_catalog.oid",
                      relation.name.sql(), relation.oid, pg::quote_literal(relation.name.sql())));
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
      throw;
    }
    if (row.is_null(0, 1) || row.oid(0, 1) != relation.oid)
      throw base::Error(base::ErrorKind::permanent, "another table has its name at the source now",
                        "it was renamed during the copy; run the copy again with --restart");
    if (row.is_null(0, 0) || static_cast<uint64_t>(row.integer(0, 0)) != relation.filenode)
      throw base::Error(base::ErrorKind::permanent,
                        "the table was truncated or rewritten at the source while the copy ran",
                        "avoid TRUNCATE, VACUUM FULL, CLUSTER and rewriting ALTER TABLEs during the copy; "
                        "run it again to copy "
                        "this table at a new snapshot");
  }

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

ChunkSourceFactory live_source(const Context& context, std::string snapshot_id) {
  return [&context, id = std::move(snapshot_id)](const base::Stop& stop) {
    return std::make_unique<LiveSource>(context, id, stop);
  };
}

ChunkSourceFactory archive_source(std::filesystem::path archive, RunState state) {
  return [path = std::move(archive), state = std::make_shared<const RunState>(std::move(state))](
             const base::Stop&) { return std::make_unique<ArchiveSource>(path, state); };
}

}  // namespace copy
