#include <chrono>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "s3/error.h"
#include "s3/unfinished.h"
#include "s3/upload_journal.h"
#include "s3/upload_run.h"
#include "tests/base/matchers.h"
#include "tests/s3/faults.h"
#include "tests/s3/fixture.h"

// Multipart uploads that an earlier process has begun.

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
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

/// What a proxy says while its servers are away.
S3Fake::Fault nothing_here(std::string operation) {
  return {.operation = std::move(operation), .answer = {.status = 404, .body = "<html>not found</html>"}};
}

class BareNotFound : public ::testing::TestWithParam<std::string> {};

// It would be sent again from its first part.
TEST_P(BareNotFound, IsNotTheEndOfAnUpload) {
  Place place;
  const auto content = random_text(kLarge);
  place.write("large", content);
  place.upload.concurrency = 1;
  auto fault = answering("UploadPart", 403, "SignatureDoesNotMatch", 1);
  fault.after = 2;
  place.server.fail(fault);
  EXPECT_THROW(place.run(), S3Error);
  place.server.reset_counts();
  place.server.fail(nothing_here(GetParam()));
  expect_clean(place.run());
  EXPECT_EQ(place.server.count("CreateMultipartUpload"), 0);
  EXPECT_TRUE(contents(place).at("prefix/large") == content);
  EXPECT_EQ(place.server.uploads(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Of, BareNotFound,
                         ::testing::Values("ListParts", "UploadPart", "CompleteMultipartUpload"),
                         [](const auto& test) { return test.param; });

TEST(Upload, IsNotAbortedByABareNotFound) {
  Place place;
  place.write("large", random_text(kLarge));
  place.upload.concurrency = 1;
  place.server.fail(answering("UploadPart", 403, "SignatureDoesNotMatch", 1));
  EXPECT_THROW(place.run(), S3Error);
  std::filesystem::remove(place.files() / "large");
  place.server.fail(nothing_here("AbortMultipartUpload"));
  expect_clean(place.run());
  EXPECT_EQ(place.server.uploads(), 0U) << "it was asked again";

  place.write("large", random_text(kLarge));
  place.server.fail(answering("UploadPart", 403, "SignatureDoesNotMatch", 1));
  EXPECT_THROW(place.run(), S3Error);
  std::filesystem::remove(place.files() / "large");
  auto lasting = nothing_here("AbortMultipartUpload");
  lasting.times = 1'000'000;
  place.server.fail(lasting);
  place.upload.retry.give_up_after = std::chrono::milliseconds(1);
  EXPECT_THAT([&] { place.run(); },
              base::test::throws(base::ErrorKind::transient, HasSubstr("abort the upload of")));
  EXPECT_THAT(read_upload_run(place.upload.run_dir).uploads, SizeIs(1)) << "a later run aborts it";
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
  Place place({.names_encoding = false, .page = 2});
  Client client(place.session(), base::Stop());
  const std::string name = "100% l\xc3\xa4rge <&> +%20";
  for (int i = 0; i < 5; ++i) client.create_multipart_upload("prefix/" + name, Integrity::md5, {});
  for (int i = 0; i < 4; ++i)
    client.create_multipart_upload(fmt::format("prefix/{}{}", name, i), Integrity::md5, {});
  EXPECT_THAT(unfinished_uploads(client, {}, "prefix/" + name), SizeIs(9));
  place.write(name, random_text(kLarge));
  place.server.fail(cut("CreateMultipartUpload", HttpFault::reset, 0, true));
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_EQ(place.server.uploads(), 4U) << "those of other keys stay";
}

TEST(Upload, FindsItsLostUploadWhereTheClocksDiffer) {
  for (const int hours : {1, -1}) {
    Place place({.clock_ahead = std::chrono::hours(hours)});
    place.write("large", random_text(kLarge));
    place.server.fail(cut("CreateMultipartUpload", HttpFault::reset, 0, true));
    expect_clean(place.run());
    EXPECT_EQ(place.server.uploads(), 0U) << hours;
  }
}

TEST(Upload, SaysThatALostUploadMayBeLeftWhereNoneAreListed) {
  Place place;
  place.write("large", random_text(kLarge));
  place.server.fail(cut("CreateMultipartUpload", HttpFault::reset, 0, true));
  place.server.fail(
      {.operation = "ListMultipartUploads", .answer = S3Fake::error(501, "NotImplemented"), .times = 3});
  const auto outcome = place.run();
  EXPECT_EQ(outcome.failures, 0U);
  EXPECT_EQ(outcome.verification.equal, 1U);
  ASSERT_FALSE(outcome.problems.empty());
  EXPECT_THAT(outcome.problems.back().what, HasSubstr("an unfinished upload of it may be left"));
  EXPECT_EQ(place.server.uploads(), 1U);
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.uploads(), 0U) << "a later run looks again";
}

TEST(Upload, SaysThatALostUploadMayBeOneThatIsListedByAnotherName) {
  Place place({.lists_ascii_only = true});
  const std::string name = "l\u00e4rge";
  Client client(place.session(), base::Stop());
  client.create_multipart_upload("prefix/" + name + "2", Integrity::md5, {});
  place.write(name, random_text(kLarge));
  place.server.fail(cut("CreateMultipartUpload", HttpFault::reset, 0, true));
  for (int i = 0; i < 2; ++i) {  // a later run looks again
    const auto outcome = place.run();
    EXPECT_EQ(outcome.failures, 0U);
    ASSERT_FALSE(outcome.problems.empty());
    EXPECT_EQ(outcome.problems.back().path, name);
    EXPECT_THAT(outcome.problems.back().what,
                AllOf(HasSubstr("an unfinished upload of it may be left"),
                      HasSubstr("prefix/l\uFFFD\uFFFDrge,"), HasSubstr("abort it by its id, upload/")));
  }
  EXPECT_EQ(place.server.uploads(), 2U);
  const auto lost = unfinished_uploads(client, {}, "prefix/" + name).front().upload_id;
  client.abort_multipart_upload("prefix/" + name, lost);
  EXPECT_THAT(place.run().problems, IsEmpty());
  EXPECT_EQ(place.server.uploads(), 1U) << "that of another key, which is not taken for it";
}

TEST(CleaningAnUpload, GoesOnWithTheOtherFilesWhereOneIsInDoubt) {
  Place place({.lists_ascii_only = true});
  const std::string name = "l\u00e4rge";
  {
    UploadJournal journal(place.upload.run_dir,
                          {.directory = "/files", .bucket = "bucket", .prefix = "prefix/"});
    journal.record_intended(name, 0);
    journal.record_intended("other", 0);
  }
  Client client(place.session(), base::Stop());
  client.create_multipart_upload("prefix/" + name, Integrity::md5, {});
  client.create_multipart_upload("prefix/other", Integrity::md5, {});
  const auto clean = [&] {
    return clean_upload_run(
        place.upload.run_dir, read_upload_run(place.upload.run_dir), [&] { return place.session(); },
        base::Stop());
  };
  EXPECT_THAT(clean, base::test::throws(base::ErrorKind::permanent,
                                        AllOf(HasSubstr("1 unfinished uploads were aborted"),
                                              HasSubstr("one may be left of " + name + ": "),
                                              HasSubstr("abort it by its id, upload/"))));
  EXPECT_EQ(place.server.uploads(), 1U) << "that in doubt";
  EXPECT_EQ(read_upload_run(place.upload.run_dir).intended.size(), 1U);
  EXPECT_THAT(clean,
              base::test::throws(base::ErrorKind::permanent, HasSubstr("0 unfinished uploads were aborted")));
  place.server.abort_uploads();
  EXPECT_TRUE(clean().removed);
}

/// The operation during which the request of a process that is gone is carried out.
class BegunTooLate : public ::testing::TestWithParam<std::string> {};

TEST_P(BegunTooLate, IsAborted) {
  Place place;
  place.write("large", random_text(kLarge));
  place.server.fail(answering("CreateMultipartUpload", 403, "SignatureDoesNotMatch", 1));
  EXPECT_THROW(place.run(), S3Error);
  S3Fake::Fault late{.operation = GetParam()};
  late.change = [](support::HttpServerResponse&) {};
  late.also = [&] {
    Client(place.session(), base::Stop()).create_multipart_upload("prefix/large", Integrity::md5, {});
  };
  place.server.fail(late);
  expect_clean(place.run());
  EXPECT_EQ(place.server.uploads(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Of, BegunTooLate, ::testing::Values("UploadPart", "ListObjectsV2"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace s3
