#include "cli/demo_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "cli/demo_files.h"
#include "cli/text.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

constexpr int kDocuments = 60;
constexpr int kOldestMajor = 15;

// -------------------------------------------------------------------------------------------- what is in it

/// The row o of a catalog is of this database's making: not the system's, and no extension's.
constexpr const char* kMadeHere =
    "o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.tableoid AND "
    "d.objid = o.oid AND d.deptype = 'e')";

struct Kind {
  const char* noun;
  const char* from;  ///< what follows FROM in a query that has a row for each; "{}" is kMadeHere
};

constexpr Kind kKinds[] = {
    {"schema", "pg_namespace o WHERE {} AND nspname !~ '^pg_'"},
    {"extension", "pg_extension o WHERE {}"},
    {"configuration table", "pg_extension, unnest(extconfig)"},
    {"table", "pg_class o WHERE {} AND relkind IN ('r', 'p')"},
    {"partition", "pg_class o WHERE {} AND relkind IN ('r', 'p') AND relispartition"},
    {"inheriting table",
     "pg_class o WHERE {} AND relkind = 'r' AND NOT relispartition AND EXISTS (SELECT FROM pg_inherits WHERE "
     "inhrelid = o.oid)"},
    {"unlogged table", "pg_class o WHERE {} AND relkind = 'r' AND relpersistence = 'u'"},
    {"foreign table", "pg_class o WHERE {} AND relkind = 'f'"},
    {"identity column", "pg_attribute JOIN pg_class o ON o.oid = attrelid WHERE {} AND attidentity <> ''"},
    {"generated column", "pg_attribute JOIN pg_class o ON o.oid = attrelid WHERE {} AND attgenerated <> ''"},
    {"index", "pg_class o WHERE {} AND relkind IN ('i', 'I')"},
    {"constraint", "pg_constraint o WHERE {}"},
    {"sequence", "pg_class o WHERE {} AND relkind = 'S'"},
    {"view", "pg_class o WHERE {} AND relkind = 'v'"},
    {"materialized view", "pg_class o WHERE {} AND relkind = 'm'"},
    {"large object", "pg_largeobject_metadata"},
    {"enum", "pg_type o WHERE {} AND typtype = 'e'"},
    {"domain", "pg_type o WHERE {} AND typtype = 'd'"},
    {"composite type", "pg_type o JOIN pg_class c ON c.oid = typrelid WHERE {} AND c.relkind = 'c'"},
    {"range type", "pg_type o WHERE {} AND typtype = 'r'"},
    {"function", "pg_proc o WHERE {}"},
    {"operator", "pg_operator o WHERE {}"},
    {"trigger", "pg_trigger o WHERE {} AND NOT tgisinternal"},
    {"rule", "pg_rewrite o WHERE {} AND rulename <> '_RETURN'"},
    {"policy", "pg_policy o WHERE {}"},
    {"event trigger", "pg_event_trigger o WHERE {}"},
    {"publication", "pg_publication o WHERE {}"},
    {"text search configuration", "pg_ts_config o WHERE {}"},
    {"statistics object", "pg_statistic_ext o WHERE {}"},
    {"database setting", "pg_db_role_setting, unnest(setconfig)"},
    {"comment", "pg_description WHERE objoid >= 16384"},
    {"owner", "(SELECT DISTINCT relowner FROM pg_class WHERE oid >= 16384) AS owners"},
    {"grant", "pg_class o, aclexplode(relacl) WHERE {} AND grantee <> relowner"},
    {"default privilege", "pg_default_acl"},
};

