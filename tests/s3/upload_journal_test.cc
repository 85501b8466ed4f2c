#include "s3/upload_journal.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/base/temporary_directory.h"

namespace s3 {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Known = UploadJournal::Known;

const RunIdentity kRun{"/srv/uploads", "https://s3.example", "bucket", "prefix/"};
const FileState kState{10, 2, 3, 4};

ObjectRecord object(std::string path, bool is_young = false) {
  return {std::move(path), kState, is_young, 7, "etag", "v1", Integrity::crc32c, "sum!"};
}

TEST(UploadJournal, KnowsWhatIsUploadedAfterItWasOpenedAgain) {
  const base::test::TemporaryDirectory directory;
  {
    UploadJournal journal(directory.path(), kRun);
    EXPECT_FALSE(journal.capabilities());
    journal.record(Capabilities{Integrity::crc32c, true, true});
    journal.record(object("a"));
    journal.record(object("young", true));
    journal.record(object("removed"));
    journal.record_removed("removed");
  }
  UploadJournal journal(directory.path(), kRun);
  EXPECT_EQ(journal.capabilities(), (Capabilities{Integrity::crc32c, true, true}));
  EXPECT_EQ(journal.lookup("a", kState, 7), Known::current);
  EXPECT_EQ(journal.lookup("a", kState, 8), Known::no) << "other headers";
  EXPECT_EQ(journal.lookup("a", {10, 2, 3, 5}, 7), Known::no) << "another file";
  EXPECT_EQ(journal.lookup("b", kState, 7), Known::no);
  EXPECT_EQ(journal.lookup("removed", kState, 7), Known::no);
  EXPECT_EQ(journal.lookup("young", kState, 7), Known::unsure);
  EXPECT_EQ(journal.young_checksum("young"), "sum!");
  EXPECT_EQ(journal.object_count(), 2U);
}

TEST(UploadJournal, KnowsOpenUploadsAndTheirParts) {
  const base::test::TemporaryDirectory directory;
  {
    UploadJournal journal(directory.path(), kRun);
    journal.record(OpenUpload{"big", kState, 7, "id-1", 16, Integrity::crc64nvme, false, {}});
    journal.record(OpenUpload{"other", kState, 7, "id-2", 16, Integrity::crc64nvme, false, {}});
    journal.record_part("id-1", 3, {"e3", "c3", 16});
    journal.record_part("id-1", 1, {"e1", "c1", 16});
    journal.record_ended("id-2");
    journal.record_part("id-2", 1, {"late", "late", 16});
  }
  UploadJournal journal(directory.path(), kRun);
  const auto open = journal.open_uploads();
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_EQ(open[0].path, "big");
  EXPECT_EQ(open[0].state, kState);
  ASSERT_THAT(open[0].parts, SizeIs(2));
  EXPECT_EQ(open[0].parts.at(3), (PartRecord{"e3", "c3", 16}));
}

TEST(UploadJournal, BelongsToOneUpload) {
  const base::test::TemporaryDirectory directory;
  { const UploadJournal journal(directory.path(), kRun); }
  auto other = kRun;
  other.prefix = "elsewhere/";
  try {
    const UploadJournal journal(directory.path(), other);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_THAT(error.message(), HasSubstr("s3://bucket/prefix/"));
  }
}

TEST(UploadJournal, VisitsEachObjectOnceWithItsLatestRecord) {
  const base::test::TemporaryDirectory directory;
  UploadJournal journal(directory.path(), kRun);
  journal.record(object("a"));
  journal.record(object("b"));
  auto newer = object("a");
  newer.etag = "newer";
  journal.record(newer);
  std::vector<std::string> seen;
  journal.for_each_object(
      [&](const ObjectRecord& record) { seen.push_back(record.path + " " + record.etag); });
  EXPECT_THAT(seen, ::testing::ElementsAre("b etag", "a newer"));
}

// As a version does that knows nothing of who pays.
TEST(UploadJournal, SaysWhoPaysOnlyWhereItIsTheRequester) {
  const Selection usual{.symlinks = Symlinks::skip, .include = {"a"}, .exclude = {"b"}};
  auto paying = usual;
  paying.requester_pays = true;
  EXPECT_EQ(encode(paying).size(), encode(usual).size() + 1);
  for (const auto& selection : {usual, paying}) {
    UploadState state;
    state.apply(base::bytes_of(encode(selection)));
    EXPECT_EQ(state.selection, selection);
  }
}

TEST(UploadJournal, ForgetsOutdatedRecordsWithoutLosingOthers) {
  const base::test::TemporaryDirectory directory;
  uint64_t long_one = 0;
  {
    UploadJournal journal(directory.path(), kRun);
    journal.record(Capabilities{Integrity::md5, false, false});
    journal.record(OpenUpload{"big", kState, 7, "id", 16, Integrity::md5, false, {}});
    journal.record_part("id", 2, {"e", "c", 16});
    for (int i = 0; i < 10'100; ++i) journal.record(object("often"));
    journal.record(object("young", true));
    long_one = std::filesystem::file_size(directory / "uploads.journal");
  }
  for (int i = 0; i < 2; ++i) {  // the compacted one, too
    UploadJournal journal(directory.path(), kRun);
    EXPECT_LT(std::filesystem::file_size(directory / "uploads.journal"), long_one / 100);
    EXPECT_EQ(journal.lookup("often", kState, 7), Known::current);
    EXPECT_EQ(journal.lookup("young", kState, 7), Known::unsure);
    EXPECT_EQ(journal.capabilities()->integrity, Integrity::md5);
    ASSERT_THAT(journal.open_uploads(), SizeIs(1));
    EXPECT_THAT(journal.open_uploads()[0].parts, SizeIs(1));
  }
}

}  // namespace
}  // namespace s3
