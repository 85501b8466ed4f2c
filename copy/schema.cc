#include "copy/schema.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <unordered_set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/file.h"
#include "base/process.h"
#include "pg/oids.h"

namespace copy {

namespace fs = std::filesystem;
using base::ErrorKind;

// --------------------------------------------------------------------------------------------- pg tools

namespace {

// With the variables that Postgres's programs and their libraries look at, and no more: any other may be
// where somebody keeps another server's password, or a key of AWS.
base::Command pg_program(const fs::path& program) {
  return {.program = program,
          .arguments = {},
          .environment = {},
          .inherits = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "PG*", "KRB5*",
                       "SSL_CERT_*", "OPENSSL_*", "LD_*", "ASAN_*", "UBSAN_*", "LSAN_*", "TSAN_*"}};
}

// "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" -> 15
int tool_major(const fs::path& program, const base::Stop& stop) {
  std::string text;
  auto command = pg_program(program);
  command.arguments = {"--version"};
  const auto result = base::run_command(command, stop, [&](std::string_view piece) { text += piece; });
  const auto at = text.find(") ");
  int major = 0;
  if (result.exit_code == 0 && at != std::string::npos)
    std::from_chars(text.data() + at + 2, text.data() + text.size(), major);
  return major;
}

std::vector<fs::path> tool_directories(const Options& options) {
  if (!options.pg_bin_dir.empty()) return {options.pg_bin_dir};
  std::vector<fs::path> directories;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error))
    directories.push_back(entry.path() / "bin");
  try {
    const auto program = base::find_program("pg_dump");
    // Debian's in /usr/bin starts one of those above, by a script that takes longer than they do.
    if (fs::canonical(program, error).filename() != "pg_wrapper")
      directories.push_back(program.parent_path());
  } catch (const base::Error&) {
    // Not on PATH; the others may do.
  }
  return directories;
}

PgTools find_pg_tools(const Options& options, const base::Stop& stop) {
  PgTools best;
  for (const auto& directory : tool_directories(options)) {
    if (!fs::exists(directory / "pg_dump") || !fs::exists(directory / "pg_restore")) continue;
    const int major = tool_major(directory / "pg_dump", stop);
    if (major > best.major) best = {directory / "pg_dump", directory / "pg_restore", major};
  }
  if (best.major == 0)
    throw base::Error(
        ErrorKind::usage, "pg_dump and pg_restore were not found",
        "install postgresql-client of the source's major version or newer, name their directory with "
        "--pg-bin-dir, or copy the data alone with --schema none");
  return best;
}

}  // namespace

const PgTools& PgToolFinder::get() {
  if (!found_) found_ = find_pg_tools(options_, stop_);
  return *found_;
}

void dump_schema(const Options& options, const Plan& plan, const std::string& snapshot_id,
                 const PgTools& tools, const fs::path& file, const base::Stop& stop) {
  if (tools.major < plan.source_major)
    throw base::Error(
        ErrorKind::usage,
        fmt::format("pg_dump {} is older than the source, which is {}", tools.major, plan.source_version),
        fmt::format("install postgresql-client-{}, or name its directory with --pg-bin-dir",
                    plan.source_major));
  auto command = pg_program(tools.dump);
  command.environment = options.source.secrets();
  // Partition bounds are written in the session's time zone; a database may have its own.
  command.environment["PGTZ"] = "UTC";
  if (options.source.get("options").empty())
    command.environment["PGOPTIONS"] = "-c standard_conforming_strings=on";
  const auto unfinished = fs::path(file.string() + ".tmp");
  command.arguments = {"--schema-only", "--format=custom", "--no-password", "--file=" + unfinished.string(),
                       "--dbname=" + options.source.without_secrets()};
  command.arguments.push_back("--encoding=" + plan.client_encoding);
  // What is no keyword at the source may be one at a newer target: "system_user" is since 16.
  command.arguments.emplace_back("--quote-all-identifiers");
  if (!snapshot_id.empty()) command.arguments.push_back("--snapshot=" + snapshot_id);
  command.arguments.emplace_back("--exclude-schema=cutover");
  for (const auto& schema : plan.excluded_schemas)
    command.arguments.push_back("--exclude-schema=" + pg::quote_identifier(schema));
  for (const auto* excluded : {&plan.excluded_tables, &plan.excluded_sequences})
    for (const auto& relation : *excluded) command.arguments.push_back("--exclude-table=" + relation.sql());
  // A user mapping's options may hold a password: the file is this user's alone before pg_dump fills it.
  base::File::create_anew(unfinished);
  const auto result = base::run_command(command, stop);
  if (result.exit_code != 0)
    throw base::Error(ErrorKind::permanent, fmt::format("pg_dump failed: {}", result.error_text),
                      "its message names the object: grant --source's role what it lacks there, or leave the "
                      "object out with --exclude, and run the same command again; a newer pg_dump "
                      "(--pg-bin-dir) may know what this one does not");
  base::File::open_read(unfinished).sync();
  fs::rename(unfinished, file);
  base::sync_directory(file.parent_path());
}

