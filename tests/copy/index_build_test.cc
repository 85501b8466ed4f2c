#include "copy/index_build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/temporary_directory.h"

namespace copy {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDefinition =
    "CREATE UNIQUE INDEX \"orders \"\"key\"\"\" ON public.\"Orders\" USING btree (id)";

struct Item {
  Item(std::string description, char constraint_type, std::string sql, const std::string& options = {},
       const std::string& method = "btree") {
    plan.relations.resize(1);
    plan.relations[0].oid = 10;
    plan.relations[0].name = {"public", "Orders"};
    pg::Index index;
    index.oid = 20;
    index.table = 10;
    index.words({{"public", "orders \"key\""}, method, kDefinition, options});
    index.constraint = constraint_type == '\0' ? 0 : 30;
    index.constraint_type = constraint_type;
    plan.indexes.push_back(index);
    entry.id = 5;
    entry.oid = description == "INDEX" ? 20 : 30;
    entry.description = std::move(description);
    entry.sql = std::move(sql);
    schema.entries.emplace(directory.path());
    schema.indexes.push_back(schema.entries->add(entry));
  }
  std::string built() const { return build_index_sql(only(), schema.read(*only().entry)); }
  std::string added() const { return add_constraint_sql(plan, only(), schema.read(*only().entry)); }

  base::test::TemporaryDirectory directory;
  Plan plan;
  TocEntry entry;
  SchemaItems schema;

 private:
  IndexItem only() const { return index_items(plan, schema).at(0); }
};

constexpr const char* kAddConstraint =
    "ALTER TABLE ONLY public.\"Orders\"\n    ADD CONSTRAINT \"orders \"\"key\"\"\" PRIMARY KEY (id);\n";

TEST(IndexBuild, APlainIndexIsOneStep) {
  const Item item("INDEX", '\0', "CREATE INDEX i ON t USING btree (a);\n");
  EXPECT_EQ(item.built(), "CREATE INDEX i ON t USING btree (a);\n");
  EXPECT_EQ(item.added(), "");
}

TEST(IndexBuild, APrimaryKeyIsAnIndexThatIsAttached) {
  const Item item("CONSTRAINT", 'p', kAddConstraint);
  EXPECT_EQ(item.built(), kDefinition);
  EXPECT_EQ(item.added(),
            "ALTER TABLE ONLY \"public\".\"Orders\" ADD CONSTRAINT \"orders \"\"key\"\"\" PRIMARY KEY USING "
            "INDEX \"orders \"\"key\"\"\"");
}

TEST(IndexBuild, AKeyWithoutOverlapsIsMadeAsOne) {
  const auto* sql =
      "ALTER TABLE ONLY public.\"Orders\"\n    ADD CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS);\n";
  const Item item("CONSTRAINT", 'p', sql, "", "gist");
  EXPECT_EQ(item.built(), "");
  EXPECT_THAT(item.added(), HasSubstr("ADD CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS)"));
}

TEST(IndexBuild, AUniqueConstraintKeepsItsOptions) {
  const Item item("CONSTRAINT", 'u', kAddConstraint, " DEFERRABLE INITIALLY DEFERRED");
  EXPECT_THAT(item.added(),
              HasSubstr("UNIQUE USING INDEX \"orders \"\"key\"\"\" DEFERRABLE INITIALLY DEFERRED"));
}

TEST(IndexBuild, OtherStatementsOfTheEntryFollow) {
  const Item item("CONSTRAINT", 'p',
                  std::string(kAddConstraint) +
                      "\n\nALTER TABLE public.\"Orders\" CLUSTER ON k;\n\nALTER TABLE ONLY public.\"Orders\" "
                      "REPLICA IDENTITY USING INDEX k;\n");
  const auto sql = item.added();
  EXPECT_THAT(sql, HasSubstr("USING INDEX \"orders \"\"key\"\"\";\nALTER TABLE public.\"Orders\" CLUSTER ON "
                             "k;\nALTER TABLE ONLY"));
}

TEST(IndexBuild, AnExclusionConstraintIsOneStepAtTheEnd) {
  const Item item("CONSTRAINT", 'x', "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (r WITH &&);\n");
  EXPECT_EQ(item.built(), "");
  EXPECT_EQ(item.added(), item.entry.sql);
}

TEST(IndexBuild, AConstraintOfAPartitionedTableIsOneStepAtTheEnd) {
  Item item("CONSTRAINT", 'p', kAddConstraint);
  item.plan.indexes[0].on_partitioned = true;
  EXPECT_EQ(item.built(), "");
  EXPECT_EQ(item.added(), kAddConstraint);
}

TEST(IndexSettings, MemoryAndHelpersAreForBtrees) {
  pg::Index index;
  index.words({.method = "btree"});
  EXPECT_EQ(index_settings_sql(index, 3),
            "SET maintenance_work_mem = '65536kB'; SET max_parallel_maintenance_workers = 0");
  index.bytes = 100ULL << 20;
  EXPECT_EQ(index_settings_sql(index, 3),
            "SET maintenance_work_mem = '204800kB'; SET max_parallel_maintenance_workers = 2");
  EXPECT_THAT(index_settings_sql(index, 1), HasSubstr("max_parallel_maintenance_workers = 1"));
  index.bytes = 1ULL << 40;
  EXPECT_THAT(index_settings_sql(index, 3), HasSubstr("'524288kB'"));
  index.words({.method = "gin"});
  EXPECT_THAT(index_settings_sql(index, 3), HasSubstr("'32768kB'; SET max_parallel_maintenance_workers = 0"));
}

}  // namespace
}  // namespace copy
