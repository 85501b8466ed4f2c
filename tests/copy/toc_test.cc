#include "copy/toc.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kPreamble = R"(--
-- PostgreSQL database dump
--

\restrict uEBdNsrixUehI07h3eIj1Hf12w3le7nCztSVWXVv1cStnpmNFcipP6XC8Z7uEan

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

-- Started on 2026-11-22 08:04:18 UTC

SET statement_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

)";

constexpr std::string_view kEnd = R"(
-- Completed on 2026-11-22 08:04:18 UTC

--
-- PostgreSQL database dump complete
--

\unrestrict uEBdNsrixUehI07h3eIj1Hf12w3le7nCztSVWXVv1cStnpmNFcipP6XC8Z7uEan

)";

/// What a function body, a comment or a name may hold to be taken for an entry.
constexpr std::string_view kForged = R"(
--
-- TOC entry 5 (class 1259 OID 16384)
-- Name: x; Type: TABLE; Schema: public; Owner: y
--

ALTER TABLE x OWNER TO app;
)";

std::string script(std::string_view body) { return fmt::format("{}{}{}", kPreamble, body, kEnd); }

std::string entry(int id, std::string_view name_line, std::string_view sql) {
  return fmt::format("--\n-- TOC entry {} (class 1259 OID {})\n-- Name: {}\n-- Data Pos: 0\n--\n\n{}\n\n", id,
                     16000 + id, name_line, sql);
}

std::string table(int id, std::string_view sql) {
  return entry(id, fmt::format("t{}; Type: TABLE; Schema: public; Owner: app", id), sql);
}

std::vector<TocEntry> entries_of(std::string_view script) {
  std::vector<TocEntry> entries;
  parse_restore_script(script, [&](TocEntry entry) { entries.push_back(std::move(entry)); });
  return entries;
}

TocEntry only_entry(std::string_view body) {
  auto entries = entries_of(script(body));
  EXPECT_THAT(entries, SizeIs(1));
  return entries.at(0);
}

TocEntry named(std::string_view name_line) { return only_entry(entry(1, name_line, "SELECT 1;")); }

std::string mapped(std::string sql) {
  TocEntry entry;
  entry.sql = std::move(sql);
  return map_roles(entry, {{"app", "New \"App\""},
                           {"ops team", "ops"},
                           {"reader", "user"},
                           {"public", "wrong"},
                           {"PUBLIC", "loud"}});
}

std::string unowned(std::string sql) {
  TocEntry entry;
  entry.sql = std::move(sql);
  return without_owner(entry);
}

// ---- parse_restore_script
// ----------------------------------------------------------------------------------

// As pg_restore 15 wrote it.
constexpr std::string_view kCaptured = R"(--
-- TOC entry 10 (class 2615 OID 16392)
-- Name: audit; Type: SCHEMA; Schema: -; Owner: atlas_owner
-- Data Pos: 0
--

CREATE SCHEMA audit;


ALTER SCHEMA audit OWNER TO atlas_owner;

--
-- TOC entry 4812 (class 0 OID 0)
-- Dependencies: 10
-- Name: SCHEMA audit; Type: COMMENT; Schema: -; Owner: atlas_owner
-- Data Pos: 0
--

COMMENT ON SCHEMA audit IS 'Trips; couriers -- and so on';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- TOC entry 217 (class 1259 OID 16391)
-- Dependencies: 5 214 10
-- Name: orders; Type: TABLE; Schema: audit; Owner: ops team; Tablespace: fast
-- Data Pos: 0
--

CREATE TABLE audit.orders (
    id integer NOT NULL -- 'inside'
);

ALTER TABLE ONLY audit.orders FORCE ROW LEVEL SECURITY;


ALTER TABLE audit.orders OWNER TO "ops team";

)";