// --------------------------------------------------------------------------------------- reading the dump

namespace {

void read_section(const PgTools& tools, const fs::path& file, std::string_view section,
                  const base::Stop& stop, const std::function<void(TocEntry)>& visit) {
  auto command = pg_program(tools.restore);
  command.arguments = {"--verbose", "--file=-", "--no-tablespaces", fmt::format("--section={}", section),
                       file.string()};
  std::string script;
  // More than it will be, so that it never moves: what is not written to takes no memory.
  script.reserve(2 * fs::file_size(file));
  const auto result = base::run_command(command, stop, [&](std::string_view piece) { script += piece; });
  if (result.exit_code != 0)
    throw base::Error(ErrorKind::corrupt,
                      fmt::format("pg_restore cannot read {}: {}", file.string(), result.error_text),
                      "another pg_dump than this pg_restore may have made it (--pg-bin-dir names both); "
                      "else start over with --restart");
  base::during(fmt::format("read the schema in {}", file.string()),
               [&] { parse_restore_script(script, visit); });
}

bool is_ownerless(const TocEntry& entry) {
  return entry.description == "ACL" || entry.description == "DEFAULT ACL";
}

bool is_about_event_trigger(const TocEntry& entry) {
  return entry.description == "EVENT TRIGGER" || entry.name.starts_with("EVENT TRIGGER ");
}

bool is_unselected_view(const TocEntry& entry, const Options& options) {
  const pg::QualifiedName name{entry.schema, entry.name};
  return entry.description == "VIEW" && reason_to_skip(options, std::span(&name, 1));
}

// What is its owner's own affair: one of the provider's roles has it, the provider uses it. "PUBLICATION
// TABLE" and comments too.
bool goes_with_its_owner(const TocEntry& entry) {
  const auto& kind = entry.description == "COMMENT" ? entry.name : entry.description;
  return kind == "DEFAULT ACL" || kind.starts_with("EVENT TRIGGER") || kind.starts_with("PUBLICATION");
}

// Why an entry is not for the target; empty: it is.
std::string reason_to_skip(const TocEntry& entry, const Options& options) {
  if (!options.grants && is_ownerless(entry)) return "--no-grants";
  if (entry.description == "SUBSCRIPTION")
    return "a subscription would start to pull from its publisher: make it by hand";
  if (is_vendor_role(entry.owner) && goes_with_its_owner(entry)) return "it belongs to the provider";
  const auto extension = entry.description == "EXTENSION"       ? entry.name
                         : entry.name.starts_with("EXTENSION ") ? entry.name.substr(10)
                                                                : std::string();
  if (!extension.empty() && is_vendor_extension(extension)) return "it belongs to the provider";
  return {};
}

// pg_restore becomes a grant's grantor by SET SESSION AUTHORIZATION, which only a superuser may; SET ROLE
// does the same for the grant and only needs membership.
std::string with_set_role(const std::string& sql) {
  if (sql.find("SESSION AUTHORIZATION") == std::string::npos) return sql;
  std::string out;
  for (const auto& statement : split_statements(sql)) {
    if (statement.starts_with("SET SESSION AUTHORIZATION ")) {
      out += "SET ROLE " + statement.substr(sizeof("SET SESSION AUTHORIZATION ") - 1);
    } else if (statement == "RESET SESSION AUTHORIZATION") {
      out += "RESET ROLE";
    } else {
      out += statement;
    }
    out += ";\n";
  }
  return out;
}

bool leave_out_grants_to_vendors(TocEntry& entry, const Options& options) {
  if (!is_ownerless(entry)) return false;
  bool found = false;
  auto left = without_roles(entry, [&](const std::string& role) {
    const bool out = is_left_to_provider(role, options);
    found = found || out;
    return out;
  });
  if (found) entry.sql = std::move(left);
  return found;
}

bool is_remark(const TocEntry& entry) {
  return entry.description == "COMMENT" || entry.description == "SECURITY LABEL";
}

std::string mapped_sql(const TocEntry& entry, const Options& options) {
  TocEntry mapped = entry;
  if (is_ownerless(entry)) mapped.sql = with_set_role(entry.sql);
  if (!options.owners || is_vendor_role(entry.owner)) mapped.sql = without_owner(mapped);
  return options.role_map.empty() ? mapped.sql : map_roles(mapped, options.role_map);
}

/// Puts the entries of post-data where they belong.
class Sorter {
 public:
  Sorter(const Plan& plan, SchemaItems& items) : items_(items) {
    pg::Oids relations;
    for (const auto& relation : plan.relations) relations.add(relation.oid);
    relations.sort();
    for (const auto& index : plan.indexes) {
      if (!relations.contains(index.table)) continue;
      indexes_.add(index.oid);
      if (index.constraint != 0) constraints_.add(index.constraint);
    }
    for (const auto& key : plan.foreign_keys) foreign_keys_.add(key.oid);
    for (auto* oids : {&indexes_, &constraints_, &foreign_keys_}) oids->sort();
  }

