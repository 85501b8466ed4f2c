#include "base/http.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"
#include "tests/base/text_sink.h"
#include "tests/support/http_server.h"

namespace base {
namespace {

using namespace std::chrono_literals;
using support::HttpFault;
using support::HttpServer;
using support::HttpServerRequest;
using support::HttpServerResponse;
using test::TextSink;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Bytes bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

HttpServerResponse echo(const HttpServerRequest& request) {
  return {.headers = {{"X-Method", request.method}}, .body = request.body};
}

class Http : public ::testing::Test {
 protected:
  HttpResponse send(const HttpRequest& request) { return client.send(request, stop); }
  std::string get(const std::string& url) { return send({.url = url}).body; }

  /// A client that waits for a second only.
  static HttpClient quick() {
    return HttpClient(std::make_shared<HttpShare>(HttpSettings{.stall_timeout = 1s}));
  }

  Stop stop;
  HttpClient client{std::make_shared<HttpShare>(HttpSettings{})};
};

/// A body in memory that counts how often it is begun.
class TextSource : public RewindableSource {
 public:
  TextSource(std::string text, uint64_t announced) : text_(std::move(text)), announced_(announced) {}
  explicit TextSource(const std::string& text) : TextSource(text, text.size()) {}
  uint64_t size() const override { return announced_; }
  void rewind() override {
    position_ = 0;
    ++rewinds;
  }
  size_t read(std::span<std::byte> buffer) override {
    const auto count = std::min({buffer.size(), text_.size() - position_, size_t{100'000}});
    std::copy_n(bytes(text_).data() + position_, count, buffer.data());
    position_ += count;
    return count;
  }
  int rewinds = 0;

 private:
  std::string text_;
  uint64_t announced_;
  size_t position_ = 0;
};

TEST_F(Http, SendsWhatItWasGivenAndNothingElse) {
  HttpServer server(echo);
  const auto answer = send({.method = "POST",
                            .url = server.url() + "/a/../%7E%2f//b?x=%20&y",
                            .headers = {{"X-One", "1"}, {"X-Empty", ""}},
                            .body = bytes("body")});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "body");
  EXPECT_EQ(answer.headers.get("x-method"), "POST");
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.target, "/a/../%7E%2f//b?x=%20&y");
  EXPECT_EQ(request.headers.get("X-One"), "1");
  ASSERT_NE(request.headers.find("X-Empty"), nullptr);
  EXPECT_EQ(request.headers.get("Host"), server.url().substr(7));
  EXPECT_EQ(request.headers.find("Content-Type"), nullptr);
  EXPECT_EQ(request.headers.find("Expect"), nullptr);
}

TEST_F(Http, MethodsAndEmptyBodies) {
  HttpServer server(echo);
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
    const auto answer = send({.method = method, .url = server.url()});
    EXPECT_EQ(answer.headers.get("X-Method"), method);
    const bool has_body = std::string_view(method).starts_with("P");
    EXPECT_EQ(server.requests().back().headers.get("Content-Length"), has_body ? "0" : "") << method;
  }
  EXPECT_EQ(server.connections(), 1) << "the connection is kept";
}

TEST_F(Http, SourceIsSentWholeAndSinkGetsSuccessOnly) {
  const std::string large(3'000'000, 'x');
  HttpServer server([&](const HttpServerRequest& request) -> HttpServerResponse {
    if (request.method == "PUT") return echo(request);
    return {.status = request.target == "/ok" ? 206 : 404, .body = "text"};
  });
  TextSource source(large);
  EXPECT_EQ(send({.method = "PUT", .url = server.url(), .source = &source}).body, large);
  TextSink sink;
  EXPECT_EQ(send({.url = server.url() + "/missing", .sink = &sink}).body, "text");
  EXPECT_EQ(sink.text, "");
  EXPECT_EQ(send({.url = server.url() + "/ok", .sink = &sink}).body, "");
  EXPECT_EQ(sink.text, "text");
  EXPECT_EQ(sink.finished, 0) << "only the caller knows whether it is all";
}

TEST_F(Http, SourceShorterThanAnnouncedIsAnError) {
  HttpServer server(echo);
  TextSource source("short", 100);
  EXPECT_THAT([&] { send({.method = "PUT", .url = server.url(), .source = &source}); },
              test::throws(ErrorKind::permanent, HasSubstr("5 of 100")));
}

TEST_F(Http, SinkExceptionLeavesSend) {
  HttpServer server([](const auto&) { return HttpServerResponse{.body = "more than four"}; });
  TextSink sink;
  sink.limit = 4;
  EXPECT_THROW(send({.url = server.url(), .sink = &sink}), std::length_error);
  EXPECT_EQ(get(server.url()), "more than four") << "the client can be used again";
}

TEST_F(Http, BodyOverTheLimitIsAnError) {
  HttpServer server([](const auto&) { return HttpServerResponse{.body = std::string(1001, 'x')}; });
  EXPECT_EQ(send({.url = server.url(), .body_limit = 1001}).body.size(), 1001U);
  EXPECT_THAT([&] { send({.url = server.url(), .body_limit = 1000}); },
              test::throws(ErrorKind::permanent, HasSubstr("more than 1000")));
}

TEST_F(Http, RedirectIsAnAnswerLikeAnyOther) {
  HttpServer server([](const auto&) {
    return HttpServerResponse{.status = 301, .headers = {{"Location", "http://127.0.0.1:1/"}}};
  });
  const auto answer = send({.url = server.url()});
  EXPECT_EQ(answer.status, 301);
  EXPECT_EQ(answer.headers.get("location"), "http://127.0.0.1:1/");
}

TEST_F(Http, RefusalIsSeenBeforeTheBodyIsSent) {
  HttpServer server(echo,
                    {.on_head = [](const auto&) { return HttpServerResponse{.status = 403, .body = "no"}; }});
  TextSource source(std::string(50'000'000, 'x'));
  const auto answer =
      send({.method = "PUT", .url = server.url(), .source = &source, .expect_continue = true});
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "no");
}

TEST_F(Http, ContinueIsNotTheAnswer) {
  HttpServer server(echo);
  const auto answer =
      send({.method = "PUT", .url = server.url(), .body = bytes("b"), .expect_continue = true});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(server.requests().at(0).headers.get("Expect"), "100-continue");
}

TEST_F(Http, ConnectionClosedMeanwhileIsReplaced) {
  HttpServer server([](const HttpServerRequest& request) {
    auto answer = echo(request);
    if (request.target == "/close") answer.fault = HttpFault::close;
    return answer;
  });
  get(server.url() + "/close");
  TextSource source("again");
  EXPECT_EQ(send({.method = "PUT", .url = server.url(), .source = &source}).body, "again");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Http, FreshConnectionOnRequest) {
  HttpServer server(echo);
  get(server.url());
  send({.url = server.url(), .fresh_connection = true});
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Http, BrokenAnswersAreTransient) {
  for (const auto fault : {HttpFault::cut, HttpFault::reset}) {
    for (const size_t after : {0, 3}) {
      HttpServer server([&](const auto&) {
        return HttpServerResponse{.body = "0123456789", .fault = fault, .fault_after = after};
      });
      EXPECT_THAT([&] { get(server.url() + "/?secret"); },
                  test::throws(ErrorKind::transient,
                               AllOf(HasSubstr("no answer from 127.0.0.1:"), Not(HasSubstr("secret")))))
          << after;
    }
  }
}

TEST_F(Http, NothingListening) {
  std::string url;
  { url = HttpServer(echo).url(); }
  EXPECT_THAT([&] { get(url); }, test::throws(ErrorKind::transient, HasSubstr(url.substr(7))));
}

TEST_F(Http, StalledAnswerTimesOut) {
  HttpServer server([](const auto&) {
    return HttpServerResponse{.body = "0123456789", .fault = HttpFault::hang, .fault_after = 3};
  });
  EXPECT_THAT([&] { send({.url = server.url(), .timeout = 100ms}); }, test::throws(ErrorKind::transient));
  EXPECT_THAT([&] { quick().send({.url = server.url()}, stop); }, test::throws(ErrorKind::transient));
}

TEST_F(Http, DrippedAnswerTimesOut) {
  HttpServer server([](const HttpServerRequest& request) {
    HttpServerResponse answer{.drip = 10ms};  // far more than nothing
    if (request.target == "/head") answer.headers.add("X-Long", std::string(10'000, 'x'));
    if (request.target == "/body") answer.body = std::string(10'000, 'x');
    if (request.target == "/short") answer.body = std::string(100, 'x');
    return answer;
  });
  auto hasty = quick();
  for (const auto* part : {"/head", "/body"})
    EXPECT_THAT([&] { hasty.send({.url = server.url() + part}, stop); }, test::throws(ErrorKind::transient))
        << part;
  HttpClient patient(std::make_shared<HttpShare>(HttpSettings{}));
  EXPECT_EQ(patient.send({.url = server.url() + "/short"}, stop).body.size(), 100U);
}

// A blank in more than a second is none at all by libcurl's reckoning.
TEST_F(Http, AnswerThatMayDawdleComesWithSparseBlanks) {
  HttpServer server([](const auto&) {
    return HttpServerResponse{.body = "  whole", .drip = 1600ms, .dripped_of_body = 2};
  });
  EXPECT_EQ(quick().send({.url = server.url(), .may_dawdle = true}, stop).body, "  whole");
  EXPECT_THAT([&] { quick().send({.url = server.url(), .may_dawdle = true, .timeout = 100ms}, stop); },
              test::throws(ErrorKind::transient));
}

TEST_F(Http, StopEndsATransferAtOnce) {
  HttpServer server([](const auto&) { return HttpServerResponse{.fault = HttpFault::hang}; });
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    server.wait_for_requests(1);
    stop.request();
  });
  EXPECT_THAT([&] { get(server.url()); }, test::throws(ErrorKind::cancelled));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms) << "it must not wait for a timer";
}

TEST_F(Http, UsageErrors) {
  for (const char* url : {"", "ftp://h/", "http://", "http://a b/", "http://h:x/"})
    EXPECT_THAT([&] { get(url); }, test::throws(ErrorKind::usage, HasSubstr("malformed URL"))) << url;
  EXPECT_THAT(
      [&] {
        send({.url = "http://h/", .headers = {{"X", "a\r\nY: b"}}});
      },
      test::throws(ErrorKind::usage, AllOf(HasSubstr("header X"), Not(HasSubstr("Y: b")))));
}

TEST_F(Http, SeveralThreadsShareNamesAndSessions) {
  HttpServer server(echo);
  const auto share = std::make_shared<HttpShare>(HttpSettings{});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      HttpClient own(share);
      for (int n = 0; n < 50; ++n) EXPECT_EQ(own.send({.url = server.url()}, stop).status, 200);
    });
  threads.clear();
  EXPECT_EQ(server.connections(), 8);
}

