#include "copy/finish.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "base/crash_point.h"
#include "base/thread_group.h"
#include "copy/end_state.h"
#include "copy/target_session.h"
#include "pg/foreign_key_check.h"

namespace copy {
namespace {

void run_items(const Context& context, ItemRunner& items, const SchemaItems& schema,
               const std::vector<StoredEntry>& entries) {
  std::vector<StoredEntry> left;
  for (const auto& entry : entries)
    if (!items.is_done(entry.id)) left.push_back(entry);
  // Entries that were made before a connection was lost are skipped on the next try.
  TargetSession(context, context.stop).run("schema", [&](pg::Connection& connection) {
    items.run_all(connection, schema, left);
  });
}

// Runs body(job, target) for every job, on as many threads as there are index workers.
template <typename Job, typename Body>
void in_parallel(const Context& context, std::deque<Job> jobs, const std::string& name, Body body) {
  if (jobs.empty()) return;
  const auto threads = std::min<size_t>(context.options.effective_index_jobs(), jobs.size());
  base::Guarded<std::deque<Job>> queue(std::move(jobs));
  base::ThreadGroup group(context.stop);
  for (size_t i = 0; i < threads; ++i)
    group.start(fmt::format("{} {}", name, i + 1), [&] {
      TargetSession target(context, group.stop());
      for (;;) {
        std::optional<Job> job;
        if (auto left = queue.lock(); !left->empty()) {
          job = std::move(left->front());
          left->pop_front();
        }
        if (!job) return;
        body(*job, target);
      }
    });
  group.join();
}

}  // namespace

void make_pre_data(const Context& context, ItemRunner& items, const SchemaItems& schema) {
  run_items(context, items, schema, schema.pre_data);
}

void make_the_rest(const Context& context, ItemRunner& items, const SchemaItems& schema) {
  run_items(context, items, schema, schema.rest);
}

void make_event_triggers(const Context& context, ItemRunner& items, const SchemaItems& schema) {
  // They would act on the statements with which the next run makes what has failed now.
  if (context.problems.any(Problem::Kind::failed)) {
    if (!schema.event_triggers.empty())
      context.problems.add({Problem::Kind::note, "event triggers",
                            "are not made while something else is missing",
                            "run the same command again when what failed can succeed"});
    return;
  }
  run_items(context, items, schema, schema.event_triggers);
}

void add_constraints(const Context& context, ItemRunner& items, const SchemaItems& schema) {
  // ALTER TABLE locks its table, so one table's constraints are one job.
  std::map<uint32_t, std::vector<IndexItem>> by_relation;
  for (const auto& item : index_items(context.plan, schema)) {
    // Without its index (the relation failed, or the index did) there is nothing to attach.
    if (item.is_built_first() && !items.is_done(item.entry->id)) continue;
    const auto id = ItemRunner::second_step(item.entry->id);
    if (item.is_added_last() && !items.is_done(id)) by_relation[item.relation].push_back(item);
  }
  std::deque<std::vector<IndexItem>> jobs;
  for (auto& [relation, list] : by_relation) jobs.push_back(std::move(list));
  in_parallel(context, std::move(jobs), "constraint",
              [&](const std::vector<IndexItem>& job, TargetSession& target) {
                for (const auto& item : job) {
                  const auto entry = schema.read(*item.entry);
                  const auto label = "constraint " + item.index->name().display();
                  target.show(label, [&](pg::Connection& connection) {
                    base::crash_point("constraint_add.before");
                    items.run(connection, ItemRunner::second_step(entry.id), entry,
                              add_constraint_sql(context.plan, item, entry));
                    base::crash_point("constraint_add.after");
                  });
                }
              });
}

// ------------------------------------------------------------------------------------------ foreign keys

namespace {

class ForeignKeys {
 public:
  ForeignKeys(const Context& context, ItemRunner& items, const SchemaItems& schema)
      : context_(context), items_(items), schema_(schema) {
    for (const auto& key : context.plan.foreign_keys) by_oid_.emplace(key.oid, &key);
  }

