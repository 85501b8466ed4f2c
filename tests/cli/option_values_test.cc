#include "cli/option_values.h"

#include <gmock/gmock.h>

#include "tests/base/matchers.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(ParseDuration, TakesUnitsAndSums) {
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("90s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("5min"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("5 min"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("1h30min"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("1d"), milliseconds(86'400'000));
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text :
       {"", " ", "5", "min", "-5s", "5x", "1.5h", "5minutes", "99999999999999999999s", "400d", "s5"})
    EXPECT_THAT([&] { parse_duration(text); }, throws(ErrorKind::usage, HasSubstr("hint: write it as")))
        << text;
}

TEST(ParseNumber, KeepsWithinBounds) {
  EXPECT_EQ(parse_number("1", 1, 256), 1U);
  EXPECT_EQ(parse_number("256", 1, 256), 256U);
  for (const char* text : {"0", "257", "", "4x", "-1", " 4", "99999999999"})
    EXPECT_THAT([&] { parse_number(text, 1, 256); }, throws(ErrorKind::usage, HasSubstr("from 1 to 256")))
        << text;
}

TEST(ParseChoice, SuggestsTheNearest) {
  const auto parse = [](std::string_view text) {
    return parse_choice<int>(text, {{"dump", 1}, {"none", 2}});
  };
  EXPECT_EQ(parse("none"), 2);
  EXPECT_THAT([&] { parse("dmup"); }, throws(ErrorKind::usage, AllOf(HasSubstr("did you mean dump?"),
                                                                     HasSubstr("use one of: dump, none"))));
}

TEST(ParseBool, TakesTheUsualWords) {
  for (const char* text : {"1", "true", "YES", "on"}) EXPECT_TRUE(parse_bool(text)) << text;
  for (const char* text : {"0", "False", "no", "off"}) EXPECT_FALSE(parse_bool(text)) << text;
  EXPECT_THAT([] { parse_bool("maybe"); }, throws(ErrorKind::usage));
}

TEST(ParsePair, NeedsBothSides) {
  EXPECT_THAT(parse_pair("neondb_owner = app", "OLD=NEW"), Pair("neondb_owner", "app"));
  for (const char* text : {"a", "=b", "a=", "="})
    EXPECT_THAT([&] { parse_pair(text, "OLD=NEW"); }, throws(ErrorKind::usage, HasSubstr("OLD=NEW"))) << text;
}

TEST(ParseRowFilter, SplitsAtTheFirstEqualsBehindTheName) {
  EXPECT_THAT(parse_row_filter("public.events=created_at >= '2025-01-01'"),
              Pair("public.events", "created_at >= '2025-01-01'"));
  EXPECT_THAT(parse_row_filter("public.events = a = b"), Pair("public.events", "a = b"));
}

TEST(ParseRowFilter, WritesTheNameAsTheEngineShowsIt) {
  EXPECT_THAT(parse_row_filter("\"public\".\"events\"=true"), Pair("public.events", "true"));
  EXPECT_THAT(parse_row_filter("public.\"a=b.c\"=true"), Pair("public.\"a=b.c\"", "true"));
  EXPECT_THAT(parse_row_filter("public.Events=true"), Pair("public.\"Events\"", "true"));
}

TEST(ParseRowFilter, RefusesWhatHasNoTableOrNoCondition) {
  for (const char* text :
       {"", "events=true", "public.events", "public.=true", "public.events=", ".events=true", "\"public"})
    EXPECT_THAT([&] { parse_row_filter(text); }, throws(ErrorKind::usage, HasSubstr("hint: write it as")))
        << text;
}

TEST(ParseDatabases, TakesNamesAndPairs) {
  const auto pairs = parse_databases("auth, cashflow,web=www");
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[0].source, "auth");
  EXPECT_EQ(pairs[0].target, "auth");
  EXPECT_EQ(pairs[2].source, "web");
  EXPECT_EQ(pairs[2].target, "www");
}

TEST(ParseDatabases, RefusesNoneAndDoubles) {
  for (const char* text : {"", " , ", "a,a", "a,b=a", "a="})
    EXPECT_THAT([&] { parse_databases(text); }, throws(ErrorKind::usage)) << text;
}

TEST(SplitList, CutsOutsideQuotes) {
  EXPECT_THAT(split_list("app.*, audit , \"a,b\".t"), ElementsAre("app.*", "audit", "\"a,b\".t"));
  EXPECT_THAT(split_list(" ,, "), ElementsAre());
}

}  // namespace
}  // namespace cli