class Https : public ::testing::Test {
 protected:
  HttpSettings trusting(const support::Certificate& certificate) {
    std::ofstream(directory / "ca.pem") << certificate.certificate;
    return {.ca_bundle = directory / "ca.pem"};
  }
  HttpResponse get(const std::string& url, HttpSettings settings) {
    HttpClient client(std::make_shared<HttpShare>(std::move(settings)));
    return client.send({.url = url}, Stop());
  }
  test::TemporaryDirectory directory;
};

TEST_F(Https, TrustsTheBundleItWasGiven) {
  const auto certificate = support::make_certificate();
  HttpServer server(echo, {.certificate = certificate});
  EXPECT_EQ(get(server.url(), trusting(certificate)).status, 200);
}

TEST_F(Https, ReadsTheBundleOnceForAllConnections) {
  const auto certificate = support::make_certificate();
  HttpServer server(echo, {.certificate = certificate});
  const auto share = std::make_shared<HttpShare>(trusting(certificate));
  EXPECT_EQ(HttpClient(share).send({.url = server.url()}, Stop()).status, 200);
  std::filesystem::remove(directory / "ca.pem");
  EXPECT_EQ(HttpClient(share).send({.url = server.url()}, Stop()).status, 200);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Https, LargeBodiesBothWays) {
  const auto certificate = support::make_certificate();
  HttpServer server(echo, {.certificate = certificate});
  HttpClient client(std::make_shared<HttpShare>(trusting(certificate)));
  const std::string large(5'000'000, 'x');
  EXPECT_EQ(client.send({.method = "PUT", .url = server.url(), .body = bytes(large)}, Stop()).body, large);
}

