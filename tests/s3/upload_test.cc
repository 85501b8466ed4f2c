#include <atomic>
#include <filesystem>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/guarded.h"
#include "s3/error.h"
#include "s3/retry.h"
#include "s3/unfinished.h"
#include "tests/s3/fixture.h"

namespace s3 {
namespace {

using support::HttpFault;
using support::S3Fake;
using test::kLarge;
using test::Place;
using test::random_text;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

std::map<std::string, std::string> contents(const Place& place) {
  std::map<std::string, std::string> out;
  for (const auto& [key, object] : place.server.objects()) out.emplace(key, object.content);
  return out;
}

void expect_clean(const Outcome& outcome) {
  EXPECT_THAT(outcome.problems, IsEmpty());
  for (const auto& problem : outcome.problems) ADD_FAILURE() << problem.path << ": " << problem.what;
  EXPECT_EQ(outcome.failures + outcome.differences, 0U);
}

TEST(Upload, MakesAnObjectOfEveryFile) {
  Place place;
  place.write("a.txt", "hello");
  place.write("empty", "");
  place.write("dir/ü +&%.jpg", "picture");
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_THAT(contents(place),
              ElementsAre(Pair("prefix/a.txt", "hello"), Pair("prefix/dir/ü +&%.jpg", "picture"),
                          Pair("prefix/empty", "")));
  const auto object = place.server.objects().at("prefix/dir/ü +&%.jpg");
  EXPECT_EQ(object.headers.at("content-type"), "image/jpeg");
  EXPECT_THAT(object.headers.at("x-amz-meta-mtime"), Not(IsEmpty()));
  EXPECT_EQ(outcome.uploaded, 3U);
  EXPECT_EQ(outcome.verification.equal, 3U);
}

TEST(Upload, CutsLargeFilesIntoParts) {
  Place place;
  const auto content = random_text(kLarge);
  place.write("large", content);
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_TRUE(place.server.objects().at("prefix/large").content == content);
  EXPECT_EQ(place.server.count("UploadPart"), 3);
  EXPECT_EQ(place.server.uploads(), 0U);
  EXPECT_EQ(place.server.objects().at("prefix/large").headers.count("x-amz-checksum-crc64nvme"), 1U);
}

TEST(Upload, SendsOnlyWhatHasChanged) {
  Place place;
  place.write("a", "1");
  place.write("b", "2");
  place.write("large", random_text(kLarge));
  place.run();
  place.server.reset_counts();
  const auto again = place.run();
  expect_clean(again);
  EXPECT_EQ(again.unchanged, 3U);
  EXPECT_EQ(place.server.total(), place.server.count("ListObjectsV2"));
  EXPECT_EQ(place.server.total(), 1);
  place.write("b", "3");
  place.server.reset_counts();
  const auto third = place.run();
  expect_clean(third);
  EXPECT_EQ(third.uploaded, 1U);
  EXPECT_EQ(place.server.count("PutObject"), 1);
  EXPECT_EQ(contents(place).at("prefix/b"), "3");
}

TEST(Upload, SendsWhatItsHeadersChange) {
  Place place;
  place.write("a.html", "1");
  place.write("b.js", "2");
  place.run();
  place.upload.settings.cache_control.rules.emplace_back(Glob("*.js"), "max-age=60");
  const auto outcome = place.run();
  EXPECT_EQ(outcome.uploaded, 1U);
  EXPECT_EQ(place.server.objects().at("prefix/b.js").headers.at("cache-control"), "max-age=60");
}

TEST(Upload, TagsObjectsOfEverySize) {
  Place place;
  place.write("small", "1");
  place.write("large", random_text(kLarge));
  place.upload.settings.tags = {{"cost center", "a&b"}, {"app", "x"}};
  expect_clean(place.run());
  for (const auto* key : {"prefix/small", "prefix/large"})
    EXPECT_EQ(place.server.objects().at(key).headers.at("x-amz-tagging"), "app=x&cost%20center=a%26b");
  place.upload.settings.tags["app"] = "y";
  EXPECT_EQ(place.run().uploaded, 2U) << "another tag makes another object";
}

class Ladder : public ::testing::TestWithParam<std::tuple<bool, bool, Integrity>> {};

TEST_P(Ladder, TakesTheBestTheServerChecks) {
  const auto [checks_crc, checks_md5, expected] = GetParam();
  Place place({.checks_crc = checks_crc, .checks_md5 = checks_md5});
  place.write("a", "1");
  place.write("large", random_text(kLarge));
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.capabilities->integrity, expected);
  EXPECT_THAT(contents(place), SizeIs(2)) << "the probe's object is deleted";
  place.server.reset_counts();
  EXPECT_EQ(place.run().unchanged, 2U);
}

INSTANTIATE_TEST_SUITE_P(Servers, Ladder,
                         ::testing::Values(std::tuple(true, true, Integrity::crc64nvme),
                                           std::tuple(false, true, Integrity::md5),
                                           std::tuple(false, false, Integrity::sha256)));

// The CRC is checked with a PUT and not with a part, and no object keeps one: it would prove nothing.
TEST(PartChecksums, AreTriedToo) {
  Place place({.checks_part_crc = false});
  place.write("large", random_text(kLarge));
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.capabilities->integrity, Integrity::md5);
  EXPECT_TRUE(outcome.capabilities->checks_parts);
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(PartChecksums, AreTriedByWhoHasAnOlderJournal) {
  Place place({.checks_part_crc = false});
  place.write("a", "1");
  place.run();
  {
    UploadJournal journal(place.upload.run_dir, {std::filesystem::canonical(place.files()), "", "bucket",
                                                 place.upload.target.prefix});
    journal.record(Capabilities{Integrity::crc64nvme, true, true});
  }
  place.write("large", random_text(kLarge));
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.capabilities->integrity, Integrity::md5);
  EXPECT_EQ(outcome.unchanged, 1U);
  place.server.reset_counts();
  expect_clean(place.run());
  EXPECT_EQ(place.server.total(), 1) << "it was tried once";
}

