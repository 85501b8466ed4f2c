#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "s3/error.h"
#include "s3/unfinished.h"
#include "s3/upload_run.h"
#include "s3/work_queue.h"
#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"

// What could be lost, replaced or passed over in silence.

namespace s3 {
namespace {

using support::S3Fake;
using test::content_of;
using test::kLarge;
using test::meanwhile;
using test::Place;
using test::random_text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(WorkQueueEnds, OnlyWhenNoSmallFileCanGrowAnyMore) {
  const base::Stop stop;
  const base::Stop stopped;
  stopped.request();
  WorkQueue queue;
  queue.add_small({"a", {}}, stop);
  queue.add_small({"b", {}}, stop);
  queue.close();
  auto first = queue.take(false, stop);
  const auto second = queue.take(false, stop);
  EXPECT_THROW(queue.take(false, stopped), base::Error) << "there is nothing yet, but it is not the end";
  queue.done();
  queue.grown(std::move(first->file));
  const auto large = queue.take(false, stop);
  ASSERT_TRUE(large);
  EXPECT_EQ(large->kind, WorkQueue::Task::Kind::begin);
  queue.dropped();
  EXPECT_FALSE(queue.take(false, stop));
}

TEST(LaterWalks, ReportWhatTheyCannotTake) {
  for (const auto level : {VerifyLevel::checksum, VerifyLevel::download}) {
    Place place;
    place.write("a", "1");
    place.upload.verify = level;
    place.server.fail(meanwhile("ListObjectsV2", 1,
                                [&] { ASSERT_EQ(::mkfifo((place.files() / "fifo").c_str(), 0600), 0); }));
    const auto outcome = place.run();
    EXPECT_EQ(outcome.failures, 1U);
    EXPECT_EQ(outcome.verification.equal, 1U);
  }
}

TEST(LaterWalks, CountTheSameProblemOnce) {
  Place place;
  place.write("a", "1");
  place.upload.verify = VerifyLevel::checksum;
  ASSERT_EQ(::mkfifo((place.files() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(place.run().failures, 1U);
}

TEST(Comparisons, DoNotCallAFileEqualThatVanishesBeforeIt) {
  Place place;
  place.write("a", "1");
  place.write("b", "2");
  place.upload.verify = VerifyLevel::checksum;
  place.server.fail(meanwhile("ListObjectsV2", 1, [&] { std::filesystem::remove(place.files() / "b"); }));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_EQ(outcome.verification.equal, 1U);
  EXPECT_EQ(outcome.verification.vanished, 1U);
  EXPECT_EQ(std::ranges::count(outcome.verification.is_equal, true), 1);
}

class Comparisons : public ::testing::TestWithParam<VerifyLevel> {};
INSTANTIATE_TEST_SUITE_P(Levels, Comparisons,
                         ::testing::Values(VerifyLevel::list, VerifyLevel::checksum, VerifyLevel::download));

TEST_P(Comparisons, MakeWhatIsNotThereBeSentAgain) {
  Place place;
  place.upload.verify = GetParam();
  place.write("a", "1");
  place.run();
  place.server.erase("prefix/a");
  EXPECT_EQ(place.run().differences, 1U);
  const auto again = place.run();
  EXPECT_THAT(again.problems, IsEmpty());
  EXPECT_EQ(again.uploaded, 1U);
}

TEST(Deletion, NeedsFilesAndNoSkippedLinks) {
  Place place;
  place.write("a", "1");
  place.run();
  place.upload.remove = true;
  std::filesystem::remove(place.files() / "a");
  EXPECT_THROW(place.run(), base::Error) << "an empty directory may be one that is not mounted";
  place.write("b", "1");
  std::filesystem::create_symlink("b", place.files() / "a");
  place.upload.walk.symlinks = Symlinks::skip;
  EXPECT_THROW(place.run(), base::Error);
  EXPECT_EQ(content_of(place, "a"), "1");
}

/// An upload of `a` and of what is written meanwhile, with --delete.
class Deleting : public ::testing::Test {
 protected:
  Deleting() {
    place_.write("a", "1");
    place_.write("b", "2");
    place_.write("2023/01/x", "3");
    place_.write("2023/y", "4");
    EXPECT_THAT(place_.run().problems, IsEmpty());
    place_.upload.remove = true;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(place_.files() / path); }
  bool has(const std::string& key) const { return place_.server.objects().contains("prefix/" + key); }

  Place place_;
};

TEST_F(Deleting, LooksForTheFileBeforeItTakesTheObject) {
  remove("b");
  // The application makes it anew when the walks are over: the listing of what is to be deleted has begun.
  place_.server.fail(meanwhile("ListObjectsV2", 0, [&] { place_.write("b", "new"); }));
  const auto outcome = place_.run();
  EXPECT_EQ(outcome.removed, 0U);
  EXPECT_TRUE(has("b"));
  EXPECT_EQ(outcome.failures, 1U) << "it is not uploaded either";
  EXPECT_THAT(place_.run().problems, IsEmpty());
  EXPECT_EQ(content_of(place_, "b"), "new");
}

TEST_F(Deleting, TakesMoreThanOneRequestCanName) {
  for (int i = 0; i < 1001; ++i) place_.server.put(fmt::format("prefix/extra/{}", i), "x");
  remove("b");
  const auto outcome = place_.run();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.removed, 1002U);
  EXPECT_FALSE(has("extra/0") || has("extra/999") || has("b"));
}

TEST_F(Deleting, TakesNothingOfAnEmptyDirectory) {
  remove("2023");
  std::filesystem::create_directory(place_.files() / "2023");
  remove("b");
  const auto outcome = place_.run();
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().path, HasSubstr("2023"));
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("2 objects of it, which stay"));
  EXPECT_TRUE(has("2023/01/x") && has("2023/y"));
  EXPECT_FALSE(has("b"));
  remove("2023");
  EXPECT_THAT(place_.run().problems, IsEmpty());
  EXPECT_FALSE(has("2023/01/x") || has("2023/y"));
}

TEST_F(Deleting, GoesByTheNearestDirectoryThatIsThere) {
  remove("2023/01");
  place_.server.put("prefix/2023//y", "no file can have this name");
  place_.server.put("prefix/empty/", "made by a console, for a directory");
  std::filesystem::create_directory(place_.files() / "empty");
  EXPECT_THAT(place_.run().problems, IsEmpty());
  EXPECT_FALSE(has("2023/01/x") || has("2023//y") || has("empty/"));
  EXPECT_TRUE(has("2023/y"));
}

TEST_F(Deleting, DoesNotTakeWhatIsInPlaceOfTheDirectory) {
  place_.server.fail(meanwhile("ListObjectsV2", 0, [&] {
    std::filesystem::rename(place_.files(), place_.files().native() + ".old");
    place_.write("other", "1");
  }));
  place_.server.put("prefix/extra", "1");
  const auto outcome = place_.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_EQ(outcome.verification.equal, 4U) << "the directory that was opened";
}

/// Something happens between the first walk of a run and the second.
S3Fake::Fault between_the_walks(std::function<void()> what) {
  return meanwhile("ListMultipartUploads", 0, std::move(what));
}

TEST(Directories, ThatAreReplacedMeanwhileAreAFailure) {
  Place place;
  place.write("a", "1");
  place.write("b", "2");
  const auto old = place.files().native() + ".old";
  place.server.fail(between_the_walks([&] {
    std::filesystem::rename(place.files(), old);
    std::filesystem::create_directory(place.files());
  }));
  const auto outcome = place.run();
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("is not the directory any more"));
  EXPECT_EQ(outcome.uploaded, 2U) << "of the directory that was opened";
}

TEST(Directories, BehindALinkThatIsSwitchedAreAFailure) {
  Place place;
  place.write("v1/a", "1");
  place.write("v2/a", "2");
  const auto current = place.files() / "current";
  std::filesystem::create_symlink("v1", current);
  place.upload.directory = current;
  place.server.fail(between_the_walks([&] {
    std::filesystem::remove(current);
    std::filesystem::create_symlink("v2", current);
  }));
  EXPECT_EQ(place.run().failures, 1U);
  EXPECT_EQ(content_of(place, "a"), "1");
}

TEST(Directories, ThatAreEmptiedMeanwhileAreAFailure) {
  Place place;
  place.write("a", "1");
  place.server.fail(between_the_walks([&] { std::filesystem::remove(place.files() / "a"); }));
  const auto outcome = place.run();
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("there were 1 files"));
}

