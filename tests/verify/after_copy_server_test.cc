// The target compared with what its copy recorded, while the source goes on.

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "tests/copy/sample.h"
#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Copied : copy::test::Move {
  explicit Copied(std::string_view sql) : Move(sql) { EXPECT_TRUE(exits(copy(), 0)); }
  Verdict verify(const Arguments& more = {}, bool with_source = false) const {
    Arguments arguments{"--run-dir", way.run_dir()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return compare(with_source ? source.url() : std::string(), target.url(), arguments);
  }
};

TEST(AfterCopy, TheTargetIsComparedWithTheCopysSnapshot) {
  const Copied move(copy::test::kShop);
  const auto snapshot = move.way.report().at("snapshot");
  // The source goes on: that is none of the target's business.
  move.source.exec(
      "UPDATE shop.purchase SET note = 'later'; INSERT INTO shop.customer (name) VALUES ('new')");
  const auto verdict = move.verify();
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_EQ(verdict.in_state("equal").size(), 4U);
  EXPECT_TRUE(verdict.table("shop.purchase").at("source").at("recorded"));
  EXPECT_EQ(verdict.report.at("source").at("snapshot"), snapshot);
  EXPECT_THAT(verdict.remarks("skipped"), Contains(HasSubstr("materialized view shop.best")));
  EXPECT_THAT(verdict.process.output, HasSubstr("1 materialized view"));
  EXPECT_EQ(move.verify({"--level", "counts"}).code(), 0);
  // The run directory has the result, beside the copy's own.
  EXPECT_EQ(json::parse(copy::test::slurp(move.way.run_dir() / "verify-report.json")).at("verdict"), "equal");
  EXPECT_EQ(move.way.report().at("command"), "copy");
  // Compared as they are now, they differ.
  EXPECT_EQ(move.verify({"--independent"}, true).code(), 1);
}

/// `./dev soak verify` asks for more.
int soak_runs() {
  const char* text = std::getenv("CUTOVER_SOAK_RUNS");  // NOLINT(concurrency-mt-unsafe)
  return text && *text ? std::stoi(text) : 2;
}

/// An application that does not know of the move: it writes as fast as it can, and when that fails, connects
/// again and goes on trying.
class Writer {
 public:
  explicit Writer(const std::string& url)
      : thread_([this, url](const std::stop_token& stop) {
          while (!stop.stop_requested()) write_until_refused(url, stop);
        }) {}
  int refused() const { return refused_; }

 private:
  void write_until_refused(const std::string& url, const std::stop_token& stop) {
    try {
      support::Session session(url);
      for (; !stop.stop_requested(); ++count_)
        session.exec(
            fmt::format("UPDATE t SET n = n + 1 WHERE id % 50 = {}; INSERT INTO t VALUES ({}, 0);"
                        "DELETE FROM t WHERE id = {}; INSERT INTO log (n) VALUES ({})",
                        count_ % 50, 10'000 + count_, 10'000 + count_ / 2, count_));
    } catch (const std::runtime_error&) {
      ++count_;  // it may have been committed
      ++refused_;
    }
  }

  int count_ = 1;
  std::atomic<int> refused_ = 0;
  std::jthread thread_;
};

TEST(Soak, AWriterAtTheSourceMakesNoDifference) {
  const copy::test::Move move(
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 5000) "
      "i; CREATE TABLE log (at timestamptz DEFAULT clock_timestamp(), n int)");
  const Writer writer(move.source.url());
  for (int run = 0; run < soak_runs(); ++run) {
    ASSERT_TRUE(exits(move.copy({"--split-size", "64kB", "--restart", "--yes"}), 0)) << run;
    const auto verdict = compare("", move.target.url(), {"--run-dir", move.way.run_dir()});
    ASSERT_EQ(verdict.code(), 0) << run << verdict.text();
  }
  EXPECT_EQ(compare(move.source.url(), move.target.url()).code(), 1);
  EXPECT_EQ(writer.refused(), 0);
  // The night: the writer goes on trying, and the fence keeps it out. What came since the copy is brought
  // over, and then both are equal.
  ASSERT_TRUE(
      exits(support::cutover({"fence", "on", "--source", move.source.url(), "--end-sessions", "--yes"}), 0));
  EXPECT_TRUE(exits(support::cutover({"repair", "--no-progress", "--apply", "--yes", "--recopy", "*",
                                      "--source", move.source.url(), "--target", move.target.url()}),
                    0));
  const auto last = compare(move.source.url(), move.target.url());
  EXPECT_EQ(last.code(), 0) << last.text();
  EXPECT_GT(writer.refused(), 0);
}

