// Who owns large objects, who may use them, and what is said of them.

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kSome =
    "CREATE TABLE t (id int PRIMARY KEY); SELECT lo_create(i) FROM generate_series(1, 7) i";

TEST(LargeObjects, OwnersPrivilegesAndCommentsAreCompared) {
  const Pair pair(kSome, kSome);
  EXPECT_EQ(pair.compare().code(), 0);
  // The last has privileges again that it had by default.
  pair.target.exec(R"(
    ALTER LARGE OBJECT 2 OWNER TO pg_monitor; GRANT SELECT ON LARGE OBJECT 3 TO PUBLIC;
    COMMENT ON LARGE OBJECT 4 IS 'x'; REVOKE SELECT ON LARGE OBJECT 5 FROM CURRENT_USER;
    REVOKE ALL ON LARGE OBJECT 7 FROM CURRENT_USER;
    GRANT SELECT ON LARGE OBJECT 6 TO PUBLIC; REVOKE SELECT ON LARGE OBJECT 6 FROM PUBLIC)");
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(
      verdict.definitions(),
      ElementsAre("large object 2 owner", "large object 3 privileges of PUBLIC", "large object 4 comment",
                  "large object 5 privileges of the owner", "large object 7 privileges of the owner"));
  EXPECT_EQ(verdict.state("large objects"), "equal");
  EXPECT_EQ(verdict.report.at("catalog").at("compared").at("large object"), 7);
  EXPECT_THAT(pair.compare({"--no-owners", "--no-grants"}).definitions(),
              ElementsAre("large object 4 comment"));
  const auto waived = pair.compare({"--waive", "large object *"});
  EXPECT_EQ(waived.code(), 5) << waived.text();
  EXPECT_THAT(waived.report.at("catalog").at("unused_waivers"), IsEmpty());
  const auto without = pair.compare({"--exclude", "pg_catalog.pg_largeobject"});
  EXPECT_EQ(without.code(), 0) << without.text();
  EXPECT_THAT(without.report.at("catalog").at("excluded_objects"),
              Contains(json{{"kind", "large object"}, {"object", "*"}}));
}

// Which there are is a matter of their contents.
TEST(LargeObjects, ThatAreOnOneSideOnlyAreFoundByTheirContents) {
  const Pair pair(kSome, kSome);
  pair.source.exec("SELECT lo_create(10); GRANT SELECT ON LARGE OBJECT 10 TO PUBLIC");
  pair.target.exec(
      "SELECT lo_create(11); ALTER LARGE OBJECT 1 OWNER TO pg_monitor; COMMENT ON LARGE OBJECT 6 IS 'x'");
  const auto verdict = pair.compare();
  EXPECT_THAT(verdict.definitions(), ElementsAre("large object 1 owner", "large object 6 comment"));
  EXPECT_THAT(verdict.rows("large objects"),
              ElementsAre(R"(extra {"oid":"11","page":"0"})", R"(missing {"oid":"10","page":"0"})"));
}

TEST(LargeObjects, RolesAreMapped) {
  const support::TestRole before(source_server());
  const support::TestRole after(target_server());
  const Pair pair(kSome, kSome);
  for (const auto& [database, role] : {std::pair(&pair.source, &before), std::pair(&pair.target, &after)})
    database->exec(fmt::format("ALTER LARGE OBJECT 1 OWNER TO {0}; GRANT UPDATE ON LARGE OBJECT 2 TO {0}",
                               role->name()));
  EXPECT_EQ(pair.compare().code(), 1);
  const Arguments mapped{"--role-map", before.name() + "=" + after.name()};
  const auto verdict = pair.compare(mapped);
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  // One whose owner has the same name on both sides is another's, as the map has it.
  pair.source.exec("ALTER LARGE OBJECT 3 OWNER TO pg_monitor");
  pair.target.exec("ALTER LARGE OBJECT 3 OWNER TO pg_monitor");
  EXPECT_THAT(pair.compare({"--role-map", mapped[1] + ",pg_monitor=" + after.name()}).definitions(),
              ElementsAre("large object 3 owner"));
}

// There may be millions of them; neither they nor what is wrong with them is held.
TEST(LargeObjects, ManyAreCountedAndTheFirstOnesNamed) {
  const char* many =
      "CREATE TABLE t (id int PRIMARY KEY); SELECT lo_create(i) FROM generate_series(1, 4500) i";
  const Pair pair(many, many);
  pair.target.exec(
      "DO $$ BEGIN FOR i IN 1..4500 LOOP EXECUTE format('ALTER LARGE OBJECT %s OWNER TO pg_monitor', i); END "
      "LOOP; END $$; COMMENT ON LARGE OBJECT 4500 IS 'x'");
  const Arguments level{"--level", "catalog"};
  const auto verdict = pair.compare(level);
  EXPECT_EQ(verdict.code(), 1);
  const auto& differences = verdict.report.at("catalog").at("differences");
  ASSERT_EQ(differences.size(), 1002U);
  const auto definitions = verdict.definitions();
  EXPECT_THAT(definitions, Contains("large object 1000 owner"));
  EXPECT_THAT(definitions, Contains("large object (3500 more) owner"));
  EXPECT_THAT(definitions, Contains("large object (1 more) comment"));
  EXPECT_EQ(differences.back().at("parts"), 3500);
  // What is waived takes nobody's place.
  const auto waived = pair.compare({"--level", "catalog", "--waive", "large object * owner"});
  EXPECT_EQ(waived.code(), 1);
  EXPECT_THAT(waived.definitions(), ElementsAre("large object 4500 comment"));
  EXPECT_EQ(waived.report.at("catalog").at("waived").size(), 1001U);
}

TEST(LargeObjects, WhoseCommentsMayNotBeReadAreNotCompared) {
  const support::TestRole reader(target_server());
  const Pair pair(kSome, kSome);
  pair.target.exec(
      "REVOKE SELECT ON pg_catalog.pg_description FROM PUBLIC; GRANT SELECT ON t TO PUBLIC;"
      "DO $$ BEGIN FOR i IN 1..7 LOOP EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO PUBLIC', i); END "
      "LOOP; END $$");
  const auto verdict = compare(pair.source.url(), pair.target.url(reader.name()));
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.remarks("unchecked"),
              Contains(HasSubstr("every large object at the target: permission")));
}

}  // namespace
}  // namespace verify::test
