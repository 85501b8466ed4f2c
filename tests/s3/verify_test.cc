#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/s3/fixture.h"

// Directory and bucket compared, without an upload or behind one.

namespace s3 {
namespace {

using test::expect_clean;
using test::kLarge;
using test::Place;
using test::random_text;
using ::testing::HasSubstr;

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

/// Two hundred files, of which a tenth is to be read back.
class Sample : public ::testing::Test {
 protected:
  Sample() {
    for (int i = 0; i < 200; ++i) place_.write(std::to_string(i), "content");
    place_.run();
    place_.upload.verify = VerifyLevel::download;
    place_.upload.download_share = 0.1;
  }
  void damage_all() {
    for (int i = 0; i < 200; i += 2) place_.server.erase("prefix/" + std::to_string(i));
    for (int i = 1; i < 200; i += 2) place_.server.put("prefix/" + std::to_string(i), "CONTENT");
  }
  Place place_;
};

TEST_F(Sample, IsReadAndTheOthersEtagsAreThoseOfTheirUploads) {
  const auto equal = place_.run().verification;
  EXPECT_EQ(equal.equal + equal.listed, 200U);
  EXPECT_GT(equal.equal, 0U);
  EXPECT_EQ(equal.downloaded, equal.equal);
  EXPECT_GT(equal.listed, 100U);
  damage_all();
  const auto result = place_.run().verification;
  EXPECT_EQ(result.missing, 100U);
  EXPECT_EQ(result.different, 100U);
}

TEST_F(Sample, IsReadAndTheOthersAreComparedByChecksumWhereTheirUploadsAreNotKnown) {
  Progress progress;
  const auto compared = [&] {
    return verify_only(place_.upload, place_.session(), progress, base::Stop()).verification;
  };
  EXPECT_EQ(compared().equal, 200U);
  damage_all();
  const auto result = compared();
  EXPECT_EQ(result.missing, 100U);
  EXPECT_EQ(result.different, 100U) << "of the same size";
  EXPECT_EQ(result.listed, 0U);
}

TEST(SampleOfFewFiles, HasOneAtLeast) {
  Place place;
  place.upload.verify = VerifyLevel::download;
  place.upload.download_share = 0.000'000'1;
  for (const auto* name : {"a", "b", "c"}) {
    place.write(name, std::string("content ") + name);
    place.server.reset_counts();
    const auto outcome = place.run();
    expect_clean(outcome);
    EXPECT_EQ(outcome.verification.downloaded, 1U);
    EXPECT_EQ(outcome.verification.equal, 1U);
    EXPECT_EQ(place.server.count("GetObject"), 1);
  }
  Progress progress;
  const auto alone = verify_only(place.upload, place.session(), progress, base::Stop()).verification;
  EXPECT_EQ(alone.equal, 3U) << "the others by checksum";
  EXPECT_EQ(alone.downloaded, 1U);
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

}  // namespace
}  // namespace s3
