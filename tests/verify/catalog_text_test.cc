#include "verify/catalog_text.h"

#include <gtest/gtest.h>

namespace verify {
namespace {

TEST(NormalisedSql, IndentationAndNeedlessQuotesDoNotCount) {
  EXPECT_EQ(normalised_sql(" SELECT \"a\",\n    b_1\t FROM  s.\"t\" ;\n"), "SELECT a, b_1 FROM s.t ;");
  EXPECT_EQ(normalised_sql("\"system_user\".\"x$\""), "system_user.x$");
}

TEST(NormalisedSql, NamesThatNeedQuotesKeepThem) {
  for (const auto* text : {"\"true\"", "\"false\"", "\"A\"", "\"a b\"", "\"1\"", "\"\"", "\"é\"",
                           "\"a\"\"b\"", "\"a\nb\"", "\"x  y\"", "\"$a\""})
    EXPECT_EQ(normalised_sql(text), text);
}

TEST(NormalisedSql, LiteralsAreLeftAlone) {
  for (const auto* text : {"'a  \"b\"\n c'", "'it''s  \"x\"'", "E'a\\\\  \"b\" \\'  \"c\"'", "''", "'  '"})
    EXPECT_EQ(normalised_sql(text), text);
  EXPECT_EQ(normalised_sql("'a  b'   'c  d'"), "'a  b' 'c  d'");
  EXPECT_EQ(normalised_sql("nameE 'x'"), "nameE 'x'");
}

TEST(NormalisedSql, WhatIsNotClosedReachesToTheEnd) {
  EXPECT_EQ(normalised_sql("'a  \"b\""), "'a  \"b\"");
  EXPECT_EQ(normalised_sql("\"a  b"), "\"a  b");
  EXPECT_EQ(normalised_sql("\x01role  x"), "\x01role  x");
}

TEST(SameWithoutQualifiers, TheOnlyRelationsNameMayBeLeftOut) {
  EXPECT_TRUE(same_without_qualifiers("SELECT t.id, t.b FROM s.t WHERE t.id > 1;",
                                      "SELECT id, b FROM s.t WHERE id > 1;"));
  EXPECT_TRUE(same_without_qualifiers("SELECT t.t FROM s.t", "SELECT t FROM s.t"));
  EXPECT_TRUE(same_without_qualifiers("SELECT \"T x\".id FROM \"T x\"", "SELECT id FROM \"T x\""));
  EXPECT_TRUE(same_without_qualifiers("SELECT id", "SELECT id"));
}

TEST(SameWithoutQualifiers, NothingElseMay) {
  EXPECT_FALSE(same_without_qualifiers("SELECT t.id FROM s.t", "SELECT x FROM s.t"));
  EXPECT_FALSE(same_without_qualifiers("SELECT t.id FROM s.t", "SELECT id FROM r.t"));
  EXPECT_FALSE(same_without_qualifiers("SELECT a.id, b.id FROM a, b", "SELECT id, id FROM a, b"));
  EXPECT_FALSE(same_without_qualifiers("SELECT a.id", "SELECT b.id"));
  EXPECT_FALSE(same_without_qualifiers("SELECT id", "SELECT t.id"));
  EXPECT_FALSE(same_without_qualifiers("SELECT t.id", "SELECT id, b"));
  EXPECT_FALSE(same_without_qualifiers("SELECT t.id, b", "SELECT id"));
  EXPECT_FALSE(same_without_qualifiers("SELECT 't.id'", "SELECT 'id'"));
}

TEST(WithRoles, MarkedNamesAreMappedAndQuotedWhereNeeded) {
  EXPECT_EQ(with_roles("\x01"
                       "app"
                       "\x02@srv, \x01"
                       "Old One"
                       "\x02",
                       {{"app", "new app"}}),
            "\"new app\"@srv, \"Old One\"");
  EXPECT_EQ(with_roles("app", {{"app", "x"}}), "app");
  EXPECT_EQ(with_roles("\x01"
                       "never closed",
                       {}),
            "\x01"
            "never closed");
  EXPECT_EQ(marked_role("privileges of \x01"
                        "r 1"
                        "\x02"),
            "r 1");
  EXPECT_EQ(marked_role("the owner"), std::nullopt);
}

}  // namespace
}  // namespace verify
