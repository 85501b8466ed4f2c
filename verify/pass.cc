#include "verify/pass.h"

#include <deque>
#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/thread_group.h"
#include "pg/row_digest.h"
#include "verify/key_literal.h"

namespace verify {
namespace {

using base::ErrorKind;

// The slices of one side that nobody has taken yet. A side that was lost in spite of every retry stays lost:
// each further slice would only wait as long again.
class Queue {
 public:
  explicit Queue(std::deque<Slice> slices) : state_(State{std::move(slices), {}}) {}

  std::optional<Slice> take() {
    auto state = state_.lock();
    if (state->slices.empty()) return std::nullopt;
    const auto slice = state->slices.front();
    state->slices.pop_front();
    return slice;
  }
  void lost(const base::Error& error) { state_.lock()->lost = error; }
  void throw_if_lost() {
    if (const auto lost = state_.lock()->lost) throw base::Error(*lost);
  }

 private:
  struct State {
    std::deque<Slice> slices;
    std::optional<base::Error> lost;
  };
  base::Guarded<State> state_;
};

class Worker {
 public:
  Worker(const Context& context, const std::vector<Unit>& units, const SlicePass& pass, Role role,
         Queue& queue, base::Stop stop)
      : context_(context), units_(units), pass_(pass), role_(role), queue_(queue), stop_(std::move(stop)) {}

  void run(const std::function<bool(uint32_t)>& is_given_up) {
    while (const auto slice = queue_.take()) {
      stop_.check();
      if (!is_given_up(slice->unit)) read(*slice);
      context_.progress.bytes_done += slice->bytes;
      ++context_.progress.slices_done;
    }
  }

 private:
  void read(const Slice& slice) {
    const auto what = label(units_[slice.unit], slice);
    try {
      queue_.throw_if_lost();
      base::retry(context_.options.retry, stop_, context_.retry_notice(what), [&] { try_read(slice, what); });
    } catch (const base::Error& error) {
      if (stop_.requested() || error.kind() == ErrorKind::cancelled) throw;
      if (error.kind() == ErrorKind::transient) queue_.lost(error);
      pass_.failed(slice, error);
    }
  }

  void try_read(const Slice& slice, const std::string& what) {
    Progress::Scope scope(context_.progress, what);
    try {
      if (!reader_) reader_.emplace(*context_.sides[index(role_)], stop_);
      reader_->hold_still(units_[slice.unit].parts[index(role_)][slice.part]);
      pass_.work(*reader_, slice, scope);
    } catch (const base::Error&) {
      // Its transaction is over: the next slice gets a new session.
      reader_.reset();
      throw;
    }
  }

