// The comparison of two catalogs that were read before: here they are written down.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/catalog.h"

namespace verify {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string marked(const std::string& role) { return "\x01" + role + "\x02"; }

class CatalogCompare : public ::testing::Test {
 protected:
  CatalogCompare() {
    source.server_version = target.server_version = 150000;
    for (auto* catalog : {&source, &target}) {
      add(*catalog, "schema", "app", {{"owner", marked("boss")}}, "app");
      add(*catalog, "table", "app.t",
          {{"owner", marked("boss")},
           {"privileges of the owner", "INSERT, SELECT"},
           {"privileges of " + marked("reader"), "SELECT"}},
          "app", "t");
      add(*catalog, "column", "app.t.id", {{"type", "integer"}, {"not null", "yes"}}, "app", "t");
      add(*catalog, "index", "app.t_idx", {{"definition", "CREATE INDEX t_idx ON app.t USING btree (id)"}},
          "app", "t");
    }
  }

  static CatalogObject& add(Catalog& catalog, const std::string& kind, const std::string& name,
                            std::vector<CatalogProperty> properties, const std::string& schema = {},
                            const std::string& relation = {}) {
    auto& object = catalog.objects[{kind, name}];
    object = {schema, relation, {}, {}, std::move(properties)};
    return object;
  }
  void set(Catalog& catalog, const CatalogKey& key, const std::string& property, const std::string& value) {
    auto& properties = catalog.objects.at(key).properties;
    for (auto& existing : properties)
      if (existing.name == property) {
        existing.value = value;
        return;
      }
    properties.push_back({property, value});
  }
  static std::string text(const CatalogDifference& difference) {
    return fmt::format("{} {} {}: {} -> {} +{}", difference.kind, difference.object, difference.property,
                       difference.source.value_or("-"), difference.target.value_or("-"), difference.parts);
  }
  std::vector<std::string> differences() {
    result = compare(source, target, options);
    std::vector<std::string> out;
    for (const auto& difference : result.differences) out.push_back(text(difference));
    return out;
  }
  template <typename List>
  static std::vector<std::string> texts(const List& list) {
    std::vector<std::string> out;
    for (const auto& [difference, reason] : list) out.push_back(text(difference));
    return out;
  }

