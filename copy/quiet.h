#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "copy/context.h"

namespace copy {

/// What the target's own tables come with and what must not act on a load: foreign keys and triggers. They
/// are put aside before rows go in, and come back exactly as they were.
///
/// Where our sessions may set session_replication_role (and no schema is made), they do, and only triggers
/// that fire even then (ENABLE ALWAYS, ENABLE REPLICA) are disabled; the foreign keys, which were not checked
/// then, are checked afterwards by a query each. Elsewhere (Neon as a target, plain owners) foreign keys are
/// dropped and triggers disabled. What is needed to restore them is kept in the ledger's schema
/// (cutover.quieted), in the same transaction, so that not even a lost run directory can lose it: a resumed
/// run, `clean` and `--restart` all restore from there.

using ForeignKeyName = std::pair<pg::QualifiedName, std::string>;  // table, constraint

struct Quieting {
  bool foreign_keys = true;
  bool replica_role = false;      ///< rows come in sessions with session_replication_role = replica
  std::set<ForeignKeyName> kept;  ///< foreign keys that stay: those the run itself has made
};

/// Puts aside what stands on `tables` or, of foreign keys, refers to them. Idempotent; tables that do not
/// exist have nothing.
void put_aside(pg::Connection& target, const std::string& run_id,
               const std::vector<pg::QualifiedName>& tables, const Quieting& quieting);
/// What would be put aside, and could not be, or not come back.
struct NotOurs {
  std::string object;                           ///< "trigger mine of public.orders"
  std::optional<std::string> owner;             ///< of its table; this role is not a member
  std::optional<pg::QualifiedName> referenced;  ///< a foreign key's table, to which this role may make none
};
std::vector<NotOurs> not_ours_to_put_aside(pg::Connection& target, const Plan& plan,
                                           const Quieting& quieting);
/// Restores what the run put aside (empty: what every run did). Idempotent: what is restored is forgotten.
/// What could not be restored is kept and returned. `restored`, if given, gets a line for each object.
std::vector<Problem> restore_quieted(pg::Connection& target, const std::string& run_id,
                                     std::vector<std::string>* restored = nullptr);

/// put_aside() and restore_quieted() for all tables of a run's plan, problems reported.
void quiet_target(const Context& context, pg::Connection& target, const Quieting& quieting);
void restore_target(const Context& context, pg::Connection& target);

/// The statement, which deletes rows of the table, without what rules of the table would make of it: they
/// would keep the rows, or write to others. Rules cannot be left out for one statement; they are off within
/// the same transaction only. To be sent as one string.
std::string without_rules_sql(pg::Connection& target, const pg::QualifiedName& table,
                              const std::string& statement);

/// One problem for each foreign key of the plan's tables that their rows violate although it counts as
/// validated: loads in replica role are not checked.
std::vector<Problem> violated_foreign_keys(pg::Connection& target, const Plan& plan);

}  // namespace copy
