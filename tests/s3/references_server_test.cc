#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/s3/program.h"
#include "tests/support/cluster.h"

namespace s3 {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ReferencesOf : public test::UploadProgram {
 protected:
  ReferencesOf() : database_(support::cluster()) {
    for (const auto* name : {"a.pdf", "sub/ü b.pdf", "unused.pdf", "c.pdf"}) write(name, name);
    database_.exec(
        "CREATE TABLE documents (file_path text); CREATE TABLE other (meta jsonb);"
        "INSERT INTO documents VALUES ('/uploads/a.pdf'), ('/uploads/a.pdf'), ('/uploads/sub/ü b.pdf'), "
        "(NULL);"
        "INSERT INTO other VALUES ('{\"file\": \"/uploads/c.pdf\"}'), ('{}')");
  }
  std::vector<std::string> refs(std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"--database",          database_.url(), "--refs",
                                 "documents.file_path", "--refs-prefix", "/uploads/"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  support::TestDatabase database_;
};

TEST_F(ReferencesOf, AllHaveAVerifiedObject) {
  const auto result = run(refs({"--refs", "SELECT meta->>'file' FROM other"}));
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.output, AllOf(HasSubstr("3 paths by the database, 0 of them missing; 1 file by nobody"),
                                   HasSubstr("unused.pdf: is not mentioned")));
  const auto references = report()["references"];
  EXPECT_EQ(references["mentioned"], 3);
  EXPECT_EQ(references["unmentioned"], 1);
}

TEST_F(ReferencesOf, AreReportedWhenTheirObjectIsNotThere) {
  database_.exec("INSERT INTO documents VALUES ('/uploads/gone.pdf'), ('https://elsewhere.example/x')");
  const auto missing = run(refs());
  EXPECT_EQ(missing.exit_code, 1) << missing.output << missing.error;
  EXPECT_THAT(missing.output,
              AllOf(HasSubstr("gone.pdf: documents.file_path mentions it, and there is no such file"),
                    HasSubstr("1 value elsewhere"), HasSubstr("https://elsewhere.example/x")));
  // A file whose object is another is no verified one.
  database_.exec("DELETE FROM documents WHERE file_path <> '/uploads/a.pdf'");
  write("a.pdf", "b.pdf");
  const auto different = run(refs({"--verify-only", "--exclude", "unused.pdf"}));
  EXPECT_EQ(different.exit_code, 1) << different.output;
  EXPECT_THAT(different.output, HasSubstr("a.pdf: documents.file_path mentions it, and its object"));
}

TEST_F(ReferencesOf, AreNotCheckedUnderAPrefixThatNoneHas) {
  const auto mistyped =
      run({"--database", database_.url(), "--refs", "documents.file_path", "--refs-prefix", "/upload/"});
  EXPECT_EQ(mistyped.exit_code, 3) << mistyped.output << mistyped.error;
  EXPECT_THAT(mistyped.output, AllOf(HasSubstr("none of the values of documents.file_path begins with"),
                                     HasSubstr("nothing was checked"), HasSubstr("2 values elsewhere")));
  EXPECT_EQ(report()["references"]["elsewhere"], 2);
}

// An application's table may be young; a column that is no longer used looks the same.
TEST_F(ReferencesOf, AreToldOfWhereTheyMentionNothing) {
  database_.exec("UPDATE documents SET file_path = NULL");
  const auto nulls = run(refs({"--refs", "SELECT meta->>'file' FROM other"}));
  EXPECT_EQ(nulls.exit_code, 0) << nulls.output << nulls.error;
  EXPECT_THAT(nulls.output,
              AllOf(HasSubstr("1 path by the database"), HasSubstr("none by documents.file_path\n"),
                    HasSubstr("documents.file_path mentions no path: nothing of it was checked")));
  EXPECT_THAT(report()["references"]["silent"], ::testing::ElementsAre("documents.file_path"));
  database_.exec("DELETE FROM documents");
  const auto empty = run(refs());
  EXPECT_EQ(empty.exit_code, 0) << empty.output << empty.error;
  EXPECT_THAT(empty.output, HasSubstr("documents.file_path mentions no path"));
  database_.exec("INSERT INTO documents VALUES ('/uploads/a.pdf')");
  EXPECT_THAT(run(refs()).output, Not(HasSubstr("mentions no path")));
  EXPECT_TRUE(report()["references"]["silent"].empty());
}

TEST_F(ReferencesOf, AreDistinctEvenWhereTheirCollationSaysOtherwise) {
  database_.exec(
      "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
      "CREATE TABLE folded (path text COLLATE folding);"
      "INSERT INTO folded VALUES ('/uploads/a.pdf'), ('/uploads/A.PDF')");
  const auto result =
      run({"--database", database_.url(), "--refs", "folded.path", "--refs-prefix", "/uploads/"});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.error;
  EXPECT_THAT(result.output, HasSubstr("A.PDF: folded.path mentions it"));
}

TEST_F(ReferencesOf, AreOneColumn) {
  const auto result = run({"--database", database_.url(), "--refs", "SELECT file_path, 'x' FROM documents"});
  EXPECT_EQ(result.exit_code, 2) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("the SELECT has 2 columns"));
}