  /// False: it is for nowhere.
  bool put(const TocEntry& entry) {
    const auto to = [&](std::vector<StoredEntry>& list) { list.push_back(items_.entries->add(entry)); };
    if ((entry.description == "INDEX" && indexes_.contains(entry.oid)) ||
        (entry.description == "CONSTRAINT" && constraints_.contains(entry.oid))) {
      to(items_.indexes);
    } else if (entry.description == "FK CONSTRAINT") {
      // One that is not in the plan refers to an excluded table.
      if (!foreign_keys_.contains(entry.oid)) return false;
      foreign_key_entries_.insert(entry.id);
      to(items_.foreign_keys);
    } else if (std::ranges::any_of(entry.dependencies,
                                   [&](auto id) { return foreign_key_entries_.contains(id); })) {
      to(items_.after_foreign_keys);
    } else {
      to(is_about_event_trigger(entry) ? items_.event_triggers : items_.rest);
    }
    return true;
  }

 private:
  SchemaItems& items_;
  pg::Oids indexes_;
  pg::Oids constraints_;
  pg::Oids foreign_keys_;
  std::unordered_set<uint32_t> foreign_key_entries_;
};

}  // namespace

SchemaItems load_schema(const Options& options, const Plan& plan, const PgTools& tools, const fs::path& file,
                        const base::Stop& stop, std::vector<Finding>& findings) {
  // pg_dump leaves tables out by itself. Views are left out here, with what depends on them.
  std::unordered_set<uint32_t> left_out;
  // Nor is anything said of what is not made for another reason.
  std::unordered_set<uint32_t> skipped;
  const auto is_left_out = [&](const TocEntry& entry) {
    const bool out =
        std::ranges::any_of(entry.dependencies, [&](auto id) { return left_out.contains(id); }) ||
        is_unselected_view(entry, options);
    if (out) left_out.insert(entry.id);
    return out;
  };
  const auto usable = [&](TocEntry& entry) {
    if (is_left_out(entry)) {
      findings.push_back(
          {Severity::skipped, ItemRunner::label(entry), "left out by --include or --exclude", {}});
      return false;
    }
    const auto is_skipped = [&](uint32_t id) { return skipped.contains(id); };
    if (is_remark(entry) && std::ranges::any_of(entry.dependencies, is_skipped)) return false;
    if (const auto reason = reason_to_skip(entry, options); !reason.empty()) {
      skipped.insert(entry.id);
      findings.push_back({Severity::skipped, ItemRunner::label(entry), reason, {}});
      return false;
    }
    if (leave_out_grants_to_vendors(entry, options))
      findings.push_back(
          {Severity::skipped, ItemRunner::label(entry), "without what the provider's roles have", {}});
    entry.sql = mapped_sql(entry, options);
    return true;
  };
  SchemaItems items;
  items.entries.emplace(file.parent_path());
  read_section(tools, file, "pre-data", stop, [&](TocEntry entry) {
    if (usable(entry)) items.pre_data.push_back(items.entries->add(entry));
  });
  Sorter sorter(plan, items);
  read_section(tools, file, "post-data", stop, [&](TocEntry entry) {
    if (usable(entry) && !sorter.put(entry)) skipped.insert(entry.id);
  });
  return items;
}

