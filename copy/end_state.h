#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "copy/options.h"
#include "copy/plan.h"
#include "pg/connection.h"

namespace copy {

/// What is read at the source last, outside the snapshot: sequences move without transactions, and a value
/// that is too new is harmless while one that is too old is not. Kept in the run directory, so that an import
/// has it too.
struct EndState {
  struct SequenceValue {
    pg::QualifiedName name;
    int64_t last_value = 0;
    bool is_called = false;
  };
  struct LargeObjectGrant {
    pg::Oid oid = 0;
    std::string grantee;  ///< empty: PUBLIC
    std::string privilege;
    bool grant_option = false;
  };
  struct LargeObjectInfo {
    pg::Oid oid = 0;
    std::string owner;
    std::string comment;
  };
  std::vector<SequenceValue> sequences;
  std::vector<LargeObjectInfo> large_objects;
  std::vector<LargeObjectGrant> large_object_grants;

  std::string to_json() const;
  /// Throws Error{corrupt}.
  static EndState from_json(std::string_view text);
};

/// Sequences of the plan that the source no longer has are named in `dropped`.
EndState read_end_state(pg::Connection& source, const Plan& plan, std::vector<pg::QualifiedName>& dropped);

/// setval() for all sequences, in statements of many each. A sequence the target does not have is named in
/// the result.
std::vector<pg::QualifiedName> set_sequences(pg::Connection& target,
                                             const std::vector<EndState::SequenceValue>& values);

/// Forgets large objects that the target does not have: they came at the source after the snapshot.
void forget_later_objects(pg::Connection& target, EndState& state);
/// Owners, grants and comments of large objects, as statements.
std::vector<std::string> large_object_statements(const EndState& state, const Options& options);

/// ALTER DATABASE … SET, ALTER ROLE … IN DATABASE … SET and the database's comment, for the target's
/// database.
std::vector<std::string> database_statements(const pg::Database& source, const std::string& target_database,
                                             const Options& options);

}  // namespace copy