  void add() {
    TargetSession target(context_, context_.stop);
    if (!schema_.foreign_keys.empty())
      target_major_ =
          target.run("foreign keys", [](pg::Connection& connection) { return connection.major(); });
    for (const auto& stored : schema_.foreign_keys) {
      if (items_.is_done(stored.id)) continue;
      const auto entry = schema_.read(stored);
      const auto& key = *by_oid_.at(entry.oid);
      const auto label = ItemRunner::label(entry);
      target.show(label, [&](pg::Connection& connection) {
        base::crash_point("constraint_add.before");
        const bool added = items_.run(connection, entry.id, entry, add_sql(entry, key));
        base::crash_point("constraint_add.after");
        if (!added && !in_two_steps(key)) explain_missing(entry, key, connection);
      });
    }
  }

  void validate() {
    std::deque<StoredEntry> jobs;
    for (const auto& entry : schema_.foreign_keys)
      if (by_oid_.at(entry.oid)->validated && in_two_steps(*by_oid_.at(entry.oid)) &&
          !items_.has_failed(entry.id) && !items_.is_done(ItemRunner::second_step(entry.id)))
        jobs.push_back(entry);
    in_parallel(context_, std::move(jobs), "validate", [&](const StoredEntry& entry, TargetSession& target) {
      validate_one(schema_.read(entry), *by_oid_.at(entry.oid), target);
    });
  }

 private:
  // A partitioned table takes no NOT VALID foreign key before version 18.
  bool in_two_steps(const pg::ForeignKey& key) const { return !key.on_partitioned || target_major_ >= 18; }

  std::string add_sql(const TocEntry& entry, const pg::ForeignKey& key) const {
    if (!in_two_steps(key)) return entry.sql;
    return fmt::format("ALTER TABLE {}{} ADD CONSTRAINT {} {}{}", key.on_partitioned ? "" : "ONLY ",
                       key.table.sql(), pg::quote_identifier(key.name), key.definition,
                       key.validated ? " NOT VALID" : "");
  }

  const char* cause(const pg::ForeignKey& key) const {
    return context_.options.row_filters.contains(key.referenced.display())
               ? "--where leaves out what these rows refer to"
               : "the source's own data violates it";
  }

  // Of one that could not be added in one step, and so is missing.
  void explain_missing(const TocEntry& entry, const pg::ForeignKey& key, pg::Connection& connection) {
    std::string offending;
    try {
      offending = pg::offending_keys(connection, key);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent) throw;  // else one of its tables is missing too
    }
    if (offending.empty()) return;
    context_.problems.add(
        {Problem::Kind::failed, ItemRunner::label(entry),
         fmt::format(
             "is missing, since a partitioned table cannot have it NOT VALID before version 18, and {}: {}",
             cause(key), offending),
         fmt::format("repair the rows, then run the same command again, or: ALTER TABLE {} ADD "
                     "CONSTRAINT {} {}",
                     key.table.sql(), pg::quote_identifier(key.name), key.definition)});
  }

  void validate_one(const TocEntry& entry, const pg::ForeignKey& key, TargetSession& target) {
    const auto id = ItemRunner::second_step(entry.id);
    const auto label = fmt::format("validate {}.{}", key.table.display(), pg::display_identifier(key.name));
    target.show(label, [&](pg::Connection& connection) {
      try {
        connection.exec("SET maintenance_work_mem = '256MB'");
        connection.exec(fmt::format(
            "ALTER TABLE {} VALIDATE CONSTRAINT {};\n{}", key.table.sql(), pg::quote_identifier(key.name),
            context_.ledger.item_sql(id, entry.description, entry.schema, entry.name)));
        items_.made(id);
      } catch (const base::Error& error) {
        if (error.sqlstate() == "23505" && context_.ledger.has_item(connection, id)) return items_.made(id);
        if (error.sqlstate() != "23503") throw;
        context_.problems.add(
            {Problem::Kind::failed, ItemRunner::label(entry),
             fmt::format("left NOT VALID, because {}: {}", cause(key), pg::offending_keys(connection, key)),
             fmt::format("repair the rows, then: ALTER TABLE {} VALIDATE CONSTRAINT {}", key.table.sql(),
                         pg::quote_identifier(key.name))});
      }
    });
  }

