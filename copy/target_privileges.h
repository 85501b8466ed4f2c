#pragma once

#include <vector>

#include "copy/finding.h"
#include "copy/options.h"
#include "copy/plan.h"
#include "pg/connection.h"

namespace copy {

/// What this role may not do with schemas, tables and sequences that are on the target already although the
/// run will, each with the statement that allows it. False: some of the tables may not even be looked into.
bool check_target_privileges(pg::Connection& target, const Plan& plan, const Options& options,
                             std::vector<Finding>& findings);

/// The target's default privileges for what this role makes: tables that nobody else may read at the source
/// could be open there.
void check_default_privileges(pg::Connection& target, const Plan& plan, std::vector<Finding>& findings);

/// Those of the plan's sequences that are there and on which this role lacks the privilege.
std::vector<pg::QualifiedName> sequences_without(pg::Connection& connection, const Plan& plan,
                                                 const char* privilege);

}  // namespace copy