std::string counts(pg::Connection& connection) {
  std::vector<std::string> out;
  for (const auto& kind : kKinds) {
    const auto from = fmt::format(fmt::runtime(kind.from), kMadeHere);
    const auto count = connection.exec("SELECT count(*) FROM " + from).integer(0, 0);
    out.push_back(counted(static_cast<uint64_t>(count), kind.noun));
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

// ----------------------------------------------------------------------------------------- what it needs

/// Of all scripts, as an array of Postgres.
std::string extensions() {
  constexpr std::string_view kCreate = "\nCREATE EXTENSION ";
  std::vector<std::string_view> names;
  for (const auto& file : demo_files())
    for (auto at = file.text.find(kCreate); at != std::string_view::npos; at = file.text.find(kCreate, at)) {
      at += kCreate.size();
      names.push_back(file.text.substr(at, file.text.find_first_of(" ;", at) - at));
    }
  return fmt::format("{{{}}}", fmt::join(names, ","));
}

std::string that_are_not_offered(pg::Connection& connection) {
  return connection
      .exec(
          "SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM unnest($1::text[]) AS name "
          "WHERE name NOT IN (SELECT name FROM pg_catalog.pg_available_extensions)",
          {extensions()})
      .string(0, 0);
}

}  // namespace

DemoDatabase::DemoDatabase(const DemoServers& servers, fs::path directory, base::Stop stop)
    : servers_(servers), directory_(std::move(directory)), stop_(std::move(stop)) {
  fs::create_directories(directory_);
  for (const auto& file : demo_files()) base::replace_file(directory_ / file.name, file.text);
}

pg::Connection DemoDatabase::at_source() const {
  return {pg::Conninfo::parse(servers_.source(kName)), stop_};
}
pg::Connection DemoDatabase::at_target() const {
  return {pg::Conninfo::parse(servers_.target(kName)), stop_};
}

void DemoDatabase::make() const {
  for (const auto& url : {servers_.source("postgres"), servers_.target("postgres")})
    pg::Connection(pg::Conninfo::parse(url), stop_).exec(std::string("CREATE DATABASE ") + kName);
  require_servers_to_have_it();
  run_scripts(servers_.source(kName), {"extension.sql", "atlas.sql", "shop.sql"});
  run_scripts(servers_.target(kName), {"extension.sql", "atlas_roles.sql"});
}

// Both servers are of the same programs.
void DemoDatabase::require_servers_to_have_it() const {
  auto source = at_source();
  if (source.major() < kOldestMajor)
    throw Error(ErrorKind::usage,
                fmt::format("the demo's database has what PostgreSQL {} brought, and the newest server on "
                            "this machine is of version {}",
                            kOldestMajor, source.major()),
                "install a newer one: apt-get install postgresql");
  if (const auto missing = that_are_not_offered(source); !missing.empty())
    throw Error(ErrorKind::usage,
                fmt::format("the demo's database has extensions that the server on this machine does not "
                            "offer: {}",
                            missing),
                "they are PostgreSQL's own (contrib), which Debian's package of the server has, and others "
                "have as postgresql-contrib: install that");
}

void DemoDatabase::run_scripts(const std::string& url, const std::vector<std::string>& names) const {
  const auto conninfo = pg::Conninfo::parse(url);
  base::Command command{
      .program = servers_.psql(),
      .arguments = {"--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                    fmt::format("--set=documents={}", kDocuments), "--dbname=" + conninfo.without_secrets()},
      .environment = conninfo.secrets()};
  for (const auto& name : names) command.arguments.push_back("--file=" + (directory_ / name).string());
  const auto result = base::run_command(command, stop_);
  if (result.exit_code != 0)
    throw Error(ErrorKind::permanent,
                fmt::format("the demo's database cannot be made: psql ended with {}: {}", result.exit_code,
                            result.error_text));
}

std::string DemoDatabase::contents() const {
  auto source = at_source();
  return counts(source);
}

void make_demo_files(const fs::path& directory) {
  constexpr size_t kStep = 4000;
  fs::create_directories(directory);
  for (int i = 1; i <= kDocuments; ++i)
    base::replace_file(directory / fmt::format("invoice-{}.pdf", i),
                       fmt::format("%PDF demo {}\n{}", i, std::string(static_cast<size_t>(i) * kStep, 'x')));
}

}  // namespace cli