  const Context& context_;
  ItemRunner& items_;
  const SchemaItems& schema_;
  std::map<pg::Oid, const pg::ForeignKey*> by_oid_;
  int target_major_ = 0;
};

}  // namespace

void add_foreign_keys(const Context& context, ItemRunner& items, const SchemaItems& schema) {
  ForeignKeys keys(context, items, schema);
  keys.add();
  keys.validate();
  run_items(context, items, schema, schema.after_foreign_keys);
}

// ---------------------------------------------------------------------------------------- the other steps

namespace {

// Those of the plan that are the target's to refresh. Where its schema was there before, so were they, as its
// migrations made them: what it has not, or left without rows, stays so.
std::vector<pg::QualifiedName> views_to_refresh(const Context& context, TargetSession& target) {
  const auto& views = context.plan.materialized_views;
  if (context.plan.schema == SchemaMode::dump || views.empty()) return views;
  const auto populated = target.run("materialized views", [&](pg::Connection& connection) {
    const auto rows = connection.exec(
        fmt::format("SELECT n.nspname, c.relname, c.relispopulated FROM (VALUES {}) v(schema, name) "
                    "JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema "
                    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.name "
                    "AND c.relkind = 'm'",
                    pg::name_rows(views)));
    std::map<pg::QualifiedName, bool> found;
    for (int row = 0; row < rows.rows(); ++row)
      found[{rows.string(row, 0), rows.string(row, 1)}] = rows.boolean(row, 2);
    return found;
  });
  std::vector<pg::QualifiedName> chosen;
  for (const auto& view : views) {
    const auto object = "materialized view " + view.display();
    const auto found = populated.find(view);
    if (found == populated.end()) {
      context.problems.add({Problem::Kind::note, object, "does not exist on the target: not refreshed",
                            "if it belongs there, run the application's migrations that make it"});
    } else if (!found->second) {
      context.problems.add({Problem::Kind::note, object,
                            "is populated at the source and not on the target, and stays so",
                            "to fill it: REFRESH MATERIALIZED VIEW " + view.sql()});
    } else {
      chosen.push_back(view);
    }
  }
  return chosen;
}

// Only its owner may: what would make this role one of his.
std::string how_to_refresh(const Context& context, TargetSession& target, const pg::QualifiedName& view,
                           const base::Error& error) {
  if (!error.hint().empty() || context.plan.schema == SchemaMode::dump) return error.hint();
  const auto statement = "REFRESH MATERIALIZED VIEW " + view.sql();
  auto again = "run the same command again when this can succeed: " + statement;
  if (!pg::is_insufficient_privilege(error)) return again;
  return target.run("materialized views", [&](pg::Connection& connection) {
    const auto rows = connection.exec(fmt::format(
        "SELECT pg_catalog.pg_get_userbyid(c.relowner), current_user FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname, c.relname) = {} "
        "AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')",
        view.row()));
    if (rows.rows() == 0) return again;
    return fmt::format("GRANT {} TO {}; then {}", pg::quote_identifier(rows.text(0, 0)),
                       pg::quote_identifier(rows.text(0, 1)), again);
  });
}

}  // namespace

