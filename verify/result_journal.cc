#include "verify/result_journal.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/codec.h"
#include "base/crash_point.h"
#include "base/error.h"

namespace verify {
namespace {

enum class Type : uint64_t { unit = 2, subject = 3 };

base::Encoder begin(Type type) {
  base::Encoder out;
  out.number(static_cast<uint64_t>(type));
  return out;
}

pg::SnapshotMark read_mark(base::Decoder& in) {
  pg::SnapshotMark mark;
  mark.system_identifier = in.text();
  mark.database_oid = static_cast<pg::Oid>(in.number());
  mark.transactions = in.text();
  mark.timeline = in.text();
  mark.server_start = in.text();
  return mark;
}

// What a journal holds.
struct Content {
  ResultJournal::Subject subject;
  std::map<std::string, pg::Digest> equal;

  void apply(base::Bytes bytes) {
    base::Decoder in(bytes);
    switch (static_cast<Type>(in.number())) {
      case Type::subject:
        subject.what = in.text();
        subject.key = in.text();
        for (auto marks = in.number(); marks > 0; --marks) subject.marks.push_back(read_mark(in));
        return;
      case Type::unit: {
        std::string name(in.text());
        pg::Digest digest;
        digest.rows = in.number();
        digest.sum = in.wide();
        equal.insert_or_assign(std::move(name), digest);
        return;
      }
    }
    // Of another version of this program: what it says is of no use.
  }

  bool is_still_true(const ResultJournal::Subject& now) const {
    return subject.what == now.what &&
           std::ranges::equal(now.marks, subject.marks,
                              [](const auto& mark, const auto& then) { return mark.unchanged_since(then); });
  }
};

std::string record_of(const ResultJournal::Subject& subject) {
  auto record = begin(Type::subject);
  record.text(subject.what).text(subject.key).number(subject.marks.size());
  for (const auto& mark : subject.marks)
    record.text(mark.system_identifier)
        .number(mark.database_oid)
        .text(mark.transactions)
        .text(mark.timeline)
        .text(mark.server_start);
  return record.str();
}

}  // namespace

ResultJournal::ResultJournal(std::filesystem::path path, const Subject& subject)
    : path_(std::move(path)), key_(subject.key) {
  Content content;
  auto writer = writer_.lock();
  const auto open = [&] {
    writer->journal.emplace(path_, [&](base::Bytes record) { content.apply(record); });
  };
  open();
  if (content.is_still_true(subject)) {
    equal_ = std::move(content.equal);
    key_ = content.subject.key;
    return;
  }
  // Of something else, or of databases that may have changed.
  writer->journal.reset();
  std::filesystem::remove(path_);
  open();
  const auto record = record_of(subject);
  writer->journal->append(std::as_bytes(std::span(record)));
}

const pg::Digest* ResultJournal::find(const std::string& unit) const {
  const auto found = equal_.find(unit);
  return found == equal_.end() ? nullptr : &found->second;
}

void ResultJournal::add(const std::string& unit, const pg::Digest& digest) {
  const auto record = begin(Type::unit).text(unit).number(digest.rows).wide(digest.sum).str();
  auto writer = writer_.lock();
  if (!writer->journal) return;
  writer->journal->append(std::as_bytes(std::span(record)));
  const auto now = std::chrono::steady_clock::now();
  if (now - writer->last_sync >= std::chrono::seconds(1)) {
    writer->journal->sync();
    writer->last_sync = now;
  }
  base::crash_point("verify_unit.after");
}

void ResultJournal::remove() {
  writer_.lock()->journal.reset();
  std::filesystem::remove(path_);
}

}  // namespace verify