  const Context& context_;
  const std::vector<Unit>& units_;
  const SlicePass& pass_;
  Role role_;
  Queue& queue_;
  base::Stop stop_;
  std::optional<Reader> reader_;
};

}  // namespace

base::RetryNotice Context::retry_notice(std::string what) const {
  return [this, what = std::move(what)](const base::Error& error, int tries) {
    ++progress.retries;
    spdlog::warn("{}: {}; trying again ({})", what, error.message(), tries);
  };
}

std::string label(const Unit& unit, const Slice& slice) {
  const auto& parts = unit.parts[index(slice.role)];
  const auto name = unit.kind == Unit::Kind::tree ? parts[slice.part].name.display() : unit.display();
  return fmt::format("read {} at the {}", name, name_of(slice.role));
}

void for_each_slice(const Context& context, const std::vector<Unit>& units, const std::vector<Slice>& slices,
                    const SlicePass& pass, const std::function<bool(uint32_t)>& is_given_up) {
  PerSide<std::deque<Slice>> by_side;
  for (const auto& slice : slices) {
    by_side[index(slice.role)].push_back(slice);
    context.progress.bytes_total += slice.bytes;
    ++context.progress.slices_total;
  }
  PerSide<size_t> workers{};
  for (const auto role : kSides)
    workers[index(role)] = std::min<size_t>(context.options.jobs, by_side[index(role)].size());
  PerSide<Queue> queues{Queue(std::move(by_side[0])), Queue(std::move(by_side[1]))};
  base::ThreadGroup group(context.stop);
  for (const auto role : kSides)
    for (size_t i = 0; i < workers[index(role)]; ++i)
      group.start(fmt::format("{} {}", name_of(role), i + 1), [&, role] {
        Worker(context, units, pass, role, queues[index(role)], group.stop()).run(is_given_up);
      });
  group.join();
}

// ------------------------------------------------------------------------------------ counts and digests

namespace {

using Readings = base::Guarded<std::vector<UnitReading>>;

void fail(UnitReading& reading, const Slice& slice, const base::Error& error) {
  if (std::exchange(reading.failed, true)) return;
  reading.reason = fmt::format("it cannot be read at the {}: {}", name_of(slice.role), error.message());
  reading.hint = error.hint();
  if (reading.hint.empty() && pg::is_insufficient_privilege(error))
    reading.hint = fmt::format(
        "connect to the {} as the owner of the table, or as a role with SELECT on it that row security does "
        "not "
        "filter (BYPASSRLS)",
        name_of(slice.role));
}

void take_recorded(UnitReading& reading, const Recorded::Table& recorded) {
  auto& side = reading.sides[index(Role::source)];
  side.figures.recorded = true;
  if (recorded.digest) {
    side.buckets = *recorded.digest;
    side.figures.digest = side.buckets.total();
    return;
  }
  reading.failed = true;
  reading.reason = "the copy did not get to comparing it, so its rows at the snapshot are not known";
  reading.hint = "let the copy end first, or compare both sides with --independent";
}

// Reading a unit below this once more costs less than sketches are worth.
constexpr uint64_t kSketchFrom = 16ULL << 20;

bool wants_sketch(const Context& context, const Unit& unit) {
  return context.options.level == Level::rows && !unit.recorded && unit.bytes(Role::source) >= kSketchFrom &&
         has_key_literals(unit.shape.format, unit.key_types);
}

struct SliceReading {
  SideFigures figures;
  pg::BucketDigest buckets;
  std::optional<pg::RowSketch> sketch;
};

// What an equal unit is called in the journal: everything that its digest depends on. That includes the
// tables that it is made of: another selection may take partitions out of a tree.
std::string journal_name(const Unit& unit) {
  auto out = fmt::format("{}\n{}\n{}\n{}", unit.display(), unit.condition, pg::quote_list(unit.columns),
                         unit.shape.format == pg::CopyFormat::binary ? "binary" : "text");
  for (const auto role : kSides) {
    std::set<pg::QualifiedName> parts;
    for (const auto& part : unit.parts[index(role)]) parts.insert(part.name);
    out += fmt::format("\n{}:", name_of(role));
    for (const auto& part : parts) out += " " + part.sql();
  }
  return out;
}

// What was kept to find a difference in is of no use any more.
void settle_equal(UnitReading& reading) {
  reading.equal = true;
  reading.sketch.reset();
  for (auto& side : reading.sides) side.buckets = pg::BucketDigest();
}

// True when an interrupted comparison has found the unit equal.
bool take_kept(const Context& context, const Unit& unit, UnitReading& reading) {
  const auto* kept = context.journal && !reading.failed ? context.journal->find(journal_name(unit)) : nullptr;
  if (!kept) return false;
  auto& source = reading.sides[index(Role::source)];
  if (!unit.recorded) source.figures.digest = *kept;
  if (*kept != source.figures.digest) return false;
  reading.sides[index(Role::target)].figures.digest = *kept;
  settle_equal(reading);
  return true;
}

// One slice, by count or by digest.
SliceReading read_slice(const Context& context, const Unit& unit, const Slice& slice, Reader& reader,
                        Progress::Scope& scope) {
  const auto started = Progress::Clock::now();
  SliceReading out;
  // Large objects are digested even when rows are only counted: a page is what counts as a row.
  if (context.options.level == Level::counts && unit.kind != Unit::Kind::large_objects) {
    out.buckets[0].rows =
        static_cast<uint64_t>(reader.connection().exec(count_sql(unit, slice)).integer(0, 0));
  } else {
    if (wants_sketch(context, unit)) out.sketch.emplace();
    pg::RowDigest digest(context.key, unit.shape, out.sketch ? &*out.sketch : nullptr);
    const auto copied = reader.copy(copy_sql(unit, slice), digest, scope);
    out.figures.bytes = copied.bytes;
    out.buckets = digest.digest();
    if (const auto found = out.buckets.total().rows; found != copied.rows)
      base::fail(ErrorKind::corrupt, "the server sent {} rows, {} came", copied.rows, found);
  }
  out.figures.digest = out.buckets.total();
  out.figures.elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(Progress::Clock::now() - started);
  return out;
}

void add(UnitReading& reading, Role role, const SliceReading& slice) {
  auto& side = reading.sides[index(role)];
  if (side.buckets.size() == 0) side.buckets = pg::BucketDigest(slice.buckets.size());
  side.buckets += slice.buckets;
  side.figures.digest += slice.figures.digest;
  side.figures.bytes += slice.figures.bytes;
  side.figures.elapsed += slice.figures.elapsed;
  --side.slices_left;
  if (!slice.sketch) return;
  if (!reading.sketch) reading.sketch.emplace();
  if (role == Role::source) {
    *reading.sketch += *slice.sketch;
  } else {
    *reading.sketch -= *slice.sketch;
  }
}

bool is_read(const UnitReading& reading) {
  return reading.sides[0].slices_left == 0 && reading.sides[1].slices_left == 0;
}

}  // namespace

std::vector<UnitReading> read_units(const Context& context, const std::vector<Unit>& units) {
  std::vector<UnitReading> initial(units.size());
  std::vector<Slice> slices;
  PerSide<uint64_t> total{};
  for (const auto role : kSides)
    for (const auto& unit : units) total[index(role)] += unit.bytes(role);
  for (uint32_t i = 0; i < units.size(); ++i) {
    if (units[i].recorded) take_recorded(initial[i], context.options.recorded->tables[*units[i].recorded]);
    if (take_kept(context, units[i], initial[i])) {
      ++context.progress.tables_done;
      continue;
    }
    for (const auto role : kSides) {
      auto& side = initial[i].sides[index(role)];
      if (side.figures.recorded) continue;
      if (units[i].parts[index(role)].empty()) {
        side.buckets = pg::BucketDigest(units[i].shape.buckets);
        continue;
      }
      const auto own =
          slices_of(units[i], i, role, context.sides[index(role)]->major(),
                    pg::split_rule(context.options.split_size, context.options.jobs, total[index(role)]));
      side.slices_left = static_cast<uint32_t>(own.size());
      // It gets its buckets with its first rows: not all tables are held at once.
      side.buckets = pg::BucketDigest(0);
      slices.insert(slices.end(), own.begin(), own.end());
    }
  }
  context.progress.tables_total = units.size();

  Readings readings(std::move(initial));
  SlicePass pass;
  pass.work = [&](Reader& reader, const Slice& slice, Progress::Scope& scope) {
    const auto found = read_slice(context, units[slice.unit], slice, reader, scope);
    context.progress.rows_read += found.figures.digest.rows;
    auto all = readings.lock();
    auto& reading = (*all)[slice.unit];
    add(reading, slice.role, found);
    if (!is_read(reading)) return;
    ++context.progress.tables_done;
    if (reading.sides[0].buckets != reading.sides[1].buckets) return;
    settle_equal(reading);
    if (context.journal)
      context.journal->add(journal_name(units[slice.unit]), reading.sides[1].figures.digest);
  };
  pass.failed = [&](const Slice& slice, const base::Error& error) {
    auto all = readings.lock();
    fail((*all)[slice.unit], slice, error);
  };
  for_each_slice(context, units, slices, pass,
                 [&](uint32_t unit) { return (*readings.lock())[unit].failed; });
  return std::move(*readings.lock());
}

}  // namespace verify