TEST(ParseRestoreScript, ReadsEveryField) {
  const auto entries = entries_of(script(kCaptured));
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[0].description, "SCHEMA");
  EXPECT_EQ(entries[0].schema, "");
  EXPECT_EQ(entries[0].sql, "CREATE SCHEMA audit;\nALTER SCHEMA audit OWNER TO atlas_owner;\n");
  EXPECT_THAT(entries[0].dependencies, IsEmpty());
  EXPECT_EQ(entries[1].id, 4812U);
  EXPECT_EQ(entries[1].catalog, 0U);
  EXPECT_EQ(entries[1].name, "SCHEMA audit");
  EXPECT_EQ(entries[1].sql, "COMMENT ON SCHEMA audit IS 'Trips; couriers -- and so on';\n");
  const TocEntry& orders = entries[2];
  EXPECT_EQ(orders.id, 217U);
  EXPECT_EQ(orders.catalog, 1259U);
  EXPECT_EQ(orders.oid, 16391U);
  EXPECT_THAT(orders.dependencies, ElementsAre(5, 214, 10));
  EXPECT_EQ(orders.name, "orders");
  EXPECT_EQ(orders.description, "TABLE");
  EXPECT_EQ(orders.schema, "audit");
  EXPECT_EQ(orders.owner, "ops team");
}

TEST(ParseRestoreScript, SettingsBetweenEntriesGoWithTheNext) {
  const auto entries = entries_of(script(kCaptured));
  EXPECT_EQ(entries.at(2).sql,
            "SET default_tablespace = '';\nSET default_table_access_method = heap;\n"
            "CREATE TABLE audit.orders (\n    id integer NOT NULL -- 'inside'\n);\n"
            "ALTER TABLE ONLY audit.orders FORCE ROW LEVEL SECURITY;\n"
            "ALTER TABLE audit.orders OWNER TO \"ops team\";\n");
}

TEST(ParseRestoreScript, SettingsBehindThePreambleGoWithTheFirstEntry) {
  const auto first = only_entry("SET default_tablespace = '';\n\n" + table(1, "CREATE TABLE public.t1 ();"));
  EXPECT_EQ(first.sql, "SET default_tablespace = '';\nCREATE TABLE public.t1 ();\n");
}

TEST(ParseRestoreScript, ASettingThatChangesIsRepeatedWhereItMatters) {
  const std::string index = "; Type: INDEX; Schema: public; Owner: app";
  const auto entries =
      entries_of(script("SET default_tablespace = fast;\n\n" + entry(1, "a" + index, "CREATE INDEX a;") +
                        entry(2, "b" + index, "CREATE INDEX b;") +
                        entry(3, "f; Type: FK CONSTRAINT; Schema: public; Owner: app", "ALTER TABLE f;") +
                        "SET default_tablespace = '';\n\n" + entry(4, "c" + index, "CREATE INDEX c;")));
  ASSERT_THAT(entries, SizeIs(4));
  EXPECT_EQ(entries[0].sql, "SET default_tablespace = fast;\nCREATE INDEX a;\n");
  EXPECT_EQ(entries[1].sql, "SET default_tablespace = fast;\nCREATE INDEX b;\n");
  EXPECT_EQ(entries[2].sql, "ALTER TABLE f;\n");
  EXPECT_EQ(entries[3].sql, "SET default_tablespace = '';\nCREATE INDEX c;\n");
}

// Whether it changes is looked for in the text alone.
TEST(ParseRestoreScript, ASettingInABodyThatLooksLikeAChangeDoesNoHarm) {
  const auto entries =
      entries_of(script("SET default_tablespace = fast;\n\n" + table(1, "CREATE TABLE t1 ();") +
                        table(2, "CREATE FUNCTION f() AS $$\nSET default_tablespace = 'it''s;\n$$;")));
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].sql, "SET default_tablespace = fast;\nCREATE TABLE t1 ();\n");
  EXPECT_THAT(entries[1].sql, ::testing::StartsWith("SET default_tablespace = fast;\nCREATE FUNCTION"));
}

TEST(ParseRestoreScript, AGrantorsBlockStaysWhole) {
  const std::string grant =
      "GRANT ALL ON TABLE public.q TO app WITH GRANT OPTION;\nSET SESSION AUTHORIZATION app;\n"
      "GRANT SELECT ON TABLE public.q TO PUBLIC;\nRESET SESSION AUTHORIZATION;\n";
  const auto entries = entries_of(script(entry(1, "TABLE q; Type: ACL; Schema: public; Owner: app", grant) +
                                         table(2, "CREATE TABLE t2 ();")));
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].sql, grant);
  EXPECT_EQ(entries[1].sql, "CREATE TABLE t2 ();\n");
}

