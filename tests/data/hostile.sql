-- A catalog like the one that PostgreSQL's own regression tests leave behind: every kind of object in odd shapes,
-- and several hundred tables, each with a few rows where it can have any.
--
--   psql -X -v ON_ERROR_STOP=1 -d DB -f hostile.sql            (superuser, empty UTF8 database, PostgreSQL 15 or newer)

\set QUIET on
\pset format unaligned
\pset tuples_only on

SET client_encoding = 'UTF8';
SET client_min_messages = error;
SET search_path = pg_catalog;
SET check_function_bodies = on;

CREATE SCHEMA h;
CREATE SCHEMA "H ""x""";
CREATE SCHEMA "new
line";
CREATE SCHEMA "select";

-- ==== Types ===============================================================================================

CREATE TYPE h.colour AS ENUM ('red', 'green', 'b''lue', '', 'a,b', '"', '\', 'ünï');
ALTER TYPE h.colour ADD VALUE 'orange' AFTER 'red';
CREATE TYPE h.none AS ENUM ();
CREATE TYPE h.person AS (name text COLLATE "C", age integer, likes h.colour[]);
CREATE TYPE h.couple AS (one h.person, two h.person, since date);
ALTER TYPE h.person ADD ATTRIBUTE extra numeric(10, 2), DROP ATTRIBUTE age, ADD ATTRIBUTE age bigint;
CREATE TYPE h."Type ""q""" AS ("a b" integer, "c
d" text);
CREATE TYPE h.empty AS ();
CREATE TYPE h.shell;
CREATE DOMAIN h.base_domain AS text COLLATE "C" DEFAULT 'x''y' NOT NULL CHECK (VALUE <> '') CHECK (length(VALUE) < 10);
CREATE DOMAIN h.over_domain AS h.base_domain CONSTRAINT "odd ""name""" CHECK (VALUE ~ '^[a-z]');
CREATE DOMAIN h.array_domain AS integer[] CHECK (cardinality(VALUE) > 0);
CREATE DOMAIN h.couple_domain AS h.couple CHECK ((VALUE).since > '2000-01-01');
CREATE TYPE h.number_range AS RANGE (SUBTYPE = numeric, MULTIRANGE_TYPE_NAME = h."Multi Range");
CREATE TYPE h.text_range AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops);
CREATE COLLATION h.c_like (LOCALE = 'C');
CREATE CONVERSION h.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

-- A base type on the functions of int4.
CREATE TYPE h.number;
CREATE FUNCTION h.number_in(cstring) RETURNS h.number LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION h.number_out(h.number) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE h.number (INPUT = h.number_in, OUTPUT = h.number_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4,
                      CATEGORY = 'N', DEFAULT = '7');
CREATE CAST (h.number AS integer) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (integer AS h.number) WITHOUT FUNCTION AS ASSIGNMENT;

-- ==== Functions, operators ================================================================================

CREATE FUNCTION h.number_lt(h.number, h.number) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION h.number_le(h.number, h.number) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION h.number_eq(h.number, h.number) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION h.number_ge(h.number, h.number) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION h.number_gt(h.number, h.number) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION h.number_cmp(h.number, h.number) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR h.< (FUNCTION = h.number_lt, LEFTARG = h.number, RIGHTARG = h.number, COMMUTATOR = OPERATOR(h.>),
                     NEGATOR = OPERATOR(h.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR h.<= (FUNCTION = h.number_le, LEFTARG = h.number, RIGHTARG = h.number, COMMUTATOR = OPERATOR(h.>=));
CREATE OPERATOR h.= (FUNCTION = h.number_eq, LEFTARG = h.number, RIGHTARG = h.number, COMMUTATOR = OPERATOR(h.=),
                     MERGES, HASHES, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR h.>= (FUNCTION = h.number_ge, LEFTARG = h.number, RIGHTARG = h.number);
CREATE OPERATOR h.> (FUNCTION = h.number_gt, LEFTARG = h.number, RIGHTARG = h.number);
CREATE OPERATOR CLASS h.number_ops DEFAULT FOR TYPE h.number USING btree AS
  OPERATOR 1 h.<, OPERATOR 2 h.<=, OPERATOR 3 h.=, OPERATOR 4 h.>=, OPERATOR 5 h.>, FUNCTION 1 h.number_cmp(h.number, h.number);
CREATE OPERATOR CLASS h.number_hash_ops FOR TYPE h.number USING hash AS OPERATOR 1 h.=;
CREATE OPERATOR FAMILY h.loose USING gist;

-- The same name many times.
CREATE FUNCTION h.same() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION h.same(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION h.same(integer, "User" text DEFAULT 'a, b)') RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION h.same(VARIADIC text[]) RETURNS SETOF h.person LANGUAGE sql AS 'SELECT NULL::h.person';
CREATE FUNCTION h.same(h.colour, OUT a integer, INOUT b text) LANGUAGE sql AS $$ SELECT 1, 'x' $$;
CREATE PROCEDURE h.same(INOUT a date, OUT b integer) LANGUAGE plpgsql AS $$ BEGIN b := 1; END $$;
CREATE FUNCTION h.table_of(n integer) RETURNS TABLE ("select" integer, b h.colour[]) LANGUAGE sql ROWS 7 COST 3
  AS $$ SELECT 1, NULL::h.colour[] $$;
CREATE FUNCTION h.parsed(a integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC
  SELECT CASE WHEN a > 1 THEN a ELSE (SELECT max(x) FROM generate_series(1, a) AS x) END; END;
CREATE AGGREGATE h.longest(text) (SFUNC = textcat, STYPE = text, INITCOND = 'x''');
CREATE AGGREGATE h.hypothetical(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi,
  STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE FUNCTION h.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION h.on_event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;

-- ==== Tables ==============================================================================================

CREATE TABLE h.no_columns ();
CREATE TABLE h.all_dropped (a integer, b text);
ALTER TABLE h.all_dropped DROP COLUMN a, DROP COLUMN b;
CREATE TABLE h.typed OF h.person (PRIMARY KEY (name), likes WITH OPTIONS DEFAULT '{red}');
CREATE TABLE h.every (
  a serial, "B c" smallserial, d bigserial,
  e integer GENERATED ALWAYS AS IDENTITY (START -5 INCREMENT -3 MINVALUE -100 MAXVALUE 0 CACHE 4 CYCLE),
  f integer GENERATED BY DEFAULT AS IDENTITY,
  g text COLLATE "C" DEFAULT 'it''s "quoted" \', h numeric(5, -2), i varchar(3)[], j timestamp(2) with time zone,
  k interval day to second(3), l bit varying(7), m char(4) DEFAULT 'ab', n h.colour DEFAULT 'b''lue', o h.over_domain,
  p h.couple[], q h.number DEFAULT '9', r h.text_range, s text GENERATED ALWAYS AS (g || 'x') STORED,
  "user" integer DEFAULT 1, "json_scalar" text, "absent" integer,
  CONSTRAINT "check; --" CHECK (a > 0 AND g <> ')' AND "user" IS NOT NULL), UNIQUE NULLS NOT DISTINCT ("B c", d) INCLUDE (g),
  CONSTRAINT late UNIQUE (f) DEFERRABLE INITIALLY DEFERRED, EXCLUDE USING btree (q WITH OPERATOR(h.=)) WHERE (a > 3)
) WITH (fillfactor = 50, toast.autovacuum_enabled = false, user_catalog_table = true);
ALTER TABLE h.every ALTER g SET STATISTICS 77, ALTER g SET STORAGE EXTERNAL, ALTER a SET (n_distinct = 5),
  ALTER i SET COMPRESSION pglz, REPLICA IDENTITY FULL, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "p ""1""" ON h.every AS RESTRICTIVE FOR UPDATE TO CURRENT_USER, pg_monitor
  USING (g = CURRENT_USER) WITH CHECK (a = (SELECT max(x.a) FROM h.every x));
CREATE UNLOGGED TABLE h.unlogged (a integer PRIMARY KEY, b integer REFERENCES h.unlogged DEFERRABLE);

-- Partitions by hash of an enum, of an expression, of a base type; several levels deep; attached from outside.
CREATE TABLE h.by_colour (c h.colour, n integer, PRIMARY KEY (c, n)) PARTITION BY HASH (c);
CREATE TABLE h.by_colour_0 PARTITION OF h.by_colour FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY HASH (n);
CREATE TABLE h.by_colour_0_0 PARTITION OF h.by_colour_0 FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE h.by_colour_0_1 PARTITION OF h.by_colour_0 FOR VALUES WITH (MODULUS 6, REMAINDER 4);
CREATE TABLE h.by_colour_1 PARTITION OF h.by_colour FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE h.deep (at timestamptz, kind text, n integer, t text COLLATE "C") PARTITION BY RANGE (at, (lower(kind)) COLLATE "C");
CREATE TABLE h.deep_1 PARTITION OF h.deep FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2024-01-01 12:00+02', 'a''b') PARTITION BY LIST (t);
CREATE TABLE h.deep_1_a PARTITION OF h.deep_1 FOR VALUES IN ('x', NULL, 'y''z') PARTITION BY RANGE (n);
CREATE TABLE h.deep_1_a_i PARTITION OF h.deep_1_a FOR VALUES FROM (-5) TO (MAXVALUE);
CREATE TABLE h.deep_1_rest PARTITION OF h.deep_1 DEFAULT;
CREATE TABLE h.outside (extra integer, n integer, t text COLLATE "C", kind text, at timestamptz, CHECK (n > 0));
ALTER TABLE h.outside DROP COLUMN extra;
ALTER TABLE h.deep ATTACH PARTITION h.outside FOR VALUES FROM ('2024-01-01 12:00+02', 'a''b') TO (MAXVALUE, MAXVALUE);
CREATE INDEX deep_idx ON h.deep (lower(kind), at DESC);
CREATE INDEX deep_half ON ONLY h.deep (n);
CREATE TABLE h.no_partitions (a integer) PARTITION BY LIST (a);
CREATE TABLE h.target (a integer, b integer, PRIMARY KEY (a, b)) PARTITION BY RANGE (a);
CREATE TABLE h.target_1 PARTITION OF h.target FOR VALUES FROM (0) TO (10);
CREATE TABLE h.target_2 PARTITION OF h.target FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (b);
CREATE TABLE h.target_2_1 PARTITION OF h.target_2 FOR VALUES FROM (0) TO (10);
CREATE TABLE h.referrer (x integer, y integer, z integer PRIMARY KEY, FOREIGN KEY (x, y) REFERENCES h.target MATCH FULL
  ON UPDATE CASCADE ON DELETE SET NULL, CONSTRAINT itself FOREIGN KEY (y) REFERENCES h.referrer NOT VALID) PARTITION BY HASH (z);
CREATE TABLE h.referrer_0 PARTITION OF h.referrer FOR VALUES WITH (MODULUS 1, REMAINDER 0);

-- Inheritance, with columns in other orders, merged, with other defaults.
CREATE TABLE h.a (aa integer, x integer DEFAULT 1, CONSTRAINT positive CHECK (aa > 0), CHECK (x < 9) NO INHERIT);
CREATE TABLE h.b (bb integer, x integer NOT NULL);
CREATE TABLE h.c (x integer DEFAULT 3, cc integer, aa integer) INHERITS (h.a, h.b);
CREATE TABLE h.d () INHERITS (h.c);
CREATE TABLE h.e (LIKE h.every INCLUDING ALL);
CREATE TABLE h.f (dropped integer, x integer NOT NULL, bb integer);
ALTER TABLE h.f DROP COLUMN dropped, INHERIT h.b;

-- ==== What belongs to tables ==============================================================================

CREATE INDEX ON h.every USING brin (j timestamptz_bloom_ops (n_distinct_per_range = 50)) WITH (autosummarize = on);
CREATE INDEX "expr ""idx""" ON h.every ((g || 'x  y'), ("user" + 1) DESC) INCLUDE (d) WHERE m <> '"';
CREATE INDEX number_idx ON h.every (q h.number_ops);
CREATE UNIQUE INDEX unlogged_b ON h.unlogged (b);
CREATE STATISTICS h.s1 (mcv) ON g, n FROM h.every;
CREATE STATISTICS h."s 2" ON (lower(g)), ("user" + 1) FROM h.every;
CREATE TRIGGER "t ""1""" AFTER INSERT OR UPDATE OF a, "B c" ON h.every FOR EACH ROW WHEN (NEW.g <> 'it''s') EXECUTE FUNCTION h.fire('a''b', '2');
CREATE CONSTRAINT TRIGGER ct AFTER DELETE ON h.every DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION h.fire();
CREATE TRIGGER tt AFTER UPDATE ON h.unlogged REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION h.fire();
CREATE TRIGGER on_parts AFTER INSERT ON h.deep FOR EACH ROW EXECUTE FUNCTION h.fire();
ALTER TABLE h.outside DISABLE TRIGGER on_parts;
ALTER TABLE h.unlogged ENABLE ALWAYS TRIGGER tt;
CREATE TABLE h.ruled (a integer, b text);
CREATE RULE r1 AS ON INSERT TO h.ruled WHERE NEW.a > 5 DO ALSO (INSERT INTO h.a VALUES (NEW.a, 2); DELETE FROM h.b WHERE bb = NEW.a);
CREATE RULE "r 2" AS ON DELETE TO h.ruled DO INSTEAD NOTHING;
CREATE RULE r3 AS ON UPDATE TO h.ruled DO ALSO NOTIFY hostile;
ALTER TABLE h.ruled DISABLE RULE r3;

-- ==== Views ===============================================================================================

CREATE VIEW h.v_one AS SELECT a, g AS "G g", "user", 'lit  "eral"' AS l FROM h.every WHERE g <> 'every.g';
CREATE VIEW h.v_alias AS SELECT e.a, e.g FROM h.every AS e WHERE e.n = 'red' ORDER BY e.a DESC NULLS LAST LIMIT 5;
CREATE VIEW h.v_same_name AS SELECT ruled.a AS ruled, ruled.b FROM h.ruled;
CREATE VIEW h.v_join AS SELECT x.a, y.a AS ya, z.* FROM h.every x JOIN h.ruled y USING (a) LEFT JOIN (SELECT 1 AS one, 2 AS two) z ON true;
CREATE VIEW h.v_nested AS SELECT a, (SELECT max(o.a) FROM h.ruled o WHERE o.a < every.a) AS m,
  ARRAY(SELECT b FROM h.ruled WHERE ruled.a = every.a) AS l FROM h.every
  WHERE EXISTS (SELECT FROM h.ruled WHERE ruled.a = every.a) AND a IN (SELECT a FROM h.ruled);
CREATE VIEW h.v_union AS SELECT a FROM h.every UNION ALL (SELECT a FROM h.ruled EXCEPT SELECT 3) ORDER BY 1;
CREATE VIEW h.v_group AS SELECT g, count(*) FILTER (WHERE a > 1), sum(a) OVER w FROM h.every GROUP BY g, a HAVING count(*) > 0
  WINDOW w AS (PARTITION BY g ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
CREATE VIEW h.v_sets AS SELECT g, n, grouping(g, n), count(*) FROM h.every GROUP BY GROUPING SETS ((g, n), ROLLUP (g), ());
CREATE VIEW h.v_with AS WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r WHERE r.n < 5), m AS MATERIALIZED (SELECT a FROM h.every)
  SELECT r.n, m.a, extract(year FROM now()), now() AT TIME ZONE 'UTC' AS u, trim(both 'x' FROM 'xax'), 'a' COLLATE "C" AS c
  FROM r, m, LATERAL generate_series(1, r.n) WITH ORDINALITY AS s (v, o), ROWS FROM (generate_series(1, 2), generate_series(1, 3)) AS f (p, q);
CREATE VIEW h.v_values AS VALUES (1, 'a'), (2, 'b');
CREATE VIEW h.v_row AS SELECT every FROM h.every;
CREATE VIEW h.v_empty AS SELECT;
CREATE VIEW h.v_sample AS SELECT a FROM h.every TABLESAMPLE bernoulli (10) REPEATABLE (3) FOR UPDATE;
CREATE VIEW h.v_case WITH (security_barrier, security_invoker) AS SELECT CASE n WHEN 'red' THEN 1 WHEN 'green' THEN 2 ELSE NULL END AS c,
  (p[1]).one.name, COALESCE(h, 0), NULLIF(a, 3), a BETWEEN 1 AND 2 AS b, g LIKE 'a%' AS k, j::date AS j FROM h.every;
CREATE MATERIALIZED VIEW h.m AS SELECT a, g FROM h.every WHERE a > 1;
CREATE MATERIALIZED VIEW "H ""x"""."m 2" AS SELECT * FROM h.m WITH NO DATA;
CREATE UNIQUE INDEX ON h.m (a);
CREATE FUNCTION h.of_view(h.v_one) RETURNS text LANGUAGE sql AS 'SELECT ($1).l';

-- ==== Text search, foreign data, publications, the rest ===================================================

CREATE TEXT SEARCH DICTIONARY h.dict (TEMPLATE = pg_catalog.simple, STOPWORDS = 'english', Accept = 'false');
CREATE TEXT SEARCH CONFIGURATION h."Conf" (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION h."Conf" ALTER MAPPING FOR asciiword WITH h.dict, pg_catalog.simple;
CREATE FOREIGN DATA WRAPPER "fdw ""x""" OPTIONS ("a b" 'c=d', e '');
CREATE SERVER srv TYPE 't' VERSION 'v' FOREIGN DATA WRAPPER "fdw ""x""" OPTIONS (host 'a,b', "odd Key" 'it''s');
CREATE USER MAPPING FOR PUBLIC SERVER srv OPTIONS (password 'x', "user" 'y');
CREATE FOREIGN TABLE h.far (a integer OPTIONS (name 'A') NOT NULL, b text COLLATE "C" DEFAULT 'z') SERVER srv OPTIONS (t 'x y');
CREATE PUBLICATION "pub ""1""" FOR TABLE h.every (a, g) WHERE (a > 3), ONLY h.a, h.by_colour WITH (publish = 'insert,delete');
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root);
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA "H ""x""", "select";
CREATE EVENT TRIGGER "et ""1""" ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION h.on_event();
ALTER EVENT TRIGGER "et ""1""" ENABLE REPLICA;
CREATE SEQUENCE "new
line"."seq	tab" AS smallint INCREMENT -7 MINVALUE -70 MAXVALUE 7 START 0 CYCLE;
ALTER SEQUENCE "new
line"."seq	tab" OWNED BY NONE;

-- ==== Names ===============================================================================================

CREATE TABLE "select"."table" ("from" integer PRIMARY KEY, "where" text DEFAULT 'select', CONSTRAINT "order" CHECK ("from" > 0));
CREATE TABLE "new
line"."tab	quote"" dot.dot" ("a.b" integer, "c""d" integer, "日本 😀" text, " " integer, "E'x" integer, "$1" integer);
CREATE INDEX "idx
; DROP" ON "new
line"."tab	quote"" dot.dot" ("a.b", "日本 😀");
CREATE VIEW "select"."view" AS SELECT "from", "where" FROM "select"."table";
CREATE TABLE h."aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (id serial UNIQUE);
COMMENT ON TABLE "select"."table" IS 'a "comment"; it''s
two lines';
COMMENT ON COLUMN h.every."B c" IS 'column';
COMMENT ON CONSTRAINT "check; --" ON h.every IS 'constraint';
COMMENT ON FUNCTION h.same(integer) IS 'one of many';
COMMENT ON OPERATOR h.= (h.number, h.number) IS 'equal';
COMMENT ON CAST (h.number AS integer) IS 'cast';
GRANT SELECT (a, g), UPDATE ("B c") ON h.every TO pg_monitor;
GRANT ALL ON h.ruled TO PUBLIC;
REVOKE ALL ON h.f FROM CURRENT_USER;
REVOKE EXECUTE ON FUNCTION h.same() FROM PUBLIC;
GRANT USAGE ON SCHEMA h TO pg_monitor WITH GRANT OPTION;
GRANT USAGE ON TYPE h.colour TO pg_monitor;

-- ==== Many ================================================================================================

DO $many$
BEGIN
  FOR i IN 1..200 LOOP
    EXECUTE format('CREATE TABLE h.%I (id integer PRIMARY KEY, v text DEFAULT %L, parent integer %s)', 'many ' || i,
                   'v' || i, CASE WHEN i > 1 THEN format('REFERENCES h.%I', 'many ' || i - 1) END);
    EXECUTE format('CREATE INDEX ON h.%I (v, (id + %s))', 'many ' || i, i);
    IF i % 10 = 0 THEN
      EXECUTE format('CREATE VIEW h.%I AS SELECT id, v FROM h.%I WHERE id <> %s', 'view ' || i, 'many ' || i, i);
      EXECUTE format('CREATE TABLE h.%I () INHERITS (h.%I)', 'child ' || i, 'many ' || i);
      EXECUTE format('CREATE TRIGGER t BEFORE INSERT ON h.%I FOR EACH ROW EXECUTE FUNCTION h.fire(%L)', 'many ' || i, i);
    END IF;
  END LOOP;
END
$many$;

-- ==== Rows ================================================================================================

INSERT INTO h.no_columns SELECT FROM generate_series(1, 3);
INSERT INTO h.all_dropped SELECT FROM generate_series(1, 2);
INSERT INTO h.typed (name, extra, age) VALUES ('it''s', 1.10, NULL), ('b', NULL, -9223372036854775808);
INSERT INTO h.typed (name, likes) VALUES ('a', ARRAY['b''lue', '', 'a,b', '"', '\', 'ünï', NULL]::h.colour[]);
INSERT INTO h.every (h, i, j, k, l, m, n, p, q, r, "json_scalar", "absent")
SELECT 12345 * g, ARRAY['a', NULL, 'b"c'], '2024-03-01 12:00:00.126+02'::timestamptz + g * interval '1 hour', '1 day 02:03:04.5678', B'101', 'x',
       (enum_range(NULL::h.colour))[g],
       ARRAY[ROW(ROW('a', ARRAY['red']::h.colour[], 1.50, g)::h.person, NULL, '2024-01-01')::h.couple, NULL], g::h.number,
       h.text_range('a', CASE WHEN g > 1 THEN 'b' || g END), '{"a": 1}', NULL
  FROM generate_series(1, 5) g;
INSERT INTO h.e (g, q) VALUES (NULL, '1'), ('\N', '2'), ('', '3');
INSERT INTO h.unlogged VALUES (1, 1), (2, NULL), (3, 2);

-- Only n that have a leaf wherever the label hashes to.
INSERT INTO h.by_colour SELECT c, n FROM unnest(enum_range(NULL::h.colour)) c, generate_series(1, 60) n
 WHERE satisfies_hash_partition('h.by_colour_0'::regclass, 3, 0, n) OR satisfies_hash_partition('h.by_colour_0'::regclass, 6, 4, n);
INSERT INTO h.deep VALUES ('2023-01-01', 'K', 3, 'x'), ('2023-01-01', 'k', 5, NULL), ('-infinity', '', -5, 'y''z'),
  ('2023-01-01', 'ü', NULL, 'other'), ('2025-01-01', 'A', 7, 'é'), ('infinity', 'z', 8, NULL);
INSERT INTO h.target VALUES (1, 1), (9, -1), (12, 3);
INSERT INTO h.referrer VALUES (NULL, NULL, 1), (1, 1, 2), (12, 3, 3);

INSERT INTO h.a VALUES (1, 2), (2, NULL);
INSERT INTO h.b VALUES (NULL, 3);
INSERT INTO h.c (x, cc, aa, bb) VALUES (5, 6, 7, 8);
INSERT INTO h.d (x, cc, aa, bb) VALUES (15, 16, 17, 18), (15, 16, 17, 18);
INSERT INTO h.f (x, bb) VALUES (25, NULL);

SET session_replication_role = replica;  -- its rules would delete from what publishes deletes without an identity
INSERT INTO h.ruled VALUES (1, 'a'), (2, NULL), (2, NULL), (6, 'b');
RESET session_replication_role;
INSERT INTO "select"."table" VALUES (1, 'where'), (2, E'a\tb\\N');
INSERT INTO "new
line"."tab	quote"" dot.dot" VALUES (1, 2, 'a', NULL, 3, 4), (1, 2, '日本 😀', 0, 3, 4);
INSERT INTO h."aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" SELECT FROM generate_series(1, 3);

DO $rows$
BEGIN
  FOR i IN 1..200 LOOP
    EXECUTE format('INSERT INTO h.%I (id, parent) SELECT g, %s FROM generate_series(1, 3) g', 'many ' || i,
                   CASE WHEN i > 1 THEN 'g' ELSE 'NULL' END);
    IF i % 10 = 0 THEN
      EXECUTE format('INSERT INTO h.%I (id, v) VALUES (%s, NULL)', 'child ' || i, i);
    END IF;
  END LOOP;
END
$rows$;
REFRESH MATERIALIZED VIEW h.m;
