#include "copy/entry_file.h"

#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "copy/schema.h"
#include "tests/base/temporary_directory.h"

namespace copy {
namespace {

TocEntry entry_of(uint32_t id, std::string sql) {
  TocEntry entry;
  entry.id = id;
  entry.catalog = 1259;
  entry.oid = 16384 + id;
  entry.description = id % 2 == 0 ? "INDEX" : "CONSTRAINT";
  entry.schema = "public";
  entry.name = fmt::format("t \n{}", id);
  entry.owner = "";
  entry.dependencies = {5, id};
  entry.sql = std::move(sql);
  return entry;
}

void expect_equal(const TocEntry& found, const TocEntry& expected) {
  EXPECT_EQ(found.id, expected.id);
  EXPECT_EQ(found.catalog, expected.catalog);
  EXPECT_EQ(found.oid, expected.oid);
  EXPECT_EQ(found.description, expected.description);
  EXPECT_EQ(found.schema, expected.schema);
  EXPECT_EQ(found.name, expected.name);
  EXPECT_EQ(found.owner, expected.owner);
  EXPECT_EQ(found.dependencies, expected.dependencies);
  EXPECT_EQ(found.sql, expected.sql);
}

// On both sides of what is written at once.
TEST(EntryFile, GivesBackWhatWasPutIn) {
  const base::test::TemporaryDirectory directory;
  EntryFile file(directory.path());
  std::vector<StoredEntry> stored;
  const auto entry = [](uint32_t id) { return entry_of(id, std::string(id % 7 == 0 ? 100'000 : id, 'x')); };
  for (uint32_t id = 0; id < 500; ++id) stored.push_back(file.add(entry(id)));
  for (uint32_t id = 500; id-- > 0;) {
    EXPECT_EQ(stored[id].id, id);
    EXPECT_EQ(stored[id].oid, 16384 + id);
    EXPECT_EQ(stored[id].is_index, id % 2 == 0);
    expect_equal(file.read(stored[id]), entry(id));
  }
}

TEST(EntryFile, LeavesNoNameBehind) {
  const base::test::TemporaryDirectory directory;
  const EntryFile file(directory.path());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(EntryIds, AreOfTwoSteps) {
  EntryIds ids;
  EXPECT_FALSE(ids.contains(7));
  ids.insert(7);
  ids.insert(ItemRunner::second_step(9));
  EXPECT_TRUE(ids.contains(7));
  EXPECT_TRUE(ids.contains(ItemRunner::second_step(9)));
  for (const uint32_t other : {6U, 8U, 9U, 1000U, ItemRunner::second_step(7), ItemRunner::second_step(10)})
    EXPECT_FALSE(ids.contains(other)) << other;
  ids.clear();
  EXPECT_FALSE(ids.contains(7));
}

}  // namespace
}  // namespace copy
