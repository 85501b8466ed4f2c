#include "verify/result_journal.h"

#include <span>
#include <utility>

#include "base/codec.h"
#include "base/crash_point.h"
#include "base/error.h"

namespace verify {
namespace {

enum class Type : uint64_t { subject = 1, unit = 2 };

base::Encoder begin(Type type) {
  base::Encoder out;
  out.number(static_cast<uint64_t>(type));
  return out;
}

// What a journal holds.
struct Content {
  std::string subject;
  pg::SnapshotMark target;
  std::map<std::string, pg::Digest> equal;

  void apply(base::Bytes bytes) {
    base::Decoder in(bytes);
    switch (static_cast<Type>(in.number())) {
      case Type::subject:
        subject = in.text();
        target.system_identifier = in.text();
        target.database_oid = static_cast<pg::Oid>(in.number());
        target.transactions = in.text();
        target.timeline = in.text();
        target.server_start = in.text();
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
    base::fail(base::ErrorKind::corrupt, "a record of an unknown type");
  }
};

}  // namespace

ResultJournal::ResultJournal(std::filesystem::path path, const std::string& subject,
                             const pg::SnapshotMark& target)
    : path_(std::move(path)) {
  Content content;
  auto writer = writer_.lock();
  const auto open = [&] {
    writer->journal.emplace(path_, [&](base::Bytes record) { content.apply(record); });
  };
  open();
  if (content.subject == subject && target.unchanged_since(content.target)) {
    equal_ = std::move(content.equal);
    return;
  }
  // Of something else, or of a target that may have changed: what it says is of no use.
  writer->journal.reset();
  std::filesystem::remove(path_);
  open();
  const auto record = begin(Type::subject)
                          .text(subject)
                          .text(target.system_identifier)
                          .number(target.database_oid)
                          .text(target.transactions)
                          .text(target.timeline)
                          .text(target.server_start)
                          .str();
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