TEST(ParseRestoreScript, DoesNotBelieveEntriesInsideTheSql) {
  const std::vector<std::string> hiding = {
      fmt::format("CREATE FUNCTION f() AS $_${}$_$;", kForged),
      fmt::format("CREATE FUNCTION f() AS $a$ $b$ $_$ {} $$ $a$;", kForged),
      fmt::format("COMMENT ON TABLE t IS 'it''s {}';", kForged),
      fmt::format("COMMENT ON TABLE t IS E'it\\'s {}';", kForged),
      fmt::format("CREATE TABLE \"a\"\"b {}\" ();", kForged),
      fmt::format("CREATE TABLE U&\"a {}\" ();", kForged),
      fmt::format("/* a /* b */ {} */ SELECT 1;", kForged),
      fmt::format("CREATE RULE r AS ON INSERT TO t DO (DELETE FROM t; {} NOTIFY x;);", kForged),
      fmt::format("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; {} END;", kForged),
  };
  for (const auto& sql : hiding) {
    const auto entries = entries_of(script(table(1, sql) + table(2, "CREATE TABLE public.t2 ();")));
    ASSERT_THAT(entries, SizeIs(2)) << sql;
    EXPECT_EQ(entries[1].id, 2U);
    EXPECT_EQ(entries[1].sql, "CREATE TABLE public.t2 ();\n");
  }
}

TEST(ParseRestoreScript, QuotesThatLookOpenAreNot) {
  for (const std::string sql :
       {R"(SELECT '\';)", R"(SELECT E'\\', U&'\', B'1';)", "SELECT a$b$, $1, 1-- it's\n;",
        "SELECT 1 /* ' \" $$ */;", "SELECT e, u & 'x', 'a'\n'b';", R"(SELECT E'a'
  'b\'c';)"}) {
    EXPECT_THAT(entries_of(script(table(1, sql) + table(2, "SELECT 2;"))), SizeIs(2)) << sql;
  }
}

TEST(ParseRestoreScript, NamesMayLookLikeFields) {
  const auto name = named("a; Type: TABLE; Schema: b; Owner: me; Type: VIEW; Schema: public; Owner: app");
  EXPECT_EQ(name.name, "a; Type: TABLE; Schema: b; Owner: me");
  EXPECT_EQ(name.description, "VIEW");
  EXPECT_EQ(name.schema, "public");
  EXPECT_EQ(name.owner, "app");
  const auto schema = named("t; Type: TABLE; Schema: h; Schema: s; Owner: app");
  EXPECT_EQ(schema.name, "t");
  EXPECT_EQ(schema.schema, "h; Schema: s");
  const auto owner = named("-; Type: TABLE; Schema: -; Owner: -; Tablespace: a b");
  EXPECT_EQ(owner.name, "-");
  EXPECT_EQ(owner.schema, "");
  EXPECT_EQ(owner.owner, "");
}

TEST(ParseRestoreScript, QuotesThatNoNameNeedsAreNotShown) {
  const auto name = [](const std::string& line) {
    return entries_of(script(entry(1, line, "SELECT 1;"))).at(0).name;
  };
  EXPECT_EQ(name(R"(EXTENSION "hstore"; Type: COMMENT; Schema: -; Owner: )"), "EXTENSION hstore");
  EXPECT_EQ(name(R"(COLUMN "t"."A b"; Type: ACL; Schema: s; Owner: o)"), R"(COLUMN t."A b")");
  EXPECT_EQ(name(R"(TABLE "a""b"; Type: COMMENT; Schema: s; Owner: o)"), R"(TABLE "a""b")");
  EXPECT_EQ(name(R"("quoted"; Type: TABLE; Schema: s; Owner: o)"), R"("quoted")") << "that is its name";
}

