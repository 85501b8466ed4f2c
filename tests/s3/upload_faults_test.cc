#include <atomic>
#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/guarded.h"
#include "s3/error.h"
#include "s3/retry.h"
#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"

// What a server can do other than carry a request out, and when that is the end.

namespace s3 {
namespace {

using support::HttpFault;
using support::S3Fake;
using test::answering;
using test::contents;
using test::cut;
using test::expect_clean;
using test::kLarge;
using test::Place;
using test::random_text;
using test::wrong_etag;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct FaultCase {
  std::string name;
  S3Fake::Fault fault;
  std::chrono::seconds stall_timeout{60};
};

std::vector<FaultCase> faults() {
  const auto truncated = [](support::HttpServerResponse& answer) {
    answer.body.resize(answer.body.size() / 2);
  };
  const auto no_etag = [](support::HttpServerResponse& answer) { answer.headers.erase("ETag"); };
  const auto dripped = [](support::HttpServerResponse& answer) {
    answer.drip = std::chrono::milliseconds(30);
  };
  const std::chrono::seconds soon(2);
  return {
      {"InternalErrorOnPut", answering("PutObject", 500, "InternalError")},
      {"SlowDownOnPut", answering("PutObject", 503, "SlowDown", 5)},
      {"SlowDownOnPart", answering("UploadPart", 503, "SlowDown", 5)},
      {"BadGatewayWithoutXml", {.operation = "PutObject", .answer = {.status = 502, .body = "<html>"}}},
      {"TooManyRequests", answering("PutObject", 429, "TooManyRequests")},
      {"ResetBeforePutAnswer", cut("PutObject", HttpFault::reset, 0)},
      {"ResetInThePutsBody", {.operation = "PutObject", .reset_in_body = 100'000}},
      {"ResetInThePartsBody", {.operation = "UploadPart", .times = 3, .reset_in_body = 1'000'000}},
      {"ResetBehindThePartsHead", {.operation = "UploadPart", .reset_in_body = 0}},
      {"DrippedPutAnswer", {.operation = "PutObject", .change = dripped}, soon},
      {"DrippedPartAnswer", {.operation = "UploadPart", .change = dripped}, soon},
      {"DrippedListing", {.operation = "ListObjectsV2", .after = 1, .change = dripped}, soon},
      {"LostPutAnswer", cut("PutObject", HttpFault::reset, 0, true)},
      {"LostPartAnswer", cut("UploadPart", HttpFault::reset, 0, true)},
      {"AnswerCutShort", cut("CreateMultipartUpload", HttpFault::cut, 10)},
      {"LostCreateAnswer", cut("CreateMultipartUpload", HttpFault::reset, 0, true)},
      {"ErrorWithStatus200", answering("CompleteMultipartUpload", 200, "InternalError", 1)},
      {"TruncatedCompleteXml", {.operation = "CompleteMultipartUpload", .change = truncated}},
      {"LostCompleteAnswer", cut("CompleteMultipartUpload", HttpFault::reset, 0, true)},
      {"TruncatedListing", {.operation = "ListObjectsV2", .after = 1, .change = truncated}},
      {"WrongEtagOfPart", {.operation = "UploadPart", .change = wrong_etag}},
      {"PutWithoutEtag", {.operation = "PutObject", .change = no_etag}},
      {"PartWithoutEtag", {.operation = "UploadPart", .change = no_etag}},
      {"DamagedPut", answering("PutObject", 400, "BadDigest")},
      {"DamagedPart", answering("UploadPart", 400, "BadDigest")},
      {"DamagedCompletion", answering("CompleteMultipartUpload", 400, "BadDigest", 1)},
      {"UploadAbortedByOthers", answering("UploadPart", 404, "NoSuchUpload", 1)},
  };
}

class Faults : public ::testing::TestWithParam<std::tuple<bool, FaultCase>> {};

TEST_P(Faults, AreOvercome) {
  const auto& [checks_crc, one] = GetParam();
  Place place({.checks_crc = checks_crc});
  place.http.stall_timeout = one.stall_timeout;
  place.upload.retry.give_up_after = std::chrono::seconds(60);
  place.write("small", "1");
  place.write("other", "2");
  auto fault = one.fault;
  // What is not about parts is as well shown by small files.
  const auto content = random_text(fault.operation == "PutObject" ? 300'000 : kLarge);
  place.write("large", content);
  // The probe is not what is tested.
  if (fault.operation == "PutObject") fault.after = checks_crc ? 3 : 6;
  place.server.fail(fault);
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.verification.equal, 3U);
  EXPECT_EQ(contents(place).at("prefix/small"), "1");
  EXPECT_TRUE(contents(place).at("prefix/large") == content);
  EXPECT_EQ(place.server.uploads(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Faults, ::testing::Combine(::testing::Bool(), ::testing::ValuesIn(faults())),
                         [](const auto& one) {
                           return std::get<1>(one.param).name + (std::get<0>(one.param) ? "Crc" : "Md5");
                         });

/// While S3 puts the parts together it keeps the connection alive with blanks, for minutes.
TEST(Upload, WaitsForACompletionThatTakesItsTime) {
  Place place;
  place.http.stall_timeout = std::chrono::seconds(1);
  place.write("large", random_text(kLarge));
  S3Fake::Fault slow{.operation = "CompleteMultipartUpload"};
  slow.change = [](support::HttpServerResponse& answer) {
    answer.body.insert(0, 50, ' ');
    answer.drip = std::chrono::milliseconds(10);
  };
  place.server.fail(slow);
  expect_clean(place.run());
  EXPECT_EQ(place.server.count("CompleteMultipartUpload"), 1);
}

TEST(Upload, SignsWithTheServersTimeWhereTheClocksDiffer) {
  for (const int hours : {1, -1}) {
    Place place({.clock_ahead = std::chrono::hours(hours)});
    place.write("a", "1");
    expect_clean(place.run());
    EXPECT_EQ(place.server.count("ListObjectsV2"), 3) << "the first one was refused, and nothing after it";
    EXPECT_EQ(place.server.count("PutObject"), 4) << "the probe's three, and the file";
  }
}

/// Credentials that are good until the server says otherwise.
class RotatingCredentials : public ::testing::Test {
 protected:
  std::shared_ptr<Session> session() {
    return place_.session([this](const aws::Credentials* refused) {
      auto current = current_.lock();
      if (refused != nullptr && refused->access_key_id == current->access_key_id) {
        *current = {"AKNEXT", aws::Secret("next/secret"), aws::Secret("next/token")};
        ++refreshed_;
      }
      return *current;
    });
  }
  Place place_;
  base::Guarded<aws::Credentials> current_{
      aws::Credentials{S3Fake::kAccessKey, aws::Secret(S3Fake::kSecretKey)}};
  std::atomic<int> refreshed_{0};
};

TEST_F(RotatingCredentials, AreFetchedAnewWhenTheAnswerHasNoBodyThatSaysSo) {
  place_.server.replace_key("AKNEXT", {"next/secret", "next/token"});
  Client client(session(), base::Stop());
  EXPECT_FALSE(
      with_retries(client, {place_.upload.retry, base::Stop()}, [&] { return client.head_object("none"); }));
  EXPECT_EQ(refreshed_, 1);
}

class RotatingCredentialsAt : public RotatingCredentials, public ::testing::WithParamInterface<std::string> {
 protected:
  RotatingCredentialsAt() {
    for (int i = 0; i < 20; ++i) place_.write(std::to_string(i), "content");
    place_.write("large", random_text(kLarge));
  }
};

TEST_P(RotatingCredentialsAt, AreFetchedAnewWhenTheServerSaysThatTheyHaveExpired) {
  const auto operation = GetParam();
  S3Fake::Fault fault{.operation = operation, .after = operation == "PutObject" ? 8 : 0};
  fault.also = [this] { place_.server.replace_key("AKNEXT", {"next/secret", "next/token"}); };
  fault.change = [](support::HttpServerResponse&) {};
  place_.server.fail(fault);
  expect_clean(place_.run(session()));
  EXPECT_EQ(refreshed_, 1);
  EXPECT_THAT(contents(place_), SizeIs(21));
}

INSTANTIATE_TEST_SUITE_P(Operations, RotatingCredentialsAt,
                         ::testing::Values("PutObject", "UploadPart", "CompleteMultipartUpload",
                                           "ListObjectsV2"));

TEST(Upload, NoticesThatAPutsEtagIsNotItsContents) {
  for (const bool checks_crc : {true, false}) {
    Place place({.checks_crc = checks_crc});
    place.write("a", "1");
    place.server.fail({.operation = "PutObject", .after = checks_crc ? 3 : 6, .change = wrong_etag});
    const auto outcome = place.run();
    if (checks_crc) {
      // The server has checked the content, but what it lists is not what it said.
      EXPECT_EQ(outcome.differences, 1U);
      EXPECT_THAT(outcome.problems.front().what, HasSubstr("its ETag is another"));
      expect_clean(place.run());
    } else {
      expect_clean(outcome);
    }
    EXPECT_EQ(contents(place).at("prefix/a"), "1");
  }
}

TEST(Upload, ReadsAgainWhatDidNotArriveAsItWasSent) {
  Place place;
  place.write("a", "before");
  auto damaged = answering("PutObject", 400, "BadDigest", 1);
  damaged.after = 3;
  damaged.also = [&] { place.write("a", "after!"); };
  place.server.fail(damaged);
  expect_clean(place.run());
  EXPECT_EQ(contents(place).at("prefix/a"), "after!") << "not what was in memory";
}

TEST(Upload, GivesUpOnWhatNeverArrivesAsItWasSent) {
  Place place;
  place.write("a", "1");
  place.write("large", random_text(kLarge));
  auto damaged = answering("PutObject", 400, "BadDigest", 100);
  damaged.after = 3;
  place.server.fail(damaged);
  place.server.fail(answering("UploadPart", 400, "BadDigest", 100));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 2U);
  EXPECT_EQ(place.server.count("PutObject"), 3 + 3);
  EXPECT_THAT(contents(place), IsEmpty());
}

/// What is tried again is not sent to where it has just failed.
class TriedAgain : public ::testing::TestWithParam<std::tuple<int, std::string>> {};

TEST_P(TriedAgain, OnAFreshConnection) {
  Place place;
  const auto& [status, code] = GetParam();
  auto fault = answering("ListObjectsV2", status, code, 1);
  fault.after = 1;
  place.server.fail(fault);
  Client client(place.session(), base::Stop());
  const auto list = [&] {
    with_retries(client, {place.upload.retry, base::Stop()}, [&] { return client.list_objects("", ""); });
    return place.server.connections();
  };
  EXPECT_EQ(list(), 1);
  EXPECT_EQ(list(), 2) << status;
  EXPECT_EQ(list(), 2) << "which is kept";
}

INSTANTIATE_TEST_SUITE_P(Answers, TriedAgain,
                         ::testing::Values(std::tuple(408, "RequestTimeout"), std::tuple(429, "SlowDown"),
                                           std::tuple(400, "RequestTimeout"),
                                           std::tuple(500, "InternalError"), std::tuple(503, "SlowDown")));

TEST(Upload, EndsAtOnceWhenEverythingWouldFail) {
  Place place;
  for (int i = 0; i < 50; ++i) place.write("f" + std::to_string(i), "1");
  Progress progress;
  try {
    upload(place.upload, place.session("wrong"), progress, base::Stop());
    FAIL();
  } catch (const S3Error& error) {
    EXPECT_EQ(error.code(), "SignatureDoesNotMatch");
    EXPECT_THAT(error.hint(), HasSubstr("secret access key"));
    EXPECT_THAT(std::string(error.what()), Not(HasSubstr("wrong")));
  }
  EXPECT_LE(place.server.total(), 2);
}

/// A later run knows what the server can do, and asks nothing before its first object.
TEST(Reruns, EndAtOnceWhenEverythingIsDenied) {
  Place place;
  place.write("first", "1");
  place.run();
  for (int i = 0; i < 50; ++i) place.write("f" + std::to_string(i), "1");
  place.server.reset_counts();
  place.server.fail(answering("PutObject", 403, "AccessDenied", 1000));
  try {
    place.run();
    FAIL();
  } catch (const S3Error& error) {
    EXPECT_EQ(error.code(), "AccessDenied");
    EXPECT_THAT(error.message(), HasSubstr(".cutover-probe-"));
  }
  EXPECT_LT(place.server.count("PutObject"), 50) << "not every file is tried";
}

TEST(Reruns, CollectWhatIsDeniedForOneFile) {
  Place place;
  place.write("first", "1");
  place.run();
  place.write("good", "1");
  place.write("bad", "2");
  place.upload.concurrency = 1;
  place.server.fail(answering("PutObject", 403, "AccessDenied", 1));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_EQ(outcome.uploaded, 1U);
  EXPECT_THAT(contents(place), SizeIs(2)) << "the temporary object is deleted";
}

TEST(Reruns, EndAtOnceInTheWrongRegion) {
  for (const int status : {301, 400, 403}) {
    Place place;
    place.write("first", "1");
    place.run();
    for (int i = 0; i < 20; ++i) place.write("f" + std::to_string(i), "1");
    auto elsewhere = answering("PutObject", status, "AuthorizationHeaderMalformed", 1000);
    elsewhere.answer.headers.set("x-amz-bucket-region", "eu-central-1");
    place.server.fail(elsewhere);
    try {
      place.run();
      FAIL() << status;
    } catch (const S3Error& error) {
      EXPECT_EQ(error.region(), "eu-central-1");
    }
  }
}

TEST(Reruns, TakeARegionForAnotherOnlyIfItIs) {
  Place place;
  place.write("a", "1");
  place.run();
  place.write("b", "1");
  auto denied = answering("PutObject", 403, "AccessDenied", 1);
  denied.answer.headers.set("x-amz-bucket-region", "us-east-1");
  place.server.fail(denied);
  EXPECT_EQ(place.run().failures, 1U);
}

// The server says so when another object was written meanwhile; the upload is lost by it.
TEST(Upload, BeginsAnewAfterAConflict) {
  Place place;
  const auto content = random_text(kLarge);
  place.write("large", content);
  place.server.fail(answering("CompleteMultipartUpload", 409, "ConditionalRequestConflict", 1));
  expect_clean(place.run());
  EXPECT_EQ(place.server.count("CreateMultipartUpload"), 2);
  EXPECT_TRUE(contents(place).at("prefix/large") == content);
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(Upload, GivesUpOnAnObjectThatNeverRests) {
  Place place;
  place.write("large", random_text(kLarge));
  place.server.fail(answering("CompleteMultipartUpload", 409, "ConditionalRequestConflict", 100));
  EXPECT_EQ(place.run().failures, 1U);
  EXPECT_EQ(place.server.count("CreateMultipartUpload"), 3);
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(Upload, CollectsWhatConcernsOneFile) {
  Place place;
  place.write("good", "1");
  place.write("bad", "2");
  place.write("name\xFF", "3");
  ASSERT_EQ(mkfifo((place.files() / "fifo").c_str(), 0600), 0);
  place.server.fail({.operation = "PutObject", .answer = S3Fake::error(403, "AccessDenied"), .after = 3});
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 3U);
  EXPECT_EQ(outcome.uploaded, 1U);
  const auto again = place.run();
  EXPECT_EQ(again.failures, 2U) << "what was refused is tried again";
  EXPECT_EQ(again.uploaded, 1U);
}

}  // namespace
}  // namespace s3