/// A file that is not there when it is to be read; its object is known to the run directory, or is not.
class MissingForAMoment : public ::testing::TestWithParam<bool> {};

TEST_P(MissingForAMoment, IsNotEqual) {
  Place place;
  place.upload.concurrency = 1;
  place.write("a", "1");
  place.write("b", "2");
  if (GetParam()) {
    place.run();
  } else {
    place.server.put("prefix/a", "other");
    place.server.put("prefix/b", "other");
    place.upload.overwrite = true;
  }
  place.write("a", "3");
  place.write("b", "4");
  // There is one worker: whichever file comes first, the other one is gone when its turn comes.
  place.server.fail(meanwhile("PutObject", GetParam() ? 0 : 3, [&] {
    for (const auto* name : {"a", "b"}) std::filesystem::remove(place.files() / name);
  }));
  place.server.fail(meanwhile("ListObjectsV2", GetParam() ? 0 : 1, [&] {
    place.write("a", "5");
    place.write("b", "6");
  }));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.uploaded, 1U);
  ASSERT_GE(outcome.failures, 1U);
  EXPECT_THAT(outcome.problems.front().what, HasSubstr("is there, but was not"));
  EXPECT_LE(outcome.verification.equal, 1U);
}

INSTANTIATE_TEST_SUITE_P(Objects, MissingForAMoment, ::testing::Bool());