TEST(ParseRestoreScript, AnEntryMayHaveNoStatement) {
  const auto entries = entries_of(
      script(table(1, "-- *not* creating schema, since initdb creates it") + table(2, "SELECT 2;")));
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].sql, "");
}

TEST(ParseRestoreScript, AnEmptySectionHasNoEntries) {
  EXPECT_THAT(entries_of(script("")), IsEmpty());
  EXPECT_THAT(entries_of(""), IsEmpty());
  EXPECT_THAT(entries_of("\n \n"), IsEmpty());
}

TEST(ParseRestoreScript, RefusesWhatItCannotRead) {
  const auto parse = [](std::string text) { return [text] { entries_of(text); }; };
  EXPECT_THAT(parse("hello"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse("-- nothing"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse(std::string(kPreamble)), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse(script("--\n-- Name: t; Type: TABLE; Schema: s; Owner: o\n--\n\nCREATE TABLE s.t ();\n")),
              throws(ErrorKind::corrupt, HasSubstr("CREATE TABLE s.t")));
  EXPECT_THAT(parse(table(1, "CREATE TABLE t ()")), throws(ErrorKind::corrupt, HasSubstr("ends inside")));
  EXPECT_THAT(parse(table(1, "SELECT 'x;")), throws(ErrorKind::corrupt, HasSubstr("in t1")));
  EXPECT_THAT(parse("--\n-- TOC entry 1 (class x OID 2)\n"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse("-- TOC entry 99999999999 (class 1 OID 2)\n"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse("-- TOC entry 1 (class 1 OID 2)\n"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse("-- TOC entry 1 (class 1 OID 2)\n--\n"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse("-- TOC entry 1 (class 1 OID 2)\n-- Dependencies: x\n"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse("-- TOC entry 1 (class 1 OID 2)\nSELECT 1;"), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse(entry(1, "no fields", "")), throws(ErrorKind::corrupt));
  EXPECT_THAT(parse(entry(1, "t; Type: lower; Schema: s; Owner: o", "")), throws(ErrorKind::corrupt));
}

TEST(ParseRestoreScript, RefusesRowsAndOldStrings) {
  const std::string rows =
      "--\n-- TOC entry 3 (class 0 OID 9)\n-- Data for Name: t; Type: TABLE DATA; Schema: s; Owner: o\n--\n\n"
      "COPY s.t FROM stdin;\nit's\n\\.\n";
  EXPECT_THAT([&] { entries_of(script(rows)); }, throws(ErrorKind::corrupt, HasSubstr("rows")));
  EXPECT_THAT([] { entries_of("SET standard_conforming_strings = off;\n" + table(1, "SELECT 1;")); },
              throws(ErrorKind::usage, HasSubstr("PGOPTIONS")));
}

// However a script is cut, it is refused or gives whole entries, and nothing reads behind its end.
TEST(ParseRestoreScript, SurvivesEveryCut) {
  const std::string whole =
      script(std::string(kCaptured) + table(7, "SELECT E'a\\'', $x$ ' $x$, \"q\" /* c */;"));
  const auto entries = entries_of(whole);
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    try {
      const auto cut = entries_of({exact.data(), exact.size()});
      ASSERT_LE(cut.size(), entries.size());
      for (size_t i = 0; i < cut.size(); ++i) EXPECT_EQ(cut[i].name, entries[i].name);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    }
  }
}

// ---- map_roles
// -----------------------------------------------------------------------------------------------

TEST(MapRoles, RenamesWhereARoleStands) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ALTER TABLE s.t OWNER TO app;", R"(ALTER TABLE s.t OWNER TO "New ""App""";)"},
      {"ALTER TABLE s.t OWNER TO \"ops team\";", R"(ALTER TABLE s.t OWNER TO "ops";)"},
      {"alter table s.t owner to APP;", R"(alter table s.t owner to "New ""App""";)"},
      {"ALTER LARGE OBJECT 12 OWNER TO reader;", R"(ALTER LARGE OBJECT 12 OWNER TO "user";)"},
      {"GRANT SELECT(reader),UPDATE(app) ON TABLE s.app TO reader;",
       R"(GRANT SELECT(reader),UPDATE(app) ON TABLE s.app TO "user";)"},
      {"GRANT ALL ON app.app TO reader, PUBLIC, GROUP app WITH GRANT OPTION GRANTED BY \"ops team\";",
       R"(GRANT ALL ON app.app TO "user", PUBLIC, GROUP "New ""App""" WITH GRANT OPTION GRANTED BY "ops";)"},
      {"REVOKE GRANT OPTION FOR ALL ON FUNCTION s.app(reader app) FROM reader CASCADE;",
       R"(REVOKE GRANT OPTION FOR ALL ON FUNCTION s.app(reader app) FROM "user" CASCADE;)"},
      {"ALTER DEFAULT PRIVILEGES FOR ROLE app, \"ops team\" IN SCHEMA app GRANT SELECT ON TABLES  TO reader;",
       R"(ALTER DEFAULT PRIVILEGES FOR ROLE "New ""App""", "ops" IN SCHEMA app GRANT SELECT ON TABLES  TO "user";)"},
      {"ALTER DEFAULT PRIVILEGES FOR USER app REVOKE ALL ON FUNCTIONS FROM PUBLIC;",
       R"(ALTER DEFAULT PRIVILEGES FOR USER "New ""App""" REVOKE ALL ON FUNCTIONS FROM PUBLIC;)"},
      {"CREATE POLICY app ON s.app FOR SELECT TO reader, app USING ((reader = 'TO app'));",
       R"(CREATE POLICY app ON s.app FOR SELECT TO "user", "New ""App""" USING ((reader = 'TO app'));)"},
      {"ALTER POLICY app ON s.app TO app;", R"(ALTER POLICY app ON s.app TO "New ""App""";)"},
      {"SET SESSION AUTHORIZATION app;", R"(SET SESSION AUTHORIZATION "New ""App""";)"},
      {"SET SESSION AUTHORIZATION 'app';", R"(SET SESSION AUTHORIZATION 'New "App"';)"},
      {"SET ROLE app;", R"(SET ROLE "New ""App""";)"},
      {"CREATE SCHEMA app AUTHORIZATION app;", R"(CREATE SCHEMA app AUTHORIZATION "New ""App""";)"},
      {"CREATE USER MAPPING FOR app SERVER app OPTIONS (u 'FOR app');",
       R"(CREATE USER MAPPING FOR "New ""App""" SERVER app OPTIONS (u 'FOR app');)"},
      {"GRANT SELECT ON s.t TO \"PUBLIC\";", R"(GRANT SELECT ON s.t TO "loud";)"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(mapped(before), after);
}

TEST(MapRoles, LeavesEverythingElse) {
  for (const std::string sql :
       {"GRANT ALL ON SCHEMA s TO PUBLIC, CURRENT_USER, session_user, public;",
        "GRANT ALL ON t TO \"App\", other;", "CREATE USER MAPPING FOR PUBLIC SERVER app;",
        "CREATE USER MAPPING FOR USER SERVER app;", "SET SESSION AUTHORIZATION DEFAULT;", "SET ROLE NONE;",
        "RESET SESSION AUTHORIZATION;", "ALTER POLICY p ON t RENAME TO app;",
        "CREATE POLICY \"TO app\" ON t USING (x IN (SELECT \"to\" app FROM y));",
        "COMMENT ON TABLE t IS 'ALTER TABLE t OWNER TO app;';", "CREATE TABLE app (app app);",
        "CREATE FUNCTION f() AS $$ ALTER TABLE t OWNER TO app; $$;",
        "-- ALTER TABLE t OWNER TO app;\nSELECT 1;",
        "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; GRANT x TO app; END;",
        "ALTER TABLE app ADD CONSTRAINT app CHECK (app);",
        "ALTER TABLE ONLY s.t ATTACH PARTITION s.u FOR VALUES FROM ('app') TO ('reader');", "GRANT x TO",
        "ALTER", ""}) {
    EXPECT_EQ(mapped(sql), sql);
  }
}

TEST(MapRoles, KeepsTheOtherStatementsOfAnEntry) {
  EXPECT_EQ(mapped("CREATE TABLE s.app ();\nALTER TABLE s.app OWNER TO app;\nSELECT 'app';\n"),
            "CREATE TABLE s.app ();\nALTER TABLE s.app OWNER TO \"New \"\"App\"\"\";\nSELECT 'app';\n");
}

TEST(MapRoles, SwapsNamesInOneStep) {
  TocEntry entry;
  entry.sql = "GRANT ALL ON t TO a, b;";
  EXPECT_EQ(map_roles(entry, {{"a", "b"}, {"b", "a"}}), R"(GRANT ALL ON t TO "b", "a";)");
  EXPECT_EQ(map_roles(entry, {}), entry.sql);
}

// ---- without_owner, split_statements
// -------------------------------------------------------------------------

TEST(WithoutOwner, DropsOnlyOwnerChanges) {
  EXPECT_EQ(
      unowned("CREATE TABLE s.t ();\nALTER TABLE s.t REPLICA IDENTITY FULL;\nALTER TABLE s.t OWNER TO app;\n"
              "COMMENT ON TABLE s.t IS 'ALTER TABLE s.t OWNER TO app;';\n"),
      "CREATE TABLE s.t ();\nALTER TABLE s.t REPLICA IDENTITY FULL;\n"
      "COMMENT ON TABLE s.t IS 'ALTER TABLE s.t OWNER TO app;';\n");
  EXPECT_EQ(unowned("ALTER FUNCTION s.f(a integer, \"b;\" text) OWNER TO \"ops; team\";\n"), "");
  EXPECT_EQ(unowned("ALTER TABLE s.owner OWNER TO owner;\n"), "");
  EXPECT_EQ(unowned("CREATE FUNCTION f() AS $$ALTER TABLE t OWNER TO x;$$;\n"),
            "CREATE FUNCTION f() AS $$ALTER TABLE t OWNER TO x;$$;\n");
}

TEST(SplitStatements, SplitsAtTheTopLevelOnly) {
  EXPECT_THAT(
      split_statements("SELECT 1;;\n-- a; b\nSELECT ';' /* ; */, $$;$$ , \";\";\n\\restrict x\nSELECT 3"),
      ElementsAre("SELECT 1", "SELECT ';' /* ; */, $$;$$ , \";\"", "SELECT 3"));
  EXPECT_THAT(split_statements(" \n-- nothing\n"), IsEmpty());
}

TEST(SplitStatements, RulesKeepTheirActions) {
  EXPECT_THAT(split_statements("CREATE RULE r AS ON INSERT TO t DO ( DELETE FROM t; NOTIFY x; ); SELECT 1;"),
              ElementsAre("CREATE RULE r AS ON INSERT TO t DO ( DELETE FROM t; NOTIFY x; )", "SELECT 1"));
}

TEST(SplitStatements, SqlBodiesStayWhole) {
  const std::string body =
      "(begin integer, atomic integer) RETURNS integer LANGUAGE sql\n BEGIN ATOMIC\n"
      "  SELECT CASE WHEN begin > 1 THEN CASE atomic WHEN 1 THEN 2 END ELSE 7 END AS \"end\";\n"
      "  SELECT (f.begin + f.atomic) AS \"case\";\nEND";
  for (const std::string start :
       {"CREATE FUNCTION s.f", "CREATE OR REPLACE PROCEDURE s.f", "create procedure f"}) {
    EXPECT_THAT(split_statements(start + body + ";\nSELECT 1;"), ElementsAre(start + body, "SELECT 1"));
  }
}

TEST(SplitStatements, BeginAtomicMeansNothingElsewhere) {
  EXPECT_THAT(split_statements("SELECT begin atomic; SELECT CASE 1 WHEN 1 THEN 2 END; BEGIN; END;"),
              ElementsAre("SELECT begin atomic", "SELECT CASE 1 WHEN 1 THEN 2 END", "BEGIN", "END"));
  EXPECT_THAT(split_statements("CREATE FUNCTION f() RETURN (CASE WHEN true THEN 1 END); SELECT 1;"),
              SizeIs(2));
}

}  // namespace
}  // namespace copy