class Kms : public ::testing::TestWithParam<bool> {};

TEST_P(Kms, ByTheBucketsDefaultMakesOtherEtags) {
  Place place({.checks_crc = GetParam(), .is_kms = true});
  place.write("a", "1");
  place.write("large", random_text(kLarge));
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_TRUE(outcome.capabilities->is_kms);
  EXPECT_EQ(place.server.count("ProbeCompleteMultipartUpload"), 1);
  EXPECT_THAT(contents(place), SizeIs(2)) << "the probe's object is deleted";
  EXPECT_EQ(place.run().unchanged, 2U);
}

INSTANTIATE_TEST_SUITE_P(Servers, Kms, ::testing::Bool());

TEST(KmsRights, AreTriedBeforeAnyFileIs) {
  for (const auto* operation : {"ProbeUploadPart", "ProbeCompleteMultipartUpload"}) {
    Place place({.is_kms = true});
    place.write("a", "1");
    place.server.fail({.operation = operation, .answer = S3Fake::error(403, "AccessDenied")});
    try {
      place.run();
      FAIL();
    } catch (const S3Error& error) {
      EXPECT_THAT(error.hint(), HasSubstr("kms:Decrypt"));
    }
    EXPECT_THAT(contents(place), IsEmpty());
    EXPECT_EQ(place.server.uploads(), 0U);
  }
}

struct FaultCase {
  std::string name;
  S3Fake::Fault fault;
  std::chrono::seconds stall_timeout{60};
};

S3Fake::Fault answering(std::string operation, int status, const std::string& code, int times = 2) {
  return {.operation = std::move(operation), .answer = S3Fake::error(status, code), .times = times};
}

S3Fake::Fault cut(std::string operation, HttpFault how, size_t after, bool takes_effect = false) {
  S3Fake::Fault fault{.operation = std::move(operation), .takes_effect = takes_effect};
  fault.answer.body = std::string(100, 'x');
  fault.answer.fault = how;
  fault.answer.fault_after = after;
  return fault;
}