namespace {

// What defines an object, without the ids of a dump. Several may have one label (the grants on a table).
using Definitions = std::map<std::string, std::multiset<std::string>>;

Definitions read_definitions(const PgTools& tools, const fs::path& file, const base::Stop& stop) {
  Definitions definitions;
  for (const auto* section : {"pre-data", "post-data"})
    read_section(tools, file, section, stop, [&](const TocEntry& entry) {
      definitions[ItemRunner::label(entry)].insert(entry.owner + '\n' + entry.sql);
    });
  return definitions;
}

}  // namespace

std::vector<std::string> schema_changes(const PgTools& tools, const fs::path& stored, const fs::path& fresh,
                                        const base::Stop& stop, size_t limit) {
  auto now = read_definitions(tools, fresh, stop);
  std::vector<std::string> changes;
  for (const auto& [label, definitions] : read_definitions(tools, stored, stop)) {
    const auto found = now.find(label);
    if (found == now.end()) {
      changes.push_back(label + " is gone");
      continue;
    }
    if (found->second != definitions) changes.push_back(label + " was changed");
    now.erase(found);
  }
  for (const auto& [label, definitions] : now) changes.push_back(label + " is new");
  if (changes.size() > limit) changes.resize(limit);
  return changes;
}

// ------------------------------------------------------------------------------------------- ItemRunner

