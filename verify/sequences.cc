#include "verify/sequences.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "verify/sequence_selection.h"

namespace verify {
namespace {

constexpr size_t kPerStatement = 200;

struct Item {
  pg::QualifiedName name;
  SequenceState state;
  pg::QualifiedName table;  // of the owning column
  std::string column;
};

// Every sequence with its definition, and the integer column that owns it; of an extension's those that it
// counts as the user's configuration.
std::vector<Item> read_definitions(Side& side, const Options& options, SequenceReading& out) {
  const auto rows = side.connection().exec(R"(
    SELECT n.nspname, c.relname, s.seqincrement, s.seqcycle,
           pg_catalog.has_sequence_privilege(c.oid, 'SELECT') OR pg_catalog.has_sequence_privilege(c.oid, 'USAGE'),
           coalesce(tn.nspname::text, ''), coalesce(t.relname::text, ''), coalesce(a.attname::text, ''),
           coalesce(pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT'), false),
           EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE c.oid = ANY (x.extconfig))
      FROM pg_catalog.pg_sequence s
      JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_depend d
             ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
            AND d.deptype IN ('a', 'i')
      LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
      LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
      LEFT JOIN pg_catalog.pg_attribute a
             ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND a.atttypid IN (20, 21, 23)
     WHERE c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover')
       AND (EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE c.oid = ANY (x.extconfig))
            OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                            WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
                              AND e.deptype = 'e')))");
  const SequenceSelection selection(side.catalog(), options);
  std::vector<Item> items;
  for (int row = 0; row < rows.rows(); ++row) {
    Item item{{rows.string(row, 0), rows.string(row, 1)}, {}, {rows.string(row, 5), rows.string(row, 6)}, {}};
    if (const auto why = selection.why_left_out(item.name, item.table)) {
      out.left_out.insert(item.name);
      out.skipped.emplace("sequence " + item.name.display(), *why);
      continue;
    }
    item.state.increment = rows.integer(row, 2);
    item.state.cycle = rows.boolean(row, 3);
    item.state.is_configuration = rows.boolean(row, 9);
    if (rows.boolean(row, 8)) item.column = rows.string(row, 7);
    if (!rows.boolean(row, 4)) {
      out.unchecked.push_back(
          {"sequence " + item.name.display(),
           fmt::format("cannot be read at the {}: permission denied", name_of(side.role())),
           "grant SELECT on it"});
      out.left_out.insert(item.name);
      continue;
    }
    if (!item.column.empty())
      item.state.owner = item.table.display() + "." + pg::display_identifier(item.column);
    items.push_back(std::move(item));
  }
  return items;
}

// Statements of many items each; one that fails is taken apart, so that the guilty item can be named.
template <typename Sql, typename Store>
void for_items(Side& side, std::vector<Item*> items, const Sql& sql_of, const Store& store,
               SequenceReading& out) {
  auto& session = side.connection();
  const auto run = [&](size_t begin, size_t end) {
    std::string sql;
    for (size_t i = begin; i < end; ++i)
      sql += fmt::format("{}SELECT {}, {}", sql.empty() ? "" : " UNION ALL ", i, sql_of(*items[i]));
    session.exec("SAVEPOINT sequences");
    const auto rows = session.exec(sql);
    for (int row = 0; row < rows.rows(); ++row)
      store(*items[static_cast<size_t>(rows.integer(row, 0))], rows, row);
    session.exec("RELEASE SAVEPOINT sequences");
  };
  for (size_t begin = 0; begin < items.size(); begin += kPerStatement) {
    const auto end = std::min(items.size(), begin + kPerStatement);
    try {
      run(begin, end);
      continue;
    } catch (const base::Error& error) {
      if (error.sqlstate().empty() || error.kind() == base::ErrorKind::cancelled) throw;
      session.exec("ROLLBACK TO SAVEPOINT sequences");
    }
    for (size_t i = begin; i < end; ++i) {
      try {
        run(i, i + 1);
      } catch (const base::Error& error) {
        if (error.sqlstate().empty() || error.kind() == base::ErrorKind::cancelled) throw;
        session.exec("ROLLBACK TO SAVEPOINT sequences");
        out.left_out.insert(items[i]->name);
        out.unchecked.push_back(
            {"sequence " + items[i]->name.display(),
             fmt::format("cannot be looked at at the {}: {}", name_of(side.role()), error.message()),
             error.hint()});
      }
    }
  }
}

// What nextval() would give, or nothing where it would run past the range of bigint.
std::optional<int64_t> next_value(const SequenceState& state) {
  if (!state.is_called) return state.last_value;
  int64_t next = 0;
  if (__builtin_add_overflow(state.last_value, state.increment, &next)) return std::nullopt;
  return next;
}

// True when `value` lies behind `other` in the direction of the sequence.
bool behind(int64_t value, int64_t other, int64_t increment) {
  return increment > 0 ? value < other : value > other;
}

// True when the sequence will give a value that its column has reached already.
bool will_collide(const SequenceState& state) {
  const auto next = next_value(state);
  return state.reached && next && !behind(*state.reached, *next, state.increment);
}

// setval() unless somebody has taken the sequence there meanwhile. Numeric: the next value may be none of
// bigint's.
std::string forward_sql(const pg::QualifiedName& name, int64_t value, bool is_called, int64_t increment) {
  return fmt::format(
      "SELECT pg_catalog.setval({0}, {1}, {2}) FROM {3} WHERE last_value + CASE WHEN is_called THEN {4} ELSE "
      "0 END::pg_catalog.numeric {5} {1} + {6}::pg_catalog.numeric",
      pg::quote_literal(name.sql()), value, is_called, name.sql(), increment, increment > 0 ? "<" : ">",
      is_called ? increment : 0);
}

