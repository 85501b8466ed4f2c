#include "copy/ledger.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "pg/quote.h"
#include "pg/reserved_schema.h"

namespace copy {
namespace {

// Chunk rows: digest is pg::Digest::text(), buckets pg::BucketDigest::encode() where there is more than one.
constexpr const char* kSchema = R"(
  CREATE SCHEMA IF NOT EXISTS cutover;
  CREATE TABLE IF NOT EXISTS cutover.run (
    run_id text PRIMARY KEY, source text NOT NULL, tool_version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.now(), finished_at timestamptz);
  CREATE TABLE IF NOT EXISTS cutover.chunk (
    run_id text NOT NULL, relation int NOT NULL, chunk int NOT NULL, name text NOT NULL, bounds text NOT NULL,
    rows bigint NOT NULL, bytes bigint NOT NULL, digest text NOT NULL, buckets bytea, snapshot text NOT NULL,
    transaction bigint NOT NULL DEFAULT pg_catalog.txid_current(),
    committed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (run_id, relation, chunk));
  CREATE TABLE IF NOT EXISTS cutover.item (
    run_id text NOT NULL, item bigint NOT NULL, description text NOT NULL, schema text NOT NULL, name text NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (run_id, item));
  CREATE TABLE IF NOT EXISTS cutover.large_objects (
    run_id text NOT NULL, relation int NOT NULL, chunk int NOT NULL, oids oid[] NOT NULL,
    PRIMARY KEY (run_id, relation, chunk));
  CREATE UNLOGGED TABLE IF NOT EXISTS cutover.crash_mark (run_id text PRIMARY KEY))";

constexpr int kPage = 100;  // chunks whose buckets are fetched at once

std::string hex_literal(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "'\\x";
  out.reserve(bytes.size() * 2 + 4);
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    out += kDigits[value >> 4];
    out += kDigits[value & 15];
  }
  return out + "'";
}

std::string unhex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 2; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return out;
}

}  // namespace

