#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/build.h"
#include "tests/support/cluster.h"
#include "tests/support/database_digest.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"

/// What the tests share that kill and starve a running copy. Each ends with settle(): the run is ended by
/// resuming it, the databases are equal by a reckoning of our own, and no chunk was copied twice that the
/// ledger had.
namespace crash {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Environment = std::map<std::string, std::string>;

/// One split table, tables of one chunk, tables without rows and without columns, negative and extreme keys,
/// foreign keys both ways, a trigger that would change rows, comments, a materialized view, large objects.
inline constexpr const char* kShop = R"(
  CREATE SCHEMA shop;
  CREATE SEQUENCE shop.numbers START 100;
  CREATE TABLE shop.customers (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, joined timestamptz);
  INSERT INTO shop.customers SELECT i, 'customer ' || i, '2024-01-01 00:00Z'::timestamptz + i * interval '1 hour'
    FROM generate_series(-50, 50) i;
  INSERT INTO shop.customers VALUES (-9223372036854775808, 'least', '-infinity'), (9223372036854775807, 'most', 'infinity');
  CREATE TABLE shop.orders (id int PRIMARY KEY, customer bigint REFERENCES shop.customers, note text, amount numeric(12, 2));
  COMMENT ON CONSTRAINT orders_customer_fkey ON shop.orders IS 'who ordered';
  INSERT INTO shop.orders SELECT i * 7 - 40000, i % 100 - 50, repeat(md5(i::text), 3), i / 7.0 FROM generate_series(1, 8000) i;
  CREATE INDEX orders_note ON shop.orders (note);
  CREATE TABLE shop.lines (number int, order_id int REFERENCES shop.orders, PRIMARY KEY (order_id, number));
  INSERT INTO shop.lines SELECT 1, id FROM shop.orders ORDER BY id LIMIT 500;
  CREATE TABLE shop.empty (id int PRIMARY KEY, at timestamptz);
  CREATE TABLE shop.nothing ();
  INSERT INTO shop.nothing DEFAULT VALUES;
  CREATE TABLE shop.keys (small smallint, middle int, large bigint);
  INSERT INTO shop.keys VALUES (-32768, -2147483648, -9223372036854775808), (32767, 2147483647, 9223372036854775807), (0, -1, 0);
  CREATE FUNCTION shop.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := upper(NEW.note); RETURN NEW; END $$;
  CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.shout();
  CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, sum(amount) FROM shop.orders GROUP BY 1;
  SELECT lo_from_bytea(4000 + i, convert_to(repeat('large ' || i, 900), 'UTF8')) FROM generate_series(1, 3) i;
  SELECT nextval('shop.numbers');
)";

/// Changes of every kind in the split table and in others; rows move between its chunks.
inline constexpr const char* kChanges = R"(
  INSERT INTO shop.customers VALUES (1000, 'late', now());
  UPDATE shop.customers SET name = 'renamed' WHERE id = -50;
  ALTER TABLE shop.orders DISABLE TRIGGER shout;
  UPDATE shop.orders SET note = 'moved ' || id WHERE id BETWEEN -39990 AND -39900;
  DELETE FROM shop.lines WHERE order_id IN (SELECT id FROM shop.orders ORDER BY id OFFSET 100 LIMIT 50);
  DELETE FROM shop.orders WHERE id > 15000 AND id % 3 = 0;
  INSERT INTO shop.orders SELECT 500000 + i, 1000, 'new', i FROM generate_series(1, 50) i;
  ALTER TABLE shop.orders ENABLE TRIGGER shout;
  INSERT INTO shop.empty VALUES (1, now());
  REFRESH MATERIALIZED VIEW shop.totals;
  SELECT lo_put(4002, 0, 'changed'), nextval('shop.numbers');
)";

using ChunkKey = std::tuple<std::string, std::string, std::string>;  // name, relation, chunk
using Chunks = std::map<ChunkKey, std::string>;                      // -> the transaction that loaded it

