// docs/verification.md says how a digest can be made by hand: whoever does as it says gets the report's.

#include <fstream>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pg/quote.h"
#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

/// The page's own script.
std::string documented_script() {
  const auto page = copy::test::slurp(support::source_directory() / "docs/verification.md");
  const std::string begin = "```python\n";
  const auto at = page.find(begin) + begin.size();
  return page.substr(at, page.find("```\n", at) - at);
}

class DigestByHand : public ::testing::Test {
 protected:
  /// What psql writes for the statement that the page names.
  std::filesystem::path rows_of(const json& table, const json& settings) {
    std::string script;
    for (const auto& [name, value] : settings.items())
      script += fmt::format("SET {} TO {};\n", name, pg::quote_literal(value.get<std::string>()));
    const auto condition = table.at("condition").get<std::string>();
    script += fmt::format("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT{};\n",
                          fmt::join(table.at("columns").get<std::vector<std::string>>(), ", "),
                          table.at("name").get<std::string>(), condition.empty() ? "" : " WHERE " + condition,
                          table.at("format") == "binary" ? " WITH (FORMAT binary)" : "");
    const auto file = directory_ / "rows";
    const auto result = support::run(
        "/usr/lib/postgresql/15/bin/psql",
        {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", file, "-d", move_.target.url()}, {.input = script});
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return file;
  }
  std::string digest(const json& table, const json& settings) {
    std::ofstream(directory_ / "digest.py") << documented_script();
    const auto key = copy::test::slurp(move_.way.run_dir() / "digest.key").substr(0, 64);
    const auto result =
        support::run("/usr/bin/env", {"python3", directory_ / "digest.py", key,
                                      table.at("format").get<std::string>(), rows_of(table, settings)});
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return result.output;
  }

  copy::test::Move move_{R"(
    CREATE TABLE bytes (id bigint PRIMARY KEY, v text, w bytea, f float8, at timestamptz);
    INSERT INTO bytes SELECT i, CASE WHEN i % 7 > 0 THEN repeat('x', i) END, decode(md5(i::text), 'hex'), 1 / i::float8,
                             '2024-03-01 12:00+00'::timestamptz + i * interval '1 hour' FROM generate_series(1, 3000) i;
    CREATE TABLE texts (id int, v tsvector, w text, i interval, PRIMARY KEY (id));
    INSERT INTO texts SELECT i, 'a:1A b', E'tab\t, line\n, \\, ' || i, i * interval '1 month 2 days'
                        FROM generate_series(1, 3000) i;
    INSERT INTO texts VALUES (0, NULL, '', NULL);
    CREATE TABLE part (id int PRIMARY KEY, v text); INSERT INTO part SELECT i, 'v' FROM generate_series(1, 100) i;
    CREATE TABLE vacant (id int))"};
  support::TempDir directory_;
};

TEST_F(DigestByHand, IsTheReports) {
  if (support::run("/usr/bin/env", {"python3", "--version"}).exit_code != 0)
    GTEST_SKIP() << "there is no python3";
  ASSERT_TRUE(exits(move_.copy({"--where", "public.part=id > 17"}), 0));
  const auto verdict = compare("", move_.target.url(), {"--run-dir", move_.way.run_dir()});
  ASSERT_EQ(verdict.code(), 0) << verdict.text();
  const std::map<std::string, std::string> formats{{"public.bytes", "binary"},
                                                   {"public.texts", "text"},
                                                   {"public.part", "binary"},
                                                   {"public.vacant", "binary"}};
  for (const auto& [name, format] : formats) {
    const auto table = verdict.table(name);
    EXPECT_EQ(table.at("format"), format) << name;
    const auto own = digest(table, verdict.report.at("target").at("settings"));
    EXPECT_EQ(own, table.at("target").at("digest").get<std::string>() + "\n") << name;
    EXPECT_EQ(own, table.at("source").at("digest").get<std::string>() + "\n") << name;
  }
  EXPECT_EQ(verdict.table("public.part").at("target").at("rows"), 83);
}

}  // namespace
}  // namespace verify::test
