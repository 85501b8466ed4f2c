#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"

// Objects that others have written, and how requests are kept from replacing them.

namespace s3 {
namespace {

using support::S3Fake;
using test::content_of;
using test::expect_clean;
using test::kLarge;
using test::meanwhile;
using test::Place;
using test::random_text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// With a server that respects conditions, and with one that ignores them.
class ObjectsOfOthers : public ::testing::TestWithParam<bool> {
 protected:
  Place place_{support::S3FakeOptions{.honours_conditions = GetParam()}};
};

TEST_P(ObjectsOfOthers, StayWhenTheyCameBetweenTwoRuns) {
  place_.write("a", "1");
  EXPECT_THAT(place_.run().problems, IsEmpty());
  place_.server.put("prefix/b", "theirs");
  place_.write("b", "ours");
  const auto outcome = place_.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("--overwrite"));
  EXPECT_EQ(content_of(place_, "b"), "theirs");
}

TEST_P(ObjectsOfOthers, StayWhenTheyReplacedOurs) {
  const auto large = random_text(kLarge);
  place_.write("a", "1");
  place_.write("large", large);
  place_.run();
  place_.server.put("prefix/a", "theirs");
  place_.server.put("prefix/large", "theirs");
  place_.write("a", "2");
  place_.write("large", random_text(kLarge, 1));
  EXPECT_EQ(place_.run().failures, 2U);
  EXPECT_EQ(content_of(place_, "a"), "theirs");
  EXPECT_EQ(content_of(place_, "large"), "theirs");
  EXPECT_EQ(place_.server.uploads(), 0U);
  place_.upload.overwrite = true;
  EXPECT_THAT(place_.run().problems, IsEmpty());
  EXPECT_EQ(content_of(place_, "a"), "2");
}

TEST_P(ObjectsOfOthers, StayWhenTheyComeWhilePartsAreSent) {
  place_.write("large", random_text(kLarge));
  place_.server.fail(meanwhile("UploadPart", 1, [&] { place_.server.put("prefix/large", "theirs"); }));
  EXPECT_EQ(place_.run().failures, 1U);
  EXPECT_EQ(content_of(place_, "large"), "theirs");
  EXPECT_EQ(place_.server.uploads(), 0U);
}

TEST_P(ObjectsOfOthers, AreNotWhatWeChangeOurselves) {
  place_.write("a", "1");
  place_.write("large", random_text(kLarge));
  place_.run();
  place_.write("a", "2");
  place_.write("large", random_text(kLarge, 1));
  const auto outcome = place_.run();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.uploaded, 2U);
  EXPECT_EQ(content_of(place_, "a"), "2");
}

INSTANTIATE_TEST_SUITE_P(Servers, ObjectsOfOthers, ::testing::Bool());

TEST(Conditions, KeepAnObjectThatComesAtTheVeryEnd) {
  Place place;
  place.write("large", random_text(kLarge));
  place.server.fail(
      meanwhile("CompleteMultipartUpload", 0, [&] { place.server.put("prefix/large", "theirs"); }));
  EXPECT_EQ(place.run().failures, 1U);
  EXPECT_EQ(content_of(place, "large"), "theirs");
  EXPECT_EQ(place.server.uploads(), 0U);
}

/// By who says nothing of its ETag (true), or which (false).
class Completions : public ::testing::TestWithParam<bool> {};

// On a server that does not keep them apart, at the moment between the completion and our look at it.
TEST_P(Completions, AreNotTakenForAnObjectOfTheSameSize) {
  const bool names_etag = GetParam();
  Place place({.checks_crc = false, .complete_names_etag = names_etag});
  const auto content = random_text(kLarge);
  const auto theirs = random_text(kLarge, 1);
  place.write("large", content);
  place.server.fail(meanwhile("HeadObject", 2, [&] { place.server.put("prefix/large", theirs); }));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_TRUE(content_of(place, "large") == theirs);
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST_P(Completions, AreTheirObjectsByTheRuleOfETags) {
  Place place({.checks_crc = false, .complete_names_etag = GetParam()});
  place.write("large", random_text(kLarge));
  expect_clean(place.run());
  EXPECT_EQ(place.server.count("CompleteMultipartUpload"), 1);
}

INSTANTIATE_TEST_SUITE_P(ThatNameAnETag, Completions, ::testing::Bool());

TEST(Conditions, AreLeftOutWhereTheServerDoesNotKnowThem) {
  Place place;
  place.write("a", "1");
  place.run();
  place.write("a", "2");
  place.server.reset_counts();
  place.server.fail({.operation = "PutObject", .answer = S3Fake::error(501, "NotImplemented")});
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.count("PutObject"), 2);
  EXPECT_EQ(content_of(place, "a"), "2");
}

