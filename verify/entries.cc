#include "verify/entries.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "pg/copy_rows.h"
#include "pg/copy_stream.h"

namespace verify {
namespace {

using base::Bytes;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

// What is made of the rows of one slice.
class SliceRows {
 public:
  SliceRows(const Context& context, const Unit& unit, const Filter& filter)
      : unit_(unit), filter_(filter), hasher_(context.key, unit.shape), digests_(unit.shape.buckets) {}
  virtual ~SliceRows() = default;

  void operator()(std::span<const Bytes> columns) {
    const auto hash = hasher_.row(columns);
    const auto bucket = hasher_.bucket(columns, hash);
    if (!filter_.buckets[bucket]) return;
    digests_[bucket].add_row(hash);
    set_identity(columns, hash);
    const auto place = hasher_.column(std::as_bytes(std::span(identity_)));
    if (filter_.share.has(place)) take(columns, hash, bucket, place);
  }

  /// The slice has come to its end. What is destroyed without that is read again by another.
  virtual void keep() = 0;
  const pg::BucketDigest& digests() const { return digests_; }

 protected:
  virtual void take(std::span<const Bytes> columns, base::uint128 hash, uint32_t bucket, uint64_t place) = 0;

  const Unit& unit_;
  const Filter& filter_;
  pg::RowHasher hasher_;
  std::string identity_;  // of the row in work

 private:
  void set_identity(std::span<const Bytes> columns, const base::uint128& hash) {
    identity_.clear();
    if (unit_.key.empty()) {
      identity_ = text_of(std::as_bytes(std::span(&hash, 1)));
      return;
    }
    for (const auto column : unit_.shape.key) {
      identity_ += text_of(columns[column]);
      identity_ += '\t';  // in text; in binary the lengths tell the columns apart
    }
  }

  pg::BucketDigest digests_;
};

// Lets the rows pass a sieve.
class Sifter final : public SliceRows {
 public:
  Sifter(const Context& context, const Unit& unit, const Filter& filter, Role role, RowSieve& sieve)
      : SliceRows(context, unit, filter), role_(role), sieve_(sieve) {}
  ~Sifter() override {
    if (has_added_) sieve_.spoil();
  }
  void keep() override { has_added_ = false; }

 private:
  void take(std::span<const Bytes> /*columns*/, base::uint128 hash, uint32_t /*bucket*/,
            uint64_t place) override {
    has_added_ = true;
    sieve_.add(role_, place, hash);
  }

  Role role_;
  RowSieve& sieve_;
  bool has_added_ = false;
};

// ------------------------------------------------------------------------------------------- what is kept

size_t memory_of(const std::string& text) { return sizeof(std::string) + text.capacity(); }

size_t memory_of(const Entry& entry) {
  auto out = sizeof entry + entry.identity.capacity() + entry.columns.capacity() * sizeof(uint64_t);
  for (const auto& text : entry.key) out += memory_of(text);
  for (const auto& text : entry.values) out += text ? memory_of(*text) : sizeof text;
  return out;
}

// The entries of all slices. When they are more than the memory allows, the share becomes half of what it
// was, and the other half is left for later.
class Store {
 public:
  Store(const Unit& unit, Share share, uint64_t memory) : unit_(unit), memory_(memory) {
    state_.lock()->share = share;
  }

  size_t open(Role role) {
    auto state = state_.lock();
    state->lists.push_back({role, {}});
    return state->lists.size() - 1;
  }

  // Gives what is wanted from now on.
  Share add(size_t list, std::vector<Entry> entries) {
    auto state = state_.lock();
    for (auto& entry : entries) {
      if (!state->share.has(entry.place)) continue;
      state->used += memory_of(entry);
      state->lists[list].entries.push_back(std::move(entry));
    }
    if (state->used <= memory_) return state->share;
    if (unit_.key.empty()) merge_copies(*state);
    // Room for more: each time costs a walk over all of them.
    while (state->used > memory_ / 2 && state->share.of < kMostShares) halve(*state);
    if (state->used > memory_)
      base::fail(base::ErrorKind::permanent,
                 "the rows of one key are more than {} of memory can hold, in one pass",
                 base::human_bytes(memory_));
    return state->share;
  }

  void drop(size_t list) {
    auto state = state_.lock();
    for (const auto& entry : std::exchange(state->lists[list].entries, {})) state->used -= memory_of(entry);
  }

