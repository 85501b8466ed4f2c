#include <filesystem>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "s3/error.h"
#include "tests/s3/fixture.h"

// What is found out about a server before anything is sent to it.

namespace s3 {
namespace {

using support::S3Fake;
using test::contents;
using test::expect_clean;
using test::kLarge;
using test::Place;
using test::random_text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