void compare_one(const pg::QualifiedName& name, const SequenceState& source, const SequenceState& target,
                 bool with_catalog, Outcome& outcome, std::map<std::string, std::string>* mends) {
  const auto object = "sequence " + name.display();
  ++outcome.sequences;
  const bool one_way = (source.increment > 0) == (target.increment > 0);
  if (!one_way || (!with_catalog && source.increment != target.increment))
    outcome.differences.push_back({object, fmt::format("steps by {} at the source and by {} on the target",
                                                       source.increment, target.increment)});
  if (!one_way) return;
  const auto source_next = next_value(source);
  const auto target_next = next_value(target);
  const auto hint = fmt::format("SELECT setval({}, {}, {});", pg::quote_literal(name.sql()),
                                source.last_value, source.is_called);
  // At the end of bigint there is no next value; the last ones tell then.
  const bool is_behind = source_next && target_next
                             ? behind(*target_next, *source_next, target.increment)
                             : target.last_value != source.last_value || target.is_called != source.is_called;
  if (is_behind && !(target.cycle && source.cycle && target_next == source_next)) {
    outcome.differences.push_back({object,
                                   fmt::format("will give {} on the target, where the source gives {}",
                                               target_next ? std::to_string(*target_next) : "no value",
                                               source_next ? std::to_string(*source_next) : "no value"),
                                   hint});
    if (mends)
      mends->emplace(object, forward_sql(name, source.last_value, source.is_called, target.increment));
    return;
  }
  if (target.cycle || !will_collide(target)) return;
  const auto message =
      fmt::format("will give {}, but {} has reached {}", *target_next, target.owner, *target.reached);
  if (will_collide(source)) {
    outcome.notes.push_back({object, message + ", on both sides"});
  } else {
    outcome.differences.push_back(
        {object, message + " on the target",
         fmt::format("SELECT setval({}, {});", pg::quote_literal(name.sql()), *target.reached)});
    if (mends) mends->emplace(object, forward_sql(name, *target.reached, true, target.increment));
  }
}

}  // namespace

SequenceReading read_sequences(Side& side, const Options& options) {
  SequenceReading out;
  auto items = read_definitions(side, options, out);
  std::vector<Item*> all;
  std::vector<Item*> owned;
  for (auto& item : items) {
    all.push_back(&item);
    if (!item.column.empty() && !item.state.cycle) owned.push_back(&item);
  }
  std::map<const Item*, bool> was_read;
  for_items(
      side, all, [](const Item& item) { return "last_value, is_called FROM " + item.name.sql(); },
      [&](Item& item, const pg::Result& rows, int row) {
        item.state.last_value = rows.integer(row, 1);
        item.state.is_called = rows.boolean(row, 2);
        was_read[&item] = true;
      },
      out);
  for_items(
      side, owned,
      [](const Item& item) {
        return fmt::format("{}({})::bigint FROM {}", item.state.increment > 0 ? "max" : "min",
                           pg::quote_identifier(item.column), item.table.sql());
      },
      [](Item& item, const pg::Result& rows, int row) {
        if (!rows.is_null(row, 1)) item.state.reached = rows.integer(row, 1);
      },
      out);
  for (auto& item : items)
    if (was_read[&item]) out.sequences.emplace(item.name, std::move(item.state));
  return out;
}

SequenceReading recorded_sequences(const Recorded& recorded, const SequenceReading& target) {
  SequenceReading out;
  for (const auto& name : recorded.left_out_sequences) {
    out.left_out.insert(name);
    if (target.sequences.contains(name))
      out.skipped.emplace("sequence " + name.display(), "the copy was told to leave it out");
  }
  for (const auto& sequence : recorded.sequences.value()) {
    SequenceState state;
    if (target.left_out.contains(sequence.name)) continue;
    // What is not recorded is taken to be as on the target. Where the source's column had got to is not known
    // either; the rows themselves are compared.
    if (const auto found = target.sequences.find(sequence.name); found != target.sequences.end())
      state = found->second;
    state.last_value = sequence.last_value;
    state.is_called = sequence.is_called;
    out.sequences.emplace(sequence.name, std::move(state));
  }
  return out;
}

void compare_sequences(const SequenceReading& source, const SequenceReading& target, bool with_catalog,
                       Outcome& outcome, std::map<std::string, std::string>* mends) {
  auto skipped = source.skipped;
  skipped.insert(target.skipped.begin(), target.skipped.end());
  for (const auto& [object, why] : skipped) outcome.skipped.push_back({object, why, {}});
  for (const auto* reading : {&source, &target})
    outcome.unchecked.insert(outcome.unchecked.end(), reading->unchecked.begin(), reading->unchecked.end());
  for (const auto& [name, state] : source.sequences) {
    const auto other = target.sequences.find(name);
    if (other != target.sequences.end()) {
      compare_one(name, state, other->second, with_catalog && !state.is_configuration, outcome, mends);
    } else if ((!with_catalog || state.is_configuration) && !target.left_out.contains(name)) {
      outcome.differences.push_back({"sequence " + name.display(), "is missing on the target"});
    }
  }
  for (const auto& [name, state] : target.sequences) {
    if (source.sequences.contains(name) || source.left_out.contains(name)) continue;
    const Remark remark{"sequence " + name.display(), "is on the target, but not at the source"};
    if (state.is_configuration) {
      outcome.notes.push_back(remark);  // a newer extension's
    } else if (!with_catalog) {
      outcome.differences.push_back(remark);
    }
  }
}

}  // namespace verify
