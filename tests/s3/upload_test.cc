#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/s3/fixture.h"

// Which objects an upload makes, replaces and deletes.

namespace s3 {
namespace {

using support::S3Fake;
using test::contents;
using test::expect_clean;
using test::kLarge;
using test::Place;
using test::random_text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

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

// As AWS does, in either way.
TEST(Upload, KnowsItsObjectsWhereSpacesAreListedAsPlusSigns) {
  for (const bool lists_plus : {true, false}) {
    Place place({.lists_plus = lists_plus});
    for (const auto* name : {"a b", "a+b", "a%20b", " a  b/c +d%2Be "}) place.write(name, name);
    place.upload.remove = true;
    const auto outcome = place.run();
    expect_clean(outcome);
    EXPECT_EQ(outcome.verification.equal, 4U);
    EXPECT_EQ(outcome.verification.extra, 0U);
    EXPECT_EQ(outcome.removed, 0U);
    EXPECT_THAT(contents(place), SizeIs(4));
  }
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

TEST(Upload, DeletesNothingBesideItsPrefix) {
  Place place;
  place.write("a", "1");
  for (const auto* key : {"prefix", "prefix2/a", "prefix-old/a", "prefi/a", "PREFIX/a", "prefix/gone"})
    place.server.put(key, "1");
  place.upload.remove = true;
  const auto outcome = place.run();
  expect_clean(outcome);
  EXPECT_EQ(outcome.removed, 1U);
  EXPECT_EQ(outcome.verification.extra, 0U);
  EXPECT_THAT(contents(place), SizeIs(6));
  EXPECT_FALSE(contents(place).contains("prefix/gone"));
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
