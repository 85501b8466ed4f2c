#include "cli/copy_options.h"

#include "base/error.h"
#include "base/format.h"

namespace cli {
namespace {

constexpr unsigned kMostJobs = 256;

/// Stores each of the comma-separated parts.
OptionSet::Set append_to(std::vector<std::string>& list) {
  return [&list](const std::string& text) {
    auto parts = split_list(text);
    if (parts.empty())
      throw base::Error(base::ErrorKind::usage, "the pattern is empty", "write it as public.orders or app.*");
    list.insert(list.end(), parts.begin(), parts.end());
  };
}

uint64_t parse_split_size(const std::string& text) {
  constexpr uint64_t kOneBlock = 8192;
  const auto size = base::parse_bytes(text);
  if (size < kOneBlock)
    throw base::Error(base::ErrorKind::usage, "\"" + text + "\" is less than a block of a table",
                      "use 8kB or more");
  return size;
}

/// `verb`: what the command does with them.
void add_patterns(OptionSet& set, copy::Options& engine, const std::string& verb) {
  set.list("--include", "PATTERN",
           verb + " only these: a schema or schema.table, with * and ?; a quoted part is taken literally",
           append_to(engine.include))
      .in("copy");
  set.list("--exclude", "PATTERN", "leave these out; wins over --include", append_to(engine.exclude))
      .in("copy");
  set.list("--where", "TABLE=CONDITION",
           verb + " only the rows of schema.table that satisfy the SQL condition",
           [&engine](const std::string& text) {
             auto [table, condition] = parse_row_filter(text);
             if (!engine.row_filters.emplace(table, condition).second)
               throw base::Error(base::ErrorKind::usage, "the table " + table + " has two conditions",
                                 "combine them with AND");
           })
      .in("copy");
}

void add_pace_options(OptionSet& set, copy::Options& engine, std::string jobs_help, std::string split_help,
                      std::string split_default) {
  set.value("--jobs", "N", std::move(jobs_help), "one for each core, at least 2",
            [&engine](const std::string& text) { engine.jobs = parse_number(text, 1, kMostJobs); })
      .in("copy");
  set.value("--split-size", "SIZE", std::move(split_help), std::move(split_default),
            [&engine](const std::string& text) { engine.split_size = parse_split_size(text); })
      .in("copy");
  set.value("--retry-for", "DURATION", "how long a lost connection and the like is tried again", "5min",
            [&engine](const std::string& text) { engine.retry.give_up_after = parse_duration(text); })
      .in("copy");
}

}  // namespace

void add_selection_options(OptionSet& set, RunOptions& options) {
  auto& engine = options.copy;
  set.group("What is copied");
  set.value("--schema", "dump|none",
            "dump: pg_dump's schema is applied to the target; none: the application's own migrations made "
            "it, and only "
            "rows are copied",
            "dump",
            [&engine](const std::string& text) {
              engine.schema = parse_choice<copy::SchemaMode>(
                  text, {{"dump", copy::SchemaMode::dump}, {"none", copy::SchemaMode::none}});
            })
      .in("copy");
  add_patterns(set, engine, "copy");
}

void add_comparison_selection(OptionSet& set, RunOptions& options) {
  set.group("What is compared");
  add_patterns(set, options.copy, "compare");
}

void add_role_options(OptionSet& set, RunOptions& options) {
  auto& engine = options.copy;
  set.group("Roles");
  set.list("--role-map", "OLD=NEW", "what the source calls OLD belongs to NEW at the target",
           [&engine](const std::string& text) {
             for (const auto& part : split_list(text)) {
               const auto [from, to] = parse_pair(part, "OLD=NEW");
               const auto [at, is_new] = engine.role_map.emplace(from, to);
               if (!is_new && at->second != to)
                 throw base::Error(base::ErrorKind::usage, "the role " + from + " is mapped twice",
                                   "map each role of the source once");
             }
           })
      .in("copy");
  set.flag("--no-owners", "everything belongs to the target's user; no ALTER … OWNER TO",
           [&engine](bool given) { engine.owners = !given; })
      .in("copy");
  set.flag("--no-grants", "no GRANT, no REVOKE, no default privileges",
           [&engine](bool given) { engine.grants = !given; })
      .in("copy");
}

void add_work_options(OptionSet& set, RunOptions& options) {
  auto& engine = options.copy;
  set.group("How");
  add_pace_options(set, engine, "data workers, each with one connection to either side",
                   "tables above this are copied in chunks of this size", "a fair share of all data");
  set.value("--pg-bin-dir", "DIR", "where pg_dump and pg_restore are", "PATH, then /usr/lib/postgresql",
            [&engine](const std::string& text) { engine.pg_bin_dir = text; })
      .in("copy");
  set.flag("--fail-fast", "stop at the first table that fails, instead of finishing the others",
           engine.fail_fast)
      .in("copy");
}

void add_reading_options(OptionSet& set, RunOptions& options) {
  set.group("How");
  add_pace_options(set, options.copy, "connections to either side",
                   "tables above this are read in several slices at once", "a fair share of all data");
}

void add_index_jobs_option(OptionSet& set, RunOptions& options) {
  set.value("--index-jobs", "N", "index workers beside the data workers", "as many as --jobs",
            [&engine = options.copy](const std::string& text) {
              engine.index_jobs = parse_number(text, 1, kMostJobs);
            })
      .in("copy");
}

void add_rewrite_options(OptionSet& set, RunOptions& options) {
  set.group("What may be replaced");
  set.list("--overwrite", "PATTERN",
           "rows of these target tables may be deleted although this run did not write them",
           append_to(options.copy.overwrite))
      .in("copy");
  set.flag("--restart", "forget what the run directory knows and start over; asks before anything is dropped",
           options.copy.restart)
      .not_in_file();
}

void add_archive_option(OptionSet& set, RunOptions& options, std::string help) {
  set.value("--archive", "DIR", std::move(help), "",
            [&engine = options.copy](const std::string& text) { engine.archive = text; })
      .in("copy");
}

void add_databases_option(OptionSet& set, RunOptions& options) {
  set.value("--databases", "A,B,C=D",
            "several databases, one after the other: each name replaces the one in the URLs (C=D: another "
            "name at the "
            "target), and each has a subdirectory of its own",
            "", [&options](const std::string& text) { options.databases = parse_databases(text); })
      .at("databases");
}

void add_yes_option(OptionSet& set, RunOptions& options) {
  set.flag("--yes", "answer every question with yes; needed where there is no terminal to ask at",
           options.yes)
      .not_in_file();
}

void require_archive(const copy::Options& options) {
  if (options.archive) return;
  throw base::Error(base::ErrorKind::usage, "no archive was given",
                    "give --archive DIR or set CUTOVER_ARCHIVE");
}

}  // namespace cli