void refresh_materialized_views(const Context& context) {
  TargetSession target(context, context.stop);
  const auto refresh = [&](const pg::QualifiedName& view) {
    target.show("refresh " + view.display(), [&](pg::Connection& connection) {
      connection.exec("REFRESH MATERIALIZED VIEW " + view.sql());
    });
  };
  auto left = views_to_refresh(context, target);
  // A view may read another one through a function, which the catalog does not tell: as long as one succeeds,
  // try the others again.
  for (bool progress = true; progress && !left.empty();) {
    progress = false;
    std::vector<pg::QualifiedName> again;
    for (const auto& view : left) {
      try {
        refresh(view);
        progress = true;
      } catch (const base::Error& error) {
        if (error.kind() != base::ErrorKind::permanent) throw;
        again.push_back(view);
        spdlog::debug("refresh {}: {}", view.display(), error.message());
      }
    }
    left = std::move(again);
  }
  for (const auto& view : left) {
    try {
      refresh(view);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent) throw;
      context.problems.add({Problem::Kind::failed, "materialized view " + view.display(),
                            "could not be refreshed: " + error.message(),
                            how_to_refresh(context, target, view, error)});
    }
  }
}

namespace {

/// Brings what was stored at the end to the target, in pieces.
class EndStateApplier {
 public:
  explicit EndStateApplier(const Context& context) : context_(context), target_(context, context.stop) {}

  void add(const EndRecord& record) {
    if (const auto* sequence = std::get_if<SequenceValue>(&record)) sequences_.push_back(*sequence);
    if (const auto* object = std::get_if<LargeObjectInfo>(&record)) told_.push_back(object->oid);
    for (auto& statement : large_object_statements(record, context_.options))
      statements_.push_back({large_object_of(record), std::move(statement)});
    if (sequences_.size() == kSequences) set_sequences();
    if (statements_.size() >= kStatements || told_.size() >= kTold) finish_large_objects();
  }

  void finish() {
    if (!sequences_.empty()) set_sequences();
    base::crash_point("sequences.after");
    finish_large_objects();
    tell_of_unnamed_failures();
    note_deleted_objects();
    if (context_.plan.schema == SchemaMode::none) return;
    target_.run("database settings", [&](pg::Connection& connection) {
      statements_.clear();
      for (auto& statement :
           database_statements(context_.plan.database, connection.database(), context_.options))
        statements_.push_back({0, std::move(statement)});
    });
    for (auto& problem : execute("database settings")) context_.problems.add(std::move(problem));
  }

 private:
  static constexpr size_t kSequences = 500;
  static constexpr size_t kStatements = 200;  // each holds a lock until all of them are through
  static constexpr size_t kTold = 5000;
  static constexpr size_t kMostNamed = 1000;  // there may be tens of millions of large objects
  // No ledger row tells of these, so a crash of the target must not take them away again.
  static constexpr const char* kDurable = "SET synchronous_commit = on";

  void set_sequences() {
    const auto missing = target_.run("sequences", [&](pg::Connection& connection) {
      connection.exec(kDurable);
      return copy::set_sequences(connection, sequences_);
    });
    for (const auto& sequence : missing)
      context_.problems.add({Problem::Kind::failed,
                             "sequence " + sequence.display(),
                             "does not exist on the target, its value was not set",
                             {}});
    sequences_.clear();
  }

  void finish_large_objects() {
    for (auto& problem : execute("large objects"))
      if (++failed_objects_ <= kMostNamed) context_.problems.add(std::move(problem));
    if (told_.empty()) return;
    told_there_ += target_.run("large objects", [&](pg::Connection& connection) {
      return static_cast<uint64_t>(
          connection
              .exec(fmt::format("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({})",
                                fmt::join(told_, ", ")))
              .integer(0, 0));
    });
    told_.clear();
  }

  void tell_of_unnamed_failures() {
    if (failed_objects_ <= kMostNamed) return;
    context_.problems.add({Problem::Kind::failed, "large objects",
                           fmt::format("{} more statements about their owners, grants and comments failed",
                                       failed_objects_ - kMostNamed),
                           "the first ones say why; then run the same command again"});
  }

  // They were there at the snapshot, so they are copied, but their owners are not known any more.
  void note_deleted_objects() {
    const auto& relations = context_.plan.relations;
    if (std::ranges::none_of(relations,
                             [](const auto& r) { return r.kind == Relation::Kind::large_objects; }))
      return;
    const auto made = target_.run("large objects", [&](pg::Connection& connection) {
      return context_.ledger.count_large_objects(connection);
    });
    if (made <= told_there_) return;
    context_.problems.add(
        {Problem::Kind::note, "large objects",
         fmt::format("{} were deleted at the source while the copy ran: the target has them as they were "
                     "when it began, with this run's role as their owner and without grants",
                     made - told_there_),
         "a comparison of both sides (cutover verify without --run-dir) tells of them"});
  }

