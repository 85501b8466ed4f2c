// Whole rows that are not where they should be, and what is no row at all: found in every mode of comparing,
// and on a target of another version.

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

/// A copy that is done, and the ways to compare it. By the target's major version.
class InEveryMode : public ::testing::TestWithParam<int> {
 protected:
  void make_copy(const std::string& sql) {
    move_.emplace(sql, "", 15, GetParam());
    ASSERT_TRUE(exits(move_->copy(), 0));
  }
  const support::TestDatabase& source() const { return move_->source; }
  const support::TestDatabase& target() const { return move_->target; }
  Verdict compare(const Arguments& mode) const { return test::compare(source().url(), target().url(), mode); }
  Arguments after_copy() const { return {"--run-dir", move_->way.run_dir()}; }
  std::vector<Arguments> modes() const { return {{}, after_copy(), {"--server-side"}, {"--strong"}}; }
  void expect_equal() const {
    for (const auto& mode : modes()) {
      const auto equal = compare(mode);
      EXPECT_EQ(equal.code(), 0) << ::testing::PrintToString(mode) << equal.text();
    }
  }

 private:
  std::optional<copy::test::Move> move_;
};

INSTANTIATE_TEST_SUITE_P(Targets, InEveryMode, ::testing::Values(15, 18),
                         [](const auto& test) { return fmt::format("On{}", test.param); });

constexpr const char* kRows = R"(
  CREATE TABLE separators (id int PRIMARY KEY, a text, b text);
  CREATE TABLE swapped (id int PRIMARY KEY, v text);
  CREATE TABLE multiset (v text);
  CREATE TABLE by_uuid (id uuid PRIMARY KEY, v int);
  CREATE TABLE by_text (name text PRIMARY KEY, v int);
  CREATE TABLE by_two (a int, b text, v int, PRIMARY KEY (b, a));
  CREATE TABLE by_unique (v int, code varchar(10) NOT NULL UNIQUE);
  CREATE TABLE no_key (a int, b text);
  CREATE TABLE no_columns ();
  CREATE TABLE untouched (id int PRIMARY KEY, v text);
  INSERT INTO separators VALUES (1, 'a|b', 'c'), (2, E'x\t', 'y');
  INSERT INTO swapped SELECT i, 'v' || i FROM generate_series(1, 9) i;
  INSERT INTO multiset VALUES ('a'), ('a'), ('b');
  INSERT INTO by_uuid SELECT ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, i FROM generate_series(1, 9) i;
  INSERT INTO by_text SELECT U&'K\00e9y ' || i, i FROM generate_series(1, 9) i;
  INSERT INTO by_two SELECT i % 3, 'b' || i, i FROM generate_series(1, 9) i;
  INSERT INTO by_unique SELECT i, 'c' || i FROM generate_series(1, 9) i;
  INSERT INTO no_key SELECT i, 'x' FROM generate_series(1, 9) i;
  INSERT INTO no_columns SELECT FROM generate_series(1, 3);
  INSERT INTO untouched SELECT i, repeat('x', i) FROM generate_series(1, 9) i;
)";

// Each by its key, and what has none by itself.
void expect_row_faults(const Verdict& verdict) {
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.untouched"));
  EXPECT_THAT(verdict.rows("public.separators"), ElementsAre(R"(changed {"id":"1"} a b)"));
  EXPECT_THAT(verdict.rows("public.swapped"),
              ElementsAre(R"(changed {"id":"4"} v)", R"(changed {"id":"5"} v)"));
  EXPECT_THAT(verdict.rows("public.by_uuid"),
              ElementsAre(R"(missing {"id":"00000000-0000-4000-8000-000000000004"})"));
  EXPECT_THAT(verdict.rows("public.by_text"), ElementsAre("changed {\"name\":\"K\u00e9y 5\"} v"));
  EXPECT_THAT(verdict.rows("public.by_two"), ElementsAre(R"(extra {"a":"7","b":"b1"})"));
  EXPECT_THAT(verdict.rows("public.by_unique"),
              ElementsAre(R"(extra {"code":"C3"})", R"(missing {"code":"c3"})"));
  const auto count = [&](const char* table, const char* what) {
    return verdict.table(table).at("rows").at(what).get<int>();
  };
  // {a,a,b} against {b,c,c}: a is missing, c is extra, b stays.
  EXPECT_EQ(count("public.multiset", "missing"), 1);
  EXPECT_EQ(count("public.multiset", "extra"), 1);
  EXPECT_EQ(count("public.multiset", "duplicated"), 0);
  EXPECT_EQ(count("public.no_key", "duplicated"), 1);
  EXPECT_EQ(count("public.no_columns", "duplicated"), 1);
  EXPECT_THAT(verdict.process.output, HasSubstr("id=4"));
  EXPECT_THAT(verdict.process.output, Not(HasSubstr("maybe more")));
}