/// Polls `condition` until it holds; fails the test after a deadline.
template <typename Condition>
void wait_for(const std::string& what, Condition condition,
              std::chrono::seconds deadline = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("waited in vain for " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// A source and a target database, and a run directory, and how to run the program on them.
class Move {
 public:
  explicit Move(const support::Cluster& from = support::cluster(15, "source"),
                const support::Cluster& to = support::cluster(15, "target"),
                std::string_view target_options = {})
      : source(from), target(to, target_options), source_url(source.url()), target_url(target.url()) {}

  support::TestDatabase source;
  support::TestDatabase target;
  support::TempDir directory;
  std::string source_url;
  std::string target_url;
  fs::path run_dir = directory / "run";
  std::vector<std::string> options = {"--jobs", "2", "--split-size", "128kB"};

  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"copy",      "--source",       source_url, "--target",     target_url,
                                    "--run-dir", run_dir.string(), "--yes",    "--no-progress"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  support::ProcessResult run(const std::vector<std::string>& more = {},
                             const Environment& environment = {}) const {
    return support::cutover(arguments(more), {.environment = environment});
  }
  std::unique_ptr<support::Process> start(const std::vector<std::string>& more = {}) const {
    return std::make_unique<support::Process>(support::cutover_program(), arguments(more));
  }
  /// Runs until the crash point kills it.
  void crash_at(const std::string& point, const std::vector<std::string>& more = {}) const {
    const auto result = run(more, {{"CUTOVER_CRASH_AT", point}});
    ASSERT_EQ(result.exit_code, 128 + SIGKILL) << point << "\n" << result.output << result.error;
    // The killed process's last statements run to their end at the servers.
    for (const auto* side : {&source, &target})
      side->wait_until(
          "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'cutover%' "
          "AND datname = current_database() AND pid <> pg_backend_pid())");
  }

  Chunks ledger() const {
    Chunks chunks;
    if (target.value("SELECT to_regclass('cutover.chunk') IS NULL") == "t") return chunks;
    for (const auto& row : target.exec("SELECT name, relation, chunk, transaction FROM cutover.chunk"))
      chunks[{*row[0], *row[1], *row[2]}] = *row[3];
    return chunks;
  }
  size_t chunk_count() const {
    try {
      return ledger().size();
    } catch (const std::exception&) {
      return 0;  // the server is away, or the table came between two looks
    }
  }
  void wait_for_chunks(size_t count, support::Process& process) const {
    wait_for(fmt::format("{} chunks", count), [&] { return chunk_count() >= count || !process.running(); });
    ASSERT_TRUE(process.running()) << "ended before it had " << count << " chunks\n" << process.error();
  }
  void expect_no_sessions() const {
    for (const auto* side : {&source, &target})
      side->wait_until(
          "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'cutover%' "
          "AND datname = current_database())",
          std::chrono::seconds(5));
  }

  void expect_equal() const {
    EXPECT_EQ(support::database_digest(source.url()), support::database_digest(target.url()));
    EXPECT_EQ(support::schema_dump(source.url()), support::schema_dump(target.url()));
  }
  static void expect_kept(const Chunks& before, const Chunks& after) {
    for (const auto& [key, transaction] : before) {
      const auto found = after.find(key);
      ASSERT_NE(found, after.end()) << std::get<0>(key) << " #" << std::get<2>(key) << " is gone";
      EXPECT_EQ(found->second, transaction)
          << std::get<0>(key) << " #" << std::get<2>(key) << " was copied again";
    }
  }
  /// Resumes to the end after the source was written to: equal to what it is now.
  std::string settle_changed(const std::vector<std::string>& more = {}) const {
    const auto result = run(more);
    EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
    expect_equal();
    return result.output + result.error;
  }
  /// Resumes to the end, with the source as it was: equal, and nothing was copied twice. Returns what was
  /// logged.
  std::string settle(const std::vector<std::string>& more = {}) const {
    const auto before = ledger();
    const auto said = settle_changed(more);
    expect_kept(before, ledger());
    return said;
  }
};

/// What most tests copy.
inline void fill(const support::TestDatabase& source) { source.exec(kShop); }

inline std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void flip_byte(const fs::path& path, size_t offset) {
  auto bytes = contents(path);
  ASSERT_LT(offset, bytes.size());
  bytes[offset] = static_cast<char>(bytes[offset] ^ 0x40);
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace crash