  // All at once; where one of them fails, one by one. Gives those that failed.
  std::vector<Problem> execute(const char* label) {
    if (statements_.empty()) return {};
    auto failed = target_.run(label, [&](pg::Connection& connection) {
      connection.exec(kDurable);
      forget_later_objects(connection);
      std::string all;
      for (const auto& statement : statements_) all += statement.sql + "; ";
      std::vector<Problem> problems;
      if (!refusal_of(connection, all)) return problems;
      for (const auto& statement : statements_)
        if (const auto error = refusal_of(connection, statement.sql))
          problems.push_back({Problem::Kind::failed, statement.sql, error->message(), error->hint()});
      return problems;
    });
    statements_.clear();
    return failed;
  }

  // Large objects that the target does not have came at the source after the snapshot.
  void forget_later_objects(pg::Connection& connection) {
    std::set<pg::Oid> there;
    const auto others = [&] {
      std::set<pg::Oid> oids;
      for (const auto& statement : statements_)
        if (statement.object != 0 && !there.contains(statement.object)) oids.insert(statement.object);
      return fmt::format("{}", fmt::join(oids, ", "));
    };
    const auto oids = others();
    if (oids.empty()) return;
    const auto rows = connection.exec(
        fmt::format("SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({})", oids));
    for (int row = 0; row < rows.rows(); ++row) there.insert(rows.oid(row, 0));
    const auto absent = others();
    if (absent.empty()) return;
    // What this run has made and is not there any more fails below, by name.
    there.merge(context_.ledger.made_large_objects(connection, absent));
    std::erase_if(statements_, [&](const auto& statement) {
      return statement.object != 0 && !there.contains(statement.object);
    });
  }

  static std::optional<base::Error> refusal_of(pg::Connection& connection, const std::string& sql) {
    try {
      connection.exec(sql);
      return std::nullopt;
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent) throw;
      return error;
    }
  }

  const Context& context_;
  TargetSession target_;
  std::vector<SequenceValue> sequences_;
  struct Statement {
    pg::Oid object = 0;  ///< the large object that it is about, if any
    std::string sql;
  };
  std::vector<Statement> statements_;
  size_t failed_objects_ = 0;
  std::vector<pg::Oid> told_;  // large objects that the source still has
  uint64_t told_there_ = 0;    // those of them that the target has
};

}  // namespace

void apply_end_state(const Context& context, const std::filesystem::path& directory) {
  // The file's checksum comes last, and nothing of a damaged one is to reach the target.
  Archive::for_each_end_record(directory, [](const EndRecord&) {});
  EndStateApplier target(context);
  base::crash_point("sequences.before");
  Archive::for_each_end_record(directory, [&](const EndRecord& record) { target.add(record); });
  target.finish();
}

void analyze(const Context& context, TargetSession& target, const pg::QualifiedName& table) {
  const auto label = "analyze " + table.display();
  target.show(label, [&](pg::Connection& connection) {
    connection.take_warnings();
    // By itself: behind another statement it would be one transaction, with locks on every partition.
    connection.exec("SET client_min_messages = warning");
    connection.exec("ANALYZE " + table.sql());
    connection.exec("SET client_min_messages = error");
    for (const auto& warning : connection.take_warnings())
      context.problems.add({Problem::Kind::note, label, warning.message(), {}});
  });
}

void analyze_parents(const Context& context) {
  TargetSession target(context, context.stop);
  for (const auto& table : context.plan.partitioned_tables) try {
      analyze(context, target, table);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::permanent) throw;
      context.problems.add(
          {Problem::Kind::note, "analyze " + table.display(), error.message(), error.hint()});
    }
}

}  // namespace copy
