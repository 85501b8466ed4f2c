#include "base/tcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"
#include "tests/support/http_server.h"

namespace base {
namespace {

using std::chrono::seconds;
using test::throws;
using ::testing::HasSubstr;

TEST(Tcp, TellsAnOpenPortFromAClosedOne) {
  std::string port;
  {
    const support::HttpServer server([](const auto&) { return support::HttpServerResponse{}; });
    port = std::to_string(server.port());
    EXPECT_NO_THROW(try_connection("127.0.0.1", port, seconds(5), Stop()));
    EXPECT_NO_THROW(try_connection("localhost", port, seconds(5), Stop())) << "also when ::1 comes first";
  }
  EXPECT_THAT([&] { try_connection("127.0.0.1", port, seconds(5), Stop()); },
              throws(ErrorKind::transient, HasSubstr("127.0.0.1:" + port + ": connection refused")));
}

TEST(Tcp, UnknownHosts) {
  EXPECT_THAT([] { try_connection("no-such-host.invalid", "1", seconds(5), Stop()); },
              throws(ErrorKind::transient, HasSubstr("no-such-host.invalid:1")));
}

}  // namespace
}  // namespace base
