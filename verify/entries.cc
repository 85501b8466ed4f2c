#include "verify/entries.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "pg/copy_rows.h"

namespace verify {
namespace {

using base::Bytes;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

// Makes entries of the rows of a stream.
class Collector {
 public:
  Collector(const Context& context, const Unit& unit, const Filter& filter)
      : unit_(unit), filter_(filter), hasher_(context.key, unit.shape), digests_(unit.shape.buckets) {
    const bool binary = unit.shape.format == pg::CopyFormat::binary && unit.kind != Unit::Kind::large_objects;
    with_values_ = context.options.show_values && unit.kind != Unit::Kind::large_objects;
    // What binary says only to a server, the server says as text too.
    const auto& texts = with_values_ ? unit.columns : unit.key;
    if (binary)
      for (const auto& column : texts) more_.push_back(pg::quote_identifier(column) + "::pg_catalog.text");
  }

  const std::vector<std::string>& more() const { return more_; }
  uint32_t columns() const { return unit_.shape.columns + static_cast<uint32_t>(more_.size()); }

  void operator()(std::span<const Bytes> columns) {
    const auto hash = hasher_.row(columns);
    const auto bucket = hasher_.bucket(columns, hash);
    if (!filter_.buckets[bucket]) return;
    digests_[bucket].add_row(hash);
    auto identity = identity_of(columns, hash);
    if (filter_.shares > 1 &&
        hasher_.column(std::as_bytes(std::span(identity))) % filter_.shares != filter_.share)
      return;
    Entry entry{std::move(identity), hash, {}, key_of(columns, hash), values_of(columns)};
    for (uint32_t i = 0; i < unit_.shape.columns; ++i) entry.columns.push_back(hasher_.column(columns[i]));
    entries_.push_back(std::move(entry));
  }

  void move_into(Entries& found, Role role) {
    auto& all = found.sides[index(role)];
    all.insert(all.end(), std::make_move_iterator(entries_.begin()), std::make_move_iterator(entries_.end()));
    found.digests[index(role)] += digests_;
  }

 private:
  std::string identity_of(std::span<const Bytes> columns, base::uint128 hash) const {
    if (unit_.key.empty()) return std::string(text_of(std::as_bytes(std::span(&hash, 1))));
    std::string out;
    for (const auto column : unit_.shape.key) {
      out += text_of(columns[column]);
      out += '\t';  // in text; in binary the lengths tell the columns apart
    }
    return out;
  }

  std::string text_value(std::span<const Bytes> columns, size_t column, size_t extra) const {
    if (unit_.kind == Unit::Kind::large_objects) return integer(columns[column]);
    const auto at = more_.empty() ? column : unit_.shape.columns + extra;
    return pg::column_value(unit_.shape.format, columns[at]).value_or("NULL");
  }

  // An oid or a bigint in binary.
  static std::string integer(Bytes column) {
    uint64_t value = 0;
    for (const auto byte : column.subspan(4)) value = value << 8 | std::to_integer<uint64_t>(byte);
    return std::to_string(value);
  }

  std::vector<std::string> key_of(std::span<const Bytes> columns, base::uint128 hash) const {
    if (unit_.key.empty()) return {fmt::format("{:016x}", static_cast<uint64_t>(hash >> 64))};
    std::vector<std::string> out;
    const auto& key = unit_.shape.key;
    for (size_t i = 0; i < key.size(); ++i)
      out.push_back(text_value(columns, key[i], with_values_ ? key[i] : i));
    return out;
  }

  std::vector<std::optional<std::string>> values_of(std::span<const Bytes> columns) const {
    std::vector<std::optional<std::string>> out;
    if (!with_values_) return out;
    for (size_t i = 0; i < unit_.shape.columns; ++i)
      out.push_back(
          pg::column_value(unit_.shape.format, columns[more_.empty() ? i : unit_.shape.columns + i]));
    return out;
  }

  const Unit& unit_;
  const Filter& filter_;
  pg::RowHasher hasher_;
  bool with_values_ = false;
  std::vector<std::string> more_;
  std::vector<Entry> entries_;
  pg::BucketDigest digests_;
};

class Pairing {
 public:
  explicit Pairing(const Unit& unit) : unit_(unit) {}