namespace {

constexpr size_t kBatchItems = 64;
constexpr size_t kBatchBytes = 256 * 1024;

// "already exists": of a schema, table, object, function. The last form is another session's uncommitted
// twin.
bool says_exists(const base::Error& error) {
  if (error.sqlstate() == "23505")
    return error.message().find("pg_class_relname_nsp_index") != std::string::npos;
  // ADD CONSTRAINT … USING INDEX, where the index is that constraint's already.
  if (error.sqlstate() == "55000")
    return error.message().find("already associated with a constraint") != std::string::npos;
  static constexpr std::array<std::string_view, 4> kCodes = {"42P06", "42P07", "42710", "42723"};
  return std::ranges::find(kCodes, error.sqlstate()) != kCodes.end();
}

// What managed servers do not let anybody do, and what changes nothing about the data: worth a note, not a
// failure.
bool is_tolerable(const TocEntry& entry, const base::Error& error) {
  if (!pg::is_insufficient_privilege(error)) return false;
  return (entry.description == "COMMENT" &&
          (entry.name.starts_with("EXTENSION ") || entry.name == "SCHEMA public")) ||
         (entry.description == "SCHEMA" && entry.name == "public");
}

// Before version 15 everybody might create in the schema public, which pg_dump says of each older source.
// Where that is so it need not be granted.
bool is_public_open_already(pg::Connection& target, const TocEntry& entry) {
  const auto names_a_role = [](const std::string& statement) { return !statement.ends_with(" PUBLIC"); };
  return entry.description == "ACL" && entry.name == "SCHEMA public" &&
         std::ranges::none_of(split_statements(entry.sql), names_a_role) &&
         entry.sql.find("GRANT ALL ") != std::string::npos &&
         target
             .exec(
                 "SELECT count(DISTINCT a.privilege_type) = 2 FROM pg_catalog.pg_namespace n, "
                 "pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a "
                 "WHERE n.nspname = 'public' AND a.grantee = 0")
             .boolean(0, 0);
}

// A GRANT or REVOKE by a role that may not, but has a privilege itself, if only as everybody has, does
// nothing and succeeds: there is a warning, which our sessions hear of here alone.
void exec_grants(pg::Connection& target, const std::string& sql) {
  static constexpr std::array<std::string_view, 2> kDidNothing = {"01006", "01007"};
  pg::Transaction transaction(target);
  target.take_warnings();
  target.exec("SET LOCAL client_min_messages = warning;\n" + sql);
  for (auto& warning : target.take_warnings())
    if (std::ranges::find(kDidNothing, warning.sqlstate()) != kDidNothing.end())
      throw warning.kind(ErrorKind::permanent)
          .hint(
              "this role may not grant or revoke that: copy as one that may, as the object's owner, or with "
              "--no-grants");
  try {
    transaction.commit();
  } catch (base::Error& error) {
    // The ledger tells, when it is done once more.
    if (error.kind() == ErrorKind::in_doubt) error.kind(ErrorKind::transient);
    throw;
  }
}

void exec_items(pg::Connection& target, bool has_grants, const std::string& sql) {
  if (has_grants) {
    exec_grants(target, sql);
  } else {
    target.exec(sql);
  }
}

}  // namespace

bool EntryIds::contains(uint32_t id) const {
  const auto& ids = steps_[id >> 31];
  const auto number = id & ~ItemRunner::second_step(0);
  return number < ids.size() && ids[number];
}

void EntryIds::insert(uint32_t id) {
  auto& ids = steps_[id >> 31];
  const auto number = id & ~ItemRunner::second_step(0);
  if (number >= ids.size()) ids.resize(size_t{number} + 1);
  ids[number] = true;
}

ItemRunner::ItemRunner(const Context& context, pg::Connection& target) : context_(context) {
  for (const auto id : context.ledger.items(target)) outcome_.lock()->done.insert(id);
}

std::string ItemRunner::label(const TocEntry& entry) {
  std::string kind;
  for (const char c : entry.description)
    kind += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return fmt::format("{} {}{}{}", kind, entry.schema, entry.schema.empty() ? "" : ".", entry.name);
}

bool ItemRunner::is_done(uint32_t id) { return outcome_.lock()->done.contains(id); }
bool ItemRunner::has_failed(uint32_t id) { return outcome_.lock()->failed.contains(id); }

void ItemRunner::made(uint32_t id) {
  auto outcome = outcome_.lock();
  outcome->done.insert(id);
  outcome->at_risk.insert(id);
}

void ItemRunner::was_made_durable() { outcome_.lock()->at_risk.clear(); }

void ItemRunner::run_all(pg::Connection& target, const SchemaItems& schema,
                         std::span<const StoredEntry> entries) {
  while (!entries.empty()) {
    std::vector<TocEntry> batch;
    for (size_t bytes = 0; batch.size() < std::min(entries.size(), kBatchItems) && bytes < kBatchBytes;) {
      batch.push_back(schema.read(entries[batch.size()]));
      bytes += batch.back().sql.size();
    }
    entries = entries.subspan(batch.size());
    if (run_batch(target, batch)) continue;
    for (const auto& entry : batch) run(target, entry);
  }
}