void Ledger::create(pg::Connection& target, std::string_view source, std::string_view tool_version) const {
  base::during("make the ledger (schema cutover) on the target", [&] {
    complete(target);
    target.exec(
        "INSERT INTO cutover.run (run_id, source, tool_version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        {run_id_, std::string(source), std::string(tool_version)});
  });
}

void Ledger::complete(pg::Connection& target) { target.exec(kSchema); }

// Without CASCADE, which would take along a view that somebody has built on it.
void Ledger::drop(pg::Connection& target) {
  std::string sql;
  for (const auto& table : pg::kOwnTables)
    sql += fmt::format("DROP TABLE IF EXISTS {}.{}; ", pg::kReservedSchema, table.name);
  base::during("drop the ledger (schema cutover) on the target", [&] {
    try {
      target.exec(fmt::format("{}DROP SCHEMA {}", sql, pg::kReservedSchema));
    } catch (base::Error& error) {
      constexpr std::string_view kDependentObjects = "2BP01";
      if (error.sqlstate() == kDependentObjects)
        error.kind(base::ErrorKind::usage)
            .hint("nothing was dropped; a view, say, was built on it: drop that first");
      throw;
    }
  });
}

bool Ledger::exists(pg::Connection& target) {
  return !target.exec("SELECT pg_catalog.to_regclass('cutover.run')").is_null(0, 0);
}

namespace {

std::vector<std::string> run_ids(pg::Connection& target, const std::string& condition) {
  std::vector<std::string> ids;
  if (!Ledger::exists(target)) return ids;
  const auto rows =
      target.exec(fmt::format("SELECT run_id FROM cutover.run WHERE {} ORDER BY started_at", condition));
  for (int row = 0; row < rows.rows(); ++row) ids.push_back(rows.string(row, 0));
  return ids;
}

}  // namespace

std::vector<std::string> Ledger::runs(pg::Connection& target) { return run_ids(target, "true"); }
std::vector<std::string> Ledger::unfinished_runs(pg::Connection& target) {
  return run_ids(target, "finished_at IS NULL");
}

void Ledger::commit_chunk(pg::Connection& target, const LedgerChunk& chunk, std::string_view display,
                          std::string_view bounds, const pg::BucketDigest& buckets) const {
  const auto sql = fmt::format(
      "INSERT INTO cutover.chunk (run_id, relation, chunk, name, bounds, rows, bytes, digest, buckets, "
      "snapshot) "
      "VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}); COMMIT",
      pg::quote_literal(run_id_), chunk.relation, chunk.chunk, pg::quote_literal(display),
      pg::quote_literal(bounds), chunk.rows, chunk.bytes, pg::quote_literal(chunk.digest.text()),
      buckets.size() > 1 ? hex_literal(buckets.encode()) : "NULL", pg::quote_literal(chunk.snapshot));
  base::crash_point("ledger_commit.before");
  try {
    if (target.exec(sql).tag() != "COMMIT")
      base::fail(base::ErrorKind::permanent, "the target rolled the chunk's transaction back");
  } catch (base::Error& error) {
    if (!target.alive() || error.kind() == base::ErrorKind::cancelled) error.kind(base::ErrorKind::in_doubt);
    throw;
  }
  base::crash_point("ledger_commit.after");
}

std::optional<pg::Digest> Ledger::chunk_digest(pg::Connection& target, uint32_t relation,
                                               uint32_t chunk) const {
  const auto rows =
      target.exec("SELECT digest FROM cutover.chunk WHERE run_id = $1 AND relation = $2 AND chunk = $3",
                  {run_id_, std::to_string(relation), std::to_string(chunk)});
  if (rows.rows() == 0) return std::nullopt;
  return pg::Digest::parse(rows.text(0, 0));
}

std::vector<LedgerChunk> Ledger::chunks(pg::Connection& target) const {
  const auto rows = target.exec(
      "SELECT relation, chunk, rows, bytes, digest, snapshot, transaction FROM cutover.chunk WHERE run_id = "
      "$1 "
      "ORDER BY relation, chunk",
      {run_id_});
  std::vector<LedgerChunk> chunks;
  chunks.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    LedgerChunk chunk;
    chunk.relation = static_cast<uint32_t>(rows.integer(row, 0));
    chunk.chunk = static_cast<uint32_t>(rows.integer(row, 1));
    chunk.rows = static_cast<uint64_t>(rows.integer(row, 2));
    chunk.bytes = static_cast<uint64_t>(rows.integer(row, 3));
    chunk.digest = pg::Digest::parse(rows.text(row, 4));
    chunk.snapshot = rows.string(row, 5);
    chunk.transaction = static_cast<uint64_t>(rows.integer(row, 6));
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

// In pages: a large table's chunks have some megabytes of buckets each hundred.
Ledger::RelationDigest Ledger::relation_digest(pg::Connection& target, uint32_t relation,
                                               uint32_t buckets) const {
  RelationDigest sum{0, pg::BucketDigest(buckets)};
  for (std::string after = "-1";;) {
    const auto rows = target.exec(
        fmt::format("SELECT chunk, digest, buckets FROM cutover.chunk WHERE run_id = $1 AND relation = $2 "
                    "AND chunk > $3 ORDER BY chunk LIMIT {}",
                    kPage),
        {run_id_, std::to_string(relation), after});
    for (int row = 0; row < rows.rows(); ++row) {
      const auto total = pg::Digest::parse(rows.text(row, 1));
      if (buckets == 1) {
        sum.buckets[0] += total;
        continue;
      }
      const auto chunk = pg::BucketDigest::decode(unhex(rows.text(row, 2)));
      if (chunk.total() != total)
        base::fail(base::ErrorKind::corrupt, "the ledger's digests of relation {} contradict each other",
                   relation);
      sum.buckets += chunk;
    }
    sum.chunks += static_cast<uint32_t>(rows.rows());
    if (rows.rows() < kPage) return sum;
    after = rows.string(rows.rows() - 1, 0);
  }
}

std::string Ledger::forget_chunks_sql(uint32_t relation, const std::vector<uint32_t>& chunks) const {
  return fmt::format(
      "DELETE FROM cutover.large_objects WHERE run_id = {0} AND relation = {1} AND chunk IN ({2}); "
      "DELETE FROM cutover.chunk WHERE run_id = {0} AND relation = {1} AND chunk IN ({2})",
      pg::quote_literal(run_id_), relation, fmt::join(chunks, ", "));
}

std::string Ledger::large_objects_sql(uint32_t relation, uint32_t chunk, std::string_view oids) const {
  return fmt::format(
      "INSERT INTO cutover.large_objects (run_id, relation, chunk, oids) VALUES ({}, {}, {}, ({}))",
      pg::quote_literal(run_id_), relation, chunk, oids);
}

std::set<pg::Oid> Ledger::made_large_objects(pg::Connection& target, std::string_view oids) const {
  const auto rows = target.exec(fmt::format(
      "SELECT made.oid FROM cutover.large_objects l CROSS JOIN LATERAL pg_catalog.unnest(l.oids) made(oid) "
      "WHERE l.run_id = {} AND made.oid IN ({})",
      pg::quote_literal(run_id_), oids));
  std::set<pg::Oid> made;
  for (int row = 0; row < rows.rows(); ++row) made.insert(rows.oid(row, 0));
  return made;
}

uint64_t Ledger::count_large_objects(pg::Connection& target) const {
  return static_cast<uint64_t>(
      target
          .exec("SELECT coalesce(sum(pg_catalog.cardinality(oids)), 0) FROM cutover.large_objects "
                "WHERE run_id = $1",
                {run_id_})
          .integer(0, 0));
}

// The list is unpacked once, not once for each batch: of ten million objects it has 40 MB.
void Ledger::unlink_large_objects(pg::Connection& target, uint32_t relation, uint32_t chunk) const {
  constexpr int kBatch = 1000;
  target.exec(
      fmt::format("DECLARE made NO SCROLL CURSOR WITH HOLD FOR SELECT pg_catalog.unnest(oids) "
                  "FROM cutover.large_objects WHERE run_id = {} AND relation = {} AND chunk = {}",
                  pg::quote_literal(run_id_), relation, chunk));
  for (;;) {
    const auto rows = target.exec(fmt::format("FETCH {} FROM made", kBatch));
    std::string oids;
    for (int row = 0; row < rows.rows(); ++row)
      oids += fmt::format("{}{}", oids.empty() ? "" : ", ", rows.text(row, 0));
    if (oids.empty()) break;
    target.exec(
        fmt::format("SELECT count(pg_catalog.lo_unlink(oid)) FROM pg_catalog.pg_largeobject_metadata "
                    "WHERE oid IN ({})",
                    oids));
  }
  target.exec("CLOSE made");
}

void Ledger::forget_run(pg::Connection& target) const {
  for (const auto* table : {"large_objects", "chunk", "item", "run"})
    target.exec(fmt::format("DELETE FROM cutover.{} WHERE run_id = $1", table), {run_id_});
}

std::string Ledger::item_sql(uint32_t item, std::string_view description, std::string_view schema,
                             std::string_view name) const {
  return fmt::format(
      "INSERT INTO cutover.item (run_id, item, description, schema, name) VALUES ({}, {}, {}, {}, {})",
      pg::quote_literal(run_id_), item, pg::quote_literal(description), pg::quote_literal(schema),
      pg::quote_literal(name));
}

std::vector<uint32_t> Ledger::items(pg::Connection& target, std::string_view description) const {
  const auto rows = target.exec("SELECT item FROM cutover.item WHERE run_id = $1 AND $2 IN ('', description)",
                                {run_id_, std::string(description)});
  std::vector<uint32_t> items;
  for (int row = 0; row < rows.rows(); ++row) items.push_back(static_cast<uint32_t>(rows.integer(row, 0)));
  return items;
}

bool Ledger::has_item(pg::Connection& target, uint32_t item) const {
  return target
             .exec("SELECT FROM cutover.item WHERE run_id = $1 AND item = $2",
                   {run_id_, std::to_string(item)})
             .rows() == 1;
}

std::string Ledger::forget_item_sql(uint32_t item) const {
  return fmt::format("DELETE FROM cutover.item WHERE run_id = {} AND item = {}", pg::quote_literal(run_id_),
                     item);
}

size_t Ledger::count_chunks(pg::Connection& target, const IsOurs& is_ours) const {
  size_t count = 0;
  target.for_each_row(
      "SELECT relation, chunk, digest FROM cutover.chunk WHERE run_id = " + pg::quote_literal(run_id_),
      [&](const pg::Result& row) {
        if (is_ours(static_cast<uint32_t>(row.integer(0, 0)), static_cast<uint32_t>(row.integer(0, 1)),
                    pg::Digest::parse(row.text(0, 2))))
          ++count;
      });
  return count;
}

void Ledger::set_crash_mark(pg::Connection& target) const {
  target.exec("INSERT INTO cutover.crash_mark (run_id) VALUES ($1) ON CONFLICT DO NOTHING", {run_id_});
}

bool Ledger::has_crash_mark(pg::Connection& target) const {
  return target.exec("SELECT FROM cutover.crash_mark WHERE run_id = $1", {run_id_}).rows() == 1;
}

void Ledger::make_durable(pg::Connection& target) const {
  target.exec("SELECT pg_catalog.set_config('synchronous_commit', 'on', false)");
  target.exec("UPDATE cutover.run SET finished_at = finished_at WHERE run_id = $1", {run_id_});
}

void Ledger::finish(pg::Connection& target) const {
  target.exec("UPDATE cutover.run SET finished_at = pg_catalog.now() WHERE run_id = $1", {run_id_});
  make_durable(target);
}

std::optional<std::string> Ledger::finished_at(pg::Connection& target) const {
  if (!exists(target)) return std::nullopt;
  const auto rows = target.exec(
      "SELECT pg_catalog.to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
      "FROM cutover.run WHERE run_id = $1",
      {run_id_});
  return rows.rows() == 0 ? std::nullopt : rows.optional_text(0, 0);
}

}  // namespace copy
