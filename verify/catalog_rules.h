#pragma once

#include <string>
#include <vector>

#include "verify/catalog.h"

namespace verify {

/// What a rule may look at.
struct RuleFacts {
  const CatalogDifference& difference;
  const std::vector<CatalogProperty>& properties;  ///< of the object, at the source if it is there
  int source_major;
  int target_major;

  const std::string* find(std::string_view property) const;
  /// One side is of this major version or newer, and the other is older.
  bool straddles(int major) const { return (source_major >= major) != (target_major >= major); }
};

/// What looks like a difference, and is none or none to worry about. verify/catalog_rules.cc has all of them.
struct CatalogRule {
  enum class Verdict {
    same,      ///< two versions write the same thing differently
    expected,  ///< a difference that every such move brings
  };

  const char* kind;      ///< with *
  const char* property;  ///< with *; "": the object is on one side only
  Verdict verdict;
  bool (*applies)(const RuleFacts& facts);
  const char* reason;
};

/// The first rule that applies; nullptr: it is a difference.
const CatalogRule* find_rule(const RuleFacts& facts);

}  // namespace verify