TEST(AfterCopy, WhatChangedOnTheTargetIsFound) {
  const Copied move(copy::test::kShop);
  move.target.exec(R"(
    UPDATE shop.product SET price = price + 1 WHERE id = 17; DELETE FROM shop.line WHERE purchase = 5 AND position = 2;
    SELECT setval('shop.customer_id_seq', 100); CREATE TABLE shop.surplus (id int))");
  const auto alone = move.verify();
  EXPECT_EQ(alone.code(), 1) << alone.text();
  EXPECT_THAT(alone.in_state("different"), ElementsAre("shop.line", "shop.product"));
  EXPECT_THAT(alone.rows("shop.product"), IsEmpty());
  EXPECT_THAT(alone.process.output, HasSubstr("give --source"));
  EXPECT_TRUE(alone.report.at("catalog").is_null());
  EXPECT_THAT(alone.remarks("differences"),
              Contains(HasSubstr("sequence shop.customer_id_seq: will give 101")));
  EXPECT_THAT(alone.remarks("differences"), Contains(HasSubstr("table shop.surplus: is on the target, but")));

  const auto with_source = move.verify({}, true);
  EXPECT_THAT(with_source.rows("shop.product"), ElementsAre(R"(changed {"id":"17"} price)"));
  EXPECT_THAT(with_source.rows("shop.line"), ElementsAre(R"(missing {"position":"2","purchase":"5"})"));

  // With the source at hand, definitions are compared too: the surplus table is one.
  EXPECT_THAT(with_source.definitions(), ElementsAre("table shop.surplus"));

  // A source that does not answer hides no difference.
  const auto gone =
      compare("postgres://postgres@127.0.0.1:1/none", move.target.url(), {"--run-dir", move.way.run_dir()});
  EXPECT_EQ(gone.code(), 3);
  EXPECT_THAT(gone.table("shop.product").at("rows").at("note"), HasSubstr("cannot be said"));

  // A source that has moved on is said to have.
  move.source.exec("UPDATE shop.product SET title = 'other'");
  EXPECT_THAT(move.verify({}, true).table("shop.product").at("rows").at("note"),
              HasSubstr("the source has changed"));
}

// Definitions that nobody compared are not equal, unless nobody asked for them.
TEST(AfterCopy, ASourceThatWasGivenHasToAnswer) {
  const Copied move("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX t_v ON t (v)");
  move.target.exec("DROP INDEX t_v");
  const Arguments run{"--run-dir", move.way.run_dir()};
  const auto nowhere = compare("postgres://postgres@127.0.0.1:1/x", move.target.url(), run);
  EXPECT_EQ(nowhere.code(), 3) << nowhere.text();
  EXPECT_THAT(nowhere.remarks("unchecked"), ElementsAre(HasSubstr("definitions, owners and grants: ")));
  EXPECT_THAT(nowhere.process.output, HasSubstr("--source ''"));
  const support::TestDatabase other(source_server());
  const auto wrong = compare(other.url(), move.target.url(), run);
  EXPECT_EQ(wrong.code(), 3) << wrong.text();
  EXPECT_THAT(wrong.remarks("unchecked"), ElementsAre(HasSubstr("not the database that was copied")));
  EXPECT_THAT(move.verify({}, true).definitions(), ElementsAre("index public.t_v"));
}

