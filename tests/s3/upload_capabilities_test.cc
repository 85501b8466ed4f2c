#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "s3/error.h"
#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"

// What is found out about a server before anything is sent to it.

namespace s3 {
namespace {

using support::HttpFault;
using support::S3Fake;
using support::S3FakeOptions;
using test::answering;
using test::contents;
using test::cut;
using test::expect_clean;
using test::kLarge;
using test::Place;
using test::random_text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Rung {
  Integrity integrity;
  S3FakeOptions server = {};
};

class Ladder : public ::testing::TestWithParam<Rung> {};

TEST_P(Ladder, TakesTheBestTheServerChecks) {
  const auto& [expected, server] = GetParam();
  Place place(server);
  place.write("a", "1");
  place.write("large", random_text(kLarge));
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.capabilities->integrity, expected);
  EXPECT_THAT(contents(place), SizeIs(2)) << "the probe's object is deleted";
  place.server.reset_counts();
  EXPECT_EQ(place.run().unchanged, 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Servers, Ladder,
    ::testing::Values(Rung{Integrity::crc64nvme},
                      Rung{Integrity::crc32c, {.crcs = {Integrity::crc32c, Integrity::crc32}}},
                      Rung{Integrity::crc32, {.crcs = {Integrity::crc32}}},
                      Rung{Integrity::md5, {.checks_crc = false}},
                      Rung{Integrity::sha256, {.checks_crc = false, .checks_md5 = false}}),
    [](const auto& one) {
      std::string name(to_string(one.param.integrity));
      std::erase(name, '-');
      return name;
    });

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

// The one whose name was lost, too.
TEST(Probe, LeavesNoUploadWhoseAnswerWasLost) {
  Place place;
  place.write("a", "1");
  place.server.fail(cut("ProbeCreateMultipartUpload", HttpFault::reset, 0, true));
  expect_clean(place.run());
  EXPECT_EQ(place.server.uploads(), 0U);
  EXPECT_THAT(contents(place), SizeIs(1));
}

// Of a process that came no further.
TEST(Probe, IsRemovedByTheNextRun) {
  Place place;
  place.write("a", "1");
  place.upload.retry.give_up_after = std::chrono::milliseconds(1);
  auto lost = cut("ProbeUploadPart", HttpFault::reset, 0);
  lost.times = 1000;
  place.server.fail(lost);
  auto kept = cut("ProbeAbortMultipartUpload", HttpFault::reset, 0);
  kept.times = 1000;
  place.server.fail(kept);
  EXPECT_THROW(place.run(), base::Error);
  EXPECT_EQ(place.server.uploads(), 1U);
  place.server.forgive();
  expect_clean(place.run());
  EXPECT_EQ(place.server.uploads(), 0U);
  EXPECT_THAT(contents(place), SizeIs(1));
}

TEST(Probe, IsNotWhatAFileIsThatIsCalledLikeOne) {
  Place place;
  const std::string name = ".cutover-probe-0123456789abcdef";
  const auto content = random_text(kLarge);
  place.write(name, content);
  place.server.fail(cut("CreateMultipartUpload", HttpFault::reset, 0, true));
  place.server.fail(cut("ProbeCreateMultipartUpload", HttpFault::reset, 0, true));
  for (int i = 0; i < 2; ++i) expect_clean(place.run());
  EXPECT_TRUE(contents(place).at("prefix/" + name) == content);
  EXPECT_EQ(place.server.uploads(), 0U);
}

// Denied, the object of a process that died stays, and that is said; nothing else suffers.
TEST(Probe, MayStayWhereNothingMayBeDeleted) {
  Place place;
  place.write("a", "1");
  place.server.fail(answering("DeleteObject", 403, "AccessDenied", 1000));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures + outcome.differences, 0U);
  EXPECT_THAT(contents(place), SizeIs(2));
  place.server.reset_counts();
  place.run();
  EXPECT_EQ(place.server.count("DeleteObject"), 0) << "it was said once";
}

// What could not be removed is not forgotten.
TEST(Probe, IsRemovedLaterWhereTheServerCouldNot) {
  Place place;
  place.write("a", "1");
  place.upload.retry.give_up_after = std::chrono::milliseconds(1);
  place.server.fail(answering("DeleteObject", 503, "ServiceUnavailable", 1000));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_THAT(contents(place), SizeIs(2));
  place.server.forgive();
  expect_clean(place.run());
  EXPECT_THAT(contents(place), SizeIs(1));
}

// Each try whose answer was lost has made a version that nobody knows.
TEST(Probe, LeavesNoVersions) {
  for (const int times : {1, 6}) {
    Place place({.versioned = true});
    place.write("a", "1");
    auto lost = cut("PutObject", HttpFault::reset, 0, true);
    lost.after = 1;
    lost.times = times;
    place.server.fail(lost);
    expect_clean(place.run());
    EXPECT_EQ(place.server.versions(), 1U) << "that of the file; lost: " << times;
  }
}

TEST(Probe, IsNotLookedForWithoutEndWhereADeletionChangesNothing) {
  Place place;
  place.write("a", "1");
  auto lost = cut("PutObject", HttpFault::reset, 0, true);
  lost.after = 1;
  lost.times = 2;  // the first is sent again by libcurl, which tells nobody
  place.server.fail(lost);
  place.server.fail({.operation = "DeleteObject", .answer = {.status = 204}, .times = 1000});
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  ASSERT_FALSE(outcome.problems.empty());
  EXPECT_THAT(outcome.problems.back().what, HasSubstr("there are more"));
  EXPECT_LT(place.server.count("DeleteObject"), 50);
  place.server.forgive();
  place.run();
  EXPECT_THAT(contents(place), SizeIs(1)) << "a later run looks again";
}

TEST(VersionedBucket, KeepsWhatIsReplacedAndDeleted) {
  Place place({.versioned = true});
  place.write("small", "1");
  place.write("gone", "1");
  place.write("large", random_text(kLarge));
  expect_clean(place.run());
  EXPECT_EQ(place.server.versions(), 3U);
  EXPECT_EQ(place.run().unchanged, 3U);
  place.write("small", "2");
  std::filesystem::remove(place.files() / "gone");
  place.upload.remove = true;
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.uploaded, 1U);
  EXPECT_EQ(outcome.removed, 1U);
  EXPECT_THAT(contents(place), SizeIs(2));
  EXPECT_EQ(place.server.versions(), 5U) << "another of one file, and what marks the other's deletion";
}