  void move_into(Entries& found) {
    auto state = state_.lock();
    for (auto& [role, entries] : state->lists) {
      auto& all = found.sides[index(role)];
      all.insert(all.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
    }
    found.left = state->left;
  }

 private:
  // Smaller parts than these are of single keys.
  static constexpr uint64_t kMostShares = uint64_t{1} << 40;

  struct List {
    Role role;
    std::vector<Entry> entries;
  };
  struct State {
    std::vector<List> lists;  // one of each slice
    uint64_t used = 0;
    Share share;
    std::vector<Share> left;
  };

  static void count_memory(State& state) {
    state.used = 0;
    for (const auto& list : state.lists)
      for (const auto& entry : list.entries) state.used += memory_of(entry);
  }

  static void merge_copies(State& state) {
    for (auto& [role, entries] : state.lists) {
      std::ranges::sort(entries, {}, &Entry::identity);
      size_t last = 0;
      for (size_t i = 1; i < entries.size(); ++i) {
        if (entries[i].identity == entries[last].identity)
          entries[last].copies += entries[i].copies;
        else if (++last != i)
          entries[last] = std::move(entries[i]);
      }
      if (!entries.empty()) entries.resize(last + 1);
    }
    count_memory(state);
  }

  static void halve(State& state) {
    state.left.push_back(state.share.split());
    for (auto& list : state.lists) {
      std::erase_if(list.entries, [&](const Entry& entry) { return !state.share.has(entry.place); });
      list.entries.shrink_to_fit();
    }
    count_memory(state);
  }

  const Unit& unit_;
  uint64_t memory_;
  base::Guarded<State> state_;
};

// A value is shown to be looked at; a whole one may be of any size, and a million rows are held at once.
std::string shortened(std::string value) {
  constexpr size_t kShown = 4096;
  if (value.size() <= kShown) return value;
  return fmt::format("{}… ({} bytes)", base::beginning_of(value, kShown), value.size());
}

// Makes entries of the rows.
class Collector final : public SliceRows {
 public:
  Collector(const Context& context, const Unit& unit, const Filter& filter, Role role, Store& store)
      : SliceRows(context, unit, filter), share_(filter.share), store_(store), list_(store.open(role)) {
    with_values_ = context.options.show_values && unit.kind != Unit::Kind::large_objects;
    const bool binary = unit.shape.format == pg::CopyFormat::binary && unit.kind != Unit::Kind::large_objects;
    // What binary says only to a server, the server says as text too.
    const auto& texts = with_values_ ? unit.columns : unit.key;
    if (binary)
      for (const auto& column : texts) more_.push_back(pg::quote_identifier(column) + "::pg_catalog.text");
  }
  ~Collector() override {
    if (!is_kept_) store_.drop(list_);
  }

  const std::vector<std::string>& more() const { return more_; }
  uint32_t columns() const { return unit_.shape.columns + static_cast<uint32_t>(more_.size()); }

  void keep() override {
    flush();
    is_kept_ = true;
  }

 private:
  static constexpr size_t kBatch = 256;

  void take(std::span<const Bytes> columns, base::uint128 hash, uint32_t bucket, uint64_t place) override {
    if (!share_.has(place)) return;
    if (filter_.sieve && !filter_.sieve->may_differ(place)) return;
    Entry entry{identity_, place, hash, bucket, 1, {}, key_of(columns, hash), values_of(columns)};
    entry.columns.reserve(unit_.shape.columns);
    for (uint32_t i = 0; i < unit_.shape.columns; ++i) entry.columns.push_back(hasher_.column(columns[i]));
    batch_memory_ += memory_of(entry);
    batch_.push_back(std::move(entry));
    if (batch_.size() >= kBatch || batch_memory_ >= pg::kCopyBatch) flush();
  }

  void flush() {
    share_ = store_.add(list_, std::exchange(batch_, {}));
    batch_memory_ = 0;
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
    for (size_t i = 0; i < unit_.shape.columns; ++i) {
      auto value = pg::column_value(unit_.shape.format, columns[more_.empty() ? i : unit_.shape.columns + i]);
      if (value) value = shortened(*std::move(value));
      out.push_back(std::move(value));
    }
    return out;
  }

  bool with_values_ = false;
  std::vector<std::string> more_;
  Share share_;
  Store& store_;
  size_t list_;
  std::vector<Entry> batch_;
  uint64_t batch_memory_ = 0;
  bool is_kept_ = false;
};

class Pairing {
 public:
  Pairing(const Unit& unit, const std::function<void(RowDifference)>& tell) : unit_(unit), tell_(tell) {}

  void run(Entries& found) {
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
      const auto at_target = same(target, t);
      if (unit_.key.empty()) {
        compare_copies(at_source, at_target);
      } else {
        compare(at_source, at_target);
      }
    }
  }

 private:
  using Rows = std::span<const Entry>;