// False: nothing was done, run them one by one.
bool ItemRunner::run_batch(pg::Connection& target, std::span<const TocEntry> entries) {
  std::string sql;
  bool has_grants = false;
  {
    auto outcome = outcome_.lock();
    if (!outcome->failed.empty()) return false;
    for (const auto& entry : entries) {
      has_grants = has_grants || entry.description == "ACL";
      if (!outcome->done.contains(entry.id))
        sql += fmt::format("{}\n;\n{};\n", entry.sql,
                           context_.ledger.item_sql(entry.id, entry.description, entry.schema, entry.name));
    }
  }
  if (sql.empty()) return true;
  try {
    exec_items(target, has_grants, sql);
  } catch (const base::Error& error) {
    if (error.kind() == ErrorKind::cancelled || !target.alive()) throw;
    return false;
  }
  for (const auto& entry : entries) made(entry.id);
  return true;
}

std::vector<std::string> ItemRunner::lost(pg::Connection& target, const SchemaItems& schema) {
  EntryIds present;
  for (const auto id : context_.ledger.items(target)) present.insert(id);
  std::vector<std::string> lost;
  auto outcome = outcome_.lock();
  const auto is_lost = [&](uint32_t id) { return outcome->at_risk.contains(id) && !present.contains(id); };
  for (const auto* list : {&schema.pre_data, &schema.indexes, &schema.foreign_keys,
                           &schema.after_foreign_keys, &schema.rest, &schema.event_triggers})
    for (const auto& entry : *list)
      if (is_lost(entry.id) || is_lost(second_step(entry.id))) lost.push_back(label(schema.read(entry)));
  return lost;
}

bool ItemRunner::run(pg::Connection& target, uint32_t id, const TocEntry& entry, const std::string& sql) {
  {
    auto outcome = outcome_.lock();
    if (outcome->done.contains(id)) return true;
    for (const auto dependency : entry.dependencies) {
      const auto failed = outcome->failed.find(dependency);
      if (failed == outcome->failed.end()) continue;
      const auto cause = failed->second;
      outcome->failed.emplace(id, label(entry));
      context_.problems.add({Problem::Kind::failed,
                             label(entry),
                             fmt::format("skipped, because {} could not be made", cause),
                             {}});
      return false;
    }
  }
  const auto record = context_.ledger.item_sql(id, entry.description, entry.schema, entry.name);
  try {
    exec_items(target, entry.description == "ACL", fmt::format("{}\n;\n{}", sql, record));
  } catch (const base::Error& error) {
    if (error.kind() == ErrorKind::cancelled || !target.alive()) throw;
    if (error.kind() == ErrorKind::transient) throw;
    // Made by ourselves, when only the reply was lost: then the ledger has it, whatever the second try runs
    // into.
    if (context_.ledger.has_item(target, id)) {
      made(id);
      return true;
    }
    if (says_exists(error)) {
      context_.problems.add(
          {Problem::Kind::note, label(entry), "was on the target already and was left as it is", {}});
      // Under another kind, so that --restart does not take it for one that this run made.
      target.exec(context_.ledger.item_sql(id, entry.description + " (found)", entry.schema, entry.name));
    } else if (is_tolerable(entry, error) || is_public_open_already(target, entry)) {
      context_.problems.add(
          {Problem::Kind::note, label(entry), fmt::format("not applied: {}", error.message()), {}});
      outcome_.lock()->done.insert(id);
      return true;
    } else {
      failed(id, entry, error);
      return false;
    }
  }
  made(id);
  return true;
}

void ItemRunner::failed(uint32_t id, const TocEntry& entry, const base::Error& error) {
  outcome_.lock()->failed.emplace(id, label(entry));
  context_.problems.add({Problem::Kind::failed, label(entry), error.message(), error.hint()});
  if (context_.options.fail_fast)
    throw base::Error(ErrorKind::permanent, label(entry) + ": " + error.message(), error.hint());
}

}  // namespace copy