TEST_P(InEveryMode, RowsAreNamedByTheirKeysWhateverTheseAre) {
  make_copy(kRows);
  expect_equal();
  target().exec(R"(
    UPDATE separators SET a = 'a', b = 'b|c' WHERE id = 1;
    UPDATE swapped SET v = CASE id WHEN 4 THEN 'v5' ELSE 'v4' END WHERE id IN (4, 5);
    DELETE FROM multiset; INSERT INTO multiset VALUES ('b'), ('c'), ('c');
    DELETE FROM by_uuid WHERE v = 4;
    UPDATE by_text SET v = 0 WHERE v = 5;
    INSERT INTO by_two VALUES (7, 'b1', 1);
    UPDATE by_unique SET code = 'C3' WHERE code = 'c3';
    INSERT INTO no_key VALUES (3, 'x');
    INSERT INTO no_columns DEFAULT VALUES;)");
  for (const auto& mode : modes()) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    expect_row_faults(compare(mode));
  }
}

TEST_P(InEveryMode, WhatIsNoRowIsFoundToo) {
  make_copy(R"(
    CREATE TABLE t (id serial PRIMARY KEY, v text);
    INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 10);
    CREATE SEQUENCE alone; SELECT nextval('alone'), nextval('alone');
    CREATE SEQUENCE down INCREMENT -2 START 100 MAXVALUE 100; SELECT nextval('down'), nextval('down');
    CREATE TABLE gone (id int); CREATE TABLE column_gone (a int, b int);
    CREATE TABLE retyped (id int PRIMARY KEY, v int); INSERT INTO retyped VALUES (1, 2);
    CREATE MATERIALIZED VIEW stale AS SELECT count(*) FROM t;
    CREATE MATERIALIZED VIEW unpopulated AS SELECT 1 AS one;
    SELECT lo_from_bytea(70001, 'same'), lo_from_bytea(70002, 'other'), lo_from_bytea(70003, ''))");
  expect_equal();
  target().exec(R"(
    SELECT setval('t_id_seq', 9); SELECT setval('alone', 1); SELECT setval('down', 100);
    DELETE FROM t WHERE id = 7; REFRESH MATERIALIZED VIEW stale; INSERT INTO t VALUES (7, 'x'); DELETE FROM t WHERE id = 8;
    DROP TABLE gone; ALTER TABLE column_gone DROP b; CREATE TABLE surplus (id int);
    ALTER TABLE retyped ALTER v TYPE bigint;
    REFRESH MATERIALIZED VIEW unpopulated WITH NO DATA;
    SELECT lo_put(70002, 0, 'O'), lo_unlink(70003);)");
  for (const auto& mode : modes()) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    const auto verdict = compare(mode);
    EXPECT_EQ(verdict.code(), 1) << verdict.text();
    const auto differences = verdict.remarks("differences");
    EXPECT_THAT(differences, Contains(HasSubstr("sequence public.t_id_seq: will give 10 on the target")));
    EXPECT_THAT(differences, Contains(HasSubstr("sequence public.alone: will give 2 on the target")));
    EXPECT_THAT(differences, Contains(HasSubstr("sequence public.down: will give 98 on the target")));
    EXPECT_THAT(
        verdict.definitions(),
        IsSupersetOf({"table public.gone", "table public.surplus", "column public.column_gone.b",
                      "column public.retyped.v type", "materialized view public.unpopulated without data"}));
    EXPECT_THAT(verdict.rows("public.t"), ElementsAre(R"(missing {"id":"8"})"));
    EXPECT_THAT(verdict.rows("large objects"), ElementsAre(R"(changed {"oid":"70002","page":"0"} data)",
                                                           R"(missing {"oid":"70003","page":"0"})"));
    if (mode == after_copy()) {
      EXPECT_THAT(verdict.remarks("skipped"), Contains(HasSubstr("materialized view public.stale")));
    } else {
      EXPECT_EQ(verdict.state("public.retyped"), "equal");
      EXPECT_EQ(verdict.state("public.stale"), "different");
    }
  }
}

// ------------------------------------------------------------------------------------------- another
// collation

// The target may sort as it likes, and be as wise about letters as it likes: what is equal is equal.
TEST(NoFalseAlarms, ATargetOfAnotherCollationIsEqual) {
  const support::TestDatabase source(source_server());
  source.exec(R"(
    CREATE TABLE t (name text PRIMARY KEY, v varchar(20) UNIQUE, c text COLLATE "C");
    INSERT INTO t SELECT (ARRAY['key ', 'Key ', '-KEY ', U&'k\00e9y ', U&'ke\0301y '])[1 + i % 5] || i, 'v' || i, 'x'
      FROM generate_series(1, 5000) i;
    CREATE TABLE no_key (a text, b char(5)); INSERT INTO no_key SELECT v, 'x' FROM t;
    CREATE INDEX ON t (lower(name)))");
  const support::TestDatabase target(target_server(),
                                     "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
  const auto* order = "SELECT string_agg(v, ' ' ORDER BY v) FROM (VALUES ('b'), ('A'), ('a'), ('-B')) t (v)";
  ASSERT_NE(source.value(order), target.value(order));
  const copy::test::Copy way(source.url(), target.url());
  ASSERT_TRUE(exits(way.copy(), 0));
  for (const auto& mode : {Arguments{},
                           {"--run-dir", way.run_dir()},
                           {"--server-side"},
                           {"--strong"},
                           {"--split-size", "64kB"}}) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    const auto verdict = compare(source.url(), target.url(), mode);
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(verdict.definitions(), IsEmpty());
    EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.no_key", "public.t"));
  }
}

}  // namespace
}  // namespace verify::test
