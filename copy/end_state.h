#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/lines.h"
#include "base/sink.h"
#include "copy/options.h"
#include "copy/plan.h"
#include "pg/connection.h"

namespace copy {

/// What is read at the source last, outside the snapshot: sequences move without transactions, and a value
/// that is too new is harmless while one that is too old is not. Kept in the run directory, so that an import
/// has it too. There may be tens of millions of large objects: all of it goes one by one, and is never held.
struct SequenceValue {
  pg::QualifiedName name;
  int64_t last_value = 0;
  bool is_called = false;
};
struct LargeObjectInfo {
  pg::Oid oid = 0;
  std::string owner;
  std::string comment;
};
struct LargeObjectGrant {
  pg::Oid oid = 0;
  std::string grantee;  ///< empty: PUBLIC
  std::string privilege;
  bool grant_option = false;
};
using EndRecord = std::variant<SequenceValue, LargeObjectInfo, LargeObjectGrant>;
using EndVisitor = std::function<void(const EndRecord&)>;

/// First all sequences. Those of the plan that the source no longer has are named in `dropped`.
void read_end_state(pg::Connection& source, const Plan& plan, const EndVisitor& visit,
                    std::vector<pg::QualifiedName>& dropped);

/// As a line of JSON.
void write_end_record(const EndRecord& record, base::ByteSink& out);
/// Reads those lines.
class EndRecords {
 public:
  explicit EndRecords(base::ByteSource& in) : lines_(in) {}
  /// Nothing at the end. Throws Error{corrupt}.
  std::optional<EndRecord> next();

 private:
  base::Lines lines_;
};

/// setval() for all sequences, in statements of many each. A sequence the target does not have is named in
/// the result.
std::vector<pg::QualifiedName> set_sequences(pg::Connection& target, std::span<const SequenceValue> values);

/// Whose the record is, or 0 for that of a sequence.
pg::Oid large_object_of(const EndRecord& record);
/// A large object's comment and owner, or a grant on one, as statements; none for a sequence.
std::vector<std::string> large_object_statements(const EndRecord& record, const Options& options);

/// ALTER DATABASE … SET, ALTER ROLE … IN DATABASE … SET and the database's comment, for the target's
/// database.
std::vector<std::string> database_statements(const pg::Database& source, const std::string& target_database,
                                             const Options& options);

}  // namespace copy
