// --index-jobs: so many indexes are built at once, and no more.

#include <fmt/format.h>

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

constexpr int kIndexed = 6;
constexpr int kIndexJobs = 2;

// An index on counted() holds lock 1 as long as the transaction that builds it lives, fails when more hold it
// than may, and waits for lock 2, which the test has. At the source nobody builds beside another.
std::string tables_with_counted_indexes() {
  std::string sql = fmt::format(R"(
    CREATE FUNCTION counted(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      builds int;
    BEGIN
      PERFORM pg_catalog.pg_advisory_xact_lock_shared(1);
      SELECT count(*) INTO builds FROM pg_catalog.pg_locks
       WHERE locktype = 'advisory' AND objid = 1
         AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database());
      IF builds > {} THEN
        RAISE 'there are % builds at once', builds;
      END IF;
      PERFORM pg_catalog.pg_advisory_xact_lock_shared(2);
      RETURN i;
    END $$;)",
                                kIndexJobs);
  for (int i = 0; i < kIndexed; ++i)
    sql += fmt::format(
        "CREATE TABLE t{0} (id int); INSERT INTO t{0} SELECT generate_series(1, 10);"
        "CREATE INDEX i{0} ON t{0} (counted(id));",
        i);
  return sql;
}

TEST(IndexJobs, AreHowManyIndexesAreBuiltAtOnce) {
  const Move move(tables_with_counted_indexes());
  support::Session holder(move.target.url());
  holder.exec("SELECT pg_advisory_lock(2)");
  support::Process run(support::cutover_program(), move.way.arguments("copy", {"--jobs", "4", "--index-jobs",
                                                                               std::to_string(kIndexJobs)}));
  move.target.wait_until(fmt::format(
      "SELECT count(*) = {} FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND NOT granted",
      kIndexJobs));
  // The other workers have nothing to do any more that would keep another build waiting.
  wait_for_status(move.way, [](const auto& status) { return status.at("proofs_done") == kIndexed; });
  holder.exec("SELECT pg_advisory_unlock(2)");
  EXPECT_TRUE(exits(run.wait(), 0));
  move.expect_equal();
  move.expect_equal_schema();
}

// So that nothing long begins when the rest is done. The catalog's order is another one.
TEST(Chunks, OfTheLargestTableAndOfTheCostliestIndexesComeFirst) {
  const Move move(R"(
    CREATE TABLE a (id int, v text); INSERT INTO a SELECT i, 'small' FROM generate_series(1, 100) i;
    CREATE TABLE b (id int, v text); INSERT INTO b SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 3000) i;
    CREATE TABLE c (id int, v text); INSERT INTO c SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 3000) i;
    CREATE INDEX ON c USING gin (to_tsvector('simple', v)))");
  move.expect_equal_copy({"--jobs", "1"});
  EXPECT_EQ(move.target.value("SELECT string_agg(name, ' ' ORDER BY transaction) FROM cutover.chunk"),
            "public.c public.b public.a");
}

}  // namespace
}  // namespace copy::test
