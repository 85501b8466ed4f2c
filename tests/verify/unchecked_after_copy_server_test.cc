// After a copy, where the target alone is read: what of it cannot be compared is named, and the exit code
// is 3.

#include <optional>

#include <fmt/format.h>

#include "tests/support/relay.h"
#include "tests/verify/halted.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A copy that is done, and a role at the target that has only what was granted to it.
class UncheckedAfterCopy : public ::testing::Test {
 protected:
  void make_copy(const std::string& sql, const Arguments& more = {}) {
    move_.emplace(sql);
    ASSERT_TRUE(exits(move_->copy(more), 0));
  }
  const support::TestDatabase& target() const { return move_->target; }
  Verdict verify(const std::string& user = "postgres", const Arguments& more = {}) const {
    Arguments arguments{"--run-dir", move_->way.run_dir()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return compare("", target().url(user), arguments);
  }
  Verdict verify_as_reader(const Arguments& more = {}) const { return verify(reader_.name(), more); }
  void grant_to_reader(const std::string& tables) const {
    target().exec(fmt::format("GRANT SELECT ON {} TO {}", tables, support::sql_identifier(reader_.name())));
  }

  std::optional<copy::test::Move> move_;

 private:
  support::TestRole reader_{target_server()};
};

TEST_F(UncheckedAfterCopy, RowsThatRowSecurityHides) {
  make_copy(kTwo);
  target().exec("ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (id = 1)");
  grant_to_reader("a, b");
  for (const auto* level : {"counts", "digests", "rows"}) {
    const auto verdict = verify_as_reader({"--level", level});
    EXPECT_EQ(verdict.code(), 3) << level << verdict.text();
    EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
    EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.b"));
    EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("at the target"));
    EXPECT_THAT(verdict.table("public.a").at("hint"), HasSubstr("BYPASSRLS"));
    EXPECT_THAT(verdict.process.output, HasSubstr("UNVERIFIED"));
  }
  EXPECT_EQ(verify().code(), 0);
}

TEST_F(UncheckedAfterCopy, WhatMayNotBeRead) {
  make_copy(std::string(kTwo) + "CREATE SEQUENCE s");
  grant_to_reader("b");
  const auto verdict = verify_as_reader();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("cannot be read at the target"));
  EXPECT_THAT(verdict.remarks("unchecked"),
              Contains(HasSubstr("sequence public.s: cannot be read at the target")));
  // A difference beside it is still named, and the code is that of what could not be compared.
  target().exec("DELETE FROM b");
  const auto both = verify_as_reader();
  EXPECT_EQ(both.code(), 3);
  EXPECT_THAT(both.in_state("different"), ElementsAre("public.b"));
}

TEST_F(UncheckedAfterCopy, ATypeThatTheTargetCannotWrite) {
  make_copy(R"(
    CREATE TYPE mute;
    CREATE FUNCTION mute_in(cstring) RETURNS mute LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION mute_out(mute) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
    CREATE TYPE mute (INPUT = mute_in, OUTPUT = mute_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4);
    CREATE TABLE a (id int PRIMARY KEY, v mute); INSERT INTO a VALUES (1, '7');
    CREATE TABLE b (id int PRIMARY KEY))");
  target().exec("UPDATE pg_type SET typoutput = 'trigger_out'::regproc WHERE typname = 'mute'");
  const auto verdict = verify();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("cannot display a value"));
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.b"));
}

TEST_F(UncheckedAfterCopy, ATableThatIsCreatedMeanwhile) {
  make_copy(kTwo, {"--where", waits("public.a")});
  Halted halted(*move_);
  target().exec("CREATE TABLE new_one (id int)");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.a", "public.b"));
  EXPECT_THAT(verdict.remarks("unchecked"),
              ElementsAre("table public.new_one: was created at the target while the comparison ran"));
}

TEST_F(UncheckedAfterCopy, ATableThatIsTruncatedOrDroppedMeanwhile) {
  make_copy(
      "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT i, repeat('x', 99) FROM "
      "generate_series(1, 500) i; CREATE TABLE b (id int); INSERT INTO b VALUES (1); CREATE TABLE c (id int)",
      {"--where", waits("public.a")});
  Halted halted(*move_);
  target().exec("TRUNCATE b; DROP TABLE c");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.b", "public.c"));
  EXPECT_THAT(verdict.table("public.b").at("reason"), HasSubstr("truncated, rewritten or refreshed"));
}

TEST_F(UncheckedAfterCopy, AConnectionThatDoesNotComeBack) {
  make_copy(kTwo, {"--where", waits("public.a")});
  std::optional<support::Relay> way(std::in_place, target().cluster().port());
  Halted halted(*move_, {"--retry-for", "500ms"}, way->port());
  way.reset();
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a", "public.b"));
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("cannot be read at the target"));
  EXPECT_THAT(verdict.remarks("unchecked"), Contains(HasSubstr("tables made at the target meanwhile")));
  // What was not compared then is not taken for equal later.
  EXPECT_THAT(verify().in_state("unchecked"), IsEmpty());
}

TEST_F(UncheckedAfterCopy, ASnapshotThatIsLost) {
  make_copy(kTwo, {"--where", waits("public.a")});
  Halted halted(*move_);
  target().exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name = 'cutover verify'");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), IsEmpty());
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("snapshot at the target is gone"));
}

}  // namespace
}  // namespace verify::test
