#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>

#include "cli/connection_options.h"
#include "cli/copy_options.h"
#include "cli/help.h"
#include "cli/text.h"
#include "tests/base/matchers.h"
#include "tests/cli/environment.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

CommandLine parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "cutover");
  return parse_command_line(arguments);
}

TEST(CommandLine, UnderstandsGlobalOptionsOnBothSidesOfTheCommand) {
  for (const auto& arguments :
       {std::vector<std::string>{"copy", "--quiet", "--log-format", "json", "--no-progress"},
        std::vector<std::string>{"--quiet", "--log-format", "json", "--no-progress", "copy"}}) {
    const auto globals = parse(arguments).globals;
    EXPECT_TRUE(globals.quiet);
    EXPECT_EQ(globals.log_format, LogFormat::json);
    EXPECT_FALSE(globals.progress);
  }
}

TEST(CommandLine, ReadsTheEnvironmentWhereTheCommandLineSaysNothing) {
  const test::Variable format("CUTOVER_LOG_FORMAT", "json");
  const test::Variable quiet("CUTOVER_QUIET", "yes");
  EXPECT_EQ(parse({"plan"}).globals.log_format, LogFormat::json);
  EXPECT_TRUE(parse({"plan"}).globals.quiet);
  EXPECT_EQ(parse({"plan", "--log-format=text"}).globals.log_format, LogFormat::text);
}

TEST(CommandLine, NamesTheVariableThatIsWrong) {
  const test::Variable jobs("CUTOVER_JOBS", "many");
  EXPECT_THAT([] { parse({"copy"}); },
              throws(ErrorKind::usage, HasSubstr("CUTOVER_JOBS: \"many\" is not a number")));
  EXPECT_NO_THROW(parse({"copy", "--jobs", "2"}));
  EXPECT_NO_THROW(parse({"copy", "--help"}));
  EXPECT_NO_THROW(parse({"status"}));  // has no such option
}

TEST(CommandLine, RefusesAVariableThatIsNearlyAnOptions) {
  for (const auto* name : {"CUTOVER_SOUCE", "CUTOVER_TAGRET", "CUTOVER_SOURCES", "CUTOVER_JOB"}) {
    const test::Variable slip(name, "env:NOWHERE");
    EXPECT_THAT([] { parse({"status"}); },
                throws(ErrorKind::usage, AllOf(HasSubstr(name), HasSubstr("did you mean CUTOVER_"))));
    EXPECT_NO_THROW(parse({"--version"}));
    const test::Variable unset(name, "");
    EXPECT_NO_THROW(parse({"status"}));
  }
  // Of Kubernetes, for a service of that name; of these tests.
  for (const auto* name : {"CUTOVER_PORT", "CUTOVER_SERVICE_HOST", "CUTOVER_PORT_8080_TCP", "CUTOVER_VERSION",
                           "CUTOVER_PG_BINARIES", "CUTOVER_UNITY", "CUTOVER_BENCH"}) {
    const test::Variable other(name, "1");
    EXPECT_THAT(parse({"status"}).unknown_variables, testing::Contains(name));
  }
  const test::Variable crash("CUTOVER_CRASH_AT", "nowhere");
  EXPECT_THAT(parse({"status"}).unknown_variables, Not(testing::Contains("CUTOVER_CRASH_AT")));
  // What a reference names has the name that its owner gave it.
  const test::Variable secret("CUTOVER_SOURCE2", "postgres://h/db");
  EXPECT_THAT([] { parse({"plan"}); }, throws(ErrorKind::usage, HasSubstr("CUTOVER_SOURCE2")));
  EXPECT_NO_THROW(parse({"plan", "--source", "env:CUTOVER_SOURCE2"}));
  const test::Variable reference("CUTOVER_SOURCE", "env:CUTOVER_SOURCE2");
  EXPECT_NO_THROW(parse({"plan"}));
}

