#include <algorithm>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>

#include "base/file.h"
#include "cli/command_line.h"
#include "cli/config_file.h"
#include "cli/config_keys.h"
#include "cli/connection_options.h"
#include "cli/copy_options.h"
#include "cli/secret_reference.h"
#include "cli/upload_options.h"
#include "tests/base/matchers.h"
#include "tests/base/temporary_directory.h"
#include "tests/cli/environment.h"
#include "tests/support/aws_stand_in.h"
#include "tests/support/build.h"

namespace cli {
namespace {

using base::ErrorKind;
using base::test::throws;
using test::Variable;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class ConfigTest : public ::testing::Test {
 protected:
  std::string write(const std::string& content, const std::string& name = "cutover.toml") const {
    std::ofstream(directory_ / name) << content;
    return (directory_ / name).string();
  }
  ConfigFile file(const std::string& content) const { return ConfigFile::read(write(content)); }
  static CommandLine parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "cutover");
    return parse_command_line(arguments);
  }
  /// What the shared options of copy make of a file, some flags and the environment.
  RunOptions options_of(const std::string& content, std::vector<std::string> arguments = {}) const {
    CLI::App app;
    OptionSet set(app, "copy");
    RunOptions options;
    add_options(set, options);
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    const auto config = file(content);
    SecretResolver secrets{base::Stop()};
    set.apply(&config, &secrets);
    return options;
  }
  static void add_options(OptionSet& set, RunOptions& options) {
    add_source_option(set, options);
    add_selection_options(set, options);
    add_role_options(set, options);
    add_work_options(set, options);
    add_databases_option(set, options);
  }

  base::test::TemporaryDirectory directory_;
};

TEST_F(ConfigTest, FlattensTables) {
  const auto config = file(
      "databases = [\"auth\", \"web=www\"]\n"
      "[copy]\njobs = 4\nno_owners = true\nexclude = [\"audit.*\"]\n"
      "[copy.where]\n\"public.events\" = \"at > now()\"\n");
  EXPECT_THAT(config.values().at("databases").texts, ElementsAre("auth", "web=www"));
  EXPECT_THAT(config.values().at("copy.jobs").texts, ElementsAre("4"));
  EXPECT_THAT(config.values().at("copy.no_owners").texts, ElementsAre("true"));
  EXPECT_THAT(config.values().at("copy.where").texts, ElementsAre("public.events=at > now()"));
  EXPECT_THAT(config.place("copy.exclude"), EndsWith("cutover.toml:5: copy.exclude"));
}

