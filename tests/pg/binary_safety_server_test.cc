#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/binary_safety.h"
#include "pg/copy_stream.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"
#include "tests/support/database_digest.h"

// Two databases with the same types under other oids, as a source and its target are. Whatever is called safe
// must survive a binary COPY from one to the other; what is called unsafe is listed here too, so that a
// change of the list is a change of this file.

namespace pg {
namespace {

constexpr const char* kTypes =
    "CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;"
    "CREATE TYPE mood AS ENUM ('glum', 'merry'); ALTER TYPE mood ADD VALUE 'so so' "
    "BEFORE 'merry';"
    "CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0); CREATE DOMAIN small_amount AS amount;"
    "CREATE DOMAIN words AS text[]; CREATE DOMAIN mood_domain AS mood; CREATE TYPE pair AS (a int, b text);"
    "CREATE DOMAIN pair_domain AS pair; CREATE TYPE amounts AS RANGE (subtype = numeric);"
    "CREATE TYPE moods AS RANGE (subtype = mood); CREATE DOMAIN pair_array AS pair[];"
    "CREATE EXTENSION cube";

struct Case {
  const char* type;
  const char* value;  // SQL
  bool safe;
  int since = 12;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"bool", "true", true},
      {"bytea", "'\\x00ff'::bytea", true},
      {"\"char\"", "'x'", true},
      {"name", "'a name'", true},
      {"int8", "-9223372036854775808", true},
      {"int2", "-32768", true},
      {"int4", "2147483647", true},
      {"text", "'ä\\N'", true},
      {"oid", "4294967295", true},
      {"json", "'{\"a\": [1, null]}'", true},
      {"jsonb", "'{\"a\": [1, null]}'", true},
      {"jsonpath", "'$.a[*] ? (@ > 1)'", true},
      {"point", "'(1.5,-2)'", true},
      {"lseg", "'[(0,0),(1,1)]'", true},
      {"path", "'[(0,0),(1,1),(2,0)]'", true},
      {"box", "'(1,1),(0,0)'", true},
      {"polygon", "'((0,0),(1,1),(1,0))'", true},
      {"line", "'{1,2,3}'", true},
      {"circle", "'<(0,0),5>'", true},
      {"float4", "'NaN'", true},
      {"float8", "1e-308", true},
      {"macaddr", "'08:00:2b:01:02:03'", true},
      {"macaddr8", "'08:00:2b:01:02:03:04:05'", true},
      {"inet", "'2001:db8::1/64'", true},
      {"cidr", "'10.0.0.0/8'", true},
      {"char(5)", "'ab'", true},
      {"varchar(9)", "'abc '", true},
      {"date", "'infinity'", true},
      {"time", "'24:00:00'", true},
      {"timestamp", "'0044-03-15 BC'", true},
      {"timestamptz", "'-infinity'", true},
      {"interval", "'1 mon -2 days 03:04:05.6'", true},
      {"timetz", "'01:02:03+04:30'", true},
      {"bit(5)", "B'10101'", true},
      {"varbit", "B'101'", true},
      {"numeric", "12345678901234567890.000100", true},
      {"numeric(9,2)", "'NaN'", true},
      {"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", true},
      {"money", "'12.34'", true},
      {"pg_lsn", "'16/B374D848'", true},
      {"xid", "'42'", true},
      {"xid8", "'42'", true, 13},
      {"tid", "'(1,2)'", true},
      {"txid_snapshot", "'10:20:10,14'", true},
      {"pg_snapshot", "'10:20:10,14'", true, 13},
      {"int4range", "'[1,5)'", true},
      {"numrange", "'(,1.5]'", true},
      {"tstzrange", "'[2024-01-01 00:00+00,)'", true},
      {"int4multirange", "'{[1,2),[5,6)}'", true, 14},
      {"text[]", "ARRAY['a', NULL, '']", true},
      {"int4[]", "'[2:3]={1,2}'", true},
      {"numeric[]", "'{{1,2},{3,4}}'", true},
      {"int4range[]", "ARRAY['[1,2)'::int4range]", true},
      {"int2vector", "'1 2 3'", false},
      {"hstore", "'a=>1, b=>NULL'", true},
      {"citext", "'MiXed'", true},
      {"ltree", "'a.b.c'", true, 13},
      {"lquery", "'*.b.*'", true, 13},
      {"ltxtquery", "'a & b'", true, 13},
      {"mood", "'so so'", true},
      {"amount", "17", true},
      {"small_amount", "17.5", true},
      {"words", "ARRAY['a','b']", true},
      {"mood_domain", "'glum'", true},
      {"amounts", "'[1,2)'", true},
      {"moods", "'[glum,merry)'", true},