TEST(Probe, NeedsRoomForAName) {
  Place place;
  place.write("a", "1");
  place.upload.target = parse_uri("s3://bucket/" + std::string(1000, 'p'));
  place.upload.walk.prefix = place.upload.target.prefix;
  try {
    place.run();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_THAT(error.hint(), HasSubstr("shorter prefix"));
  }
  EXPECT_EQ(place.server.count("PutObject"), 0);
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

/// With KMS and without.
class Encryption : public ::testing::TestWithParam<std::string> {};

TEST_P(Encryption, IsWhatWasAskedFor) {
  Place place;
  place.write("a", "1");
  place.write("large", random_text(kLarge));
  place.upload.settings.encryption = GetParam();
  expect_clean(place.run());
  for (const auto& [key, object] : place.server.objects())
    EXPECT_EQ(object.headers.at("x-amz-server-side-encryption"), GetParam());
}

TEST_P(Encryption, ThatTheServerPassesOverEndsTheRun) {
  Place place({.encrypts = false});
  place.write("a", "1");
  place.upload.settings.encryption = GetParam();
  try {
    place.run();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("encrypted with " + GetParam()));
  }
  EXPECT_THAT(contents(place), IsEmpty());
}

TEST_P(Encryption, IsLookedForInEveryAnswer) {
  Place place({.encrypts = false});
  place.write("first", "1");
  place.run();
  place.write("small", "2");
  place.write("large", random_text(kLarge));
  place.upload.settings.encryption = GetParam();
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 3U) << "the first one was to be encrypted, too";
  for (const auto& problem : outcome.problems) EXPECT_THAT(problem.what, HasSubstr("encrypted with"));
  EXPECT_EQ(outcome.uploaded, 0U);
}

// Whose answer was lost with the process: nothing but the object is left to ask.
TEST_P(Encryption, IsLookedForInAnObjectThatWasCompletedBefore) {
  Place place({.encrypts = false});
  place.write("first", "1");
  place.run();
  std::filesystem::remove(place.files() / "first");
  place.write("large", random_text(kLarge));
  place.upload.settings.encryption = GetParam();
  const base::Stop stop;
  place.server.fail({.operation = "CompleteMultipartUpload",
                     .answer = S3Fake::error(500, "InternalError"),
                     .takes_effect = true,
                     .also = [&] { stop.request(); }});
  Progress progress;
  EXPECT_THROW(s3::upload(place.upload, place.session(), progress, stop), base::Error);
  ASSERT_TRUE(place.server.objects().contains("prefix/large"));
  const auto outcome = place.run();
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("encrypted with"));
  EXPECT_EQ(place.run().failures, 1U) << "nor is it believed later";
}

TEST_P(Encryption, MakesAnObjectOfOthersAnotherOne) {
  Place place;
  place.server.put("prefix/a", "1");
  place.write("a", "1");
  place.upload.settings.encryption = GetParam();
  const auto outcome = place.run();
  EXPECT_EQ(outcome.adopted, 0U);
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("another encryption"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Encryption, ::testing::Values("AES256", "aws:kms"));

TEST(Probe, SaysWhatTheServerSaysToEveryContent) {
  Place place;
  place.write("a", "1");
  place.server.fail({.operation = "PutObject", .answer = S3Fake::error(501, "NotImplemented"), .times = 100});
  try {
    place.run();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("NotImplemented"));
  }
}

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

}  // namespace
}  // namespace s3