TEST_F(ConfigTest, TablesInAnArrayAreJson) {
  const auto config =
      file("[[check.http]]\nurl = \"https://h/x\"\nstatus = 204\n[[check.http]]\nurl = \"b\"\n");
  EXPECT_THAT(config.values().at("check.http").texts,
              ElementsAre(R"({"status":"204","url":"https://h/x"})", R"({"url":"b"})"));
  for (const auto* headers : {"headers = { Host = \"h\" }", "[check.http.headers]\nHost = \"h\""})
    EXPECT_THAT(file(std::string("[[check.http]]\nurl = \"b\"\n") + headers).values().at("check.http").texts,
                ElementsAre(R"({"headers":{"Host":"h"},"url":"b"})"));
}

TEST_F(ConfigTest, AReferenceMayStandInATable) {
  const auto config = file(
      "[source]\nurl = \"env:A\"\n[[check.http]]\nurl = \"http://h\"\nheaders = { X = \"env:B\" }\n"
      "[[upload]]\ndatabase = \"env:C\"\n");
  for (const auto* name : {"env:A", "env:B", "env:C"}) EXPECT_TRUE(config.refers_to(name)) << name;
  EXPECT_FALSE(config.refers_to("env:"));
  EXPECT_FALSE(config.refers_to("env:D"));
}

TEST_F(ConfigTest, ASectionThatStandsSeveralTimesIsSeenOnceForEach) {
  const auto config = file(
      "[copy]\njobs = 4\n[[upload]]\nfrom = \"a\"\nrefs = [\"x.y\", \"x.z\"]\n[[upload]]\nfrom = \"b\"\n");
  EXPECT_FALSE(config.values().contains("upload.from"));
  const auto views = config.each("upload");
  ASSERT_EQ(views.size(), 2U);
  EXPECT_THAT(views[0].values().at("upload.refs").texts, ElementsAre("x.y", "x.z"));
  EXPECT_THAT(views[1].values().at("upload.from").texts, ElementsAre("b"));
  EXPECT_FALSE(views[1].values().contains("upload.refs"));
  EXPECT_THAT(views[1].values().at("copy.jobs").texts, ElementsAre("4"));
  EXPECT_EQ(file("[upload]\nfrom = \"a\"\n").each("upload").size(), 1U);
  EXPECT_EQ(config.each("copy").size(), 1U);
}

TEST_F(ConfigTest, ArgumentsNameOneOfSeveralSections) {
  CLI::App app;
  OptionSet set(app, "upload");
  UploadCommand command;
  add_upload_options(set, command);
  const auto config = file("[[upload]]\nfrom = \"a\"\n[[upload]]\nfrom = \"b\"\nrun_dir = \"mine\"\n");
  const auto all = set.views(config);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(all[0].values().at("upload.run_dir").texts, ElementsAre("./cutover-upload-1"));
  EXPECT_THAT(all[1].values().at("upload.run_dir").texts, ElementsAre("mine"));
  app.parse(std::vector<std::string>{"s3://bucket", "b"});
  const auto other = set.views(config);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_FALSE(other[0].values().contains("upload.from")) << "the file says nothing of that bucket";
}

TEST_F(ConfigTest, SaysWhereAFileIsWrong) {
  EXPECT_THAT([&] { file("[copy]\njobs = \n"); },
              throws(ErrorKind::usage, HasSubstr("cutover.toml:2: not valid TOML")));
  EXPECT_THAT([&] { file("[source]\nurl = postgres://u:sEcret@h/d\n"); },
              throws(ErrorKind::usage, AllOf(HasSubstr("cutover.toml:2: "), Not(HasSubstr("sEc")))));
  EXPECT_THAT([&] { file("[copy]\njobs = 4\njobs = 5\n"); }, throws(ErrorKind::usage, HasSubstr(":3: ")));
  EXPECT_THAT([&] { file("[copy]\nsince = 2026-01-31\n"); },
              throws(ErrorKind::usage, HasSubstr(":2: copy.since holds a value that no option takes")));
  EXPECT_THAT([&] { file("[copy]\nexclude = [[\"a\"]]\n"); },
              throws(ErrorKind::usage, HasSubstr("copy.exclude holds a value")));
  EXPECT_THAT([&] { ConfigFile::read(directory_ / "none.toml"); },
              throws(ErrorKind::usage, HasSubstr("none.toml")));
}

TEST_F(ConfigTest, RefusesUnknownKeysWithTheNearestOne) {
  const auto path = write("[copy]\njobs = 4\nexlude = [\"a\"]\n");
  EXPECT_THAT(
      [&] {
        parse({"plan", "--config", path});
      },
      throws(ErrorKind::usage, AllOf(HasSubstr("cutover.toml:3: copy.exlude is no key of the configuration"),
                                     HasSubstr("did you mean copy.exclude?"))));
  // Of whatever command: a typing error in [verify] must not wait for the night of the move.
  write("[verify]\nstronk = true\n");
  EXPECT_THAT(
      [&] {
        parse({"plan", "--config", path});
      },
      throws(ErrorKind::usage, HasSubstr("did you mean verify.strong?")));
  write("[[upload]]\nform = \"a\"\n");
  EXPECT_THAT(
      [&] {
        parse({"plan", "--config", path});
      },
      throws(ErrorKind::usage, AllOf(HasSubstr("cutover.toml:2: upload.form"), HasSubstr("upload.from"))));
  write("[[copy]]\njobs = 3\n");
  EXPECT_THAT(
      [&] {
        parse({"plan", "--config", path});
      },
      throws(ErrorKind::usage, HasSubstr("cutover.toml:1: copy is no key")));
  // An answer is given to one question, not to all that may come.
  write("[copy]\nyes = true\n");
  EXPECT_THAT([&] { parse({"plan", "--config", path}); }, throws(ErrorKind::usage, HasSubstr("copy.yes")));
}

TEST_F(ConfigTest, TheCommandLineWinsOverTheEnvironmentAndThatOverTheFile) {
  const std::string content = "[copy]\njobs = 3\nfail_fast = true\n";
  EXPECT_EQ(options_of(content).copy.jobs, 3U);
  EXPECT_TRUE(options_of(content).copy.fail_fast);
  const Variable jobs("CUTOVER_JOBS", "4");
  const Variable fast("CUTOVER_FAIL_FAST", "no");
  EXPECT_EQ(options_of(content).copy.jobs, 4U);
  EXPECT_FALSE(options_of(content).copy.fail_fast);
  EXPECT_EQ(options_of(content, {"--jobs", "5"}).copy.jobs, 5U);
}

// What a command runs is decided by its arguments: a variable that was meant for one command is not for all.
TEST_F(ConfigTest, WhatBelongsToOneRunIsNotTheEnvironmentsForCommandsThatAreRunByOthers) {
  CLI::App app;
  OptionSet set(app, "check");
  bool only = false;
  bool jobs = false;
  set.flag("--only", "", only).not_in_file();
  set.flag("--jobs", "", jobs);
  const Variable variables[]{{"CUTOVER_ONLY", "1"}, {"CUTOVER_JOBS", "1"}};
  set.apply(nullptr, nullptr, OptionSet::Caller::command);
  EXPECT_FALSE(only);
  EXPECT_TRUE(jobs);
  set.apply();
  EXPECT_TRUE(only);
}

TEST_F(ConfigTest, TakesListsAndTables) {
  const auto options = options_of(
      "databases = [\"auth\", \"web=www\"]\n"
      "[copy]\nexclude = [\"audit.*\", \"tmp\"]\ninclude = \"app\"\n"
      "[copy.role_map]\nneondb_owner = \"app_owner\"\n"
      "[copy.where]\n\"public.events\" = \"x = 'a,b'\"\n");
  EXPECT_THAT(options.copy.exclude, ElementsAre("audit.*", "tmp"));
  EXPECT_THAT(options.copy.include, ElementsAre("app"));
  EXPECT_THAT(options.copy.role_map, ElementsAre(Pair("neondb_owner", "app_owner")));
  EXPECT_THAT(options.copy.row_filters, ElementsAre(Pair("public.events", "x = 'a,b'")));
  ASSERT_EQ(options.databases.size(), 2U);
  EXPECT_EQ(options.databases[1].target, "www");
  EXPECT_THAT([&] { options_of("[copy]\njobs = [1, 2]\n"); },
              throws(ErrorKind::usage, HasSubstr("cutover.toml:2: copy.jobs: it takes one value")));
}

TEST_F(ConfigTest, NamesTheLineOfABadValue) {
  EXPECT_THAT([&] { options_of("[copy]\n\njobs = \"many\"\n"); },
              throws(ErrorKind::usage, HasSubstr("cutover.toml:3: copy.jobs: \"many\" is not a number")));
  EXPECT_THAT(
      [&] { options_of("[source]\nurl = \"postgres://u:sEc@ret@h/d\"\n"); },
      throws(ErrorKind::usage, AllOf(HasSubstr("cutover.toml:2: source.url"), Not(HasSubstr("sEc")))));
}

TEST_F(ConfigTest, ReadsTheFileOfTheWorkingDirectoryAndOthersByName) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  EXPECT_FALSE(parse({"plan"}).globals.quiet);
  write("[output]\nquiet = true\n");
  EXPECT_TRUE(parse({"plan"}).globals.quiet);
  EXPECT_EQ(parse({"plan"}).globals.config.string(), "cutover.toml");
  write("[output]\nlog_format = \"json\"\n", "other.toml");
  EXPECT_FALSE(parse({"plan", "--config", "other.toml"}).globals.quiet);
  const Variable named("CUTOVER_CONFIG", "other.toml");
  EXPECT_EQ(parse({"plan"}).globals.log_format, LogFormat::json);
  std::filesystem::current_path(before);
}

TEST_F(ConfigTest, FollowsReferencesToSecrets) {
  const Variable url("APP_URL", "postgres://app:sEcret@h/d");
  const Variable empty("EMPTY_URL", "");
  const auto path = write("postgres://app:fromFile@h/d\n", "url");
  EXPECT_EQ(options_of("[source]\nurl = \"env:APP_URL\"\n").copy.source.get("password"), "sEcret");
  EXPECT_EQ(options_of("", {"--source", "file:" + path}).copy.source.get("password"), "fromFile");
  EXPECT_THAT([&] { options_of("[source]\nurl = \"env:EMPTY_URL\"\n"); },
              throws(ErrorKind::usage, HasSubstr("the environment variable EMPTY_URL is not set")));
  EXPECT_THAT([&] { options_of("[source]\nurl = \"file:/none\"\n"); },
              throws(ErrorKind::usage, HasSubstr("/none")));
}

TEST_F(ConfigTest, FollowsReferencesToAws) {
  support::AwsStandIn aws;
  {
    auto state = aws.state().lock();
    state->keys["AKIALONGTERM"] = {"long/term+secret"};
    state->secrets["prod/db"] = R"({"url": "postgres://app:sEcret@h/d", "port": 5432})";
    state->parameters["/prod/url"] = "postgres://app:parameter@h/d";
  }
  const Variable variables[]{{"AWS_ENDPOINT_URL", aws.url()},
                             {"AWS_REGION", "eu-central-1"},
                             {"AWS_EC2_METADATA_DISABLED", "true"},
                             {"AWS_ACCESS_KEY_ID", "AKIALONGTERM"},
                             {"AWS_SECRET_ACCESS_KEY", "long/term+secret"}};
  SecretResolver secrets{base::Stop()};
  EXPECT_EQ(secrets.resolve("secretsmanager:prod/db#url"), "postgres://app:sEcret@h/d");
  EXPECT_EQ(secrets.resolve("ssm:/prod/url"), "postgres://app:parameter@h/d");
  const auto asked = aws.server().requests().size();
  EXPECT_EQ(secrets.resolve("ssm:/prod/url"), "postgres://app:parameter@h/d");
  EXPECT_EQ(aws.server().requests().size(), asked) << "each secret is asked for once";
  EXPECT_THAT([&] { secrets.resolve("secretsmanager:prod/db#port"); },
              throws(ErrorKind::usage,
                     AllOf(HasSubstr("no JSON object with a text \"port\""), Not(HasSubstr("5432")))));
  EXPECT_THAT([&] { secrets.resolve("ssm:/prod/none"); },
              throws(ErrorKind::usage, HasSubstr("ssm:/prod/none: ")));
}

TEST_F(ConfigTest, ShowsWhatIsInForceWithoutSecrets) {
  const Variable url("APP_URL", "postgres://app:sEcret@h:5433/d");
  const Variable jobs("CUTOVER_JOBS", "7");
  const auto config = file(
      "[source]\nurl = \"env:APP_URL\"\n[target]\nurl = \"postgres://b:pAss@t/d\"\n[copy]\njobs = 4\n"
      "split_size = \"1MB\"\n");
  SecretResolver secrets{base::Stop()};
  const auto effective = effective_config(&config, secrets);
  EXPECT_THAT(effective.errors, IsEmpty());
  const auto shown = [&](const std::string& key) {
    for (const auto& value : effective.values)
      if (value.key == key) return value.value + " | " + value.origin;
    return std::string("none");
  };
  EXPECT_THAT(shown("source.url"),
              AllOf(HasSubstr("postgres://app@h:5433/d | "), EndsWith("cutover.toml:2 (env:APP_URL)")));
  EXPECT_THAT(shown("target.url"), HasSubstr("postgres://b@t/d | "));
  EXPECT_EQ(shown("copy.jobs"), "7 | CUTOVER_JOBS");
  EXPECT_THAT(shown("copy.split_size"), HasSubstr("1MB | "));
  EXPECT_EQ(shown("copy.schema"), "dump | default");
  EXPECT_EQ(shown("copy.archive"), "none");
}

TEST_F(ConfigTest, CollectsEveryErrorOnce) {
  const auto config = file("[source]\nurl = \"env:NO_SUCH_URL\"\n[copy]\njobs = 0\n");
  SecretResolver secrets{base::Stop()};
  const auto effective = effective_config(&config, secrets);
  ASSERT_EQ(effective.errors.size(), 2U);
  EXPECT_THAT(effective.errors[0].what(), HasSubstr("NO_SUCH_URL"));
  EXPECT_THAT(effective.errors[1].what(), HasSubstr("copy.jobs"));
}

TEST_F(ConfigTest, TheTemplateIsAFileThatWorks) {
  const auto text = config_template();
  EXPECT_THAT(file(text).values(), IsEmpty());
  // Every key once its comment sign is gone.
  std::string active;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    active += (line.starts_with("#") && !line.starts_with("# ") ? line.substr(1) : line) + "\n";
  const auto config = file(active);
  for (const auto* key : {"source.url", "target.url", "databases", "copy.jobs", "verify.level", "upload.sse",
                          "upload.from", "output.log_format"})
    EXPECT_TRUE(config.values().contains(key)) << key;
  EXPECT_THAT(
      [&] {
        parse({"plan", "--config", config.path().string()});
      },
      throws(ErrorKind::usage, Not(HasSubstr("is no key"))));
}

TEST_F(ConfigTest, TheDocumentedExampleHasKnownKeys) {
  const auto page = base::read_file(support::source_file("docs/configuration.md"));
  const std::string begin = "```toml\n";
  const auto start = page.find(begin) + begin.size();
  const auto path = write(page.substr(start, page.find("```", start) - start));
  EXPECT_NO_THROW(parse({"config", "template", "--config", path}));
}

// The reference in the documentation is the program's own.
TEST_F(ConfigTest, IsDocumentedAsItIs) {
  const auto page = base::read_file(support::source_file("docs/configuration.md"));
  const std::string begin = "<!-- cutover config template -->\n```toml\n";
  const auto from = page.find(begin);
  ASSERT_NE(from, std::string::npos);
  const auto start = from + begin.size();
  EXPECT_EQ(page.substr(start, page.find("```", start) - start), config_template())
      << "put what `cutover config template` prints there";
}

}  // namespace
}  // namespace cli
