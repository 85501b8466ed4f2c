#include "verify/catalog_large_objects.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "pg/large_objects.h"
#include "verify/catalog_query.h"
#include "verify/catalog_text.h"

namespace verify {
namespace {

constexpr const char* kKind = "large object";
constexpr const char* kCursor = "cutover_large_objects";
constexpr int kBatch = 1000;  // objects that are held at a time
constexpr size_t kMostNamed = 1000;

// large_object_query() has no privileges where they are the default ones, as for nearly all.
constexpr int kPrivilegesColumn = kFixedColumns + 1;
const CatalogProperty kDefaultPrivileges{"privileges of the owner", "SELECT, UPDATE"};

/// The large objects of one side, one after the other.
class Cursor {
 public:
  explicit Cursor(pg::Connection& connection)
      : connection_(connection), columns_(large_object_query().columns(connection.major())) {
    connection_.exec(fmt::format("SAVEPOINT {0}; DECLARE {0} NO SCROLL CURSOR FOR {1} ORDER BY l.oid",
                                 kCursor, large_object_query().sql(connection_.major())));
    fetch();
  }
  void close() { connection_.exec(fmt::format("CLOSE {0}; RELEASE SAVEPOINT {0}", kCursor)); }

  bool at_end() const { return row_ == rows_->rows(); }
  pg::Oid oid() const { return rows_->oid(row_, 1); }
  void advance() {
    if (++row_ == rows_->rows() && row_ == kBatch) fetch();
  }
  std::pair<CatalogKey, CatalogObject> object() const {
    auto out = read_object(columns_, *rows_, row_);
    if (rows_->is_null(row_, kPrivilegesColumn)) out.second.properties.push_back(kDefaultPrivileges);
    return out;
  }

  /// As compare() would find, for the price of comparing a few words.
  bool is_plainly_same(const Cursor& target, const std::map<std::string, std::string>& roles) const {
    for (int column = kFixedColumns; column < rows_->columns(); ++column) {
      if (rows_->is_null(row_, column) != target.rows_->is_null(target.row_, column)) return false;
      const auto own = rows_->text(row_, column);
      const auto other = target.rows_->text(target.row_, column);
      if (roles.empty() ? own != other : with_roles(own, roles) != with_roles(other, {})) return false;
    }
    return true;
  }

 private:
  void fetch() {
    rows_.emplace(connection_.exec(fmt::format("FETCH {} FROM {}", kBatch, kCursor)));
    row_ = 0;
  }

  pg::Connection& connection_;
  std::vector<PropertyColumn> columns_;
  std::optional<pg::Result> rows_;
  int row_ = 0;
};

CatalogDifference& difference_of(CatalogDifference& difference) { return difference; }
CatalogDifference& difference_of(WaivedDifference& waived) { return waived.difference; }

/// A list of which only the beginning is kept.
template <typename Entry>
class Beginning {
 public:
  explicit Beginning(std::vector<Entry>& list) : list_(list) {}

  void add(std::vector<Entry>& entries) {
    for (auto& entry : entries) {
      if (++count_ <= kMostNamed) {
        list_.push_back(std::move(entry));
        continue;
      }
      const auto property = difference_of(entry).property;
      const auto rest = rest_.try_emplace(property, std::move(entry)).first;
      ++difference_of(rest->second).parts;
    }
  }
  void finish() {
    for (auto& [property, entry] : rest_) {
      auto& difference = difference_of(entry);
      difference.object = fmt::format("({} more)", difference.parts);
      difference.source = difference.target = "(of each its own)";
      list_.push_back(std::move(entry));
    }
  }

 private:
  std::vector<Entry>& list_;
  size_t count_ = 0;
  std::map<std::string, Entry> rest_;  // by property
};

class LargeObjects {
 public:
  LargeObjects(pg::Connection& source, pg::Connection& target, const CatalogOptions& options,
               CatalogComparison& found)
      : source_(source),
        target_(target),
        options_(options),
        found_(found),
        differences_(found.differences),
        waived_(found.waived),
        of_provider_(found.of_provider),
        expected_(found.expected) {}

  void run() {
    begin_batch();
    auto source = open(source_, source_batch_);
    auto target = open(target_, target_batch_);
    if (source && target) merge(*source, *target);
    for (auto* cursor : {&source, &target})
      if (*cursor) (*cursor)->close();
    end_batch();
    differences_.finish();
    waived_.finish();
    of_provider_.finish();
    expected_.finish();
  }

 private:
  // What a server refuses is not compared, and said not to be.
  static std::optional<Cursor> open(pg::Connection& connection, Catalog& side) {
    try {
      return std::optional<Cursor>(std::in_place, connection);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent || error.sqlstate().empty() || !connection.alive())
        throw;
      connection.exec(fmt::format("ROLLBACK TO SAVEPOINT {0}; RELEASE SAVEPOINT {0}", kCursor));
      side.unreadable_kinds.emplace(kKind, error.message());
      return std::nullopt;
    }
  }

  void merge(Cursor& source, Cursor& target) {
    while (!source.at_end() && !target.at_end()) {
      if (source.oid() == target.oid()) compare_one(source, target);
      const bool source_is_next = source.oid() <= target.oid();
      const bool target_is_next = target.oid() <= source.oid();
      if (source_is_next) source.advance();
      if (target_is_next) target.advance();
    }
  }

  void compare_one(const Cursor& source, const Cursor& target) {
    ++found_.compared[kKind];
    if (source.is_plainly_same(target, options_.role_map)) return;
    source_batch_.objects.insert(source.object());
    target_batch_.objects.insert(target.object());
    if (source_batch_.objects.size() < size_t{kBatch}) return;
    end_batch();
    begin_batch();
  }

  void begin_batch() {
    source_batch_ = {};
    target_batch_ = {};
    source_batch_.server_version = source_.server_version();
    target_batch_.server_version = target_.server_version();
  }

  // Roles, waivers and rules count for them as for everything else.
  void end_batch() {
    auto batch = compare(source_batch_, target_batch_, options_);
    differences_.add(batch.differences);
    waived_.add(batch.waived);
    of_provider_.add(batch.of_provider);
    expected_.add(batch.expected);
    std::ranges::move(batch.unchecked, std::back_inserter(found_.unchecked));
    for (const auto& [reason, times] : batch.normalised) found_.normalised[reason] += times;
    std::erase_if(found_.unused_waivers, [&](const CatalogWaiver& waiver) {
      return std::ranges::find(batch.unused_waivers, waiver) == batch.unused_waivers.end();
    });
  }

  pg::Connection& source_;
  pg::Connection& target_;
  const CatalogOptions& options_;
  CatalogComparison& found_;
  Beginning<CatalogDifference> differences_;
  Beginning<WaivedDifference> waived_;
  Beginning<WaivedDifference> of_provider_;
  Beginning<WaivedDifference> expected_;
  Catalog source_batch_;  // what is not plainly the same
  Catalog target_batch_;
};

}  // namespace

void compare_large_objects(pg::Connection& source, pg::Connection& target, const CatalogOptions& options,
                           CatalogComparison& found) {
  if (options.selects && !options.selects(pg::kLargeObjects.schema, pg::kLargeObjects.name)) {
    found.excluded.insert({kKind, "*"});
    return;
  }
  base::during("compare the large objects' owners and privileges",
               [&] { LargeObjects(source, target, options, found).run(); });
}

}  // namespace verify
