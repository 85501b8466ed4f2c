#include "copy/end_state.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/base/matchers.h"
#include "tests/base/text_sink.h"
#include "tests/base/trickle.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<EndRecord> some_end_state() {
  return {SequenceValue{{"public", "s\n\"q\""}, std::numeric_limits<int64_t>::min(), true},
          SequenceValue{{"a", "b"}, std::numeric_limits<int64_t>::max(), false},
          LargeObjectInfo{4294967295, "old owner", "it's"},
          LargeObjectInfo{1, "rdsadmin", ""},
          LargeObjectGrant{1, "", "SELECT", false},
          LargeObjectGrant{1, "app", "UPDATE", true},
          LargeObjectGrant{1, "rds_superuser", "SELECT", false}};
}

std::string lines_of(const std::vector<EndRecord>& records) {
  base::test::TextSink out;
  for (const auto& record : records) write_end_record(record, out);
  return out.text;
}

std::vector<EndRecord> records_in(const std::string& text) {
  base::test::Trickle in(text);
  std::vector<EndRecord> records;
  EndRecords lines(in);
  while (auto record = lines.next()) records.push_back(*std::move(record));
  return records;
}

std::vector<std::string> statements_for(const Options& options) {
  std::vector<std::string> out;
  for (const auto& record : some_end_state())
    for (auto& statement : large_object_statements(record, options)) out.push_back(std::move(statement));
  return out;
}

TEST(EndState, RoundTrips) {
  const auto records = records_in(lines_of(some_end_state()));
  EXPECT_EQ(lines_of(records), lines_of(some_end_state()));
  ASSERT_EQ(records.size(), some_end_state().size());
  EXPECT_EQ(std::get<SequenceValue>(records[0]).last_value, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(std::get<SequenceValue>(records[1]).last_value, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(std::get<LargeObjectInfo>(records[2]).oid, 4294967295);
  EXPECT_THAT(records_in(""), IsEmpty());
}

TEST(EndState, WhatIsNoneIsRefused) {
  for (const std::string text : {"{\"sequence\": 1}\n", "{\"table\": {}}\n", "{\"sequence", "[]\n"})
    EXPECT_THAT([&] { records_in(text); }, throws(ErrorKind::corrupt)) << text;
}

TEST(LargeObjectStatements, MapRolesAndLeaveTheProvidersOut) {
  Options options;
  options.role_map = {{"old owner", "new owner"}};
  EXPECT_THAT(statements_for(options),
              ElementsAre("COMMENT ON LARGE OBJECT 4294967295 IS 'it''s'",
                          "ALTER LARGE OBJECT 4294967295 OWNER TO \"new owner\"",
                          "GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC",
                          "GRANT UPDATE ON LARGE OBJECT 1 TO \"app\" WITH GRANT OPTION"));
  options.owners = false;
  options.grants = false;
  EXPECT_THAT(statements_for(options), ElementsAre("COMMENT ON LARGE OBJECT 4294967295 IS 'it''s'"));
}

TEST(DatabaseStatements, ListsStayListsAndTheRestIsOneValue) {
  pg::Database database;
  database.settings = {{"", "search_path=app, \"My Schema\""},
                       {"", "search_path=\"\""},
                       {"app", "work_mem=7MB"},
                       {"", "my.own=a, b = 'c'"},
                       {"rds_superuser", "work_mem=1MB"}};
  database.comment = "it's";
  Options options;
  options.role_map = {{"app", "New"}};
  EXPECT_THAT(database_statements(database, "Target DB", options),
              ElementsAre("ALTER DATABASE \"Target DB\" SET \"search_path\" TO app, \"My Schema\"",
                          "ALTER DATABASE \"Target DB\" SET \"search_path\" TO ''",
                          "ALTER ROLE \"New\" IN DATABASE \"Target DB\" SET \"work_mem\" TO '7MB'",
                          "ALTER DATABASE \"Target DB\" SET \"my.own\" TO 'a, b = ''c'''",
                          "COMMENT ON DATABASE \"Target DB\" IS 'it''s'"));
  EXPECT_THAT(database_statements({}, "x", options), IsEmpty());
}

}  // namespace
}  // namespace copy
