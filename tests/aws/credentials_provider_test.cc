#include "aws/credentials_provider.h"

#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/base/matchers.h"

namespace aws {
namespace {

using namespace std::chrono_literals;
using base::ErrorKind;

/// A source whose credentials are numbered, and a clock that stands still.
class CredentialsProviderTest : public ::testing::Test {
 protected:
  CredentialsProvider provider(std::optional<Clock::duration> life) {
    return CredentialsProvider(
        [this, life](const base::Stop&) {
          ++fetched;
          if (failing) base::fail(ErrorKind::transient, "not now");
          Credentials credentials{.access_key_id = std::to_string(fetched)};
          if (life) credentials.expires = now + *life;
          return credentials;
        },
        [this] { return now; });
  }
  base::Stop stop;
  Clock::time_point now = Clock::from_time_t(1'000'000);
  int fetched = 0;
  bool failing = false;
};

TEST_F(CredentialsProviderTest, WithoutExpiryAreFetchedOnce) {
  auto keys = provider(std::nullopt);
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  now += 1000h;
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
}

TEST_F(CredentialsProviderTest, AreRenewedAQuarterOfAnHourAhead) {
  auto keys = provider(1h);
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  now += 44min;
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  now += 1min;
  EXPECT_EQ(keys.get(stop).access_key_id, "2");
}

TEST_F(CredentialsProviderTest, ShortLivedOnesAreRenewedAtHalfTime) {
  auto keys = provider(10min);
  keys.get(stop);
  now += 4min;
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  now += 1min;
  EXPECT_EQ(keys.get(stop).access_key_id, "2");
}

TEST_F(CredentialsProviderTest, FailureAheadOfTimeCostsNothingUntilTheLastMoment) {
  auto keys = provider(1h);
  keys.get(stop);
  failing = true;
  now += 50min;
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  EXPECT_EQ(fetched, 2) << "it is not asked again at once";
  now += 31s;
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  EXPECT_EQ(fetched, 3);
  now += 9min;
  EXPECT_THAT([&] { keys.get(stop); }, base::test::throws(ErrorKind::transient));
  failing = false;
  EXPECT_EQ(keys.get(stop).access_key_id, "5");
}

TEST_F(CredentialsProviderTest, RefusedOnesAreReplacedOnce) {
  auto keys = provider(1h);
  const auto first = keys.get(stop);
  keys.refused(first);
  EXPECT_EQ(keys.get(stop).access_key_id, "2");
  keys.refused(first);
  EXPECT_EQ(keys.get(stop).access_key_id, "2") << "somebody else has done it already";
}

TEST(CredentialsProviderThreads, OneFetchesAndTheOthersGoOn) {
  std::atomic<int> fetched{0};
  std::binary_semaphore begun(0), finish(0);
  auto now = std::make_shared<std::atomic<Clock::time_point>>(Clock::from_time_t(1'000'000));
  CredentialsProvider keys(
      [&](const base::Stop&) {
        if (++fetched == 2) {
          begun.release();
          finish.acquire();
        }
        return Credentials{.access_key_id = std::to_string(fetched), .expires = now->load() + 1h};
      },
      [now] { return now->load(); });
  const base::Stop stop;
  keys.get(stop);
  *now = now->load() + 50min;
  std::jthread slow([&] { EXPECT_EQ(keys.get(stop).access_key_id, "2"); });
  begun.acquire();
  EXPECT_EQ(keys.get(stop).access_key_id, "1");
  *now = now->load() + 10min;  // expired meanwhile: now everybody waits
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 4; ++i) waiting.emplace_back([&] { EXPECT_EQ(keys.get(stop).access_key_id, "2"); });
  base::Stop impatient;
  std::jthread stopped(
      [&] { EXPECT_THAT([&] { keys.get(impatient); }, base::test::throws(ErrorKind::cancelled)); });
  impatient.request();
  stopped.join();
  finish.release();
  waiting.clear();
  slow.join();
  EXPECT_EQ(fetched, 2);
}

}  // namespace
}  // namespace aws