// What was copied equals its own digests, of course; and its server may have been restarted since.
TEST(AfterCopy, TheSourceIsNotTakenForTheTarget) {
  support::Cluster server(15);
  const support::TestDatabase source(server);
  source.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  const support::TestDatabase target(target_server());
  const copy::test::Copy way(source.url(), target.url());
  ASSERT_TRUE(exits(way.copy(), 0));
  const Arguments run{"--run-dir", way.run_dir()};
  EXPECT_EQ(compare("", target.url(), run).code(), 0);
  server.restart();
  const auto refused = compare("", source.url(), run);
  EXPECT_EQ(refused.code(), 2) << refused.text();
  EXPECT_THAT(refused.process.error, HasSubstr("is the source of run"));
  EXPECT_THAT(refused.process.error, HasSubstr(source.name()));
  EXPECT_EQ(compare("", target.url(), run).code(), 0);
  // Where the provider hides what a server goes by, and the source is there to be compared with.
  const support::TestRole reader(server);
  source.exec("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  const auto by_socket = fmt::format("host={} port={} user={} dbname={}", server.socket_directory().native(),
                                     server.port(), reader.name(), source.name());
  const auto hidden = compare(by_socket, source.url(reader.name()), run);
  EXPECT_EQ(hidden.code(), 2) << hidden.text();
  EXPECT_THAT(hidden.process.error, HasSubstr("is the source of run"));
}

