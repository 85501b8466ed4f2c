#pragma once

#include <map>
#include <optional>
#include <string>

#include "pg/catalog.h"
#include "verify/options.h"

namespace verify {

/// Which sequences of a side are compared. One goes with the table that owns it, whose name is what patterns
/// are about, as long as no other selected table takes values of it.
class SequenceSelection {
 public:
  /// Both must outlive it.
  SequenceSelection(const pg::Catalog& catalog, const Options& options);

  bool has(const pg::QualifiedName& sequence) const { return sequences_.contains(sequence); }
  /// Nothing: it is compared. `owner` is the table of one whose owner is in no catalog; empty: none.
  std::optional<std::string> why_left_out(const pg::QualifiedName& sequence,
                                          const pg::QualifiedName& owner = {}) const;

 private:
  std::optional<std::string> why_left_out(const pg::Table& table) const;

  const pg::Catalog& catalog_;
  const Options& options_;
  pg::TablesByOid tables_;
  std::map<pg::QualifiedName, const pg::Sequence*> sequences_;
};

}  // namespace verify