  std::vector<RowDifference> run(Entries& found) {
    for (auto& entries : found.sides) std::ranges::sort(entries, precedes);
    const auto& source = found.sides[0];
    const auto& target = found.sides[1];
    size_t s = 0;
    size_t t = 0;
    while (s < source.size() || t < target.size()) {
      const auto& identity =
          t == target.size() || (s < source.size() && source[s].identity < target[t].identity)
              ? source[s].identity
              : target[t].identity;
      const auto same = [&](const std::vector<Entry>& entries, size_t& at) {
        const auto begin = at;
        while (at < entries.size() && entries[at].identity == identity) ++at;
        return std::span(entries).subspan(begin, at - begin);
      };
      const auto at_source = same(source, s);
      compare(at_source, same(target, t));
    }
    return std::move(differences_);
  }

 private:
  using Rows = std::span<const Entry>;

  static bool precedes(const Entry& left, const Entry& right) {
    return left.identity != right.identity ? left.identity < right.identity : left.hash < right.hash;
  }

  // The rows of one identity, each side ordered by hash.
  void compare(Rows source, Rows target) {
    std::vector<const Entry*> only_source;
    std::vector<const Entry*> only_target;
    size_t s = 0;
    size_t t = 0;
    while (s < source.size() || t < target.size()) {
      if (t == target.size() || (s < source.size() && source[s].hash < target[t].hash)) {
        only_source.push_back(&source[s++]);
      } else if (s == source.size() || target[t].hash < source[s].hash) {
        only_target.push_back(&target[t++]);
      } else {
        ++s;
        ++t;
      }
    }
    const auto pairs = std::min(only_source.size(), only_target.size());
    for (size_t i = 0; i < pairs; ++i) changed(*only_source[i], *only_target[i]);
    // A key that is not unique on one side, or rows without a key.
    if (only_source.size() > pairs) unequal(*only_source[pairs], source.size(), target.size());
    if (only_target.size() > pairs) unequal(*only_target[pairs], source.size(), target.size());
  }

  void changed(const Entry& source, const Entry& target) {
    RowDifference row;
    row.kind = RowDifference::Kind::changed;
    row.key = source.key;
    row.source_copies = row.target_copies = 1;
    for (size_t i = 0; i < unit_.columns.size(); ++i) {
      if (source.columns[i] == target.columns[i]) continue;
      row.columns.push_back(unit_.columns[i]);
      if (source.values.empty()) continue;
      row.source_values.push_back(source.values[i]);
      row.target_values.push_back(target.values[i]);
    }
    differences_.push_back(std::move(row));
  }

  void unequal(const Entry& entry, size_t at_source, size_t at_target) {
    RowDifference row;
    row.kind = at_target == 0   ? RowDifference::Kind::missing
               : at_source == 0 ? RowDifference::Kind::extra
                                : RowDifference::Kind::duplicated;
    row.key = entry.key;
    row.source_copies = at_source;
    row.target_copies = at_target;
    (at_target > at_source ? row.target_values : row.source_values) = entry.values;
    differences_.push_back(std::move(row));
  }

  const Unit& unit_;
  std::vector<RowDifference> differences_;
};

}  // namespace

Entries collect(const Context& context, const Unit& unit, const Filter& filter) {
  base::Guarded<Entries> guarded;
  {
    auto found = guarded.lock();
    found->digests = {pg::BucketDigest(unit.shape.buckets), pg::BucketDigest(unit.shape.buckets)};
  }
  std::vector<Slice> slices;
  for (const auto role : kSides) {
    if (unit.parts[index(role)].empty()) continue;
    const auto rule = filter.condition.empty()
                          ? pg::split_rule(context.options.split_size, context.options.jobs, unit.bytes(role))
                          : pg::SplitRule{UINT64_MAX, UINT64_MAX};
    const auto own = slices_of(unit, 0, role, context.sides[index(role)]->major(), rule);
    slices.insert(slices.end(), own.begin(), own.end());
  }
  SlicePass pass;
  pass.work = [&](Reader& reader, const Slice& slice, Progress::Scope& scope) {
    Collector collector(context, unit, filter);
    pg::RowSplitter splitter(
        unit.shape.format, collector.columns(), [&](std::span<const Bytes> columns) { collector(columns); },
        unit.shape.floats);
    reader.copy(copy_sql(unit, slice, collector.more(), filter.condition), splitter, scope);
    collector.move_into(*guarded.lock(), slice.role);
  };
  pass.failed = [&](const Slice& slice, const base::Error& error) {
    auto found = guarded.lock();
    found->failed = true;
    found->why =
        fmt::format("it could not be read again at the {}: {}", name_of(slice.role), error.message());
  };
  for_each_slice(context, {unit}, slices, pass, [&](uint32_t) { return guarded.lock()->failed; });
  return std::move(*guarded.lock());
}

std::vector<RowDifference> differences_of(const Unit& unit, Entries& entries) {
  return Pairing(unit).run(entries);
}

}  // namespace verify
