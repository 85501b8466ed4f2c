#include "cli/check_options.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/base/matchers.h"
#include "tests/cli/environment.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(CheckOptions, HaveHeaders) {
  const auto http =
      parse_http_check(R"({"url": "http://h/x", "headers": {"Host": "app.example", "X": "1"}})");
  EXPECT_EQ(http.headers.get("host"), "app.example");
  EXPECT_EQ(http.headers.size(), 2U);
  for (const auto* headers : {R"("Host: h")", "7", R"({"X": 1})", R"({"X": "a\r\nY: b"})", R"({"": "a"})"})
    EXPECT_THAT([&] { parse_http_check(fmt::format(R"({{"url": "http://h", "headers": {}}})", headers)); },
                throws(ErrorKind::usage, HasSubstr("header")))
        << headers;
  EXPECT_THAT([] { parse_tcp_check(R"({"address": "h:1", "headers": {}})"); }, throws(ErrorKind::usage));
}

TEST(CheckOptions, TextsMayBeReferences) {
  const test::Variable variables[]{{"HEALTH_URL", "https://h.example:8443/sEcret/health"},
                                   {"HEALTH_TOKEN", "Bearer sEcret"},
                                   {"HEALTH_ADDRESS", "h.example:6379"},
                                   {"HEALTH_QUERY", "SELECT 'sEcret' = 'sEcret'"}};
  SecretResolver secrets{base::Stop()};
  const auto http = parse_http_check(
      R"({"url": "env:HEALTH_URL", "headers": {"Authorization": "env:HEALTH_TOKEN"}, "contains": "ok"})",
      &secrets);
  EXPECT_EQ(http.name, "env:HEALTH_URL") << "its path is a secret, too";
  EXPECT_EQ(http.url, "https://h.example:8443/sEcret/health");
  EXPECT_EQ(http.headers.get("authorization"), "Bearer sEcret");
  EXPECT_EQ(http.secrets.hidden_in("no answer from h.example:8443: cannot resolve h.example; Bearer sEcret"),
            "no answer from env:HEALTH_URL: cannot resolve env:HEALTH_URL; env:HEALTH_TOKEN");
  EXPECT_EQ(parse_http_check("env:HEALTH_URL", &secrets).url, http.url);
  EXPECT_EQ(parse_http_check(R"({"url": "env:HEALTH_URL", "name": "health"})", &secrets).name, "health");
  const auto tcp = parse_tcp_check("env:HEALTH_ADDRESS", &secrets);
  EXPECT_EQ(tcp.port, "6379");
  EXPECT_EQ(tcp.name, "env:HEALTH_ADDRESS");
  const auto sql = parse_sql_check(R"({"query": "env:HEALTH_QUERY", "on": "source"})", &secrets);
  EXPECT_EQ(sql.query, "SELECT 'sEcret' = 'sEcret'");
  EXPECT_EQ(sql.name, "env:HEALTH_QUERY");
  EXPECT_THAT(
      [&] { parse_http_check("env:HEALTH_ULR", &secrets); },
      throws(ErrorKind::usage, HasSubstr("env:HEALTH_ULR: the environment variable HEALTH_ULR is not set")));
  EXPECT_THAT([&] { parse_http_check("env:HEALTH_QUERY", &secrets); },
              throws(ErrorKind::usage, Not(HasSubstr("sEcret"))));
  EXPECT_THAT([&] { parse_tcp_check("env:HEALTH_TOKEN", &secrets); },
              throws(ErrorKind::usage, Not(HasSubstr("sEcret"))));
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