  static bool precedes(const Entry& left, const Entry& right) {
    return left.identity != right.identity ? left.identity < right.identity : left.hash < right.hash;
  }

  // Equal rows without a key.
  void compare_copies(Rows source, Rows target) {
    const auto copies = [](Rows rows) {
      return std::accumulate(rows.begin(), rows.end(), uint64_t{0},
                             [](uint64_t sum, const Entry& entry) { return sum + entry.copies; });
    };
    const auto at_source = copies(source);
    const auto at_target = copies(target);
    if (at_source == at_target) return;
    unequal(at_source > at_target ? source.front() : target.front(), at_source, at_target);
  }

  // The rows of one key, each side ordered by hash.
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
    // A key that is not unique on one side.
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
    tell_(std::move(row));
  }

  void unequal(const Entry& entry, uint64_t at_source, uint64_t at_target) {
    RowDifference row;
    row.kind = at_target == 0   ? RowDifference::Kind::missing
               : at_source == 0 ? RowDifference::Kind::extra
                                : RowDifference::Kind::duplicated;
    row.key = entry.key;
    row.source_copies = at_source;
    row.target_copies = at_target;
    (at_target > at_source ? row.target_values : row.source_values) = entry.values;
    tell_(std::move(row));
  }

  const Unit& unit_;
  const std::function<void(RowDifference)>& tell_;
};

std::vector<Slice> all_slices(const Context& context, const Unit& unit, const Filter& filter) {
  std::vector<Slice> slices;
  for (const auto role : kSides) {
    if (unit.parts[index(role)].empty()) continue;
    const auto rule = filter.condition.empty()
                          ? pg::split_rule(context.options.split_size, context.options.jobs, unit.bytes(role))
                          : pg::SplitRule{UINT64_MAX, UINT64_MAX};
    const auto own = slices_of(unit, 0, role, context.sides[index(role)]->major(), rule);
    slices.insert(slices.end(), own.begin(), own.end());
  }
  return slices;
}

// One pass over both sides. `read` streams a slice into something, and gives the digests of its rows.
Reading read_both(const Context& context, const Unit& unit, const Filter& filter,
                  const std::function<pg::BucketDigest(Reader&, const Slice&, Progress::Scope&)>& read) {
  base::Guarded<Reading> guarded;
  {
    auto reading = guarded.lock();
    reading->digests = {pg::BucketDigest(unit.shape.buckets), pg::BucketDigest(unit.shape.buckets)};
  }
  SlicePass pass;
  pass.work = [&](Reader& reader, const Slice& slice, Progress::Scope& scope) {
    const auto digests = read(reader, slice, scope);
    guarded.lock()->digests[index(slice.role)] += digests;
  };
  pass.failed = [&](const Slice& slice, const base::Error& error) {
    auto reading = guarded.lock();
    reading->failed = true;
    reading->why =
        fmt::format("it could not be read again at the {}: {}", name_of(slice.role), error.message());
  };
  for_each_slice(context, {unit}, all_slices(context, unit, filter), pass,
                 [&](uint32_t) { return guarded.lock()->failed; });
  return std::move(*guarded.lock());
}

}  // namespace

Reading sift(const Context& context, const Unit& unit, const Filter& filter, RowSieve& sieve) {
  auto reading =
      read_both(context, unit, filter, [&](Reader& reader, const Slice& slice, Progress::Scope& scope) {
        Sifter sifter(context, unit, filter, slice.role, sieve);
        pg::RowSplitter splitter(
            unit.shape.format, unit.shape.columns, [&](std::span<const Bytes> columns) { sifter(columns); },
            unit.shape.floats);
        reader.copy(copy_sql(unit, slice), splitter, scope);
        sifter.keep();
        return sifter.digests();
      });
  sieve.close();
  return reading;
}

Entries collect(const Context& context, const Unit& unit, const Filter& filter) {
  Store store(unit, filter.share, context.options.row_memory);
  Entries found;
  static_cast<Reading&>(found) =
      read_both(context, unit, filter, [&](Reader& reader, const Slice& slice, Progress::Scope& scope) {
        Collector collector(context, unit, filter, slice.role, store);
        pg::RowSplitter splitter(
            unit.shape.format, collector.columns(),
            [&](std::span<const Bytes> columns) { collector(columns); }, unit.shape.floats);
        reader.copy(copy_sql(unit, slice, collector.more(), filter.condition), splitter, scope);
        collector.keep();
        return collector.digests();
      });
  store.move_into(found);
  return found;
}

void tell_differences(const Unit& unit, Entries& entries, const std::function<void(RowDifference)>& tell) {
  Pairing(unit, tell).run(entries);
}

}  // namespace verify