TEST(CommandLine, SuggestsTheNearestName) {
  EXPECT_THAT(
      [] {
        parse({"copy", "--jbos", "3"});
      },
      throws(ErrorKind::usage, HasSubstr("unknown option --jbos\nhint: did you mean --jobs?")));
  EXPECT_THAT([] { parse({"copi"}); },
              throws(ErrorKind::usage, HasSubstr("unknown command \"copi\"\nhint: did you mean copy?")));
  EXPECT_THAT(
      [] {
        parse({"plan", "--xyzzy"});
      },
      throws(ErrorKind::usage, HasSubstr("see cutover plan --help")));
}

TEST(CommandLine, NeverQuotesAConnection) {
  for (const auto& arguments : {std::vector<std::string>{"copy", "postgres://u:sEcret@h/db"},
                                std::vector<std::string>{"copy", "--soruce=postgres://u:sEcret@h/db"},
                                std::vector<std::string>{"copy", "--soruce", "postgres://u:sEcret@h/db"},
                                std::vector<std::string>{"copy", "--source", "postgres://u:sEc@ret@h/db"},
                                std::vector<std::string>{"copy", "--source", "postgres://u:sEcret@h:port/db"},
                                std::vector<std::string>{"copy", "--source", "password=sEcret host"},
                                std::vector<std::string>{"copy", "password=sEcret host=h"},
                                std::vector<std::string>{"postgres://u:sEcret@h/db"}})
    EXPECT_THAT([&] { parse(arguments); }, throws(ErrorKind::usage, Not(HasSubstr("sEc"))));
}

TEST(CommandLine, ComplainsAboutMissingValuesAndArgumentsTooMany) {
  EXPECT_THAT(
      [] {
        parse({"copy", "--source"});
      },
      throws(ErrorKind::usage, HasSubstr("--source needs a value")));
  EXPECT_THAT(
      [] {
        parse({"copy", "now"});
      },
      throws(ErrorKind::usage, HasSubstr("copy takes no argument \"now\"")));
  EXPECT_THAT([] { parse({"copy", "plan"}); }, throws(ErrorKind::usage));
}

TEST(CommandLine, RefusesBadValues) {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"--jobs", "0"},           {"--jobs", "257"},         {"--index-jobs", "x"},  {"--split-size", "1kB"},
      {"--split-size", "large"}, {"--retry-for", "5"},      {"--schema", "all"},    {"--role-map", "a"},
      {"--where", "events=x"},   {"--databases", ","},      {"--include", ""},      {"--log-level", "loud"},
      {"--log-format", "xml"},   {"--role-map", "a=b,a=c"}, {"--source", "no url"}, {"--target", "no url"}};
  for (const auto& [name, value] : bad)
    EXPECT_THAT(
        [&] {
          parse({"copy", name, value});
        },
        throws(ErrorKind::usage, StartsWith(name + ":")))
        << name << " " << value;
}

/// What the options of `copy` make of these arguments.
RunOptions options_of(std::vector<std::string> arguments) {
  CLI::App app;
  OptionSet set(app);
  RunOptions options;
  add_source_option(set, options);
  add_selection_options(set, options);
  add_role_options(set, options);
  add_work_options(set, options);
  add_rewrite_options(set, options);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  set.apply();
  return options;
}

TEST(CopyOptions, StoreWhatWasGiven) {
  const auto options =
      options_of({"--jobs=3",    "--jobs",    "5",           "--split-size", "64MB",
                  "--retry-for", "2min",      "--schema",    "none",         "--include",
                  "app.*,audit", "--include", "billing",     "--exclude",    "app.log*",
                  "--role-map",  "a=b",       "--no-owners", "--where",      "app.t=x > 1, true",
                  "--fail-fast"});
  const auto& copy = options.copy;
  EXPECT_EQ(copy.jobs, 5U);
  EXPECT_EQ(copy.split_size, 64ULL << 20);
  EXPECT_EQ(copy.retry.give_up_after, std::chrono::minutes(2));
  EXPECT_EQ(copy.schema, copy::SchemaMode::none);
  EXPECT_THAT(copy.include, ElementsAre("app.*", "audit", "billing"));
  EXPECT_THAT(copy.exclude, ElementsAre("app.log*"));
  EXPECT_THAT(copy.role_map, ElementsAre(Pair("a", "b")));
  EXPECT_FALSE(copy.owners);
  EXPECT_TRUE(copy.grants);
  EXPECT_THAT(copy.row_filters, ElementsAre(Pair("app.t", "x > 1, true")));
  EXPECT_TRUE(copy.fail_fast);
  EXPECT_FALSE(copy.restart);
}

