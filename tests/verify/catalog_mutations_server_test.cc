// One change to one object, of every kind: each must be found, and nothing else with it.

#include <optional>

#include "tests/verify/catalog_fixture.h"

namespace verify::test {
namespace {

constexpr const char* kBase = R"(
  CREATE SCHEMA s;
  CREATE SCHEMA other;
  CREATE EXTENSION hstore;
  CREATE EXTENSION postgres_fdw;
  DROP EXTENSION plpgsql; CREATE EXTENSION plpgsql;  -- not one that initdb made
  CREATE TABLE public.conf (id int, v text); ALTER EXTENSION hstore ADD TABLE public.conf;
  CREATE TYPE s.mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TYPE s.pair AS (a int, b text);
  CREATE TYPE s.span AS RANGE (SUBTYPE = float8);
  CREATE DOMAIN s.small AS int CONSTRAINT low CHECK (VALUE < 10);
  CREATE COLLATION s.bytewise (LOCALE = 'C');
  CREATE FUNCTION s.f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
  CREATE FUNCTION s.atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a; END;
  CREATE FUNCTION s.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION s.event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
  CREATE FUNCTION s.less(s.mood, s.mood) RETURNS boolean LANGUAGE sql AS 'SELECT $1 < $2';
  CREATE FUNCTION s.mood_int(s.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE PROCEDURE s.p() LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE s.total(int) (SFUNC = int4_sum, STYPE = bigint, INITCOND = '0');
  CREATE OPERATOR s.<<< (FUNCTION = s.less, LEFTARG = s.mood, RIGHTARG = s.mood);
  CREATE OPERATOR FAMILY s.fam USING btree;
  CREATE OPERATOR CLASS s.cls FOR TYPE int USING btree FAMILY s.fam AS OPERATOR 3 =, FUNCTION 1 btint4cmp(int, int);
  CREATE CAST (s.mood AS int) WITH FUNCTION s.mood_int(s.mood);
  CREATE CONVERSION s.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
  CREATE TEXT SEARCH CONFIGURATION s.conf (COPY = simple);
  CREATE TEXT SEARCH DICTIONARY s.dict (TEMPLATE = simple);
  CREATE TEXT SEARCH PARSER s.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
                                      LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
  CREATE TEXT SEARCH TEMPLATE s.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
  CREATE SEQUENCE s.seq;
  CREATE TABLE s.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int NOT NULL DEFAULT 1, b text, c varchar(10),
                    d int GENERATED ALWAYS AS (1 + 1) STORED, m s.mood, CONSTRAINT t_check CHECK (a > 0),
                    CONSTRAINT t_unique UNIQUE (a) DEFERRABLE);
  CREATE TABLE s.child (id int PRIMARY KEY, t int CONSTRAINT child_t REFERENCES s.t);
  CREATE TABLE s.heir (x int) INHERITS (s.t);
  CREATE TABLE s.parts (id int, at date) PARTITION BY RANGE (id);
  CREATE TABLE s.parts_1 PARTITION OF s.parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE s.parts_2 (id int, at date);
  CREATE TABLE s.key_of (id int PRIMARY KEY, n int NOT NULL);
  CREATE TABLE s.keyed (id int, k int CONSTRAINT keyed_k REFERENCES s.key_of) PARTITION BY RANGE (id);
  CREATE TABLE s.keyed_1 PARTITION OF s.keyed FOR VALUES FROM (0) TO (10);
  CREATE INDEX t_b ON s.t (b);
  CREATE INDEX t_lower ON s.t (lower(b));
  CREATE STATISTICS s.stats ON a, b FROM s.t;
  CREATE VIEW s.v AS SELECT id, a FROM s.t WHERE a > 1;
  CREATE MATERIALIZED VIEW s.m AS SELECT 1 AS one;
  CREATE TRIGGER tr BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.fire('x');
  CREATE TRIGGER on_parts AFTER INSERT ON s.parts FOR EACH ROW EXECUTE FUNCTION s.fire();
  CREATE RULE ru AS ON DELETE TO s.t DO INSTEAD NOTHING;
  CREATE POLICY po ON s.t FOR SELECT USING (a > 1);
  CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION s.event();
  CREATE PUBLICATION pub FOR TABLE s.t (id, a) WHERE (id > 1);
  CREATE FOREIGN DATA WRAPPER fdw;
  CREATE SERVER srv FOREIGN DATA WRAPPER fdw OPTIONS (host 'a');
  CREATE USER MAPPING FOR PUBLIC SERVER srv OPTIONS (password 'x', region 'y');
  CREATE FOREIGN TABLE s.far (a int) SERVER srv OPTIONS (path 'p');
  CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
  CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
  GRANT SELECT ON s.t TO pg_monitor;
  COMMENT ON TABLE s.t IS 'one';
  ALTER EVENT TRIGGER et DISABLE;
  INSERT INTO pg_seclabel VALUES ('s.t'::regclass, 'pg_class'::regclass, 0, 'keeper', 'secret');
)";

// The triggers of a constraint whose functions' names match the pattern; their own names hold an OID.
constexpr const char* kSetTriggers = R"(
  CREATE FUNCTION pg_temp.set_triggers(wanted text, action text, pattern text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE own record;
  BEGIN
    FOR own IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger t
                 JOIN pg_constraint k ON k.oid = t.tgconstraint JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE k.conname = wanted AND p.proname ~ pattern
    LOOP EXECUTE format('ALTER TABLE %s %s TRIGGER %I', own.relation, action, own.tgname); END LOOP;
  END $$)";

struct Mutation {
  const char* sql;  ///< {db} is the database's name
  std::vector<std::string> expected;
  bool between_majors = true;  ///< counts between two major versions too
};

const std::vector<Mutation>& mutations() {
  static const std::vector<Mutation> all{
      // Schemas
      {"CREATE SCHEMA extra", {"schema extra"}},
      {"ALTER SCHEMA other OWNER TO pg_monitor", {"schema other owner"}},
      {"GRANT USAGE ON SCHEMA s TO PUBLIC", {"schema s privileges of PUBLIC"}},
      {"REVOKE USAGE ON SCHEMA public FROM PUBLIC", {"schema public privileges of PUBLIC"}},
      {"COMMENT ON SCHEMA s IS 'x'", {"schema s comment"}},
      {"DROP SCHEMA other", {"schema other"}},
      // Tables
      {"CREATE TABLE s.extra (id serial PRIMARY KEY)", {"sequence s.extra_id_seq", "table s.extra"}},
      {"DROP TABLE s.child", {"table s.child"}},
      {"DROP TABLE s.parts CASCADE", {"table s.parts", "table s.parts_1"}},
      {"ALTER TABLE s.child SET UNLOGGED", {"table s.child persistence"}},
      {"ALTER TABLE s.child SET (fillfactor = 60)", {"table s.child options"}},
      {"ALTER TABLE s.t SET (toast.autovacuum_enabled = off)", {"table s.t toast options"}},
      {"ALTER TABLE s.t REPLICA IDENTITY FULL", {"table s.t replica identity"}},
      {"ALTER TABLE s.child REPLICA IDENTITY USING INDEX child_pkey",
       {"index s.child_pkey replica identity", "table s.child replica identity"}},
      {"ALTER TABLE s.t ENABLE ROW LEVEL SECURITY", {"table s.t row security"}},
      {"ALTER TABLE s.t FORCE ROW LEVEL SECURITY", {"table s.t forced row security"}},
      {"ALTER TABLE s.child OWNER TO pg_monitor", {"table s.child owner"}},
      {"GRANT INSERT ON s.t TO pg_monitor", {"table s.t privileges of pg_monitor"}},
      {"GRANT SELECT ON s.t TO pg_monitor WITH GRANT OPTION", {"table s.t privileges of pg_monitor"}},
      {"REVOKE ALL ON s.t FROM pg_monitor", {"table s.t privileges of pg_monitor"}},
      {"REVOKE INSERT ON s.t FROM postgres", {"table s.t privileges of the owner"}},
      {"COMMENT ON TABLE s.t IS 'two'", {"table s.t comment"}},
      {"ALTER TABLE s.heir NO INHERIT s.t",
       {"column s.heir.a inherited", "column s.heir.b inherited", "column s.heir.c inherited",
        "column s.heir.d inherited", "column s.heir.id inherited", "column s.heir.m inherited",
        "constraint s.heir.t_check inherited", "table s.heir inherits"}},
      {"ALTER TABLE s.parts ATTACH PARTITION s.parts_2 FOR VALUES FROM (10) TO (20)",
       {"table s.parts_2 inherits", "table s.parts_2 partition bound"}},
      {"ALTER TABLE s.parts DETACH PARTITION s.parts_1; ALTER TABLE s.parts ATTACH PARTITION s.parts_1 FOR "
       "VALUES "
       "FROM (0) TO (11)",
       {"table s.parts_1 partition bound"}},
      {"DROP TABLE s.parts_2; CREATE TABLE s.parts_2 (id int, at date) PARTITION BY HASH (id)",
       {"table s.parts_2 partitioned by"}},
      {"DROP TABLE s.parts_2; CREATE VIEW s.parts_2 AS SELECT 1 AS id, '2024-01-01'::date AS at",
       {"table s.parts_2", "view s.parts_2"}},
      {"DROP TABLE s.parts_2; CREATE TABLE s.parts_2 (id int, at date) USING heap2",
       {"table s.parts_2 access method"}},
      {"DROP TABLE s.parts_2; CREATE TYPE s.row AS (id int, at date); CREATE TABLE s.parts_2 OF s.row",
       {"column s.row.at", "column s.row.id", "table s.parts_2 type", "type s.row"}},
      // Columns
      {"ALTER TABLE s.child ADD extra int", {"column s.child.extra"}},
      {"ALTER TABLE s.child ALTER id TYPE bigint", {"column s.child.id type"}},
      {"ALTER TABLE s.t ALTER c TYPE varchar(11)", {"column s.heir.c type", "column s.t.c type"}},
      {"ALTER TABLE s.child ALTER t SET NOT NULL", {"column s.child.t not null"}},
      {"ALTER TABLE ONLY s.t ALTER a SET DEFAULT 2", {"column s.t.a default"}},
      {"ALTER TABLE ONLY s.t ALTER a DROP DEFAULT", {"column s.t.a default"}},
      {"ALTER TABLE s.t ALTER id SET GENERATED BY DEFAULT", {"column s.t.id identity"}},
      {"ALTER TABLE s.t ALTER d DROP EXPRESSION", {"column s.heir.d generated", "column s.t.d generated"}},
      {"ALTER TABLE ONLY s.t ALTER b SET STORAGE EXTERNAL", {"column s.t.b storage"}},
      {"ALTER TABLE ONLY s.t ALTER b SET COMPRESSION pglz", {"column s.t.b compression"}},
      {"ALTER TABLE ONLY s.t ALTER b SET STATISTICS 9", {"column s.t.b statistics target"}},
      {"ALTER TABLE ONLY s.t ALTER b SET (n_distinct = 5)", {"column s.t.b options"}},
      {"ALTER TABLE s.child ADD extra text COLLATE \"C\"; ALTER TABLE s.child DROP extra", {}},
      {"ALTER TABLE s.parts_2 DROP at; ALTER TABLE s.parts_2 ADD at date", {}},
      {"DROP INDEX s.t_b; ALTER TABLE s.t ALTER b TYPE text COLLATE s.bytewise; CREATE INDEX t_b ON s.t (b "
       "COLLATE "
       "\"default\")",
       {"column s.heir.b collation", "column s.t.b collation", "index s.t_b definition"}},
      {"GRANT UPDATE (b) ON s.t TO pg_monitor", {"column s.t.b privileges of pg_monitor"}},
      {"COMMENT ON COLUMN s.t.b IS 'x'", {"column s.t.b comment"}},
      // Constraints
      {"ALTER TABLE s.child DROP CONSTRAINT child_t", {"constraint s.child.child_t"}},
      {"ALTER TABLE s.child DROP CONSTRAINT child_t, ADD CONSTRAINT child_t FOREIGN KEY (t) REFERENCES s.t "
       "NOT VALID",
       {"constraint s.child.child_t not valid"}},
      {"ALTER TABLE s.child DROP CONSTRAINT child_t, ADD CONSTRAINT child_t FOREIGN KEY (t) REFERENCES s.t "
       "ON DELETE "
       "CASCADE",
       {"constraint s.child.child_t definition"}},
      {"ALTER TABLE s.child ALTER CONSTRAINT child_t DEFERRABLE", {"constraint s.child.child_t deferrable"}},
      {"ALTER TABLE s.child ALTER CONSTRAINT child_t DEFERRABLE INITIALLY DEFERRED",
       {"constraint s.child.child_t deferrable", "constraint s.child.child_t initially deferred"}},
      {"ALTER TABLE s.child DISABLE TRIGGER ALL", {"constraint s.child.child_t triggers"}},
      {"ALTER TABLE s.t DISABLE TRIGGER ALL",
       {"constraint s.child.child_t triggers", "constraint s.t.t_unique triggers", "trigger s.t.tr enabled"}},
      {"ALTER TABLE s.keyed_1 DISABLE TRIGGER ALL", {"constraint s.keyed_1.keyed_k"}},
      {"SELECT pg_temp.set_triggers('child_t', 'ENABLE ALWAYS', '.*')",
       {"constraint s.child.child_t triggers"}},
      {"SELECT pg_temp.set_triggers('child_t', 'ENABLE REPLICA', 'noaction_del')",
       {"constraint s.child.child_t triggers"}},
      {"SELECT pg_temp.set_triggers('t_unique', 'ENABLE ALWAYS', '.*')",
       {"constraint s.t.t_unique triggers"}},
      {"ALTER TABLE s.t DROP CONSTRAINT t_check; ALTER TABLE s.t ADD CONSTRAINT t_check CHECK (a >= 0)",
       {"constraint s.heir.t_check definition", "constraint s.t.t_check definition"}},
      {"ALTER TABLE s.child RENAME CONSTRAINT child_t TO child_u",
       {"constraint s.child.child_t", "constraint s.child.child_u"}},
      {"ALTER DOMAIN s.small DROP CONSTRAINT low", {"constraint s.small.low"}},
      {"ALTER DOMAIN s.small ADD CONSTRAINT high CHECK (VALUE > 0) NOT VALID", {"constraint s.small.high"}},
      {"COMMENT ON CONSTRAINT low ON DOMAIN s.small IS 'x'", {"constraint s.small.low comment"}},
      // Indexes
      {"DROP INDEX s.t_b", {"index s.t_b"}},
      {"CREATE INDEX extra ON s.child (t)", {"index s.extra"}},
      {"DROP INDEX s.t_b; CREATE INDEX t_b ON s.t (b DESC)", {"index s.t_b definition"}},
      {"DROP INDEX s.t_b; CREATE INDEX t_b ON s.t (b) WHERE a = 3", {"index s.t_b definition"}},
      {"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's.t_b'::regclass",
       {"index s.t_b not valid"}},
      {"ALTER TABLE s.t CLUSTER ON t_b", {"index s.t_b clustered on"}},
      {"ALTER INDEX s.t_lower ALTER COLUMN 1 SET STATISTICS 7",
       {"index s.t_lower statistics target of column 1"}},
      {"COMMENT ON INDEX s.t_b IS 'x'", {"index s.t_b comment"}},
      {"DROP STATISTICS s.stats", {"statistics s.stats"}},
      {"ALTER STATISTICS s.stats SET STATISTICS 5", {"statistics s.stats statistics target"}},
      {"DROP STATISTICS s.stats; CREATE STATISTICS s.stats (mcv) ON a, b FROM s.t",
       {"statistics s.stats definition"}},
      // Sequences
      {"ALTER SEQUENCE s.seq INCREMENT 2", {"sequence s.seq increment"}},
      {"ALTER SEQUENCE s.seq MAXVALUE 9 CYCLE", {"sequence s.seq cycle", "sequence s.seq maximum"}},
      {"ALTER SEQUENCE s.seq START 5 CACHE 3", {"sequence s.seq cache", "sequence s.seq start"}},
      {"ALTER SEQUENCE s.seq OWNED BY s.t.a", {"sequence s.seq owned by"}},
      {"ALTER SEQUENCE s.seq AS int", {"sequence s.seq maximum", "sequence s.seq type"}},
      {"GRANT USAGE ON SEQUENCE s.seq TO PUBLIC", {"sequence s.seq privileges of PUBLIC"}},
      {"ALTER SEQUENCE s.seq OWNER TO pg_monitor", {"sequence s.seq owner"}},
      // Views, rules, triggers, policies
      {"CREATE OR REPLACE VIEW s.v AS SELECT id, a FROM s.t WHERE a > 2", {"view s.v definition"}},
      {"ALTER VIEW s.v SET (security_barrier)", {"view s.v options"}},
      {"ALTER VIEW s.v OWNER TO pg_monitor", {"view s.v owner"}},
      {"ALTER MATERIALIZED VIEW s.m OWNER TO pg_monitor", {"materialized view s.m owner"}},
      {"ALTER FOREIGN TABLE s.far OWNER TO pg_monitor", {"foreign table s.far owner"}},
      {"ALTER VIEW s.v ALTER a SET DEFAULT 3", {"column s.v.a default"}},
      {"REFRESH MATERIALIZED VIEW s.m WITH NO DATA", {"materialized view s.m without data"}},
      {"DROP MATERIALIZED VIEW s.m", {"materialized view s.m"}},
      {"DROP RULE ru ON s.t", {"rule s.t.ru"}},
      {"CREATE OR REPLACE RULE ru AS ON DELETE TO s.t DO ALSO NOTIFY x", {"rule s.t.ru definition"}},
      {"ALTER TABLE s.t DISABLE RULE ru", {"rule s.t.ru enabled"}},
      {"DROP TRIGGER tr ON s.t", {"trigger s.t.tr"}},
      {"ALTER TABLE s.t DISABLE TRIGGER tr", {"trigger s.t.tr enabled"}},
      {"ALTER TABLE s.t ENABLE ALWAYS TRIGGER tr", {"trigger s.t.tr enabled"}},
      {"ALTER TABLE s.parts_1 DISABLE TRIGGER on_parts", {"trigger s.parts_1.on_parts"}},
      {"CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.fire('y')",
       {"trigger s.t.tr definition"}},
      {"DROP POLICY po ON s.t", {"policy s.t.po"}},
      {"ALTER POLICY po ON s.t USING (a > 2)", {"policy s.t.po using"}},
      {"ALTER POLICY po ON s.t TO pg_monitor",
       {"policy s.t.po role PUBLIC", "policy s.t.po role pg_monitor"}},
      {"CREATE POLICY own ON public.conf USING (true)", {"policy public.conf.own"}},
      {"ALTER TABLE public.conf ENABLE ROW LEVEL SECURITY", {"row security public.conf"}},
      {"ALTER TABLE public.conf FORCE ROW LEVEL SECURITY", {"row security public.conf"}},
      {"DROP POLICY po ON s.t; CREATE POLICY po ON s.t AS RESTRICTIVE FOR SELECT USING (a > 1)",
       {"policy s.t.po restrictive"}},
      // Types
      {"ALTER TYPE s.mood ADD VALUE 'new' BEFORE 'ok'", {"type s.mood labels"}},
      {"ALTER TYPE s.mood RENAME VALUE 'ok' TO 'okay'", {"type s.mood labels"}},
      {"UPDATE pg_enum SET enumsortorder = 10 WHERE enumlabel = 'sad'", {"type s.mood labels"}},
      {"ALTER TYPE s.pair ALTER ATTRIBUTE b TYPE varchar", {"column s.pair.b type"}},
      {"DROP TYPE s.pair; CREATE TYPE s.pair AS (b text, a int)", {"type s.pair attributes"}},
      {"DROP TYPE s.span; CREATE TYPE s.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)",
       {"type s.span difference function"}},
      {"ALTER DOMAIN s.small SET DEFAULT 3", {"domain s.small default"}},
      {"ALTER DOMAIN s.small SET NOT NULL", {"domain s.small not null"}},
      {"ALTER DOMAIN s.small OWNER TO pg_monitor", {"domain s.small owner"}},
      {"DROP DOMAIN s.small; CREATE DOMAIN s.small AS bigint CONSTRAINT low CHECK (VALUE < 10)",
       {"domain s.small base type"}},
      {"GRANT USAGE ON TYPE s.small TO pg_monitor", {"domain s.small privileges of pg_monitor"}},
      {"GRANT USAGE ON TYPE s.mood TO pg_monitor WITH GRANT OPTION",
       {"type s.mood privileges of pg_monitor"}},
      {"REVOKE USAGE ON TYPE s.mood FROM PUBLIC", {"type s.mood privileges of PUBLIC"}},
      {"ALTER TYPE s.pair OWNER TO pg_monitor", {"type s.pair owner"}},
      {"DROP COLLATION s.bytewise; CREATE COLLATION s.bytewise (LOCALE = 'POSIX')",
       {"collation s.bytewise collate", "collation s.bytewise ctype"}},
      {"DROP CAST (s.mood AS int)", {"cast (s.mood AS integer)"}},
      {"DROP CAST (s.mood AS int); CREATE CAST (s.mood AS int) WITH FUNCTION s.mood_int(s.mood) AS IMPLICIT",
       {"cast (s.mood AS integer) context"}},
      {"ALTER OPERATOR s.<<< (s.mood, s.mood) SET (RESTRICT = scalarltsel)",
       {"operator s.<<<(s.mood, s.mood) restrict"}},
      {"ALTER OPERATOR FAMILY s.fam USING btree ADD OPERATOR 3 = (int, bigint)",
       {"operator family s.fam(btree) operator 3 (integer, bigint)"}},
      {"DROP OPERATOR CLASS s.cls USING btree",
       {"operator class s.cls(btree)", "operator family s.fam(btree) function 1 (integer, integer)",
        "operator family s.fam(btree) operator 3 (integer, integer)"}},
      {"ALTER CONVERSION s.conv OWNER TO pg_monitor", {"conversion s.conv owner"}},
      // Functions
      {"CREATE OR REPLACE FUNCTION s.f(a int) RETURNS int LANGUAGE sql AS 'SELECT  a'",
       {"function s.f(integer) body"}},
      {"CREATE OR REPLACE FUNCTION s.atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END",
       {"function s.atomic(integer) parsed body"}},
      {"CREATE OR REPLACE FUNCTION s.f(a int DEFAULT 3) RETURNS int LANGUAGE sql AS 'SELECT a'",
       {"function s.f(integer) arguments"}},
      {"ALTER FUNCTION s.f(int) IMMUTABLE", {"function s.f(integer) volatility"}},
      {"ALTER FUNCTION s.f(int) OWNER TO pg_monitor", {"function s.f(integer) owner"}},
      {"ALTER PROCEDURE s.p() OWNER TO pg_monitor", {"procedure s.p() owner"}},
      {"ALTER AGGREGATE s.total(int) OWNER TO pg_monitor", {"aggregate s.total(integer) owner"}},
      {"ALTER FUNCTION s.f(int) SECURITY DEFINER", {"function s.f(integer) security definer"}},
      {"ALTER FUNCTION s.f(int) SET search_path = s", {"function s.f(integer) settings"}},
      {"ALTER FUNCTION s.f(int) STRICT PARALLEL SAFE COST 5",
       {"function s.f(integer) cost", "function s.f(integer) parallel", "function s.f(integer) strict"}},
      {"REVOKE EXECUTE ON FUNCTION s.f(int) FROM PUBLIC", {"function s.f(integer) privileges of PUBLIC"}},
      {"CREATE FUNCTION s.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'", {"function s.f(text)"}},
      {"DROP PROCEDURE s.p()", {"procedure s.p()"}},
      {"CREATE OR REPLACE AGGREGATE s.total(int) (SFUNC = int4_sum, STYPE = bigint, INITCOND = '1')",
       {"aggregate s.total(integer) initial state"}},
      {"ALTER FUNCTION s.f(int) DEPENDS ON EXTENSION hstore",
       {"extension dependency function s.f(integer) hstore"}},
      {"CREATE LANGUAGE other HANDLER plpgsql_call_handler", {"language other"}},
      {"DROP TRANSFORM FOR int LANGUAGE sql", {"transform (integer, sql)"}},
      {"DROP ACCESS METHOD heap2", {"access method heap2"}},
      {"ALTER EVENT TRIGGER et ENABLE", {"event trigger et enabled"}},
      {"DROP EVENT TRIGGER et", {"event trigger et"}},
      // Text search
      {"ALTER TEXT SEARCH CONFIGURATION s.conf ALTER MAPPING FOR asciiword WITH s.dict",
       {"text search configuration s.conf dictionaries for token 1"}},
      {"ALTER TEXT SEARCH DICTIONARY s.dict (Accept = false)", {"text search dictionary s.dict options"}},
      {"ALTER TEXT SEARCH DICTIONARY s.dict OWNER TO pg_monitor", {"text search dictionary s.dict owner"}},
      {"ALTER TEXT SEARCH CONFIGURATION s.conf OWNER TO pg_monitor",
       {"text search configuration s.conf owner"}},
      {"DROP TEXT SEARCH PARSER s.parser", {"text search parser s.parser"}},
      {"DROP TEXT SEARCH PARSER s.parser; CREATE TEXT SEARCH PARSER s.parser (START = prsd_start, GETTOKEN = "
       "prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)",
       {"text search parser s.parser headline"}},
      {"DROP TEXT SEARCH TEMPLATE s.template", {"text search template s.template"}},
      {"DROP TEXT SEARCH TEMPLATE s.template; CREATE TEXT SEARCH TEMPLATE s.template (LEXIZE = "
       "dsimple_lexize)",
       {"text search template s.template init"}},
      // The database
      {"DROP EXTENSION hstore", {"extension hstore"}},
      {"ALTER EXTENSION hstore SET SCHEMA s", {"extension hstore schema"}},
      {"UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'hstore'", {"extension hstore version"}},
      {"SELECT pg_catalog.set_config('allow_system_table_mods', 'on', true); UPDATE pg_extension SET "
       "extconfig = "
       "ARRAY['s.t'::regclass::oid], extcondition = ARRAY['WHERE a'] WHERE extname = 'hstore'",
       {"extension hstore configuration table s.t"},
       false},
      {"ALTER DATABASE {db} SET work_mem = '5MB'", {"setting work_mem"}},
      {"ALTER ROLE postgres IN DATABASE {db} SET work_mem = '5MB'", {"setting work_mem(postgres)"}},
      {"COMMENT ON DATABASE {db} IS 'x'", {"database database comment"}},
      {"UPDATE pg_database SET encoding = 0 WHERE datname = '{db}'", {"database database encoding"}},
      {"ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC",
       {"default privileges postgres(tables in s)"}},
      {"ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
       {"default privileges postgres(functions)"}},
      {"GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_logdir() TO PUBLIC",
       {"privileges on a function pg_catalog.pg_ls_logdir()"}},
      {"REVOKE EXECUTE ON FUNCTION public.akeys(public.hstore) FROM PUBLIC",
       {"privileges on a function public.akeys(public.hstore)"}},
      {"REVOKE SELECT ON pg_catalog.pg_am FROM PUBLIC", {"privileges on a relation pg_catalog.pg_am"}},
      {"REVOKE SELECT ON information_schema.tables FROM PUBLIC",
       {"privileges on a relation information_schema.tables"}},
      {"GRANT SELECT ON information_schema.sql_parts TO PUBLIC",
       {"privileges on a relation information_schema.sql_parts"}},
      {"GRANT UPDATE (table_name) ON information_schema.tables TO pg_monitor",
       {"privileges on a column information_schema.tables.table_name"}},
      {"REVOKE EXECUTE ON FUNCTION information_schema._pg_truetypid(pg_attribute, pg_type) FROM PUBLIC",
       {"privileges on a function information_schema._pg_truetypid(pg_attribute, pg_type)"}},
      {"REVOKE USAGE ON SCHEMA information_schema FROM PUBLIC",
       {"privileges on a system schema information_schema"}},
      {"REVOKE USAGE ON TYPE pg_catalog.int4range FROM PUBLIC",
       {"privileges on a type pg_catalog.int4range"}},
      {"REVOKE USAGE ON TYPE public.hstore FROM PUBLIC", {"privileges on a type public.hstore"}},
      {"GRANT CREATE ON SCHEMA pg_catalog TO pg_monitor", {"privileges on a system schema pg_catalog"}},
      {"REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", {"privileges on a system language plpgsql"}},
      {"REVOKE USAGE ON LANGUAGE sql FROM PUBLIC", {"privileges on a system language sql"}},
      {"GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO pg_monitor",
       {"privileges on a foreign data wrapper postgres_fdw"}},
      {"GRANT SELECT (rolpassword) ON pg_authid TO PUBLIC",
       {"privileges on a column pg_catalog.pg_authid.rolpassword"}},
      {"GRANT UPDATE (v) ON public.conf TO PUBLIC", {"privileges on a column public.conf.v"}},
      {"UPDATE pg_seclabel SET label = 'public' WHERE provider = 'keeper'",
       {"security label table s.t keeper label"}},
      {"DELETE FROM pg_seclabel WHERE provider = 'keeper'", {"security label table s.t keeper"}},
      {"INSERT INTO pg_seclabel VALUES ('s.t'::regclass, 'pg_class'::regclass, 1, 'keeper', 'x')",
       {"security label table column s.t.id keeper"}},
      {"INSERT INTO pg_seclabel VALUES ('s.f'::regproc, 'pg_proc'::regclass, 0, 'keeper', 'x')",
       {"security label function s.f(integer) keeper"}},
      {"INSERT INTO pg_seclabel VALUES (7, 'pg_largeobject'::regclass, 0, 'keeper', 'x')",
       {"security label large object 7 keeper"}},
      {"INSERT INTO pg_shseclabel SELECT oid, 'pg_database'::regclass, 'keeper', 'x' FROM pg_database WHERE "
       "datname = '{db}'",
       {"security label database keeper"}},
      {"INSERT INTO pg_shseclabel SELECT oid, 'pg_database'::regclass, 'keeper', 'x' FROM pg_database WHERE "
       "datname <> '{db}'",
       {}},
      // What connects it to others
      {"ALTER PUBLICATION pub SET (publish = 'insert')", {"publication pub publishes"}},
      {"ALTER PUBLICATION pub SET TABLE s.t (id)",
       {"publication pub table s.heir", "publication pub table s.t"}},
      {"ALTER PUBLICATION pub DROP TABLE s.t, s.heir; ALTER PUBLICATION pub ADD TABLES IN SCHEMA other",
       {"publication pub schema other", "publication pub table s.heir", "publication pub table s.t"}},
      {"DROP PUBLICATION pub", {"publication pub"}},
      {"ALTER SERVER srv OPTIONS (SET host 'b')", {"server srv option host"}},
      {"ALTER SERVER srv VERSION '2'", {"server srv version"}},
      {"DROP USER MAPPING FOR PUBLIC SERVER srv", {"user mapping PUBLIC@srv"}},
      {"ALTER USER MAPPING FOR PUBLIC SERVER srv OPTIONS (SET region 'z')",
       {"user mapping PUBLIC@srv option region"}},
      {"ALTER USER MAPPING FOR PUBLIC SERVER srv OPTIONS (SET password 'z')",
       {"user mapping PUBLIC@srv option password"}},
      {"ALTER FOREIGN TABLE s.far OPTIONS (SET path 'q')", {"foreign table s.far option path"}},
      {"ALTER FOREIGN TABLE s.far ALTER a OPTIONS (ADD x 'y')", {"column s.far.a option x"}},
      {"ALTER FOREIGN DATA WRAPPER fdw OPTIONS (ADD x 'y')", {"foreign data wrapper fdw option x"}},
  };
  return all;
}

std::string with_database(std::string sql, const std::string& name) {
  for (auto at = sql.find("{db}"); at != std::string::npos; at = sql.find("{db}")) sql.replace(at, 4, name);
  return sql;
}

class MutatedDatabase {
 public:
  explicit MutatedDatabase(int major) : database_(support::cluster(major)) {
    database_.exec(kBase);
    database_.exec("SELECT lo_create(7)");
    connection_.emplace(open(database_.url()));
    base = read_catalog(*connection_);
  }
  Catalog after(const char* sql) {
    const pg::Transaction undone(*connection_);
    connection_->exec(kSetTriggers);
    connection_->exec(with_database(sql, database_.name()));
    return read_catalog(*connection_);
  }