TEST(Comparisons, ReportAFileThatIsMissingForAMoment) {
  Place place;
  place.write("a", "1");
  place.write("b", "2");
  place.run();
  place.upload.verify = VerifyLevel::checksum;
  place.upload.concurrency = 1;
  const auto kept = place.files().parent_path() / "b";
  int heads = 0;
  // It is gone for the listing's walk and the comparison, and back before the last look.
  place.server.fail(
      meanwhile("ListObjectsV2", 0, [&] { std::filesystem::rename(place.files() / "b", kept); }));
  auto fault = meanwhile("HeadObject", 0, [&] {
    if (++heads == 1) std::filesystem::rename(kept, place.files() / "b");
  });
  place.server.fail(fault);
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 1U);
  EXPECT_EQ(outcome.verification.equal, 1U);
  EXPECT_EQ(outcome.verification.unverified + outcome.verification.vanished, 1U);
}

TEST(Comparisons, AloneReportWhatComesMeanwhile) {
  Place place;
  place.write("a", "1");
  place.run();
  place.upload.verify = VerifyLevel::checksum;
  place.server.fail(meanwhile("ListObjectsV2", 0, [&] { place.write("new", "1"); }));
  Progress progress;
  const auto outcome = verify_only(place.upload, place.session(), progress, base::Stop());
  ASSERT_EQ(outcome.failures, 1U);
  EXPECT_EQ(outcome.problems.front().path, "new");
}

TEST(Comparisons, ReportAFileWhichTheWalkHasMissed) {
  Place place;
  place.write("a", "1");
  place.write("b", "2");
  place.run();
  std::filesystem::remove(place.files() / "b");
  place.server.fail(meanwhile("ListObjectsV2", 0, [&] { place.write("b", "3"); }));
  Progress progress;
  const auto outcome = verify_only(place.upload, place.session(), progress, base::Stop());
  EXPECT_EQ(outcome.failures, 1U);
}

// That nothing of it is missing in the bucket says nothing.
TEST(EmptyDirectories, MayNotBeMounted) {
  Place place;
  EXPECT_EQ(place.run().failures, 0U) << "nothing is there, and nothing was";
  place.write("a", "1");
  place.run();
  std::filesystem::remove(place.files() / "a");
  const auto again = place.run();
  EXPECT_EQ(again.failures, 1U);
  EXPECT_THAT(again.problems.back().what, HasSubstr("mounted?"));
  Progress progress;
  EXPECT_EQ(verify_only(place.upload, place.session(), progress, base::Stop()).failures, 1U);
}

TEST(Filters, ThatLeaveNothingAreAFailure) {
  Place place;
  place.write("a.jpg", "1");
  place.write("b/c.jpg", "1");
  place.upload.walk.filter.include.emplace_back("*.jpeg");
  const auto expect_refusal = [](const Outcome& outcome) {
    ASSERT_EQ(outcome.failures, 1U);
    EXPECT_THAT(outcome.problems.back().what, HasSubstr("--include and --exclude leave out"));
  };
  expect_refusal(place.run());
  Progress progress;
  expect_refusal(verify_only(place.upload, place.session(), progress, base::Stop()));
  place.upload.walk.filter.include.clear();
  place.upload.walk.filter.exclude.emplace_back("b/");
  EXPECT_EQ(place.run().failures, 0U) << "something is left";
  place.upload.walk.filter.exclude.emplace_back("a.jpg");
  expect_refusal(place.run());
}

TEST(ProblemList, NamesFailuresBehindManyNotes) {
  Progress progress;
  Problems problems(progress);
  for (int i = 0; i < 1500; ++i) problems.note("n", "note");
  problems.failed("f", "why");
  EXPECT_THAT(problems.kept(), SizeIs(1001));
  EXPECT_EQ(problems.kept().back().path, "f");
}