TEST_F(Https, UntrustedCertificateIsRefusedWithAHint) {
  HttpServer server(echo, {.certificate = support::make_certificate()});
  EXPECT_THAT([&] { get(server.url(), {}); },
              test::throws(ErrorKind::permanent, AllOf(HasSubstr("localhost:"), HasSubstr("AWS_CA_BUNDLE"))));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Https, CertificateOfAnotherHostIsRefused) {
  const auto other = support::make_certificate("elsewhere.example");
  HttpServer server(echo, {.certificate = other});
  EXPECT_THAT([&] { get(server.url(), trusting(other)); }, test::throws(ErrorKind::permanent));
}

TEST_F(Https, PlainServerIsRecognised) {
  HttpServer server(echo);
  EXPECT_THAT([&] { get("https://127.0.0.1:" + std::to_string(server.port()), {}); },
              test::throws(ErrorKind::permanent, HasSubstr("speak http")));
}

TEST_F(Https, UnusableBundleIsAUsageError) {
  HttpServer server(echo, {.certificate = support::make_certificate()});
  std::ofstream(directory / "empty.pem") << "nothing";
  EXPECT_THAT([&] { get(server.url(), {.ca_bundle = directory / "empty.pem"}); },
              test::throws(ErrorKind::usage));
}

/// Sets environment variables (or with nullptr unsets them) and puts back what was there.
class Variables {
 public:
  using Value = std::pair<const char*, const char*>;
  explicit Variables(std::initializer_list<Value> values) {
    for (const auto& [name, value] : values) {
      const char* before = ::getenv(name);
      before_.emplace_back(name, before != nullptr ? std::optional<std::string>(before) : std::nullopt);
      put(name, value);
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (const auto& [name, value] : before_) put(name.c_str(), value ? value->c_str() : nullptr);
  }

 private:
  static void put(const char* name, const char* value) {
    if (value != nullptr)
      ::setenv(name, value, 1);
    else
      ::unsetenv(name);
  }
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

TEST_F(Http, ProxyOfTheEnvironmentIsUsedUnlessIgnored) {
  HttpServer proxy(echo);
  const auto url = proxy.url();
  const Variables environment{{"http_proxy", url.c_str()}, {"no_proxy", "localhost"}, {"NO_PROXY", nullptr}};
  EXPECT_EQ(send({.url = "http://127.0.0.1:1/x"}).status, 200);
  EXPECT_EQ(proxy.requests().at(0).target, "http://127.0.0.1:1/x");
  EXPECT_THROW(send({.url = "http://localhost:1/x"}), Error);
  EXPECT_THROW(send({.url = "http://127.0.0.1:1/x", .ignore_proxy = true}), Error);
  EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST(HttpSettings, FirstBundleInTheEnvironmentCounts) {
  const Variables clean{{"AWS_CA_BUNDLE", nullptr}, {"CURL_CA_BUNDLE", nullptr}, {"SSL_CERT_FILE", nullptr}};
  EXPECT_TRUE(HttpSettings::from_environment().ca_bundle.empty());
  test::TemporaryDirectory directory;
  std::ofstream(directory / "one") << "1";
  ::setenv("CURL_CA_BUNDLE", (directory / "one").c_str(), 1);
  ::setenv("SSL_CERT_FILE", "/nowhere", 1);
  EXPECT_EQ(HttpSettings::from_environment().ca_bundle, directory / "one");
  ::setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem", 1);
  EXPECT_THAT([] { HttpSettings::from_environment(); },
              test::throws(ErrorKind::usage, HasSubstr("/nowhere/ca.pem, which AWS_CA_BUNDLE names")));
}

TEST(HttpHeaders, NamesCompareWithoutCase) {
  HttpHeaders headers{{"ETag", "a"}, {"x", "1"}, {"X", "2"}};
  EXPECT_EQ(headers.get("etag"), "a");
  EXPECT_EQ(headers.get("none"), "");
  headers.set("X", "3");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("x"), "3");
}

TEST(HttpDate, ParsesWhatServersSend) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            std::chrono::system_clock::from_time_t(784111777));
  EXPECT_EQ(parse_http_date("soon"), std::nullopt);
  EXPECT_EQ(parse_http_date(""), std::nullopt);
}

TEST(HttpHost, ShowsTheHostOnly) {
  EXPECT_EQ(http_host("https://user:pass@h:1/path?X-Amz-Signature=s"), "h:1");
  EXPECT_EQ(http_host("https://h?q=a@b"), "h");
  EXPECT_EQ(http_host("h"), "h");
}

}  // namespace
}  // namespace base
