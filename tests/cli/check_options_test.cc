#include "cli/check_options.h"

#include <gmock/gmock.h>

#include "tests/base/matchers.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;

TEST(CheckOptions, ShortForms) {
  const auto http = parse_http_check("https://user:sEcret@h.example/api?token=sEcret");
  EXPECT_EQ(http.name, "https://h.example/api");
  EXPECT_EQ(http.status, 200);
  const auto tcp = parse_tcp_check("[::1]:6379");
  EXPECT_EQ(tcp.host, "::1");
  EXPECT_EQ(tcp.port, "6379");
  EXPECT_FALSE(parse_sql_check("SELECT true").on_source);
}

TEST(CheckOptions, LongForms) {
  const auto http = parse_http_check(
      R"({"url": "http://h/x", "status": 204, "contains": "ok", "timeout": "3s", "name": "health"})");
  EXPECT_EQ(http.name, "health");
  EXPECT_EQ(http.status, 204);
  EXPECT_EQ(http.contains, "ok");
  EXPECT_EQ(http.timeout, std::chrono::seconds(3));
  // As it comes from cutover.toml.
  EXPECT_EQ(parse_http_check(R"({"url": "http://h/x", "status": "500"})").status, 500);
  EXPECT_TRUE(parse_sql_check(R"({"query": "SELECT true", "on": "source"})").on_source);
}

TEST(CheckOptions, RefuseWhatTheyDoNotKnow) {
  EXPECT_THAT([] { parse_http_check(R"({"url": "http://h", "contain": "ok"})"); },
              throws(ErrorKind::usage, HasSubstr("no member \"contain\"\nhint: did you mean contains?")));
  EXPECT_THAT([] { parse_http_check("ftp://h"); }, throws(ErrorKind::usage, HasSubstr("http://")));
  EXPECT_THAT([] { parse_http_check(R"({"status": 200})"); },
              throws(ErrorKind::usage, HasSubstr("no \"url\"")));
  EXPECT_THAT([] { parse_http_check(R"({"url": "http://h", "status": 42})"); },
              throws(ErrorKind::usage, HasSubstr("status: \"42\"")));
  EXPECT_THAT([] { parse_http_check(R"({"url": ["http://h"]})"); }, throws(ErrorKind::usage));
  EXPECT_THAT([] { parse_http_check(R"({"url": )"); }, throws(ErrorKind::usage, HasSubstr("no JSON object")));
  EXPECT_THAT([] { parse_tcp_check(R"({"address": "h:1", "timeout": "0"})"); },
              throws(ErrorKind::usage, HasSubstr("timeout: 0 would be no limit")));
  EXPECT_THAT([] { parse_tcp_check("redis.internal"); }, throws(ErrorKind::usage, HasSubstr("HOST:PORT")));
  EXPECT_THAT([] { parse_tcp_check("redis.internal:70000"); }, throws(ErrorKind::usage, HasSubstr("port: ")));
  EXPECT_THAT([] { parse_sql_check(R"({"query": "SELECT true", "on": "both"})"); },
              throws(ErrorKind::usage, HasSubstr("on: ")));
}

}  // namespace
}  // namespace cli
