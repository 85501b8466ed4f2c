#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/journal.h"
#include "pg/digest.h"
#include "pg/snapshot.h"

namespace verify {

/// Which units an interrupted comparison has found equal, so that the next one does not read them again. They
/// count only as long as what was read has provably not changed (SnapshotMark::unchanged_since: not one
/// transaction id was assigned in its cluster); else everything is read again.
///
///   record  = subject | unit
///   subject = 3 text(what is compared) text(key) number(marks: 1 or 2) mark*
///   mark    = text(system id) number(database oid) text(transactions) text(timeline) text(server start)
///   unit    = 2 text(name) number(rows) wide(sum)
/// in base::Journal's frames, by base::Encoder. The first record is the subject. (1 was a subject without a
/// key.)
class ResultJournal {
 public:
  struct Subject {
    /// Everything that the results depend on beside the content of the databases and the units' names.
    std::string what;
    std::string key;                      ///< pg::DigestKey::hex(), of the digests
    std::vector<pg::SnapshotMark> marks;  ///< of the databases that are read: the target, then the source
  };
  ResultJournal(std::filesystem::path path, const Subject& subject);

  /// Of the digests: the kept one when an interrupted comparison is gone on with.
  const std::string& key() const { return key_; }
  /// Of an equal unit; nullptr when it is not known.
  const pg::Digest* find(const std::string& unit) const;
  size_t size() const { return equal_.size(); }
  /// Thread-safe. Durable within a second or so: what is lost is read again.
  void add(const std::string& unit, const pg::Digest& digest);
  /// The comparison has come to its end: there is nothing left to resume.
  void remove();

 private:
  struct Writer {
    std::optional<base::Journal> journal;
    std::chrono::steady_clock::time_point last_sync;
  };
  std::filesystem::path path_;
  std::string key_;
  std::map<std::string, pg::Digest> equal_;  // of earlier processes; does not change
  base::Guarded<Writer> writer_;
};

}  // namespace verify