  Catalog base;

 private:
  support::TestDatabase database_;
  std::optional<pg::Connection> connection_;
};

TEST(CatalogMutations, EachIsFoundAndNamedAndNothingElseIs) {
  MutatedDatabase database(15);
  EXPECT_THAT(objections(compare(database.base, database.base)), ::testing::IsEmpty());
  for (const auto& [sql, expected, unused] : mutations()) {
    SCOPED_TRACE(sql);
    const auto changed = database.after(sql);
    EXPECT_EQ(places(compare(database.base, changed)), expected);
    EXPECT_EQ(places(compare(changed, database.base)), expected);
  }
}

// Both sides have changed them, and each in another way.
TEST(CatalogMutations, TheTriggersOfAConstraintAreComparedOneByOne) {
  MutatedDatabase database(15);
  const auto in_state = [&](const char* action, const char* pattern) {
    return database.after(
        fmt::format("SELECT pg_temp.set_triggers('child_t', '{}', '{}')", action, pattern).c_str());
  };
  const auto disabled = in_state("DISABLE", ".*");
  EXPECT_THAT(objections(compare(disabled, in_state("DISABLE", ".*"))), ::testing::IsEmpty());
  for (const auto& [action, pattern] :
       {std::pair("ENABLE REPLICA", ".*"), std::pair("ENABLE ALWAYS", ".*"), std::pair("DISABLE", "check")})
    EXPECT_EQ(places(compare(disabled, in_state(action, pattern))),
              std::vector<std::string>{"constraint s.child.child_t triggers"})
        << action << " " << pattern;
  EXPECT_EQ(objections(compare(database.base, in_state("ENABLE ALWAYS", "check"))),
            std::vector<std::string>{"constraint s.child.child_t triggers: - -> RI_FKey_check_ins always, "
                                     "RI_FKey_check_upd always"});
}

// No rule about versions may hide one.
TEST(CatalogMutations, EachIsFoundBetweenTwoVersionsToo) {
  const auto source = MutatedDatabase(15).base;
  MutatedDatabase target(18);
  EXPECT_THAT(objections(compare(source, target.base)), ::testing::IsEmpty());
  for (const auto& [sql, expected, between_majors] : mutations()) {
    SCOPED_TRACE(sql);
    if (!between_majors) continue;
    EXPECT_EQ(places(compare(source, target.after(sql))), expected);
  }
}

TEST(CatalogMutations, OfWhatOnlyVersion18HasAreFound) {
  struct Mutation18 {
    const char* sql;
    std::vector<std::string> expected;
    std::vector<std::string> from_15;
  };
  const auto old = MutatedDatabase(15).base;
  MutatedDatabase database(18);
  const std::vector<Mutation18> all{
      {"ALTER TABLE s.child ALTER CONSTRAINT child_t NOT ENFORCED",
       {"constraint s.child.child_t not enforced", "constraint s.child.child_t not valid"},
       {"constraint s.child.child_t not enforced", "constraint s.child.child_t not valid"}},
      {"ALTER TABLE s.t DROP d; ALTER TABLE s.t ADD d int GENERATED ALWAYS AS (1 + 1) VIRTUAL",
       {"column s.heir.d generated", "column s.t.d generated"},
       {"column s.heir.d generated", "column s.t.d generated"}},
      // The older version has no name for it.
      {"ALTER TABLE s.child RENAME CONSTRAINT child_id_not_null TO x",
       {"constraint s.child.child_id_not_null", "constraint s.child.x"},
       {}},
      {"ALTER TABLE s.child ADD CONSTRAINT x NOT NULL t NOT VALID",
       {"column s.child.t not null", "constraint s.child.x"},
       {"column s.child.t not null", "constraint s.child.x"}},
      {"ALTER TABLE s.key_of ALTER n DROP NOT NULL; ALTER TABLE s.key_of ADD CONSTRAINT key_of_n_not_null "
       "NOT "
       "NULL n NOT VALID",
       {"constraint s.key_of.key_of_n_not_null not valid"},
       {"constraint s.key_of.key_of_n_not_null"}},
      {"ALTER TABLE s.key_of ALTER n DROP NOT NULL; ALTER TABLE s.key_of ADD CONSTRAINT key_of_n_not_null "
       "NOT "
       "NULL n NO INHERIT",
       {"constraint s.key_of.key_of_n_not_null definition"},
       {"constraint s.key_of.key_of_n_not_null"}},
      {"GRANT MAINTAIN ON s.t TO pg_monitor",
       {"table s.t privileges of pg_monitor"},
       {"table s.t privileges of pg_monitor"}},
      {"GRANT MAINTAIN ON s.t TO PUBLIC",
       {"table s.t privileges of PUBLIC"},
       {"table s.t privileges of PUBLIC"}},
      {"ALTER PUBLICATION pub SET (publish_generated_columns = stored)",
       {"publication pub generated columns"},
       {"publication pub generated columns"}},
  };
  for (const auto& [sql, expected, from_15] : all) {
    SCOPED_TRACE(sql);
    const auto changed = database.after(sql);
    EXPECT_EQ(places(compare(database.base, changed)), expected);
    EXPECT_EQ(places(compare(old, changed)), from_15);
  }
}

// One at the source stays there on purpose; one that only the target has pulls rows from somewhere.
TEST(CatalogMutations, ASubscriptionCountsAtTheTargetOnly) {
  const support::TestDatabase database(support::cluster(15));
  auto connection = open(database.url());
  const auto without = read_catalog(connection);
  connection.exec(
      "BEGIN; CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere password=x' PUBLICATION p WITH (connect = "
      "false, "
      "slot_name = NONE)");
  const auto with = read_catalog(connection);
  connection.exec("ROLLBACK");
  EXPECT_EQ(places(compare(without, with)), std::vector<std::string>{"subscription sub"});
  const auto found = compare(with, without);
  EXPECT_TRUE(found.differences.empty());
  EXPECT_EQ(found.expected.size(), 1U);
}

// Before version 14 only a superuser sees the oid that a comment goes by.
TEST(CatalogMutations, TheCommentOfASubscriptionIsComparedWhoeverLooks) {
  for (const auto& [from, to] : {std::pair(13, 17), std::pair(12, 13), std::pair(15, 18)}) {
    SCOPED_TRACE(fmt::format("{} to {}", from, to));
    const support::TestDatabase source(support::cluster(from));
    const support::TestDatabase target(support::cluster(to, "target"));
    // One of that name in another database has another comment.
    const support::TestDatabase other(support::cluster(from));
    const support::TestRole reader(support::cluster(from));
    for (const auto* database : {&source, &target, &other})
      database->exec(
          "CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name "
          "= NONE); "
          "COMMENT ON SUBSCRIPTION sub IS 'feeds the reports'");
    other.exec("COMMENT ON SUBSCRIPTION sub IS 'another one'");
    EXPECT_THAT(objections(compare(read(source.url()), read(target.url()))), ::testing::IsEmpty());
    EXPECT_THAT(objections(compare(read(source.url(reader.name())), read(target.url()))),
                ::testing::IsEmpty());
    source.exec("COMMENT ON SUBSCRIPTION sub IS 'feeds nothing'");
    for (const auto& url : {source.url(), source.url(reader.name())})
      EXPECT_EQ(objections(compare(read(url), read(target.url()))),
                std::vector<std::string>{"subscription sub comment: feeds nothing -> feeds the reports"});
    for (const auto* database : {&source, &target, &other}) database->exec("DROP SUBSCRIPTION sub");
  }
}

}  // namespace
}  // namespace verify::test