      {"mood[]", "ARRAY['glum'::mood]", false},
      {"amount[]", "ARRAY[1::amount]", false},
      {"amounts[]", "ARRAY['[1,2)'::amounts]", false},
      {"pair", "ROW(1, 'a')::pair", false},
      {"pair[]", "ARRAY[ROW(1, 'a')::pair]", false},
      {"pair_domain", "ROW(1, 'a')::pair", false},
      {"pair_array", "ARRAY[ROW(1, 'a')::pair]", false},
      {"hstore[]", "ARRAY['a=>1'::hstore]", false},
      {"citext[]", "ARRAY['a'::citext]", false},
      {"cube", "'(1,2)'", false},
      {"regclass", "'pg_class'", false},
      {"regtype", "'mood'", false},
      {"regproc", "'now'", false},
      {"regclass[]", "ARRAY['pg_class'::regclass]", false},
      {"xml", "'<a/>'", false},
      {"tsvector", "'a:1 b:2'", false},
      {"tsquery", "'a & b'", false},
      {"aclitem", "'=r/postgres'", false},
      {"oidvector", "'1 2'", false},
  };
  return all;
}

class BinarySafetyServer : public ::testing::TestWithParam<int> {
 protected:
  static const support::Cluster& cluster() { return support::cluster(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Majors, BinarySafetyServer, ::testing::Values(12, 15, 18),
                         [](const auto& test) { return std::to_string(test.param); });

Oid oid_of(Connection& connection, const char* type) {
  return connection.exec(fmt::format("SELECT '{}'::pg_catalog.regtype::oid", type)).oid(0, 0);
}

bool exists_here(Connection& connection, const Case& test_case) {
  return connection.major() >= test_case.since;
}

TEST_P(BinarySafetyServer, EveryTypeOfTheTable) {
  const support::TestDatabase database(cluster());
  database.exec(kTypes);
  auto connection = test::connect(database);
  const BinarySafety safety(connection);
  for (const auto& test_case : cases())
    if (exists_here(connection, test_case)) {
      EXPECT_EQ(safety.is_safe(oid_of(connection, test_case.type)), test_case.safe) << test_case.type;
    }
}

TEST_P(BinarySafetyServer, WhatIsSafeSurvivesABinaryCopy) {
  const support::TestDatabase source(cluster());
  const support::TestDatabase target(support::cluster(15, "target"));
  target.exec("CREATE TYPE shift_the_oids AS (a int); CREATE TABLE shift_them_more ()");
  source.exec(kTypes);
  target.exec(kTypes);
  auto from = test::connect(source);
  auto to = test::connect(target);
  int number = 0;
  for (const auto& test_case : cases()) {
    if (!test_case.safe || !exists_here(from, test_case)) continue;
    const auto table = fmt::format("t{}", ++number);
    const auto create = fmt::format("CREATE TABLE {} (v {})", table, test_case.type);
    from.exec(create);
    to.exec(create);
    from.exec(fmt::format("INSERT INTO {} VALUES ({}), (NULL)", table, test_case.value));
    CopyReader reader(from, fmt::format("COPY {} TO STDOUT (FORMAT binary)", table));
    CopyWriter writer(to, fmt::format("COPY {} FROM STDIN (FORMAT binary)", table));
    std::vector<std::byte> buffer(kCopyBatch);
    while (const auto size = reader.read(buffer)) writer.write(std::span(buffer).first(size));
    ASSERT_NO_THROW(writer.finish()) << test_case.type;
  }
  target.exec("DROP TABLE shift_them_more");
  EXPECT_EQ(support::database_digest(source.url()), support::database_digest(target.url()));
}

TEST(BinarySafety12Server, AnExtensionTooOldForABinaryFormIsNotSafe) {
  const support::TestDatabase database(support::cluster(12));
  database.exec(kTypes);
  auto connection = test::connect(database);
  EXPECT_FALSE(BinarySafety(connection).is_safe(oid_of(connection, "ltree")));
}

// Every built-in type that is called safe must have a row in the table above.
TEST_P(BinarySafetyServer, NoBuiltInTypeIsSafeWithoutATest) {
  const support::TestDatabase database(cluster());
  database.exec(kTypes);
  auto connection = test::connect(database);
  const BinarySafety safety(connection);
  std::set<Oid> tested;
  for (const auto& test_case : cases())
    if (exists_here(connection, test_case)) tested.insert(oid_of(connection, test_case.type));
  const auto types = connection.exec(
      "SELECT oid, typname FROM pg_type WHERE typtype = 'b' AND typcategory <> 'A' AND oid < 16384");
  for (int row = 0; row < types.rows(); ++row)
    EXPECT_TRUE(!safety.is_safe(types.oid(row, 0)) || tested.contains(types.oid(row, 0)))
        << types.text(row, 1);
}

TEST_P(BinarySafetyServer, ATypeOfTheUsersWithAKnownNameIsNotTrusted) {
  const support::TestDatabase database(cluster());
  database.exec(
      "CREATE TYPE hstore; CREATE FUNCTION hstore_in(cstring) RETURNS hstore LANGUAGE internal IMMUTABLE "
      "STRICT AS 'textin';"
      "CREATE FUNCTION hstore_out(hstore) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';"
      "CREATE TYPE hstore (INPUT = hstore_in, OUTPUT = hstore_out, LIKE = text)");
  auto connection = test::connect(database);
  EXPECT_FALSE(BinarySafety(connection).is_safe(oid_of(connection, "hstore")));
  EXPECT_FALSE(BinarySafety(connection).is_safe(4'000'000'000U)) << "no such type";
}

}  // namespace
}  // namespace pg
