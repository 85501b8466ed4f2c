#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"
#include "tests/support/temp_dir.h"

namespace cli {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

/// A connection string from the cutover.toml that it has written; `side`: "source" or "target".
std::string url_of_demo(const std::filesystem::path& temporary, const std::string& side) {
  const auto home = std::filesystem::directory_iterator(temporary)->path();
  const auto config = base::read_file(home / "cutover.toml");
  const auto begin = config.find("postgres://", config.find("[" + side + "]"));
  return config.substr(begin, config.find('"', begin) - begin);
}

struct Kind {
  const char* name;
  const char* from;  ///< what follows FROM in a query that has a row for each
};

/// Of what a copy may lose there is some: what a database of this size has a catalog for, as its copy has it.
constexpr Kind kKinds[] = {
    {"schema", "pg_namespace WHERE nspname IN ('core', 'lab', 'shop', 'sandbox', 'Données Client')"},
    {"extension", "pg_extension WHERE extname <> 'plpgsql'"},
    {"row of an extension's configuration", "public.spelling WHERE own"},
    {"partitioned table", "pg_partitioned_table"},
    {"partition below a partition",
     "pg_inherits i JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'p' AND c.relispartition"},
    {"table that inherits",
     "pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE NOT relispartition AND relkind = 'r'"},
    {"row of a table that inherits", "ONLY core.grand_hotels"},
    {"unlogged table",
     "pg_class WHERE relpersistence = 'u' AND relkind = 'r' AND relnamespace = 'lab'::regnamespace"},
    {"row of an unlogged table", "lab.unlogged"},
    {"foreign table", "pg_foreign_table"},
    {"identity column",
     "pg_attribute WHERE attidentity <> '' AND attrelid::regclass::text NOT LIKE 'cutover.%'"},
    {"generated column", "pg_attribute WHERE attgenerated <> ''"},
    {"view", "pg_views WHERE schemaname IN ('core', 'lab')"},
    {"materialized view", "pg_matviews"},
    {"row of a materialized view", "core.daily"},
    {"sequence that was used", "pg_sequences WHERE last_value IS NOT NULL AND schemaname <> 'cutover'"},
    {"large object", "pg_largeobject_metadata"},
    {"large object with bytes", "pg_largeobject_metadata WHERE length(lo_get(oid)) > 0"},
    {"enum label", "pg_enum"},
    {"domain", "pg_type WHERE typtype = 'd' AND typnamespace = 'core'::regnamespace"},
    {"composite type", "pg_class WHERE relkind = 'c'"},
    {"range", "pg_range WHERE rngtypid = 'core.float_range'::regtype"},
    {"row level security", "pg_class WHERE relrowsecurity AND relforcerowsecurity"},
    {"policy", "pg_policy"},
    {"trigger", "pg_trigger WHERE NOT tgisinternal"},
    {"disabled trigger", "pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"},
    {"rule", "pg_rules WHERE schemaname IN ('core', 'lab')"},
    {"event trigger", "pg_event_trigger"},
    {"publication", "pg_publication"},
    {"table of a publication", "pg_publication_rel"},
    {"aggregate",
     "pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid WHERE pronamespace = 'core'::regnamespace"},
    {"operator class", "pg_opclass WHERE opcnamespace = 'core'::regnamespace"},
    {"cast", "pg_cast WHERE castsource = 'core.priority'::regtype"},
    {"text search configuration", "pg_ts_config WHERE cfgnamespace = 'core'::regnamespace"},
    {"extended statistics", "pg_statistic_ext"},
    {"exclusion constraint", "pg_constraint WHERE contype = 'x'"},
    {"constraint that is not valid", "pg_constraint WHERE NOT convalidated AND conparentid = 0"},
    {"comment",
     "pg_description WHERE description IN ('The big table', 'A rule', 'A policy', 'An event trigger')"},
    {"owner",
     "pg_class c JOIN pg_roles r ON r.oid = relowner WHERE rolname LIKE 'atlas%' AND relkind IN ('r', 'p', "
     "'v', 'm', 'S')"},
    {"grant",
     "pg_class c, aclexplode(relacl) a JOIN pg_roles r ON r.oid = grantee WHERE rolname LIKE 'atlas%'"},
    {"default privilege", "pg_default_acl"},
    {"setting of the database",
     "pg_db_role_setting s, unnest(setconfig) c WHERE setrole = 0 AND c LIKE 'atlas.tenant=%'"},
    {"setting of a role in the database", "pg_db_role_setting WHERE setrole <> 0 AND setdatabase <> 0"},
};

/// How many of each kind there are.
std::map<std::string, int> kinds_at(const std::string& url) {
  support::Session session(url);
  std::map<std::string, int> out;
  for (const auto& kind : kKinds)
    out[kind.name] =
        std::stoi(session.exec(std::string("SELECT count(*) FROM ") + kind.from).at(0).at(0).value());
  return out;
}

TEST(Demo, TellsTheWholeStoryAndLeavesNothingBehind) {
  const support::TempDir directory;
  const support::TempDir temporary;
  std::filesystem::permissions(temporary.path(),
                               std::filesystem::perms(0755));  // servers run as another user than root
  // What belongs to a real move is not the demo's to touch.
  support::Process demo(support::cutover_program(), {"demo", "--no-progress"},
                        {.environment = {{"CUTOVER_SOURCE", "postgres://nobody@127.0.0.1:1/real"},
                                         {"CUTOVER_TARGET", "postgres://nobody@127.0.0.1:1/real"},
                                         {"TMPDIR", temporary.path().string()}},
                         .directory = directory.path(),
                         .deadline = std::chrono::minutes(4)});
  // Its servers are there as long as it is.
  demo.wait_for_output("now somebody changes one row");
  demo.kill(SIGSTOP);
  const auto arrived = kinds_at(url_of_demo(temporary.path(), "target"));
  EXPECT_EQ(arrived, kinds_at(url_of_demo(temporary.path(), "source")));
  EXPECT_THAT(arrived, Each(Pair(_, Gt(0))));
  demo.kill(SIGCONT);
  const auto told = demo.wait();
  ASSERT_EQ(told.exit_code, 0) << told.output << told.error;
  EXPECT_THAT(told.output, AllOf(HasSubstr("(killed)"), HasSubstr("READY: "), HasSubstr("\nGO: "),
                                 HasSubstr("NO-GO: "), HasSubstr("REPAIRED: 1 step")));
  EXPECT_THAT(told.output, Not(HasSubstr("WAIVERS")));
  EXPECT_THAT(told.output, ContainsRegex("the database atlas holds [0-9]+ schemas, .* materialized views, "));
  const auto page = directory / "cutover-demo.html";
  EXPECT_TRUE(std::filesystem::exists(page));
  EXPECT_THAT(told.output, ContainsRegex("==== done, in [0-9].* The report of the night: /"));
  EXPECT_THAT(told.output, HasSubstr("The report of the night: " + page.string()));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

TEST(Demo, IsInterruptedAndItsServersAreNobodyElses) {
  const support::TempDir directory;
  const support::TempDir temporary;
  std::filesystem::permissions(temporary.path(), std::filesystem::perms(0755));
  support::Process demo(
      support::cutover_program(), {"demo", "--no-progress"},
      {.environment = {{"TMPDIR", temporary.path().string()}, {"http_proxy", "http://127.0.0.1:1"}},
       .directory = directory.path()});
  demo.wait_for_output("it is killed with SIGKILL in the middle of the copy");
  auto url = url_of_demo(temporary.path(), "source");
  EXPECT_NO_THROW(support::Session{url});
  const auto password = url.find(':', url.find("//"));
  url.erase(password, url.find('@') - password);
  EXPECT_THROW(support::Session{url}, std::runtime_error) << "every user of this machine would be superuser";
  demo.kill(SIGINT);
  const auto stopped = demo.wait();
  EXPECT_EQ(stopped.exit_code, 4) << stopped.output << stopped.error;
  EXPECT_THAT(stopped.error, Not(HasSubstr("may still run")));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

}  // namespace
}  // namespace cli