  Catalog source, target;
  CatalogOptions options;
  CatalogComparison result;
};

TEST_F(CatalogCompare, EqualOnesAreCountedByKind) {
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_THAT(result.compared,
              UnorderedElementsAre(Pair("schema", 1), Pair("table", 1), Pair("column", 1), Pair("index", 1)));
}

TEST_F(CatalogCompare, APropertyThatChangedAppearedOrWentIsNamedWithBothValues) {
  set(target, {"column", "app.t.id"}, "type", "bigint");
  set(target, {"column", "app.t.id"}, "default", "7");
  set(source, {"table", "app.t"}, "persistence", "unlogged");
  EXPECT_THAT(differences(),
              ElementsAre("column app.t.id default: - -> 7 +0", "column app.t.id type: integer -> bigint +0",
                          "table app.t persistence: unlogged -> - +0"));
}

TEST_F(CatalogCompare, AMissingIndexIsNamedOnEitherSide) {
  target.objects.erase({"index", "app.t_idx"});
  EXPECT_THAT(differences(), ElementsAre("index app.t_idx : present -> - +0"));
  std::swap(source, target);
  EXPECT_THAT(differences(), ElementsAre("index app.t_idx : - -> present +0"));
}

TEST_F(CatalogCompare, AMissingTableIsOneDifferenceWithItsPartsCounted) {
  for (const auto* kind : {"table", "column", "index"})
    std::erase_if(target.objects, [&](const auto& item) { return item.first.kind == kind; });
  EXPECT_THAT(differences(), ElementsAre("table app.t : present -> - +2"));
  target.objects.clear();
  EXPECT_THAT(differences(), ElementsAre("schema app : present -> - +3"));
  EXPECT_EQ(result.compared.at("column"), 1U);
}

TEST_F(CatalogCompare, ATableThatBecameAViewKeepsItsColumnsInTheComparison) {
  target.objects.erase({"table", "app.t"});
  add(target, "view", "app.t", {{"definition", "SELECT 1 AS id"}}, "app", "t");
  set(target, {"column", "app.t.id"}, "type", "bigint");
  EXPECT_THAT(differences(), ElementsAre("column app.t.id type: integer -> bigint +0",
                                         "table app.t : present -> - +0", "view app.t : - -> present +0"));
}

TEST_F(CatalogCompare, RolesAreMappedInNamesAndValues) {
  options.role_map = {{"boss", "New Boss"}, {"reader", "viewer"}};
  EXPECT_THAT(differences(), ElementsAre("schema app owner: \"New Boss\" -> boss +0",
                                         "table app.t owner: \"New Boss\" -> boss +0",
                                         "table app.t privileges of reader: - -> SELECT +0",
                                         "table app.t privileges of viewer: SELECT -> - +0"));
  for (const auto& key : {CatalogKey{"schema", "app"}, CatalogKey{"table", "app.t"}})
    set(target, key, "owner", marked("New Boss"));
  target.objects.at({"table", "app.t"}).properties.back().name = "privileges of " + marked("viewer");
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(CatalogCompare, RolesThatBecomeOneJoinTheirGrants) {
  options.role_map = {{"boss", "all"}, {"reader", "all"}, {"writer", "all"}};
  for (const auto& key : {CatalogKey{"schema", "app"}, CatalogKey{"table", "app.t"}})
    set(target, key, "owner", marked("all"));
  auto& properties = source.objects.at({"table", "app.t"}).properties;
  properties.push_back(
      {"privileges of " + marked("writer") + " from " + marked("boss"), "DELETE WITH GRANT OPTION"});
  properties.push_back({"privileges of " + marked("other") + " from " + marked("reader"), "SELECT"});
  target.objects.at({"table", "app.t"}).properties = {
      {"owner", marked("all")},
      {"privileges of the owner", "DELETE WITH GRANT OPTION, INSERT, SELECT"},
      {"privileges of " + marked("other"), "SELECT"}};
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(CatalogCompare, OwnersAndGrantsCanBeLeftOut) {
  set(target, {"table", "app.t"}, "owner", marked("somebody"));
  set(target, {"table", "app.t"}, "privileges of the owner", "SELECT");
  set(target, {"table", "app.t"}, "privileges of PUBLIC", "SELECT");
  add(source, "default privileges", marked("boss") + "(tables)", {});
  EXPECT_EQ(differences().size(), 4U);
  options.owners = false;
  EXPECT_THAT(differences(), ElementsAre("default privileges boss(tables) : present -> - +0",
                                         "table app.t privileges of PUBLIC: - -> SELECT +0"));
  options.grants = false;
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(CatalogCompare, WhatIsNotSelectedIsNamed) {
  target.objects.erase({"table", "app.t"});
  target.objects.erase({"column", "app.t.id"});
  auto& key = add(source, "constraint", "app.other.fk", {}, "app", "other");
  key.other_schema = "app";
  key.other_relation = "t";
  options.selects = [](std::string_view schema, std::string_view relation) {
    return schema == "app" && relation != "t";
  };
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_THAT(result.excluded,
              ElementsAre(CatalogKey{"column", "app.t.id"}, CatalogKey{"constraint", "app.other.fk"},
                          CatalogKey{"index", "app.t_idx"}, CatalogKey{"table", "app.t"}));
}

TEST_F(CatalogCompare, TheUsersWaiversAreReportedAndThoseThatDidNothingToo) {
  options.waivers = {CatalogWaiver::parse("index app.*"), CatalogWaiver::parse("column *.id default"),
                     CatalogWaiver::parse("* app.t owner"), CatalogWaiver::parse("function *")};
  options.waivers[0].reason = "made later";
  target.objects.erase({"index", "app.t_idx"});
  set(target, {"column", "app.t.id"}, "default", "7");
  set(target, {"column", "app.t.id"}, "type", "bigint");
  set(target, {"table", "app.t"}, "owner", marked("somebody"));
  EXPECT_THAT(differences(), ElementsAre("column app.t.id type: integer -> bigint +0"));
  EXPECT_EQ(result.waived.size(), 3U);
  EXPECT_EQ(result.waived[1].reason, "made later");
  ASSERT_EQ(result.unused_waivers.size(), 1U);
  EXPECT_EQ(result.unused_waivers[0].kind, "function");
}

TEST_F(CatalogCompare, TheProvidersOwnIsWaived) {
  source.vendor_schemas = {"neon"};
  add(source, "schema", "neon", {{"owner", marked("cloud_admin")}}, "neon");
  add(source, "table", "neon.health", {}, "neon", "health");
  add(source, "extension", "neon", {{"version", "1.5"}});
  add(source, "event trigger", "issue_graphql", {{"owner", marked("supabase_admin")}});
  add(source, "default privileges", marked("cloud_admin") + "(tables)", {});
  set(source, {"table", "app.t"}, "privileges of " + marked("neon_superuser"), "SELECT");
  set(source, {"schema", "app"}, "owner", marked("cloud_admin"));
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_THAT(texts(result.of_provider),
              UnorderedElementsAre("schema neon : present -> - +0", "extension neon : present -> - +0",
                                   "event trigger issue_graphql : present -> - +0",
                                   "default privileges cloud_admin(tables) : present -> - +0",
                                   "table app.t privileges of neon_superuser: SELECT -> - +0",
                                   "schema app owner: cloud_admin -> boss +0"));
}

TEST_F(CatalogCompare, TheProvidersGrantsOnSystemObjectsAreWaivedWhereTheyAreAlone) {
  constexpr const char* kKind = "privileges on a function";
  add(target, kKind, "pg_catalog.f()", {{"granted to " + marked("rds_superuser"), "EXECUTE"}});
  add(target, kKind, "pg_catalog.g()",
      {{"granted to " + marked("rds_superuser"), "EXECUTE"}, {"granted to PUBLIC", "EXECUTE"}});
  EXPECT_THAT(differences(), ElementsAre("privileges on a function pg_catalog.g() : - -> present +0"));
  EXPECT_THAT(texts(result.of_provider),
              ElementsAre("privileges on a function pg_catalog.f() : - -> present +0"));
}

TEST_F(CatalogCompare, WhatBothSidesHaveOfTheProviderIsListedOnce) {
  for (auto* catalog : {&source, &target}) {
    catalog->vendor_schemas = {"cron"};
    add(*catalog, "schema", "cron", {}, "cron");
  }
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_THAT(texts(result.of_provider), ElementsAre("schema cron : present -> present +0"));
}

TEST_F(CatalogCompare, WhatOnlyHasTheNameOfAProvidersIsTheUsers) {
  add(source, "schema", "cron", {}, "cron");
  add(source, "table", "cron.mine", {}, "cron", "mine");
  set(source, {"table", "app.t"}, "owner", marked("rds_app"));
  EXPECT_THAT(differences(),
              ElementsAre("schema cron : present -> - +1", "table app.t owner: rds_app -> boss +0"));
  EXPECT_THAT(result.of_provider, IsEmpty());
}

TEST_F(CatalogCompare, WhatTheUserInsistsOnIsComparedWhoeverOwnsIt) {
  for (auto* catalog : {&source, &target}) catalog->vendor_schemas = {"auth"};
  add(source, "table", "auth.users", {}, "auth", "users");
  EXPECT_THAT(differences(), IsEmpty());
  options.own_schemas = {"auth"};
  EXPECT_THAT(differences(), ElementsAre("table auth.users : present -> - +0"));
}

TEST_F(CatalogCompare, TwoThatTheRoleMapMakesOneAreUnchecked) {
  options.role_map = {{"one", "app"}, {"two", "app"}};
  for (const auto* role : {"one", "two"})
    add(source, "setting", "work_mem(" + marked(role) + ")", {{"value", role}});
  add(target, "setting", "work_mem(" + marked("app") + ")", {{"value", "one"}});
  EXPECT_THAT(differences(), IsEmpty());
  ASSERT_EQ(result.unchecked.size(), 1U);
  EXPECT_EQ(result.unchecked[0].what, "setting work_mem(app) at the source");
}

TEST_F(CatalogCompare, ATargetThatTheProviderOwnsIsADifference) {
  set(target, {"table", "app.t"}, "owner", marked("rdsadmin"));
  EXPECT_THAT(differences(), ElementsAre("table app.t owner: boss -> rdsadmin +0"));
}

TEST_F(CatalogCompare, PostgresOwnRolesAreNoProviders) {
  set(source, {"table", "app.t"}, "privileges of " + marked("pg_monitor"), "SELECT");
  EXPECT_THAT(differences(), ElementsAre("table app.t privileges of pg_monitor: SELECT -> - +0"));
}

TEST_F(CatalogCompare, AKindThatCouldNotBeReadIsUncheckedAndNotDifferent) {
  target.unreadable_kinds.emplace("index", "permission denied");
  target.objects.erase({"index", "app.t_idx"});
  EXPECT_THAT(differences(), IsEmpty());
  ASSERT_EQ(result.unchecked.size(), 1U);
  EXPECT_EQ(result.unchecked[0].what, "every index at the target");
  EXPECT_EQ(result.unchecked[0].reason, "permission denied");
  EXPECT_FALSE(result.compared.contains("index"));
}

TEST_F(CatalogCompare, VersionsMayDifferInWhatTheyKeepAndWrite) {
  target.server_version = 180000;
  add(target, "constraint", "app.t.t_id_not_null", {{"type", "not null"}}, "app", "t");
  set(target, {"table", "app.t"}, "privileges of the owner", "INSERT, MAINTAIN, SELECT");
  add(source, "view", "app.v", {{"definition", "SELECT t.id FROM app.t;"}}, "app", "v");
  add(target, "view", "app.v", {{"definition", "SELECT id FROM app.t;"}}, "app", "v");
  add(source, "extension", "ltree", {{"version", "1.2"}});
  add(target, "extension", "ltree", {{"version", "1.10"}});
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_EQ(result.normalised.size(), 3U);
  EXPECT_THAT(texts(result.expected), ElementsAre("extension ltree version: 1.2 -> 1.10 +0"));
}

TEST_F(CatalogCompare, TheSameVersionMayNot) {
  add(target, "constraint", "app.t.t_id_not_null", {{"type", "not null"}}, "app", "t");
  set(target, {"table", "app.t"}, "privileges of the owner", "INSERT, MAINTAIN, SELECT");
  add(source, "view", "app.v", {{"definition", "SELECT t.id FROM app.t;"}}, "app", "v");
  add(target, "view", "app.v", {{"definition", "SELECT id FROM app.t;"}}, "app", "v");
  add(source, "extension", "ltree", {{"version", "1.2"}});
  add(target, "extension", "ltree", {{"version", "1.10"}});
  EXPECT_EQ(differences().size(), 4U);
}

TEST_F(CatalogCompare, MaintainComesWithAllAndNotAlone) {
  target.server_version = 170000;
  const std::string name = "privileges of " + marked("reader");
  set(source, {"table", "app.t"}, name, "DELETE, INSERT, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE");
  set(target, {"table", "app.t"}, name,
      "DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE");
  EXPECT_THAT(differences(), IsEmpty());
  set(target, {"table", "app.t"}, "privileges of PUBLIC", "MAINTAIN");
  EXPECT_THAT(differences(), ElementsAre("table app.t privileges of PUBLIC: - -> MAINTAIN +0"));
  // Back to an older version it goes again; but what only that has was not there before.
  std::swap(source, target);
  EXPECT_THAT(differences(), ElementsAre("table app.t privileges of PUBLIC: MAINTAIN -> - +0"));
}

TEST_F(CatalogCompare, AnUnloggedSequenceNeedsAnUnloggedOwner) {
  source.server_version = 140000;
  target.server_version = 170000;
  for (auto* catalog : {&source, &target}) {
    auto& sequence = add(*catalog, "sequence", "app.t_id_seq", {{"owned by", "app.t.id"}}, "app");
    sequence.other_schema = "app";
    sequence.other_relation = "t";
  }
  set(target, {"sequence", "app.t_id_seq"}, "persistence", "unlogged");
  EXPECT_THAT(differences(), ElementsAre("sequence app.t_id_seq persistence: - -> unlogged +0"));
  for (auto* catalog : {&source, &target}) set(*catalog, {"table", "app.t"}, "persistence", "unlogged");
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(CatalogCompare, OnlyTheOlderVersionLetsEverybodyCreateInPublic) {
  source.server_version = 140000;
  target.server_version = 170000;
  for (auto [catalog, privileges] : {std::pair(&source, "CREATE, USAGE"), std::pair(&target, "USAGE")})
    add(*catalog, "schema", "public", {{"privileges of PUBLIC", privileges}}, "public");
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_EQ(result.expected.size(), 1U);
  set(source, {"schema", "public"}, "privileges of PUBLIC", "USAGE");
  set(target, {"schema", "public"}, "privileges of PUBLIC", "CREATE, USAGE");
  EXPECT_THAT(differences(), ElementsAre("schema public privileges of PUBLIC: USAGE -> CREATE, USAGE +0"));
}

TEST_F(CatalogCompare, AConfigurationTableThatTheTargetLacksIsADifference) {
  target.server_version = 180000;
  add(source, "extension", "e", {{"configuration table public.c", ""}});
  add(target, "extension", "e", {{"configuration table public.new", ""}});
  EXPECT_THAT(differences(), ElementsAre("extension e configuration table public.c:  -> - +0"));
  EXPECT_THAT(texts(result.expected), ElementsAre("extension e configuration table public.new: - ->  +0"));
}

TEST_F(CatalogCompare, AnOlderExtensionOnANewerServerIsADifference) {
  target.server_version = 180000;
  add(source, "extension", "ltree", {{"version", "1.10"}});
  add(target, "extension", "ltree", {{"version", "1.9"}});
  EXPECT_THAT(differences(), ElementsAre("extension ltree version: 1.10 -> 1.9 +0"));
}

TEST_F(CatalogCompare, SecretsAreComparedAndNeverSaid) {
  for (auto [catalog, value] : {std::pair(&source, "hunter1"), std::pair(&target, "hunter2")}) {
    add(*catalog, "user mapping", "PUBLIC@srv", {{"option password", value}, {"option identity", value}});
    add(*catalog, "setting", "app.jwt_SECRET", {{"value", value}});
    add(*catalog, "server", "srv", {{"option pwd", value}, {"option host", value}});
  }
  EXPECT_THAT(differences(), ElementsAre("server srv option host: hunter1 -> hunter2 +0",
                                         "server srv option pwd: (hidden) -> (hidden) +0",
                                         "setting app.jwt_SECRET value: (hidden) -> (hidden) +0",
                                         "user mapping PUBLIC@srv option identity: (hidden) -> (hidden) +0",
                                         "user mapping PUBLIC@srv option password: (hidden) -> (hidden) +0"));
}

TEST(DescribeDifference, IsOneLineForPeople) {
  EXPECT_EQ(describe({"column", "app.t.id", "type", "integer", "bigint"}),
            "column app.t.id: type is bigint instead of integer");
  EXPECT_EQ(describe({"column", "t.b", "default", std::nullopt, "7"}),
            "column t.b: default is 7 on the target only");
  EXPECT_EQ(describe({"column", "t.b", "not null", "yes", std::nullopt}),
            "column t.b: not null is not yes any more");
  EXPECT_EQ(describe({"index", "t_idx", "", "present", std::nullopt}),
            "index t_idx is missing on the target");
  EXPECT_EQ(describe({"table", "t", "", std::nullopt, "present", 3}),
            "table t is on the target only, with 3 parts of it");
  EXPECT_EQ(describe({"setting", "s", "value", "(hidden)", "(hidden)"}), "setting s: value differs");
  EXPECT_EQ(describe({"user mapping", "a@s", "option *", std::nullopt, std::nullopt}),
            "user mapping a@s: option * not compared");
  EXPECT_EQ(describe({"policy", "*", "*", std::nullopt, std::nullopt}), "policy * not compared");
  EXPECT_EQ(describe({"table", "t", "comment", "a", "two\nlines " + std::string(200, 'x')}),
            "table t: comment is two lines " + std::string(90, 'x') + "… instead of a");
}

TEST(CatalogWaiverText, HasAKindANameAndPerhapsAProperty) {
  const auto parsed = [](std::string_view text) {
    const auto waiver = CatalogWaiver::parse(text);
    return fmt::format("{}|{}|{}", waiver.kind, waiver.name, waiver.property);
  };
  EXPECT_EQ(parsed("index public.*"), "index|public.*|*");
  EXPECT_EQ(parsed(" materialized view  \"A b\".c   row security "),
            "materialized view|\"A b\".c|row security");
  EXPECT_EQ(parsed("function s.f(integer, \"a b\") owner"), "function|s.f(integer, \"a b\")|owner");
  EXPECT_EQ(parsed("* app.t"), "*|app.t|*");
  EXPECT_EQ(parsed("table"), "table|*|*");
  EXPECT_EQ(parsed("operator family s.f(btree)"), "operator family|s.f(btree)|*");
  EXPECT_THROW(CatalogWaiver::parse("tables public.t"), base::Error);
  EXPECT_THROW(CatalogWaiver::parse(""), base::Error);
}

}  // namespace
}  // namespace verify