// One that refuses what it does not know has not kept a condition by that.
TEST(Conditions, AreNotTakenForKeptWhereTheyAreRefused) {
  Place place;
  place.write("a", "1");
  place.server.fail({.operation = "PutObject", .answer = S3Fake::error(501, "NotImplemented"), .after = 2});
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_FALSE(outcome.capabilities->conditional_put);
  EXPECT_EQ(content_of(place, "a"), "1");
}

// They are not ours to be given other headers, unless that is asked for.
TEST(ObjectsOfOthersWithTheSameContent, KeepTheirHeaders) {
  Place place;
  add_cache_control(place.upload.settings.cache_control, "max-age=300");
  place.write("a", "1");
  place.server.put("prefix/a", "1");
  const auto outcome = place.run();
  EXPECT_EQ(outcome.adopted, 1U);
  ASSERT_THAT(outcome.problems, SizeIs(1));
  EXPECT_THAT(outcome.problems[0].what, HasSubstr("keep other headers than were asked for"));
  EXPECT_EQ(place.server.objects().at("prefix/a").headers.count("cache-control"), 0U);
  EXPECT_THAT(place.run().problems, IsEmpty());

  std::filesystem::remove_all(place.upload.run_dir);
  place.upload.overwrite = true;
  expect_clean(place.run());
  EXPECT_EQ(place.server.objects().at("prefix/a").headers.at("cache-control"), "max-age=300");
}

TEST(ObjectsOfOthersWithTheSameContent, MayHaveOtherTags) {
  Place place;
  place.upload.settings.tags["app"] = "x";
  place.write("a", "1");
  place.server.put("prefix/a", "1");
  const auto outcome = place.run();
  EXPECT_EQ(outcome.adopted, 1U);
  ASSERT_THAT(outcome.problems, SizeIs(1));
  EXPECT_THAT(outcome.problems[0].what, HasSubstr("as of tags"));
  std::filesystem::remove_all(place.upload.run_dir);
  place.upload.overwrite = true;
  expect_clean(place.run());
  EXPECT_EQ(place.server.objects().at("prefix/a").headers.at("x-amz-tagging"), "app=x");
}

TEST(Conditions, AreLeftOutOfACompletionThatTakesNone) {
  Place place;
  place.write("a", "1");
  place.run();
  place.write("large", random_text(kLarge));
  place.write("a", "2");
  place.server.fail({.operation = "CompleteMultipartUpload", .answer = S3Fake::error(501, "NotImplemented")});
  place.server.reset_counts();
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  ASSERT_THAT(outcome.problems, SizeIs(1));
  EXPECT_THAT(outcome.problems[0].what, HasSubstr("takes no conditions"));
  EXPECT_EQ(outcome.uploaded, 2U);
  EXPECT_EQ(place.server.count("CompleteMultipartUpload"), 2);
}

/// Two small files and a large one, which all have to be replaced by the next run.
void upload_and_change(Place& place) {
  place.upload.concurrency = 1;
  for (const auto* name : {"a", "b"}) place.write(name, "1");
  place.write("large", random_text(kLarge));
  place.run();
  for (const auto* name : {"a", "b"}) place.write(name, "2");
  place.write("large", random_text(kLarge, 1));
}

TEST(Conditions, AreLeftOutWhereEveryETagIsRefused) {
  Place place({.takes_match = false});
  upload_and_change(place);
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_THAT(outcome.problems, SizeIs(2)) << "a note each, of PUTs and of completions";
  EXPECT_EQ(content_of(place, "b"), "2");
}

TEST(Conditions, StayWhatTheyAreWhereTheyHaveWorked) {
  Place place;
  place.upload.concurrency = 1;
  for (const auto* name : {"a", "b"}) place.write(name, "1");
  place.run();
  for (const auto* name : {"a", "b"}) place.write(name, "2");
  // As if a copy of the server were behind: it refuses the ETag that it names itself.
  place.server.fail(
      {.operation = "PutObject", .answer = S3Fake::error(412, "PreconditionFailed"), .times = 3, .after = 1});
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_EQ(outcome.uploaded, 1U);
}

TEST(Conditions, NameTheETagAsTheServerComparesIt) {
  Place place({.quotes_match = false});
  upload_and_change(place);
  place.server.reset_counts();
  const auto outcome = place.run();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.uploaded, 3U);
  EXPECT_EQ(place.server.count("PutObject"), 3) << "one refusal is enough";
  EXPECT_EQ(place.server.count("CompleteMultipartUpload"), 2);
}

TEST(Conditions, ProtectWhatComesAtTheVeryEndOnSuchAServerToo) {
  Place place({.quotes_match = false});
  place.write("a", "1");
  place.run();
  place.write("a", "2");
  place.server.fail(meanwhile("PutObject", 1, [&] { place.server.put("prefix/a", "theirs"); }));
  EXPECT_EQ(place.run().failures, 1U);
  EXPECT_EQ(content_of(place, "a"), "theirs");
}

}  // namespace
}  // namespace s3
