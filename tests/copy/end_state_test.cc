#include "copy/end_state.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

EndState some() {
  EndState state;
  state.sequences = {{{"public", "s\n\"q\""}, std::numeric_limits<int64_t>::min(), true},
                     {{"a", "b"}, std::numeric_limits<int64_t>::max(), false}};
  state.large_objects = {{4294967295, "old owner", "it's"}, {1, "rdsadmin", ""}};
  state.large_object_grants = {
      {1, "", "SELECT", false}, {1, "app", "UPDATE", true}, {1, "rds_superuser", "SELECT", false}};
  return state;
}

TEST(EndState, RoundTrips) {
  const auto state = EndState::from_json(some().to_json());
  EXPECT_EQ(state.to_json(), some().to_json());
  EXPECT_EQ(state.sequences[0].last_value, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(state.sequences[1].last_value, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(state.large_objects[0].oid, 4294967295);
  EXPECT_THAT([] { EndState::from_json("{\"sequences\": 1}"); }, throws(ErrorKind::corrupt));
}

TEST(LargeObjectStatements, MapRolesAndLeaveTheProvidersOut) {
  Options options;
  options.role_map = {{"old owner", "new owner"}};
  EXPECT_THAT(large_object_statements(some(), options),
              ElementsAre("COMMENT ON LARGE OBJECT 4294967295 IS 'it''s'",
                          "ALTER LARGE OBJECT 4294967295 OWNER TO \"new owner\"",
                          "GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC",
                          "GRANT UPDATE ON LARGE OBJECT 1 TO \"app\" WITH GRANT OPTION"));
  options.owners = false;
  options.grants = false;
  EXPECT_THAT(large_object_statements(some(), options),
              ElementsAre("COMMENT ON LARGE OBJECT 4294967295 IS 'it''s'"));
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
