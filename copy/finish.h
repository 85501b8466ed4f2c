#pragma once

#include <filesystem>

#include "copy/context.h"
#include "copy/index_build.h"
#include "copy/schema.h"
#include "copy/target_session.h"

namespace copy {

/// What comes after the data. Each step can be repeated: schema objects are in the ledger, the others set a
/// state. Failures of single objects are recorded as problems.

void make_pre_data(const Context& context, ItemRunner& items, const SchemaItems& schema);
/// Attaches primary keys and unique constraints to their indexes, adds exclusion constraints; tables in
/// parallel.
void add_constraints(const Context& context, ItemRunner& items, const SchemaItems& schema);
/// Everything of post-data except indexes, foreign keys and event triggers, in the dump's order.
void make_the_rest(const Context& context, ItemRunner& items, const SchemaItems& schema);
/// First all NOT VALID, which is quick, then VALIDATE in parallel. One that the data violates stays NOT
/// VALID, and its offending keys are reported.
void add_foreign_keys(const Context& context, ItemRunner& items, const SchemaItems& schema);
void refresh_materialized_views(const Context& context);
/// What is stored in that directory (copy/archive.h).
void apply_end_state(const Context& context, const std::filesystem::path& directory);
/// Last of all, since they would fire on our own statements.
void make_event_triggers(const Context& context, ItemRunner& items, const SchemaItems& schema);
/// Statistics of partitioned parents, which autovacuum never makes.
void analyze_parents(const Context& context);
/// ANALYZE; that this role may not is a warning to the server, and a note in the report.
void analyze(const Context& context, TargetSession& target, const pg::QualifiedName& table);

}  // namespace copy
