#include "cli/live_server.h"

#include <thread>

#include <gmock/gmock.h>

#include "base/http.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

base::HttpResponse get(const std::string& url, base::HttpHeaders headers = {}, std::string method = "GET") {
  base::HttpClient client(std::make_shared<base::HttpShare>());
  return client.send({.method = std::move(method), .url = url, .headers = std::move(headers)}, {});
}

LiveView running_view() {
  LiveView view{.metrics = "cutover_running{run=\".\"} 1\n", .running = true};
  view.sections.push_back({.title = "cutover-run", .headline = "running: phase data"});
  return view;
}

TEST(LiveServer, ServesThePageAndTheMetrics) {
  const LiveServer server("127.0.0.1:0", running_view);
  ASSERT_THAT(server.url(), StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(get(server.url()).body,
              AllOf(HasSubstr("phase data"), HasSubstr("http-equiv=\"refresh\""), Not(HasSubstr("<script"))));
  EXPECT_EQ(get(server.url() + "metrics").body, "cutover_running{run=\".\"} 1\n");
  EXPECT_EQ(get(server.url() + "healthz").body, "ok\n");
  EXPECT_EQ(get(server.url() + "else").status, 404);
}

TEST(LiveServer, APortAloneIsOfThisMachine) {
  const LiveServer server("0", running_view);
  EXPECT_THAT(server.url(), StartsWith("http://127.0.0.1:"));
  EXPECT_EQ(get(server.url() + "healthz").body, "ok\n");
}

TEST(LiveServer, OnlyReadsAndOnlyForPagesOfItsOwn) {
  const LiveServer server("localhost:0", running_view);
  EXPECT_EQ(get(server.url(), {}, "POST").status, 405);
  EXPECT_EQ(get(server.url(), {{"Host", "evil.example"}}).status, 403);
  for (const auto* name : {"127.0.0.1.evil.example", "127.evil.example:80", "[::2]:80", "10.0.0.1", ""})
    EXPECT_EQ(get(server.url(), {{"Host", name}}).status, 403) << name;
  for (const auto* name : {"localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]:80"})
    EXPECT_EQ(get(server.url(), {{"Host", name}}).status, 200) << name;
}

TEST(LiveServer, AFailedLookIsNoEndOfAnything) {
  const LiveServer server("127.0.0.1:0", []() -> LiveView { throw std::runtime_error("no such run"); });
  const auto answer = get(server.url());
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("no such run"));
}

TEST(LiveServer, AnOpenPageGetsToSeeTheEnd) {
  LiveServer server("127.0.0.1:0", running_view);
  get(server.url());
  std::jthread browser([&] {
    while (get(server.url()).body.find("http-equiv=\"refresh\"") != std::string::npos)
      std::this_thread::yield();
  });
  server.bid_farewell();
  browser.join();
}

TEST(LiveServer, RefusesWhatCannotBeListenedOn) {
  const LiveServer first("127.0.0.1:0", running_view);
  const auto taken = first.url().substr(std::string("http://").size());
  EXPECT_THROW(LiveServer(taken.substr(0, taken.size() - 1), running_view), base::Error);
  EXPECT_THROW(LiveServer("localhost", running_view), base::Error);
  EXPECT_THROW(LiveServer("192.0.2.1:0", running_view), base::Error);
}

}  // namespace
}  // namespace cli
