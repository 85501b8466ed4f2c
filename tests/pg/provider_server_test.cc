// Whose a schema is does not hang on its name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/provider.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"

namespace pg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(VendorSchemas, AreThoseThatAProvidersRoleOrExtensionVouchesFor) {
  const support::TestDatabase database(support::cluster(15));
  auto connection = test::open(database);
  connection.exec("BEGIN; CREATE SCHEMA auth; CREATE SCHEMA cron; CREATE SCHEMA neon; CREATE SCHEMA mine");
  EXPECT_THAT(read_vendor_schemas(connection), IsEmpty());
  connection.exec("CREATE ROLE supabase_admin; ALTER SCHEMA mine OWNER TO supabase_admin");
  EXPECT_THAT(read_vendor_schemas(connection), ElementsAre("auth"));
  connection.exec("CREATE ROLE neon_superuser; ALTER SCHEMA neon OWNER TO neon_superuser");
  EXPECT_THAT(read_vendor_schemas(connection), ElementsAre("auth", "neon"));
  // Another's extension may lie anywhere.
  connection.exec("UPDATE pg_extension SET extnamespace = 'cron'::regnamespace");
  EXPECT_THAT(read_vendor_schemas(connection), ElementsAre("auth", "neon"));
  connection.exec("UPDATE pg_extension SET extname = 'pg_cron'");
  EXPECT_THAT(read_vendor_schemas(connection), ElementsAre("auth", "cron", "neon"));
  connection.exec("ROLLBACK");
}

}  // namespace
}  // namespace pg