TEST(CopyOptions, HoldOneValuePerLineInAVariable) {
  const test::Variable where("CUTOVER_WHERE", "app.a=x = 1\n\napp.b=y in (1, 2)\n");
  const test::Variable grants("CUTOVER_NO_GRANTS", "1");
  const auto options = options_of({});
  EXPECT_THAT(options.copy.row_filters, ElementsAre(Pair("app.a", "x = 1"), Pair("app.b", "y in (1, 2)")));
  EXPECT_FALSE(options.copy.grants);
}

TEST(ConnectionOptions, RefuseTheSameDatabaseTwice) {
  copy::Options options;
  EXPECT_THAT([&] { require_both(options, {}); }, throws(ErrorKind::usage, HasSubstr("CUTOVER_SOURCE")));
  options.source = pg::Conninfo::parse("postgres://a:sEcret@h:5432/db");
  EXPECT_THAT([&] { require_both(options, {}); }, throws(ErrorKind::usage, HasSubstr("CUTOVER_TARGET")));
  options.target = pg::Conninfo::parse("postgres://b:sEcret@h:5432/db");
  EXPECT_THAT([&] { require_both(options, {}); },
              throws(ErrorKind::usage, AllOf(HasSubstr("the same database"), Not(HasSubstr("sEcret")))));
  EXPECT_NO_THROW(require_both(options, {{"db", "other"}}));
  EXPECT_THROW(require_both(options, {{"db", "other"}, {"x", "x"}}), base::Error);
  options.target = pg::Conninfo::parse("postgres://b@h:5433/db");
  EXPECT_NO_THROW(require_both(options, {}));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

class HelpOf : public ::testing::TestWithParam<size_t> {};

TEST_P(HelpOf, EveryCommandFitsAndIsComplete) {
  const auto width = GetParam();
  for (const auto& line : lines_of(general_help(width))) EXPECT_LE(display_width(line), width) << line;
  for (const auto& command : commands()) {
    CLI::App app;
    OptionSet set(app);
    const auto run = command.set_up(set);
    GlobalOptions globals;
    add_global_options(set, globals);
    const auto help = command_help(command, set, width);
    EXPECT_THAT(general_help(width), HasSubstr(std::string("  ") + command.name + " "));
    for (const auto& line : lines_of(help)) {
      // A word that is longer than its column stays whole.
      const bool is_one_word = line.find(' ', line.find_first_not_of(' ')) == std::string::npos;
      EXPECT_TRUE(is_one_word || display_width(line) <= width) << line;
    }
    EXPECT_THAT(help, AllOf(HasSubstr("Usage: cutover "), HasSubstr("Examples:"), HasSubstr("Exit codes:")));
    EXPECT_GE(set.examples().size(), 2U) << command.name;
    EXPECT_LE(set.examples().size(), 4U) << command.name;
    for (const auto& entry : set.entries()) {
      EXPECT_FALSE(entry.help.empty()) << entry.name;
      EXPECT_FALSE(entry.group.empty()) << entry.name;
      EXPECT_THAT(help, HasSubstr("  " + entry.name)) << command.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, HelpOf, ::testing::Values(60, 80, 100));

TEST(Help, ExamplesAreValid) {
  for (const auto& command : commands()) {
    CLI::App app;
    OptionSet set(app);
    const auto run = command.set_up(set);
    for (const auto& example : set.examples()) {
      // Far from a shell: options are known, that is all.
      for (const auto& word : wrapped(example.command, 1)) {
        if (!word.starts_with("--")) continue;
        const auto known = [&](const auto& entry) { return entry.name == word; };
        EXPECT_TRUE(std::ranges::any_of(set.entries(), known) || word == "--log-format") << example.command;
      }
    }
  }
}

}  // namespace
}  // namespace cli
