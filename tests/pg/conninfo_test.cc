#include "pg/conninfo.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(Conninfo, ReadsAUrl) {
  const auto info =
      Conninfo::parse("postgres://app:s3cret@db.example.com:6432/shop?sslmode=require&application_name=x");
  EXPECT_EQ(info.get("host"), "db.example.com");
  EXPECT_EQ(info.get("port"), "6432");
  EXPECT_EQ(info.get("user"), "app");
  EXPECT_EQ(info.get("password"), "s3cret");
  EXPECT_EQ(info.get("dbname"), "shop");
  EXPECT_EQ(info.get("sslmode"), "require");
  EXPECT_EQ(info.get("options"), "");
}

TEST(Conninfo, DecodesPercentEncoding) {
  const auto info = Conninfo::parse("postgresql://us%40er:p%40ss%2Fw%23rd%3F@h/my%20db?options=-c%20a%3Db");
  EXPECT_EQ(info.get("user"), "us@er");
  EXPECT_EQ(info.get("password"), "p@ss/w#rd?");
  EXPECT_EQ(info.get("dbname"), "my db");
  EXPECT_EQ(info.get("options"), "-c a=b");
}

TEST(Conninfo, ReadsKeywordStrings) {
  const auto info = Conninfo::parse(R"(host=h port=5433 user='my user' password='it\'s a \\' dbname=d)");
  EXPECT_EQ(info.get("user"), "my user");
  EXPECT_EQ(info.get("password"), R"(it's a \)");
  EXPECT_EQ(info.redacted(), "postgres://my user@h:5433/d");
}

TEST(Conninfo, ReadsSeveralHostsAndSockets) {
  const auto several = Conninfo::parse("postgres://u@one:1,two:2/d");
  EXPECT_EQ(several.get("host"), "one,two");
  EXPECT_EQ(several.get("port"), "1,2");
  EXPECT_EQ(Conninfo::parse("postgres://u@/d?host=/tmp/sockets").get("host"), "/tmp/sockets");
  EXPECT_EQ(Conninfo::parse("postgres://u@[::1]:5432/d").get("host"), "::1");
}

TEST(Conninfo, WithReplacesAndWithDefaultDoesNot) {
  const auto info = Conninfo::parse("host=h user=u");
  EXPECT_EQ(info.with("user", "v").get("user"), "v");
  EXPECT_EQ(info.with_default("user", "v").get("user"), "u");
  EXPECT_EQ(info.with_default("port", "1").get("port"), "1");
  EXPECT_EQ(info.get("port"), "");
}

TEST(Conninfo, RedactedShowsNoSecret) {
  const auto info = Conninfo::parse("postgres://app:s3cret@h:5432/d?sslpassword=alsosecret&sslkey=/k.pem");
  EXPECT_EQ(info.redacted(), "postgres://app@h:5432/d");
  EXPECT_THAT(info.without_secrets(), Not(HasSubstr("secret")));
  EXPECT_THAT(info.secrets(),
              UnorderedElementsAre(Pair("PGPASSWORD", "s3cret"), Pair("PGSSLPASSWORD", "alsosecret")));
}

TEST(Conninfo, WithoutSecretsReadsBackTheSame) {
  const auto info = Conninfo::parse(R"(host=h user='a \'b\' \\' password=p dbname='x y')");
  auto expected = info.parameters();
  expected.erase("password");
  EXPECT_EQ(Conninfo::parse(info.without_secrets()).parameters(), expected);
  EXPECT_THAT(Conninfo::parse(info.without_secrets()).secrets(), IsEmpty());
}

TEST(Conninfo, AsksForAPasswordForEachConnection) {
  int asked = 0;
  const auto info = Conninfo::parse("postgres://app@h/d").with_password_source([&asked] {
    return std::to_string(++asked);
  });
  const auto copy = info.with("dbname", "e");
  EXPECT_EQ(info.with_fresh_password().get("password"), "1");
  EXPECT_EQ(copy.with_fresh_password().get("password"), "2");
  EXPECT_THAT(copy.secrets(), UnorderedElementsAre(Pair("PGPASSWORD", "3")));
  EXPECT_EQ(info.get("password"), "");
  EXPECT_EQ(asked, 3);
}

TEST(Conninfo, EmptyTextIsRefused) {
  EXPECT_THAT([] { Conninfo::parse(""); }, throws(ErrorKind::usage, HasSubstr("it is empty")));
  EXPECT_THAT([] { Conninfo::parse(" \n"); }, throws(ErrorKind::usage, HasSubstr("hint: write it as")));
}

// Every one of these is malformed in a way that makes a parser stumble at or near the password "hunter2", or
// take a part of it for something else.
class MalformedConninfo : public ::testing::TestWithParam<std::string> {};

TEST_P(MalformedConninfo, IsRefusedWithoutShowingThePassword) {
  EXPECT_THAT([] { Conninfo::parse(GetParam()); },
              throws(ErrorKind::usage, ::testing::AllOf(Not(HasSubstr("hun")), Not(HasSubstr("ter2")))));
}

INSTANTIATE_TEST_SUITE_P(
    All, MalformedConninfo,
    ::testing::Values("postgres://u:hunter2%@h/d", "postgres://u:hunter2%zz@h/d",
                      "postgres://u:hunter2%00@h/d", "postgres://u:hun/ter2@h/d", "postgres://u:hun@ter2@h/d",
                      "postgres://u:hun?ter2@h/d", "postgres://u:hun@ter2/x@h/d",
                      "postgres://u:hun:ter2/x@h/d", "postgres://u:hun[ter2@h/d@",
                      "postgres://u:1/hunter2@h/d", "postgres://u:1?hunter2@h/d", "postgres://u:hunter2",
                      "postgres://u:hunter2/d", "postgres://[hunter2/d", "postgres://u:x@[::1]hunter2/d",
                      "postgres://h/d?password=hunter2&nonsense", "postgres://h/d?hunter2=1",
                      "postgres://h/d?password=a=hunter2", "postgres://h?password=hunter2@x",
                      "postgres://h/d?hunter2", "postgres://u:p@h:hunter2/d", "host=h password=my hunter2",
                      "host=h password=a hunter2=b", "host=h password='hunter2",
                      "host=h password=x 'hunter2'", "hunter2", "=hunter2",
                      "host=h port=5432password=hunter2", "dbname='postgres://u:hunter2@h/d'",
                      "dbname='host=h password=hunter2'"));

}  // namespace
}  // namespace pg