void wrong_etag(support::HttpServerResponse& answer) {
  answer.headers.set("ETag", "\"00000000000000000000000000000000\"");
}

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
class RotatingCredentials : public ::testing::TestWithParam<std::string> {
 protected:
  RotatingCredentials() {
    for (int i = 0; i < 20; ++i) place_.write(std::to_string(i), "content");
    place_.write("large", random_text(kLarge));
  }
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

TEST_P(RotatingCredentials, AreFetchedAnewWhenTheServerSaysThatTheyHaveExpired) {
  const auto operation = GetParam();
  S3Fake::Fault fault{.operation = operation, .after = operation == "PutObject" ? 8 : 0};
  fault.also = [this] { place_.server.replace_key("AKNEXT", {"next/secret", "next/token"}); };
  fault.change = [](support::HttpServerResponse&) {};
  place_.server.fail(fault);
  expect_clean(place_.run(session()));
  EXPECT_EQ(refreshed_, 1);
  EXPECT_THAT(contents(place_), SizeIs(21));
}

INSTANTIATE_TEST_SUITE_P(Operations, RotatingCredentials,
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

TEST(Upload, SendsAPartAgainWhoseChecksumTheServerHasOtherwise) {
  Place place;
  const auto content = random_text(kLarge);
  place.write("large", content);
  place.upload.concurrency = 1;
  auto fault = answering("UploadPart", 403, "SignatureDoesNotMatch", 1);
  fault.after = 2;
  place.server.fail(fault);
  EXPECT_THROW(place.run(), S3Error);
  S3Fake::Fault other{.operation = "ListParts"};
  other.change = [](support::HttpServerResponse& answer) {
    const auto at = answer.body.find("<ChecksumCRC64NVME>");
    ASSERT_NE(at, std::string::npos);
    answer.body.replace(at + 19, 12, "AAAAAAAAAAA=");
  };
  place.server.fail(other);
  place.server.reset_counts();
  expect_clean(place.run());
  EXPECT_EQ(place.server.count("UploadPart"), 2) << "that one, and the one that was missing";
  EXPECT_TRUE(contents(place).at("prefix/large") == content);
}

TEST(Upload, TellsOfUnfinishedUploadsOfALostRunDirectory) {
  Place place;
  place.write("large", random_text(kLarge));
  place.upload.concurrency = 1;
  place.server.fail(answering("UploadPart", 403, "SignatureDoesNotMatch", 1));
  EXPECT_THROW(place.run(), S3Error);
  std::filesystem::remove_all(place.upload.run_dir);
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  ASSERT_THAT(outcome.problems, SizeIs(1));
  EXPECT_THAT(outcome.problems[0].what,
              AllOf(HasSubstr("1 unfinished uploads"), HasSubstr("prefix/large"), HasSubstr("abort")));
  EXPECT_EQ(place.server.uploads(), 1U) << "somebody may be at work on it";
  place.server.reset_counts();
  place.run();
  EXPECT_EQ(place.server.count("ListMultipartUploads"), 0) << "it is said once";
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

TEST(Upload, ResumesLargeFilesAtTheirParts) {
  for (const bool lose_journal_of_part : {false, true}) {
    Place place;
    const auto content = random_text(kLarge);
    place.write("large", content);
    place.upload.concurrency = 1;
    S3Fake::Fault fault = answering("UploadPart", 403, "SignatureDoesNotMatch", 1);
    fault.after = 2;
    fault.takes_effect = lose_journal_of_part;
    place.server.fail(fault);
    EXPECT_THROW(place.run(), S3Error);
    EXPECT_EQ(place.server.uploads(), 1U);
    place.server.reset_counts();
    const auto outcome = place.run();
    expect_clean(outcome);
    EXPECT_EQ(place.server.count("UploadPart"), lose_journal_of_part ? 0 : 1);
    EXPECT_EQ(place.server.count("CreateMultipartUpload"), 0);
    EXPECT_TRUE(contents(place).at("prefix/large") == content);
  }
}

TEST(Upload, FindsOutAboutACompletionWhoseAnswerDiedWithTheProcess) {
  Place place;
  place.write("large", random_text(kLarge));
  auto fault = answering("CompleteMultipartUpload", 403, "SignatureDoesNotMatch", 1);
  fault.takes_effect = true;
  place.server.fail(fault);
  EXPECT_THROW(place.run(), S3Error);
  place.server.reset_counts();
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(place.server.count("UploadPart"), 0);
  EXPECT_EQ(outcome.uploaded, 1U);
}

TEST(Upload, StartsOverWhenTheFileOrTheUploadIsAnother) {
  Place place;
  place.write("large", random_text(kLarge));
  place.upload.concurrency = 1;
  auto fault = answering("UploadPart", 403, "SignatureDoesNotMatch", 1);
  fault.after = 1;
  place.server.fail(fault);
  EXPECT_THROW(place.run(), S3Error);
  const auto other = random_text(kLarge, 7);
  place.write("large", other);
  expect_clean(place.run());
  EXPECT_TRUE(contents(place).at("prefix/large") == other);
  EXPECT_EQ(place.server.uploads(), 0U) << "the first upload is aborted";
}

TEST(Upload, AbortsUploadsWhoseFileIsGone) {
  Place place;
  place.write("large", random_text(kLarge));
  place.upload.concurrency = 1;
  place.server.fail(answering("UploadPart", 403, "SignatureDoesNotMatch", 1));
  EXPECT_THROW(place.run(), S3Error);
  std::filesystem::remove(place.files() / "large");
  expect_clean(place.run());
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(Upload, FindsItsLostUploadsBehindManyOthers) {
  Place place({.page = 2});
  Client client(place.session(), base::Stop());
  for (int i = 0; i < 5; ++i) client.create_multipart_upload("prefix/large", Integrity::md5, {});
  for (int i = 0; i < 4; ++i)
    client.create_multipart_upload(fmt::format("prefix/large{}", i), Integrity::md5, {});
  EXPECT_THAT(unfinished_uploads(client, {}, "prefix/large"), SizeIs(9));
  place.write("large", random_text(kLarge));
  place.server.fail(cut("CreateMultipartUpload", HttpFault::reset, 0, true));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_EQ(place.server.uploads(), 4U) << "those of other keys stay";
}

TEST(Upload, AbortsAnUploadThatItsServerBeginsTooLate) {
  Place place;
  place.write("large", random_text(kLarge));
  place.server.fail(answering("CreateMultipartUpload", 403, "SignatureDoesNotMatch", 1));
  EXPECT_THROW(place.run(), S3Error);
  // The request of the process that is gone is carried out while the next one is at work.
  S3Fake::Fault late{.operation = "UploadPart", .after = 1};
  late.change = [](support::HttpServerResponse&) {};
  late.also = [&] {
    Client(place.session(), base::Stop()).create_multipart_upload("prefix/large", Integrity::md5, {});
  };
  place.server.fail(late);
  expect_clean(place.run());
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(Upload, NoticesThatAFileChangesWhileItIsSent) {
  Place place;
  place.write("large", random_text(kLarge));
  const auto last = random_text(kLarge, 3);
  S3Fake::Fault fault{.operation = "UploadPart", .also = [&] { place.write("large", last); }};
  fault.change = [](support::HttpServerResponse&) {};
  place.server.fail(fault);
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_TRUE(contents(place).at("prefix/large") == last);
  EXPECT_EQ(place.server.count("CreateMultipartUpload"), 2);
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(Upload, GivesUpOnAFileThatNeverRests) {
  Place place;
  place.write("large", random_text(kLarge));
  S3Fake::Fault fault{.operation = "UploadPart", .times = 1000};
  int changes = 0;
  fault.also = [&] { place.write("large", random_text(kLarge, static_cast<uint64_t>(++changes))); };
  fault.change = [](support::HttpServerResponse&) {};
  place.upload.concurrency = 1;
  place.server.fail(fault);
  const auto outcome = place.run();
  EXPECT_GE(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("changes faster"));
  EXPECT_THAT(contents(place), IsEmpty());
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(Upload, ReplacesNothingItHasNotWritten) {
  Place place;
  place.server.put("prefix/same", "same");
  place.server.put("prefix/other", "theirs");
  place.write("same", "same");
  place.write("other", "ours");
  place.write("large", random_text(kLarge));
  const auto refused = place.run();
  EXPECT_EQ(refused.failures, 1U);
  EXPECT_EQ(refused.adopted, 1U);
  EXPECT_EQ(contents(place).at("prefix/other"), "theirs");
  place.upload.overwrite = true;
  expect_clean(place.run());
  EXPECT_EQ(contents(place).at("prefix/other"), "ours");
}

TEST(Upload, DeletesWhatHasNoFileOnlyWhenAsked) {
  Place place;
  place.write("a", "1");
  place.write("b", "2");
  place.run();
  place.server.put("elsewhere/c", "3");
  place.server.put("prefix/left.log", "4");
  std::filesystem::remove(place.files() / "b");
  const auto kept = place.run();
  EXPECT_EQ(kept.failures + kept.differences, 0U);
  EXPECT_EQ(kept.verification.extra, 2U);
  place.upload.remove = true;
  place.upload.walk.filter.exclude.emplace_back("*.log");
  const auto removed = place.run();
  expect_clean(removed);
  EXPECT_EQ(removed.removed, 1U);
  EXPECT_THAT(contents(place), SizeIs(3)) << "a, the excluded one and the one outside of the prefix";
  EXPECT_FALSE(contents(place).contains("prefix/b"));
}

TEST(Upload, DeletesNothingAfterAProblem) {
  Place place;
  place.write("a", "1");
  place.run();
  std::filesystem::remove(place.files() / "a");
  place.write("bad\xFF", "1");
  place.upload.remove = true;
  const auto outcome = place.run();
  EXPECT_EQ(outcome.removed, 0U);
  EXPECT_THAT(contents(place), SizeIs(1));
}

TEST(Upload, RefusesARunDirectoryInsideTheFiles) {
  Place place;
  place.write("a", "1");
  place.upload.run_dir = place.files() / "run";
  EXPECT_THROW(place.run(), base::Error);
  place.upload.directory = place.files() / "missing";
  EXPECT_THROW(place.run(), base::Error);
}

TEST(Upload, RefusesTheRunDirectoryOfACopy) {
  Place place;
  place.write("a", "1");
  std::filesystem::create_directory(place.upload.run_dir);
  std::ofstream(place.upload.run_dir / "checkpoint.zst") << "x";
  EXPECT_THROW(place.run(), base::Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(place.upload.run_dir), {}), 1);
}

TEST(Upload, StopsWhenAskedTo) {
  Place place;
  place.write("a", "1");
  const base::Stop stop;
  stop.request();
  Progress progress;
  try {
    upload(place.upload, place.session(), progress, stop);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::cancelled);
  }
}

class Verify : public ::testing::TestWithParam<VerifyLevel> {};

TEST_P(Verify, FindsWhatDiffersWithoutAJournal) {
  Place place({.checks_crc = false, .page = 2});
  for (const auto* name : {"a", "b", "c", "d", "e"}) place.write(name, std::string("content ") + name);
  place.write("large", random_text(kLarge));
  place.run();
  place.upload.verify = GetParam();
  Progress progress;
  const auto equal = verify_only(place.upload, place.session(), progress, base::Stop());
  expect_clean(equal);
  EXPECT_EQ(equal.verification.equal, 6U);

  place.server.put("prefix/a", GetParam() == VerifyLevel::list ? "shorter" : "CONTENT a");
  place.server.erase("prefix/b");
  place.server.put("prefix/extra", "1");
  const auto result = verify_only(place.upload, place.session(), progress, base::Stop()).verification;
  EXPECT_EQ(result.equal, 4U);
  EXPECT_EQ(result.different, 1U);
  EXPECT_EQ(result.missing, 1U);
  EXPECT_EQ(result.extra, 1U);
  EXPECT_EQ(result.unverified, 0U);
}

INSTANTIATE_TEST_SUITE_P(Levels, Verify,
                         ::testing::Values(VerifyLevel::list, VerifyLevel::checksum, VerifyLevel::download));

TEST(VerifyByDownload, ListsWhatIsOutsideOfTheSample) {
  Place place;
  for (int i = 0; i < 200; ++i) place.write(std::to_string(i), "content");
  place.run();
  place.upload.verify = VerifyLevel::download;
  place.upload.download_share = 0.1;
  Progress progress;
  const auto sampled = [&] {
    return verify_only(place.upload, place.session(), progress, base::Stop()).verification;
  };
  const auto equal = sampled();
  EXPECT_EQ(equal.equal + equal.listed, 200U);
  EXPECT_GT(equal.equal, 0U);
  EXPECT_GT(equal.listed, 100U);
  for (int i = 0; i < 200; i += 2) place.server.erase("prefix/" + std::to_string(i));
  for (int i = 1; i < 200; i += 2) place.server.put("prefix/" + std::to_string(i), "short");
  const auto result = sampled();
  EXPECT_EQ(result.missing, 100U);
  EXPECT_EQ(result.different, 100U);
}

TEST(VerifyByList, ComparesEtagsWithTheJournal) {
  Place place;
  place.write("a", "1234");
  place.run();
  place.server.put("prefix/a", "4321");
  const auto outcome = place.run();
  EXPECT_EQ(outcome.differences, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("ETag"));
}

TEST(DryRun, CountsWithoutARequest) {
  Place place;
  place.write("a", "12");
  place.run();
  place.write("b", "345");
  place.server.reset_counts();
  const auto plan = dry_run(place.upload, place.session()->endpoint(), base::Stop());
  EXPECT_EQ(plan.walked.files, 2U);
  EXPECT_EQ(plan.bytes, 3U);
  EXPECT_EQ(place.server.total(), 0);
}

}  // namespace
}  // namespace s3
