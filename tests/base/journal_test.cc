#include "base/journal.h"

#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/crc32c.h"
#include "base/sink.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"

namespace base {
namespace {

using test::TemporaryDirectory;
using test::throws;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kMagic = 6;
constexpr size_t kHeader = 12;
constexpr size_t kFrame = kHeader + 1;

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class JournalTest : public ::testing::Test {
 protected:
  std::vector<std::string> visited;
  Journal::Visitor visit = [this](Bytes payload) { visited.push_back(text_of(payload)); };

  /// The file's bytes after these payloads were appended.
  std::string written(const std::vector<std::string>& payloads) {
    std::filesystem::remove(path);
    Journal journal(path, {});
    for (const auto& payload : payloads) journal.append(bytes_of(payload));
    journal.sync();
    return read_file(path);
  }

  void store(std::string_view content) { File::create_anew(path).write_all(content); }

  Journal::Opened open() {
    visited.clear();
    Journal::Opened opened;
    const Journal journal(path, visit, &opened);
    EXPECT_EQ(journal.size(), read_file(path).size());
    return opened;
  }

  Journal::Opened read() {
    visited.clear();
    return Journal::read(path, visit);
  }

  /// Neither way to read takes the stored bytes, both name `offset`, and the file is left as it is.
  void expect_damage_at(size_t offset, const std::string& content) {
    store(content);
    const auto message =
        AllOf(HasSubstr(path.native() + " is damaged at offset " + std::to_string(offset) + "\n"));
    EXPECT_THAT([&] { open(); }, throws(ErrorKind::corrupt, message));
    EXPECT_THAT([&] { read(); }, throws(ErrorKind::corrupt, message));
    EXPECT_EQ(read_file(path), content);
  }

  /// The stored bytes are whole up to `end` and torn behind it: read() only says so, opening cuts.
  void expect_torn_from(size_t end, size_t records, const std::string& content) {
    store(content);
    for (const bool cut : {false, true}) {
      const auto opened = cut ? open() : read();
      EXPECT_EQ(opened.records, records);
      EXPECT_EQ(opened.torn_bytes, content.size() - end);
      EXPECT_EQ(visited.size(), records);
      EXPECT_EQ(read_file(path), cut ? content.substr(0, end) : content);
    }
  }

  TemporaryDirectory directory;
  std::filesystem::path path = directory / "journal";
};

TEST_F(JournalTest, ReturnsRecordsInOrder) {
  {
    Journal journal(path, visit);
    journal.append(bytes_of("one"));
    journal.append(bytes_of(std::string(3, '\0')));
    journal.sync();
    journal.append(bytes_of("three"));
  }
  const auto opened = open();
  EXPECT_EQ(opened.records, 3U);
  EXPECT_EQ(opened.torn_bytes, 0U);
  EXPECT_THAT(visited, ElementsAre("one", std::string(3, '\0'), "three"));
}

TEST_F(JournalTest, GoesOnWhereItEnded) {
  for (int i = 0; i < 3; ++i) {
    Journal journal(path, {[](Bytes) {}});
    journal.append(bytes_of(std::to_string(i)));
  }
  open();
  EXPECT_THAT(visited, ElementsAre("0", "1", "2"));
}

TEST_F(JournalTest, BytesAreThoseOfTheGrammar) {
  const auto content = written({"payload"});
  ASSERT_EQ(content.size(), kMagic + kFrame + 7);
  EXPECT_EQ(content.substr(0, kMagic), "CUTJ\x01\n");
  EXPECT_EQ(content.substr(kMagic, 4), std::string("\x07\0\0\0", 4));
  const std::string place_and_length("\x06\0\0\0\0\0\0\0\x07\0\0\0", 12);
  const auto little_endian = [](uint32_t value) {
    std::string text;
    for (int i = 0; i < 4; ++i, value >>= 8) text.push_back(static_cast<char>(value & 0xff));
    return text;
  };
  EXPECT_EQ(content.substr(kMagic + 4, 4), little_endian(crc32c(bytes_of(place_and_length))));
  EXPECT_EQ(content.substr(kMagic + 8, 4), little_endian(crc32c(bytes_of(place_and_length + "payload"))));
  EXPECT_EQ(content.substr(kMagic + kHeader), "payload\n");
}

TEST_F(JournalTest, RecordsOfEverySizeAndMany) {
  std::vector<std::string> payloads;
  for (size_t size = 1; size < 2000; size += 3)
    payloads.emplace_back(size, static_cast<char>('a' + size % 26));
  payloads.emplace_back(3U << 20, 'x');
  payloads.emplace_back("last");
  written(payloads);
  EXPECT_EQ(open().records, payloads.size());
  EXPECT_TRUE(visited == payloads);
}

TEST_F(JournalTest, LongestPayloadIsReadBackAndALongerOneRefused) {
  std::string longest(Journal::kLongestPayload, 'x');
  written({longest, "after"});
  EXPECT_EQ(read().records, 2U);
  EXPECT_TRUE(visited[0] == longest);
  longest += 'x';
  Journal journal(path, {[](Bytes) {}});
  EXPECT_THAT([&] { journal.append(bytes_of(longest)); },
              throws(ErrorKind::permanent, HasSubstr("67108865 bytes")));
  EXPECT_THAT([&] { journal.append({}); }, throws(ErrorKind::permanent, HasSubstr("0 bytes")));
  journal.append(bytes_of("still usable"));
  EXPECT_EQ(read().records, 3U);
}

TEST_F(JournalTest, LastRecordCutAtAnyOffsetIsTorn) {
  const auto content = written({"first", "second", "the last one"});
  const auto last = content.size() - kFrame - 12;
  for (size_t size = last + 1; size < content.size(); ++size)
    expect_torn_from(last, 2, content.substr(0, size));
}

TEST_F(JournalTest, LastRecordWhoseBytesWereNeverWrittenIsTorn) {
  const auto content = written({"first", "second", "the last one"});
  const auto last = content.size() - kFrame - 12;
  for (const size_t zeros : {1U, 11U, 12U, 13U, 25U, 5000U, 200'000U})
    expect_torn_from(last, 2, content.substr(0, last) + std::string(zeros, '\0'));
}

// A record that spans sectors can lose the later ones: it is torn from a sector's start on, wherever that
// falls.
TEST_F(JournalTest, LastRecordWithUnwrittenSectorsIsTorn) {
  for (size_t before = 470; before <= 512; ++before) {
    auto content = written({std::string(before, 'b'), std::string(1500, 'x')});
    const auto last = kMagic + kFrame + before;
    for (const size_t sector : {512U, 1024U, 1536U}) {
      if (sector <= last) continue;
      auto torn = content;
      std::fill(torn.begin() + static_cast<std::ptrdiff_t>(sector), torn.end(), '\0');
      expect_torn_from(last, 1, torn);
    }
  }
}

TEST_F(JournalTest, ZerosThatStartInsideASectorAreDamage) {
  auto content = written({"first", "the last one"});
  const auto last = content.size() - kFrame - 12;
  for (size_t from = last + 1; from < content.size(); ++from) {
    auto damaged = content;
    std::fill(damaged.begin() + static_cast<std::ptrdiff_t>(from), damaged.end(), '\0');
    expect_damage_at(last, damaged);
  }
}

TEST_F(JournalTest, AppendsProperlyAfterACut) {
  const auto content = written({"first", "second", "torn"});
  store(content.substr(0, content.size() - 3));
  {
    Journal::Opened opened;
    Journal journal(path, visit, &opened);
    EXPECT_EQ(opened.torn_bytes, kFrame + 4 - 3);
    journal.append(bytes_of("third"));
    journal.append(bytes_of("fourth"));
  }
  EXPECT_EQ(open().torn_bytes, 0U);
  EXPECT_THAT(visited, ElementsAre("first", "second", "third", "fourth"));
}

TEST_F(JournalTest, AnyFlippedBitIsDamageAndNamesItsRecord) {
  const std::vector<std::string> payloads{"first", std::string("\0\0\0", 3), "the last one"};
  const auto content = written(payloads);
  size_t start = kMagic;
  for (const auto& payload : payloads) {
    const auto end = start + kFrame + payload.size();
    for (size_t bit = start * 8; bit < end * 8; ++bit) {
      auto damaged = content;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      expect_damage_at(start, damaged);
    }
    start = end;
  }
}

TEST_F(JournalTest, AnyFlippedByteIsDamageEvenBeforeATornTail) {
  const auto content = written({"first", "second", "third"});
  const auto second = kMagic + kFrame + 5;
  const auto third = second + kFrame + 6;
  for (const auto& tail : {content.substr(third, 7), std::string(3000, '\0')})
    for (size_t at = second; at < third; ++at) {
      auto damaged = content.substr(0, third) + tail;
      damaged[at] = static_cast<char>(~damaged[at]);
      expect_damage_at(second, damaged);
    }
}

// The worst a journal could do: a length damaged in the middle seems to run past the end of the file, and all
// the records behind it vanish as a torn tail.
TEST_F(JournalTest, DamagedLengthNeverHidesLaterRecords) {
  const auto content = written({"first", "second", "third"});
  const auto second = kMagic + kFrame + 5;
  for (const size_t byte : {0U, 1U, 2U, 3U})
    for (int value = 0; value < 256; ++value) {
      auto damaged = content;
      if (static_cast<unsigned char>(damaged[second + byte]) == value) continue;
      damaged[second + byte] = static_cast<char>(value);
      expect_damage_at(second, damaged);
    }
}

TEST_F(JournalTest, RecordInAnotherPlaceIsDamage) {
  const auto content = written({"aaaa", "bbbb", "cccc"});
  const auto record = [&](size_t i) { return content.substr(kMagic + i * (kFrame + 4), kFrame + 4); };
  const auto magic = content.substr(0, kMagic);
  const auto second = kMagic + kFrame + 4;
  expect_damage_at(kMagic, magic + record(1) + record(0) + record(2));
  expect_damage_at(second, magic + record(0) + record(2));
  expect_damage_at(second, magic + record(0) + record(0) + record(1) + record(2));
}

TEST_F(JournalTest, NothingBehindTheDamageIsRead) {
  auto content = written({"first", "second", "third"});
  content[kMagic + kFrame + 5 + kHeader] ^= 1;
  store(content);
  EXPECT_THAT([&] { open(); }, throws(ErrorKind::corrupt));
  EXPECT_THAT(visited, ElementsAre("first"));
}

TEST_F(JournalTest, CreationCutShortIsBegunAgain) {
  const auto magic = written({});
  ASSERT_EQ(magic.size(), kMagic);
  for (size_t size = 0; size < kMagic; ++size)
    for (size_t zeros = 0; size + zeros <= kMagic; ++zeros) {
      const auto content = magic.substr(0, size) + std::string(zeros, '\0');
      store(content);
      EXPECT_EQ(read().torn_bytes, content.size());
      EXPECT_EQ(read_file(path), content);
      EXPECT_EQ(open().torn_bytes, content.size());
      EXPECT_EQ(read_file(path), magic);
    }
}

TEST_F(JournalTest, AnotherBeginningIsDamage) {
  const auto content = written({"first"});
  for (size_t at = 0; at < kMagic; ++at)
    for (const size_t size : {kMagic, content.size()}) {
      auto damaged = content.substr(0, size);
      damaged[at] = static_cast<char>(~damaged[at]);
      store(damaged);
      EXPECT_THAT([&] { open(); }, throws(ErrorKind::corrupt, HasSubstr(path.native())));
      EXPECT_EQ(read_file(path), damaged);
    }
  store(std::string(1000, '\0'));
  EXPECT_THAT([&] { open(); }, throws(ErrorKind::corrupt));
}

TEST_F(JournalTest, MissingFileIsCreatedByOpeningOnly) {
  EXPECT_THAT([&] { read(); }, throws(ErrorKind::permanent, HasSubstr(path.native())));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(open().records, 0U);
  EXPECT_EQ(read().records, 0U);
}

TEST_F(JournalTest, ReadsBesideItsWriter) {
  Journal journal(path, {[](Bytes) {}});
  journal.append(bytes_of("one"));
  EXPECT_EQ(read().records, 1U);
  journal.append(bytes_of("two"));
  EXPECT_EQ(read().records, 2U);
}

TEST_F(JournalTest, ErrorOfTheVisitorLeavesTheFileAlone) {
  const auto content = written({"first", "torn"});
  const auto torn = content.substr(0, content.size() - 1);
  store(torn);
  EXPECT_THAT([&] { Journal(path, [](Bytes) { fail(ErrorKind::corrupt, "unknown record"); }); },
              throws(ErrorKind::corrupt, HasSubstr("unknown record")));
  EXPECT_EQ(read_file(path), torn);
}

/// No file of this process grows beyond `bytes`: a full disk in small.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

// Half a record in the middle of the file would be damage for ever.
TEST_F(JournalTest, NothingIsAppendedBehindAFailedAppend) {
  Journal journal(path, {[](Bytes) {}});
  journal.append(bytes_of("first"));
  {
    const FileSizeLimit limit(journal.size() + 20);
    EXPECT_THAT([&] { journal.append(bytes_of("longer than the twenty bytes left")); },
                throws(ErrorKind::permanent));
  }
  EXPECT_THAT([&] { journal.append(bytes_of("x")); },
              throws(ErrorKind::permanent, HasSubstr("earlier failure")));
  EXPECT_THAT([&] { journal.sync(); }, throws(ErrorKind::permanent, HasSubstr("earlier failure")));
  const auto opened = open();
  EXPECT_EQ(opened.torn_bytes, 20U);
  EXPECT_THAT(visited, ElementsAre("first"));
}

}  // namespace
}  // namespace base
