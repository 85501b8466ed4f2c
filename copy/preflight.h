#pragma once

#include <set>
#include <vector>

#include "copy/finding.h"
#include "copy/options.h"
#include "copy/plan.h"
#include "copy/schema.h"
#include "pg/connection.h"

namespace copy {

/// Looks before leaping. Every function only reads; each adds what it found, with the exact fix.

/// A pooler between us and the server, a version too old, a replica.
void check_source_server(pg::Connection& source, const Options& options, std::vector<Finding>& findings);
/// Tables, schemas and sequences this role may not read, tables whose row security would hide rows from it.
void check_source_privileges(pg::Connection& source, const Plan& plan, std::vector<Finding>& findings);
/// A replica, a pooler, a database where this role may not create.
void check_target_alone(pg::Connection& target, std::vector<Finding>& findings);
/// A target that is the source itself, or of an older version.
void check_both_servers(pg::Connection& source, pg::Connection& target, std::vector<Finding>& findings);
/// Extensions, roles, encoding; and, where tables of the plan exist on the target already, their columns,
/// whether this role may fill them, and whether they are empty.
void check_target_content(pg::Connection& target, const Plan& plan, const Options& options,
                          std::vector<Finding>& findings);
/// Free connections on both sides for the workers asked for.
void check_connections(pg::Connection& server, const std::string& side, unsigned wanted,
                       std::vector<Finding>& findings);
/// pg_dump's version; room in the run directory and the archive.
void check_local(const Options& options, const Plan& plan, PgToolFinder& tools,
                 std::vector<Finding>& findings);

/// Those of the plan's tables that are there.
std::set<pg::QualifiedName> existing_tables(pg::Connection& target, const Plan& plan);
/// Names the columns of planned tables that the target has otherwise, or not at all. Tables that are not
/// there count when nobody is going to make them (SchemaMode::none).
std::vector<Finding> compare_shapes(pg::Connection& target, const Plan& plan);
std::string server_encoding(pg::Connection& server);
/// As the server writes it: "15.18 (Debian 15.18-0+deb12u1)".
std::string server_version(pg::Connection& server);
/// True when our sessions may set session_replication_role (superusers; members of rds_superuser).
bool may_set_replica_role(pg::Connection& target);
/// True when they shall: they may, and no table of the plan has a deferrable key or exclusion constraint,
/// which is not checked in replica role (its trigger does not fire, and its index lets duplicates in).
bool loads_in_replica_role(pg::Connection& target, const Plan& plan);

/// Throws Error{usage} that lists the blockers, when there are any.
void throw_blockers(const std::vector<Finding>& findings);

}  // namespace copy
