#pragma once

#include <string>
#include <vector>

#include "verify/catalog.h"

namespace verify {

/// What a rule may look at.
struct RuleFacts {
  const CatalogDifference& difference;
  const CatalogObject& object;  ///< at the source if it is there
  const Catalog& source;
  int source_major;
  int target_major;

  /// One side is of this major version or newer, and the other is older.
  bool straddles(int major) const { return (source_major >= major) != (target_major >= major); }
  /// The value of the side that is older, and of the other.
  const std::optional<std::string>& older() const {
    return source_major < target_major ? difference.source : difference.target;
  }
  const std::optional<std::string>& newer() const {
    return source_major < target_major ? difference.target : difference.source;
  }
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
