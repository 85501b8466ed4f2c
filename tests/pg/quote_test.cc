#include "pg/quote.h"

#include <gtest/gtest.h>

namespace pg {
namespace {

TEST(Quote, IdentifiersAreAlwaysQuotedAndInnerQuotesDoubled) {
  EXPECT_EQ(quote_identifier("orders"), R"("orders")");
  EXPECT_EQ(quote_identifier("Ord ers"), R"("Ord ers")");
  EXPECT_EQ(quote_identifier(R"(a"b)"), R"("a""b")");
  EXPECT_EQ(quote_identifier(R"("; DROP TABLE t; --)"), R"("""; DROP TABLE t; --")");
  EXPECT_EQ(quote_identifier("naïve\n"), "\"naïve\n\"");
}

TEST(Quote, LiteralsAreSafeWithAndWithoutStandardConformingStrings) {
  EXPECT_EQ(quote_literal(""), "''");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal(R"(\)"), R"(E'\\')");
  EXPECT_EQ(quote_literal(R"(\'; --)"), R"(E'\\''; --')");
}

TEST(Quote, ListsAreJoined) {
  EXPECT_EQ(quote_list({}), "");
  EXPECT_EQ(quote_list(std::vector<std::string>{"a"}), R"("a")");
  EXPECT_EQ(quote_list(std::vector<std::string>{"a", "B c"}), R"("a", "B c")");
}

TEST(Quote, PeopleSeeQuotesOnlyWhereTheyAreNeeded) {
  EXPECT_EQ(display_identifier("orders_2$"), "orders_2$");
  EXPECT_EQ(display_identifier("Orders"), R"("Orders")");
  EXPECT_EQ(display_identifier("2fast"), R"("2fast")");
  EXPECT_EQ(display_identifier(""), R"("")");
  EXPECT_EQ(display_identifier(R"(a"b)"), R"("a""b")");
  EXPECT_EQ((QualifiedName{"public", "Order Items"}).display(), R"(public."Order Items")");
}

TEST(Quote, AnIdentifierCannotForgeALineOfALog) {
  EXPECT_EQ(display_identifier("a\nb"), R"("a\nb")");
  EXPECT_EQ(display_identifier("a\rb\x1b[2Jc\x7f"), R"("a\x0db\x1b[2Jc\x7f")");
}

TEST(Quote, QualifiedNamesForSql) {
  EXPECT_EQ((QualifiedName{"my.schema", "my.table"}).sql(), R"("my.schema"."my.table")");
}

}  // namespace
}  // namespace pg