TEST_F(ReferencesOf, CannotBeReadFromWhatIsNotThere) {
  const auto no_column = run({"--database", database_.url(), "--refs", "documents.nothing"});
  EXPECT_EQ(no_column.exit_code, 2) << no_column.output << no_column.error;
  EXPECT_THAT(no_column.error, AllOf(HasSubstr("--refs documents.nothing"), HasSubstr("does not exist"),
                                     HasSubstr("hint: names with upper case stand in double quotes")));
  const support::TestRole stranger(database_.cluster());
  const auto forbidden = run({"--database", database_.url(stranger.name()), "--refs", "documents.file_path"});
  EXPECT_EQ(forbidden.exit_code, 2) << forbidden.output << forbidden.error;
  EXPECT_THAT(forbidden.error, AllOf(HasSubstr("permission denied"), Not(HasSubstr("upper case"))));
  const auto written = run({"--database", database_.url(), "--refs",
                            "SELECT 'x' FROM documents) AS r(path); DELETE FROM documents; SELECT ('x'"});
  EXPECT_NE(written.exit_code, 0);
  EXPECT_EQ(database_.value("SELECT count(*) FROM documents"), "4") << "nothing is ever written";
  const auto nowhere = run({"--refs", "documents.file_path"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.error, HasSubstr("--refs needs a database"));
}

TEST_F(ReferencesOf, AreReadFromTheTargetThatIsDeclared) {
  const std::vector<std::string> without{"--refs", "documents.file_path", "--refs-prefix", "/uploads/"};
  const auto by_variable = run(without, {{"CUTOVER_TARGET", database_.url()}});
  EXPECT_EQ(by_variable.exit_code, 0) << by_variable.output << by_variable.error;
  EXPECT_EQ(report()["references"]["mentioned"], 2);
  const auto declare = [&](const std::string& databases) {
    std::ofstream(home_ / "cutover.toml") << fmt::format(
        "{}[source]\nurl = \"postgres://localhost:1/x\"\n[target]\nurl = \"env:NEW_DATABASE\"\n", databases);
    auto more = without;
    more.insert(more.end(), {"--config", home_ / "cutover.toml"});
    return run(more, {{"NEW_DATABASE", database_.url()}});
  };
  const auto by_file = declare("");
  EXPECT_EQ(by_file.exit_code, 0) << by_file.output << by_file.error;
  const auto by_name = declare("databases = [\"elsewhere=postgres\"]\n");
  EXPECT_EQ(by_name.exit_code, 2) << by_name.output;
  EXPECT_THAT(by_name.error, HasSubstr("\"documents\" does not exist")) << "that is another database";
  const auto several = declare("databases = [\"a\", \"b\"]\n");
  EXPECT_EQ(several.exit_code, 2) << several.output;
  EXPECT_THAT(several.error, HasSubstr("hint: name it with --database URL"));
}

TEST_F(ReferencesOf, AreReadFromTheTargetThatIsTyped) {
  const support::TestDatabase other(database_.cluster());
  const std::map<std::string, std::string> another{{"CUTOVER_TARGET", other.url()},
                                                   {"CUTOVER_DATABASES", "a,b"}};
  const auto typed = run({"--refs", "documents.file_path", "--refs-prefix", "/uploads/", "--target",
                          other.url(), "--databases", "app=" + database_.name()},
                         another);
  EXPECT_EQ(typed.exit_code, 0) << typed.output << typed.error;
  EXPECT_EQ(report()["references"]["mentioned"], 2);
  const auto own = run(refs({"--target", other.url()}), another);
  EXPECT_EQ(own.exit_code, 0) << own.output << own.error << "--database is said of these alone";
}

// Who only uploads may have no right to the secrets of the databases.
TEST_F(ReferencesOf, AreAllThatTheTargetIsNeededFor) {
  std::ofstream(home_ / "cutover.toml") << "[target]\nurl = \"env:NOT_SET_HERE\"\n";
  const std::vector<std::string> config{"--config", home_ / "cutover.toml"};
  EXPECT_EQ(run(config).exit_code, 0);
  EXPECT_EQ(run(refs(config)).exit_code, 0);
  auto needed = config;
  needed.insert(needed.end(), {"--refs", "documents.file_path"});
  const auto result = run(needed);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.error, HasSubstr("NOT_SET_HERE"));
}

}  // namespace
}  // namespace s3