TEST(Clocks, AreCorrectedForEveryRequestThatWasOnItsWay) {
  const Place place;
  const auto session = place.session();
  const std::string date = "Fri, 01 Jan 2021 00:00:00 GMT";
  EXPECT_TRUE(session->learn_time(date, 0));
  EXPECT_TRUE(session->learn_time(date, 0)) << "another request that was signed before";
  EXPECT_FALSE(session->learn_time(date, session->clock_offset()));
}

TEST(YoungFiles, AreComparedAgainBeforeTheirPartsAreKept) {
  Place place({.checks_crc = false});  // a checksum in the listing of the parts would tell, too
  place.write("large", random_text(kLarge));
  place.upload.concurrency = 1;
  place.server.fail(
      {.operation = "UploadPart", .answer = S3Fake::error(403, "SignatureDoesNotMatch"), .after = 2});
  EXPECT_THROW(place.run(), S3Error);
  {
    UploadJournal journal(place.upload.run_dir, {std::filesystem::canonical(place.files()), "", "bucket",
                                                 place.upload.target.prefix});
    const auto open = journal.open_uploads();
    ASSERT_THAT(open, SizeIs(1));
    EXPECT_TRUE(open[0].young);
    // As if other bytes had been sent under the same times.
    auto part = open[0].parts.at(1);
    part.checksum = std::string(part.checksum.size(), 'x');
    journal.record_part(open[0].upload_id, 1, part);
  }
  place.server.reset_counts();
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.count("UploadPart"), 2);
}

TEST(MissingRights, DoNotEndTheRunWhenLostUploadsCannotBeLookedFor) {
  Place place;
  place.write("large", random_text(kLarge));
  place.server.fail(
      {.operation = "CreateMultipartUpload", .answer = S3Fake::error(403, "SignatureDoesNotMatch")});
  EXPECT_THROW(place.run(), S3Error);
  place.server.fail(
      {.operation = "ListMultipartUploads", .answer = S3Fake::error(403, "AccessDenied"), .times = 3});
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_EQ(outcome.uploaded, 1U);
  ASSERT_THAT(outcome.problems, SizeIs(1));
  EXPECT_THAT(outcome.problems[0].what, HasSubstr("s3:ListBucketMultipartUploads"));
  place.server.reset_counts();
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.count("ListMultipartUploads"), 3) << "it is looked for again";
}

TEST(MissingRights, MakePartsBeSentAgainThatCannotBeListed) {
  Place place;
  place.write("large", random_text(kLarge));
  place.upload.concurrency = 1;
  place.server.fail(
      {.operation = "UploadPart", .answer = S3Fake::error(403, "SignatureDoesNotMatch"), .after = 1});
  EXPECT_THROW(place.run(), S3Error);
  place.server.fail({.operation = "ListParts", .answer = S3Fake::error(403, "AccessDenied")});
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.uploads(), 0U);
}

TEST(UnfinishedUploads, OfOthersAreTold) {
  const uint64_t since = 1'800'000'000;  // 2027-01-15T08:00:00Z
  EXPECT_TRUE(may_be_begun_after({"k", "id", "2027-01-15T07:50:00.000Z"}, since));
  EXPECT_FALSE(may_be_begun_after({"k", "id", "2027-01-15T07:40:00.000Z"}, since));
  EXPECT_TRUE(may_be_begun_after({"k", "id", "2027-01-15T07:40:00.000Z"}, 0));
  EXPECT_TRUE(may_be_begun_after({"k", "id"}, since));
}

class Cleaning : public ::testing::Test {
 protected:
  Cleaning() {
    UploadJournal journal(place_.upload.run_dir, {"/files", "http://other", "bucket", "prefix/"});
    journal.record(OpenUpload{.path = "large", .upload_id = "id"});
  }
  Place place_;
};

TEST_F(Cleaning, RefusesAnotherEndpoint) {
  const auto state = read_upload_run(place_.upload.run_dir);
  EXPECT_THROW(clean_upload_run(
                   place_.upload.run_dir, state, [&] { return place_.session(); }, base::Stop()),
               base::Error);
  EXPECT_EQ(place_.server.total(), 0);
  EXPECT_THAT(read_upload_run(place_.upload.run_dir).uploads, SizeIs(1));
}

TEST_F(Cleaning, DoesNotTakeAMissingBucketForSuccess) {
  place_.server.fail({.operation = "AbortMultipartUpload", .answer = S3Fake::error(404, "NoSuchBucket")});
  Client client(place_.session(), base::Stop());
  EXPECT_THROW(client.abort_multipart_upload("prefix/large", "id"), S3Error);
  EXPECT_NO_THROW(client.abort_multipart_upload("prefix/large", "id")) << "that it is gone is success";
}

}  // namespace
}  // namespace s3