TEST(AfterCopy, WithoutASourceDefinitionsAreSaidToBeLeftOut) {
  const Copied move("CREATE TABLE t (id int PRIMARY KEY)");
  const auto verify = [&](const Arguments& more, const std::string& source) {
    Arguments arguments{"verify",          "--no-progress", "--target",
                        move.target.url(), "--run-dir",     move.way.run_dir()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return support::cutover(arguments, {.environment = {{"CUTOVER_SOURCE", source}}});
  };
  const std::string gone = "postgres://postgres@127.0.0.1:1/x";
  EXPECT_TRUE(exits(verify({}, gone), 3));
  // Left out by hand, or where digests are all that is asked for.
  for (const auto& more : {Arguments{"--source", ""}, Arguments{"--level", "digests"}}) {
    const auto alone = verify(more, gone);
    EXPECT_TRUE(exits(alone, 0));
    EXPECT_THAT(alone.output, HasSubstr("every row digested, definitions not compared"));
  }
}

// Nobody who reads the result could tell otherwise that there is more than was compared.
TEST(AfterCopy, WhatTheCopyLeftOutAndTheTargetLacksIsListed) {
  const copy::test::Move move(
      "CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE secret (id int); INSERT INTO secret VALUES (1)");
  ASSERT_TRUE(exits(move.copy({"--exclude", "public.secret"}), 0));
  const support::TempDir directory;
  const auto page = directory / "page.html";
  const auto verify = [&](const Arguments& more = {}) {
    Arguments arguments{"--run-dir", move.way.run_dir(), "--html", page};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return compare("", move.target.url(), arguments);
  };
  const auto verdict = verify();
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(verdict.remarks("skipped"), Contains("table public.secret: the copy was told to leave it out"));
  EXPECT_THAT(verdict.process.output, HasSubstr("table public.secret: the copy was told to leave it out"));
  EXPECT_THAT(copy::test::slurp(page), HasSubstr("table public.secret: the copy was told to leave it out"));
  // And so is what the comparison itself leaves out.
  move.target.exec("DROP TABLE kept");
  EXPECT_EQ(verify().code(), 1);
  const auto without = verify({"--exclude", "public.kept"});
  EXPECT_THAT(without.remarks("skipped"), Contains("table public.kept: left out by --exclude"));
}

TEST(AfterCopy, TreesAndLargeObjects) {
  const Copied move(R"(
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE p (m mood, id int) PARTITION BY HASH (m);
    CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO p SELECT (ARRAY['sad', 'ok'])[1 + i % 2]::mood, i FROM generate_series(1, 100) i;
    CREATE TABLE gen (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO gen VALUES (1);
    SELECT lo_from_bytea(80001, repeat('x', 300000)::bytea))");
  const auto verdict = move.verify();
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("large objects", "public.gen", "public.p"));
  EXPECT_THAT(verdict.remarks("skipped"), Contains(HasSubstr("generated columns of public.gen")));
  move.target.exec("SELECT lo_put(80001, 299999, 'y'); UPDATE p SET id = 1000 WHERE id = 7");
  const auto changed = move.verify({}, true);
  EXPECT_THAT(changed.in_state("different"), ElementsAre("large objects", "public.p"));
  EXPECT_THAT(changed.rows("large objects"), ElementsAre(R"(changed {"oid":"80001","page":"1"} data)"));
  EXPECT_EQ(changed.table("public.p").at("rows").at("missing"), 1);
  EXPECT_EQ(changed.table("public.p").at("rows").at("extra"), 1);
}

TEST(AfterCopy, AnInterruptedComparisonGoesOnWhileTheTargetStandsStill) {
  // A cluster of its own: in the shared one, other tests' transactions would count as changes.
  static support::Cluster server(15, {.settings = {"autovacuum = off"}});
  const support::TestDatabase source(source_server());
  source.exec(copy::test::kShop);
  const support::TestDatabase target(server);
  const copy::test::Copy way(source.url(), target.url());
  ASSERT_TRUE(exits(way.copy(), 0));
  const auto verify = [&](const std::map<std::string, std::string>& environment = {}) {
    return support::cutover(
        {"verify", "--no-progress", "--jobs", "1", "--target", target.url(), "--run-dir", way.run_dir()},
        {.environment = environment});
  };
  const std::map<std::string, std::string> crash{{"CUTOVER_CRASH_AT", "verify_unit.after:3"}};
  EXPECT_NE(verify(crash).exit_code, 0);
  ASSERT_TRUE(std::filesystem::exists(way.run_dir() / "verify.journal"));
  const auto resumed = verify();
  EXPECT_TRUE(exits(resumed, 0));
  EXPECT_THAT(resumed.output, HasSubstr("3 tables were compared by an interrupted run"));
  EXPECT_FALSE(std::filesystem::exists(way.run_dir() / "verify.journal"));
  // A change at the target makes everything be read again, and is found.
  EXPECT_NE(verify(crash).exit_code, 0);
  target.exec("UPDATE shop.line SET amount = amount + 1 WHERE purchase = 1");
  EXPECT_TRUE(exits(verify(), 1));
}

TEST(AfterCopy, SoAreLargeObjects) {
  const char* sql = "CREATE TABLE t (id int PRIMARY KEY); SELECT lo_create(7)";
  const Arguments both[] = {{"--exclude", "pg_catalog.pg_largeobject"}, {"--include", "public.*"}};
  for (const auto& arguments : both) {
    const copy::test::Move move(sql);
    ASSERT_TRUE(exits(move.copy(arguments), 0));
    const Arguments run{"--run-dir", move.way.run_dir()};
    const auto verdict = compare("", move.target.url(), run);
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(verdict.remarks("skipped"), Contains("large objects: the copy was told to leave them out"));
    // Neither are the target's own, nor what is said of them.
    move.target.exec("SELECT lo_create(7); COMMENT ON LARGE OBJECT 7 IS 'x'");
    EXPECT_EQ(compare("", move.target.url(), run).code(), 0);
    EXPECT_EQ(compare(move.source.url(), move.target.url(), run).code(), 0);
  }
}

// Rows are rows, whichever side has the table that they are in.
TEST(AfterCopy, AConfigurationTableThatOnlyTheTargetHasIsComparedWithNoRows) {
  const Copied move("CREATE EXTENSION hstore; CREATE TABLE t (id int PRIMARY KEY)");
  move.target.exec(R"(
    CREATE TABLE conf (id int PRIMARY KEY, own boolean);
    INSERT INTO conf VALUES (1, false);
    ALTER EXTENSION hstore ADD TABLE conf;
    UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid], extcondition = ARRAY['WHERE own']
     WHERE extname = 'hstore')");
  const auto empty = move.verify();
  EXPECT_EQ(empty.code(), 0) << empty.text();
  EXPECT_EQ(empty.state("public.conf"), "equal");
  EXPECT_THAT(empty.remarks("notes"),
              Contains("table public.conf: only the target's version of its extension has it: the rows of it "
                       "that are not the extension's own are extra"));
  move.target.exec("INSERT INTO conf VALUES (2, true)");
  const auto verdict = move.verify();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.rows("public.conf"), ElementsAre(R"(extra {"id":"2"})"));
}

TEST(AfterCopy, AnUnfinishedRunIsRefused) {
  const copy::test::Move move("CREATE TABLE t (id int)", "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  EXPECT_NE(move.copy().exit_code, 0);
  EXPECT_EQ(compare("", move.target.url(), {"--run-dir", move.way.run_dir()}).code(), 2);
}

}  // namespace
}  // namespace verify::test
