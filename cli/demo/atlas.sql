-- Atlas: the database of a small delivery company with couriers, trips, uploads and invoices.
--
-- Atlas is a model of a database that has lived for some years. It is small, but it holds every kind of object
-- that PostgreSQL 15 can dump, and the corners where copies go wrong: names that need quotes, rows that break
-- their own constraints, partitions whose columns are in another order, text that looks like a dump, and so on. The
-- program has it compiled in, for `cutover demo` to move; tests copy and compare it.
--
--   psql -X -v ON_ERROR_STOP=1 -d DB -f atlas.sql              (superuser, UTF8 database without tables, PostgreSQL 15 or newer)
--
-- Variables:
--   -v scale=10        multiplies the rows of the big tables (default 1: trips holds 120 000 rows)
--   -v lz4=on          gives one column lz4 compression (not every server is built with lz4)
--   -v subscription=on adds a subscription that never connects (DROP DATABASE then needs it dropped first)
--
-- Data is arithmetic on row numbers: two loads give the same rows. Nothing depends on the clock, on random() or on
-- the locale. The roles are created by atlas_roles.sql, which is also what a target server needs.
--
-- Contents: 1 settings, 2 schemas and extensions, 3 types, 4 functions, 5 operators and casts, 6 sequences,
-- 7 core tables, 8 the Prisma side, 9 partitioned tables, 10 inheritance, 11 uploads and large objects,
-- 12 billing, 13 odd names, 14 odd tables, 15 indexes and late constraints, 16 views, 17 triggers and rules,
-- 18 row security, 19 text search, 20 foreign data, 21 publications, 22 statistics, 23 owners, 24 grants,
-- 25 comments, 26 database settings.

-- ==== 1. Settings =========================================================================================

\set QUIET on
\pset format unaligned
\pset tuples_only on

\if :{?scale}
\else
  \set scale 1
\endif
\if :{?lz4}
\else
  \set lz4 off
\endif
\if :{?subscription}
\else
  \set subscription off
\endif

SET client_encoding = 'UTF8';
SET client_min_messages = warning;
SET standard_conforming_strings = on;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
SET extra_float_digits = 1;
SET check_function_bodies = on;
SET search_path = pg_catalog;
SET synchronous_commit = off;

\ir atlas_roles.sql

-- ==== 2. Schemas and extensions ===========================================================================

CREATE SCHEMA core;
CREATE SCHEMA uploads;
CREATE SCHEMA billing;
CREATE SCHEMA audit;
CREATE SCHEMA ext;                  -- one extension lives here, the others in public
CREATE SCHEMA lab;                  -- odd tables
CREATE SCHEMA sandbox;              -- stays empty
CREATE SCHEMA "Données Client";     -- upper case, a space, and letters outside ASCII

CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION pg_trgm SCHEMA public;
CREATE EXTENSION btree_gist SCHEMA public;
CREATE EXTENSION ltree SCHEMA public;

CREATE COLLATION core.bytewise FROM "C";

CREATE CONVERSION core.latin1_in FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

CREATE ACCESS METHOD atlas_heap TYPE TABLE HANDLER heap_tableam_handler;

-- A procedural language, with C functions from a library that every server has.
CREATE FUNCTION core.platlas_call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION core.platlas_inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION core.platlas_check(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE platlas HANDLER core.platlas_call INLINE core.platlas_inline VALIDATOR core.platlas_check;

CREATE TRANSFORM FOR integer LANGUAGE sql (
  FROM SQL WITH FUNCTION prsd_lextype(internal),
  TO SQL WITH FUNCTION int4recv(internal));

-- ==== 3. Types ============================================================================================

CREATE TYPE core.trip_state AS ENUM ('requested', 'accepted', 'finished', 'cancelled');
-- Labels added later sort between the old ones: their order is a fraction, not their number.
ALTER TYPE core.trip_state ADD VALUE 'picked up' BEFORE 'finished';
ALTER TYPE core.trip_state ADD VALUE 'driver''s "break"' AFTER 'accepted';

CREATE TYPE core.dispatch_state AS ENUM
  ('new', 'queued', 'offered', 'taken', 'late', 'lost', 'returned', 'settled', 'closed');

CREATE TYPE core.priority AS ENUM ('low', 'normal', 'urgent');

CREATE TYPE core.no_label AS ENUM ();

CREATE DOMAIN core.positive AS integer CONSTRAINT positive_check CHECK (VALUE > 0);
CREATE DOMAIN core.seat_count AS core.positive DEFAULT 4 CONSTRAINT seats_fit CHECK (VALUE <= 9);
CREATE DOMAIN core.tag_list AS text[] CHECK (array_position(VALUE, NULL) IS NULL AND cardinality(VALUE) <= 10);
CREATE DOMAIN core.plate AS varchar(12) COLLATE core.bytewise NOT NULL CHECK (VALUE ~ '^[A-Z0-9 -]+$');
CREATE DOMAIN core.score AS numeric(4,2);   -- gets a NOT VALID check in section 15

CREATE TYPE core.address AS (street text, "zip Code" varchar(10) COLLATE "C", city text, position point);
CREATE TYPE core.stop AS (seq smallint, place core.address, tags text[]);
CREATE TYPE core.gps_fix AS (device integer, at timestamptz, place point, accuracy real);
CREATE TYPE core.nothing AS ();

CREATE TYPE core.float_range AS RANGE (
  subtype = double precision, subtype_diff = float8mi, multirange_type_name = core.float_ranges);

-- ==== 4. Functions ========================================================================================

CREATE FUNCTION core.slug(label text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT pg_catalog.btrim(pg_catalog.regexp_replace(label, '[^A-Za-z0-9]+', '-', 'g'), '-') $$;

-- A standard body: stored parsed, and dumped after what it depends on.
CREATE FUNCTION core.full_fare(fare numeric, tip numeric DEFAULT 0) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT fare + COALESCE(tip, 0);
END;

CREATE FUNCTION core.full_fare(fare numeric, tip numeric, VARIADIC extras numeric[]) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN fare + COALESCE(tip, 0) + COALESCE((SELECT sum(x) FROM unnest(extras) AS x), 0);

CREATE FUNCTION core.distance(a point, b point, OUT metres double precision, OUT "Is Far" boolean)
LANGUAGE plpgsql IMMUTABLE STRICT COST 20 AS $$
BEGIN
  metres := (a <-> b) * 111000;
  "Is Far" := metres > 5000;
END
$$;

-- Text that looks like a dump, like psql commands and like the end of its own quotes.
CREATE FUNCTION audit.tricky() RETURNS text LANGUAGE plpgsql AS $atlas$
DECLARE
  look_alike text := $q$
--
-- TOC entry 5 (class 1259 OID 16384)
-- Name: trips; Type: TABLE; Schema: core; Owner: atlas_owner
--
COPY core.trips (id, rider_id) FROM stdin;
1	\N
\.
\connect postgres
\unrestrict x
SELECT pg_catalog.set_config('search_path', '', false);
-- PostgreSQL database dump complete
$q$;
  quotes text := 'it''s; "quoted"; $$ dollars $$; $body$ tagged $body$; back\slash \\ \n';   -- a comment; with a semicolon
  /* a block comment /* nested */ ; $$ */
BEGIN
  RETURN look_alike || quotes || E'\t\\.\n';
END;
$atlas$;

CREATE FUNCTION audit.single_quoted() RETURNS text LANGUAGE sql
AS 'SELECT ''one '''' two \ three $$ four $_$ five''::text; -- trailing comment';

-- Carriage returns, tabs, trailing spaces, and no newline at the end.
CREATE FUNCTION audit.carriage_returns() RETURNS integer LANGUAGE plpgsql
AS E'\r\nBEGIN\r\n\tRETURN 42;  \r\nEND;\r\n-- end';

CREATE FUNCTION audit.plus(integer, integer) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'int4pl';

CREATE FUNCTION audit.own_language(n integer) RETURNS integer LANGUAGE platlas AS $$ BEGIN RETURN n + 1; END $$;

CREATE FUNCTION audit.transformed(n integer) RETURNS integer
  TRANSFORM FOR TYPE integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';

CREATE FUNCTION audit.who_am_i() RETURNS TABLE (who name, path text)
LANGUAGE sql STABLE SECURITY DEFINER LEAKPROOF PARALLEL RESTRICTED ROWS 1
SET search_path = core, pg_temp SET work_mem = '8MB'
AS $$ SELECT current_user, current_setting('search_path') $$;

CREATE PROCEDURE audit.note(OUT said text, INOUT counter integer DEFAULT 0)
LANGUAGE plpgsql AS $$
BEGIN
  counter := counter + 1;
  said := 'noted';
  COMMIT;
END
$$;

-- Aggregates: plain with a parallel and a moving form, and an ordered-set one.
CREATE FUNCTION core.join_state(state text, value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN state IS NULL THEN value WHEN value IS NULL THEN state ELSE state || '/' || value END $$;

CREATE AGGREGATE core.join_path(text) (SFUNC = core.join_state, STYPE = text, COMBINEFUNC = core.join_state,
                                       PARALLEL = SAFE);
CREATE AGGREGATE core.total(integer) (SFUNC = int4_sum, STYPE = bigint, INITCOND = '0',
  MSFUNC = int4_avg_accum, MINVFUNC = int4_avg_accum_inv, MSTYPE = bigint[], MFINALFUNC = int2int4_sum,
  MINITCOND = '{0,0}');
CREATE AGGREGATE core.middle(double precision ORDER BY anyelement) (
  SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);

-- ==== 5. Operators and casts ==============================================================================

-- Integers from the largest to the smallest, as an operator class with operators of its own.
CREATE FUNCTION core.int4_before(integer, integer) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION core.int4_before_eq(integer, integer) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION core.int4_after(integer, integer) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION core.int4_after_eq(integer, integer) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION core.int4_backward(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT pg_catalog.btint4cmp($2, $1)';

CREATE OPERATOR core.<<< (FUNCTION = core.int4_before, LEFTARG = integer, RIGHTARG = integer,
  COMMUTATOR = OPERATOR(core.>>>), NEGATOR = OPERATOR(core.>>>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR core.<<<= (FUNCTION = core.int4_before_eq, LEFTARG = integer, RIGHTARG = integer,
  COMMUTATOR = OPERATOR(core.>>>=), NEGATOR = OPERATOR(core.>>>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR core.>>> (FUNCTION = core.int4_after, LEFTARG = integer, RIGHTARG = integer,
  COMMUTATOR = OPERATOR(core.<<<), NEGATOR = OPERATOR(core.<<<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR core.>>>= (FUNCTION = core.int4_after_eq, LEFTARG = integer, RIGHTARG = integer,
  COMMUTATOR = OPERATOR(core.<<<=), NEGATOR = OPERATOR(core.<<<), RESTRICT = scalargesel, JOIN = scalargejoinsel);

CREATE OPERATOR FAMILY core.backward_ops USING btree;
CREATE OPERATOR CLASS core.int4_backward_ops FOR TYPE integer USING btree FAMILY core.backward_ops AS
  OPERATOR 1 core.<<<, OPERATOR 2 core.<<<=, OPERATOR 3 pg_catalog.=, OPERATOR 4 core.>>>=, OPERATOR 5 core.>>>,
  FUNCTION 1 core.int4_backward(integer, integer);
CREATE OPERATOR FAMILY core.spare_ops USING hash;
ALTER OPERATOR FAMILY core.spare_ops USING hash ADD OPERATOR 1 pg_catalog.= (integer, bigint);

CREATE FUNCTION core.slug_of(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT core.slug($1)';
CREATE OPERATOR core.@# (FUNCTION = core.slug_of, RIGHTARG = text);

CREATE FUNCTION core.priority_level(core.priority) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
  AS $$ SELECT CASE $1 WHEN 'low' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END $$;
CREATE CAST (core.priority AS integer) WITH FUNCTION core.priority_level(core.priority) AS ASSIGNMENT;
CREATE CAST (text AS core.priority) WITH INOUT AS IMPLICIT;

-- ==== 6. Sequences ========================================================================================

CREATE SEQUENCE core.ticket START WITH 1000 INCREMENT BY 10 CACHE 20;
CREATE SEQUENCE core.countdown INCREMENT BY -1 MINVALUE -100 MAXVALUE 100 START WITH 100;
CREATE SEQUENCE core.wheel AS smallint MINVALUE 1 MAXVALUE 5 CYCLE;
CREATE SEQUENCE core.far MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807 START WITH 9223372036854775800;
CREATE SEQUENCE core.near_the_end MINVALUE -9223372036854775808 START WITH -9223372036854775808;
CREATE SEQUENCE core.never_called START WITH 77;
CREATE SEQUENCE core.set_not_called;
CREATE SEQUENCE core.used_up AS smallint;
CREATE UNLOGGED SEQUENCE core.unlogged_counter;
CREATE SEQUENCE "Données Client"."Numéro ""Client""";

DO $$
BEGIN
  PERFORM nextval('core.ticket'), nextval('core.countdown'), nextval('core.far'), nextval('core.unlogged_counter');
  PERFORM nextval('core.wheel') FROM generate_series(1, 7);      -- went round: now at 2
  PERFORM setval('core.near_the_end', -9223372036854775807);
  PERFORM setval('core.set_not_called', 4242, false);
  PERFORM setval('core.used_up', 32767);
  PERFORM setval('"Données Client"."Numéro ""Client"""', 12);
END
$$;

-- ==== 7. Core tables ======================================================================================

CREATE TABLE core.employees (
  id          integer GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5) PRIMARY KEY,
  badge       text UNIQUE,
  name        text NOT NULL,
  manager_id  integer REFERENCES core.employees DEFERRABLE INITIALLY IMMEDIATE,
  home        core.address,
  CONSTRAINT not_own_manager CHECK (manager_id <> id)
);
INSERT INTO core.employees (id, badge, name, manager_id, home) OVERRIDING SYSTEM VALUE
SELECT 100 + 5 * i, 'B' || i, (ARRAY['Ana', 'Björn', 'Chloé', '李雷', 'Мария', 'O''Neil'])[i % 6 + 1],
       CASE WHEN i > 0 THEN 100 + 5 * ((i - 1) / 3) END,
       ROW(i || ' Main "Road", flat (2)', '1000' || i, CASE WHEN i % 4 > 0 THEN 'Łódź' END, point(i, -i))::core.address
FROM generate_series(0, 39) AS i;
SELECT setval('core.employees_id_seq', 295) \g /dev/null

-- Two tables that refer to each other.
CREATE TABLE core.drivers (
  id          integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  email       public.citext NOT NULL UNIQUE,
  name        text COLLATE core.bytewise NOT NULL,
  vehicle_id  integer,
  zones       public.ltree[] NOT NULL DEFAULT '{}',
  tags        core.tag_list DEFAULT ARRAY['new']::text[],
  rating      core.score,
  extra       ext.hstore,
  active      boolean NOT NULL DEFAULT true,
  badge_no    integer DEFAULT nextval('core.ticket')
);
CREATE TABLE core.vehicles (
  id          serial PRIMARY KEY,
  plate       core.plate NOT NULL UNIQUE,
  driver_id   integer NOT NULL REFERENCES core.drivers ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  seats       core.seat_count,
  tank        core.float_range,
  services    core.float_ranges,
  weight      double precision
);
INSERT INTO core.drivers (id, email, name, vehicle_id, zones, tags, rating, extra, active, badge_no)
SELECT i, CASE WHEN i % 2 = 0 THEN 'Driver' ELSE 'driver' END || i || '@Atlas.example',
       (ARRAY['ana', 'Ana', 'björn', 'Zoë', '_x', 'Émile'])[i % 6 + 1] || ' ' || i, i,
       ARRAY[('city.north.z' || i % 7)::public.ltree, 'city.south'], ARRAY['van', 'tag ' || i % 5, 'a,b "c" {d}'],
       CASE WHEN i = 13 THEN -1 ELSE (i % 500) / 100.0 END,
       ext.hstore(ARRAY['k', 'empty', 'null', 'odd "key" =>'], ARRAY[i::text, '', NULL, E'tab\there']),
       i % 9 <> 0, 100000 + i
FROM generate_series(1, 400) AS i;
INSERT INTO core.vehicles (plate, driver_id, seats, tank, services, weight)
SELECT 'AT-' || lpad(i::text, 4, '0'), i, 1 + i % 9, core.float_range(i / 3.0, CASE WHEN i % 10 > 0 THEN i + 0.1 END),
       core.float_ranges(core.float_range(0, 1.5), core.float_range(i + 2, i + 3, '[]')),
       CASE i % 50 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN '-Infinity' ELSE 1000 + i / 7.0::double precision END
FROM generate_series(1, 400) AS i;
ALTER TABLE core.drivers ADD CONSTRAINT drivers_vehicle_fkey FOREIGN KEY (vehicle_id) REFERENCES core.vehicles
  ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
SELECT setval('core.drivers_id_seq', 400) \g /dev/null

-- The big table. Two columns were dropped in its life; one was added with a default after the rows (the old rows
-- do not hold it on disk).
CREATE TABLE core.trips (
  id           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  legacy_code  text,
  rider_id     integer NOT NULL,
  driver_id    integer,
  state        core.trip_state NOT NULL DEFAULT 'requested',
  requested_at timestamptz NOT NULL,
  pickup       point NOT NULL,
  dropoff      point,
  distance_m   integer CHECK (distance_m >= 0),
  legacy_flag  boolean,
  fare         numeric(10,2) NOT NULL,
  tip          numeric(10,2),
  total        numeric GENERATED ALWAYS AS (core.full_fare(fare, tip)) STORED,
  note         text
) WITH (fillfactor = 95, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = off);
ALTER TABLE core.trips DROP COLUMN legacy_code;
INSERT INTO core.trips (id, rider_id, driver_id, state, requested_at, pickup, dropoff, distance_m, fare, tip, note)
SELECT i, 1 + i * 7919 % 2000, CASE WHEN i % 11 > 0 THEN 1 + i * 31 % 400 END,
       (ARRAY['finished', 'finished', 'finished', 'cancelled', 'picked up', 'driver''s "break"', 'accepted']
       ::core.trip_state[])[1 + i % 7],
       timestamptz '2024-01-01 00:00:00+00' + i * interval '97.000123 seconds',
       point(6 + i % 1000 / 1000.0, 52 + i % 777 / 777.0),
       CASE WHEN i % 7 <> 3 THEN point(6 + i % 991 / 991.0, 52 - i % 333 / 333.0) END,
       CASE WHEN i % 13 > 0 THEN i * 13 % 20000 END,
       (300 + i * 17 % 9000) / 100.0, CASE WHEN i % 3 = 0 THEN (i % 500) / 100.0 END,
       CASE WHEN i % 1000 = 0 THEN E'line one\nline two\ttab \\ back\\slash \\N \\.' WHEN i % 500 = 0 THEN ''
            WHEN i % 20 = 0 THEN 'note ' || md5(i::text) END
FROM generate_series(1, (120000 * :scale)::bigint) AS i;
ALTER TABLE core.trips DROP COLUMN legacy_flag, ADD COLUMN surge numeric NOT NULL DEFAULT 1.00,
                       ADD COLUMN channel text DEFAULT 'app';
INSERT INTO core.trips (id, rider_id, requested_at, pickup, fare, surge, channel)
VALUES (-1, 1, '-infinity', '(0,0)', 0, 1.0, NULL), (9223372036854775807, 2, 'infinity', '(1e300,-0)', 99999999.99, 2, '');
SELECT setval('core.trips_id_seq', (120000 * :scale)::bigint) \g /dev/null

-- A typed table.
CREATE TABLE core.gps_fixes OF core.gps_fix (
  PRIMARY KEY (device, at),
  accuracy WITH OPTIONS DEFAULT 5.5 CHECK (accuracy > 0)
);
INSERT INTO core.gps_fixes
SELECT i % 50, timestamptz '2024-06-01 00:00:00+00' + i * interval '1 second', point(i / 3.0, -i / 7.0), 1 + i % 9 / 10.0
FROM generate_series(1, 2000) AS i;

-- Bookings: exclusion constraints, unique constraints that are checked late or that count nulls as equal.
CREATE TABLE core.bookings (
  id         integer PRIMARY KEY,
  vehicle_id integer NOT NULL REFERENCES core.vehicles,
  during     tstzrange NOT NULL,
  slots      int4multirange,
  voucher    text,
  position   integer,
  urgency    core.priority DEFAULT 'normal',
  route      core.stop[],
  CONSTRAINT bookings_do_not_overlap EXCLUDE USING gist (vehicle_id WITH =, during WITH &&) WHERE (voucher IS NOT NULL),
  CONSTRAINT bookings_voucher UNIQUE NULLS NOT DISTINCT (vehicle_id, voucher),
  CONSTRAINT bookings_position UNIQUE (position) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT bookings_slots EXCLUDE USING btree (id WITH =) DEFERRABLE
);
INSERT INTO core.bookings
SELECT i, i, tstzrange(timestamptz '2024-03-01 08:00+00' + i * interval '1 hour', CASE WHEN i % 10 > 0
       THEN timestamptz '2024-03-01 09:00+00' + i * interval '1 hour' END, '[)'),
       int4multirange(int4range(i, i + 3), int4range(i + 10, i + 12)), CASE WHEN i % 4 > 0 THEN 'V' || i END, 301 - i,
       (ARRAY['low', 'normal', 'urgent']::core.priority[])[1 + i % 3],
       ARRAY[ROW(1, ROW('A', NULL, 'B', NULL), ARRAY['x', NULL]), ROW(2, NULL, '{}'), NULL]::core.stop[]
FROM generate_series(1, 300) AS i;

-- Deliveries: foreign keys of several columns.
CREATE TABLE core.depots (
  country char(2), code varchar(8), label text UNIQUE, PRIMARY KEY (country, code)
);
CREATE TABLE core.parcels (
  id bigserial PRIMARY KEY, country char(2), depot varchar(8), back_country char(2), back_depot varchar(8),
  depot_label text REFERENCES core.depots (label) ON UPDATE CASCADE,
  CONSTRAINT parcels_depot FOREIGN KEY (country, depot) REFERENCES core.depots MATCH FULL ON DELETE RESTRICT,
  CONSTRAINT parcels_back FOREIGN KEY (back_country, back_depot) REFERENCES core.depots ON DELETE SET NULL (back_depot)
);
INSERT INTO core.depots SELECT (ARRAY['fr', 'de', 'BE'])[1 + i % 3], 'D ' || i, 'depot №' || i FROM generate_series(1, 30) AS i;
INSERT INTO core.parcels (country, depot, back_country, depot_label)
SELECT (ARRAY['fr', 'de', 'BE'])[1 + j % 3], 'D ' || j, CASE WHEN i % 2 = 0 THEN 'xx' END, 'depot №' || j
FROM generate_series(1, 900) AS i, LATERAL (SELECT 1 + i % 30) AS s (j);

-- ==== 8. The Prisma side ==================================================================================

CREATE TYPE public."Role" AS ENUM ('RIDER', 'DRIVER', 'ADMIN');

CREATE TABLE public._prisma_migrations (
  id                  varchar(36) PRIMARY KEY NOT NULL,
  checksum            varchar(64) NOT NULL,
  finished_at         timestamptz,
  migration_name      varchar(255) NOT NULL,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
);
INSERT INTO public._prisma_migrations VALUES
  ('7a1c2f6e-52f0-4c0e-9f25-0d6f3b1f0001', repeat('0a', 32), '2023-11-02 10:00:00.123+00', '20231102095900_init', NULL, NULL, '2023-11-02 09:59:59+00', 1),
  ('7a1c2f6e-52f0-4c0e-9f25-0d6f3b1f0002', repeat('1b', 32), NULL, '20231210120000_add_uploads', E'A migration failed to apply.\n\nDatabase error code: 42P07', '2023-12-10 12:05:00+00', '2023-12-10 12:00:00+00', 0),
  ('7a1c2f6e-52f0-4c0e-9f25-0d6f3b1f0003', repeat('2c', 32), '2023-12-10 12:06:00+00', '20231210120000_add_uploads', NULL, NULL, '2023-12-10 12:05:30+00', 1);

CREATE TABLE public."User" (
  id          serial,
  email       text NOT NULL,
  "fullName"  text,
  role        public."Role" NOT NULL DEFAULT 'RIDER',
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" timestamp(3) NOT NULL,
  settings    jsonb NOT NULL DEFAULT '{}',
  "rawLogin"  json,
  CONSTRAINT "User_pkey" PRIMARY KEY (id)
);
INSERT INTO public."User"
SELECT i, 'user' || i || '@example.org', (ARRAY['Günther', 'Hélène', 'Ígor', '', NULL, '🙂 Smile'])[1 + i % 6],
       (ARRAY['RIDER', 'RIDER', 'DRIVER', 'ADMIN']::public."Role"[])[1 + i % 4],
       timestamp '2023-11-02 10:00' + i * interval '13.377 minutes', timestamp '2024-02-01 10:00' + i * interval '1 minute',
       jsonb_build_object('lang', CASE WHEN i % 2 = 0 THEN 'fr' ELSE 'en' END, 'n', i, 'nested', jsonb_build_array(1.10, NULL, E'\n"')),
       CASE WHEN i % 5 = 0 THEN ('{"b" : 1,  "a":' || i || ', "a":2}')::json END
FROM generate_series(1, 2000) AS i;
SELECT setval('public."User_id_seq"', 2000) \g /dev/null
CREATE UNIQUE INDEX "User_email_key" ON public."User" (email);

CREATE TABLE public."Zone" (id text NOT NULL, name text NOT NULL, CONSTRAINT "Zone_pkey" PRIMARY KEY (id));
INSERT INTO public."Zone" SELECT 'c' || substr(md5('zone' || i), 1, 24), 'Zone ' || i FROM generate_series(1, 25) AS i;

-- A many-to-many table as Prisma makes them: no primary key, a unique index instead.
CREATE TABLE public."_UserToZone" ("A" integer NOT NULL, "B" text NOT NULL);
INSERT INTO public."_UserToZone"
SELECT i, 'c' || substr(md5('zone' || 1 + i % 25), 1, 24) FROM generate_series(1, 2000) AS i;
CREATE UNIQUE INDEX "_UserToZone_AB_unique" ON public."_UserToZone" ("A", "B");
CREATE INDEX "_UserToZone_B_index" ON public."_UserToZone" ("B");
ALTER TABLE public."_UserToZone"
  ADD CONSTRAINT "_UserToZone_A_fkey" FOREIGN KEY ("A") REFERENCES public."User" (id) ON DELETE CASCADE ON UPDATE CASCADE,
  ADD CONSTRAINT "_UserToZone_B_fkey" FOREIGN KEY ("B") REFERENCES public."Zone" (id) ON DELETE CASCADE ON UPDATE CASCADE;

-- ==== 9. Partitioned tables ===============================================================================

-- By range of time; one month is partitioned again by list; one partition came from outside with its columns in
-- another order and dropped columns; there is a default partition.
CREATE TABLE core.trip_events (
  id      bigint NOT NULL,
  at      timestamptz NOT NULL,
  dropped integer,
  kind    text NOT NULL,
  payload jsonb,
  size    integer GENERATED ALWAYS AS (length(kind) * 2) STORED,
  PRIMARY KEY (id, at, kind)
) PARTITION BY RANGE (at);
ALTER TABLE core.trip_events DROP COLUMN dropped;
CREATE TABLE core.trip_events_2024_01 PARTITION OF core.trip_events
  FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2024-02-01 00:00+00') WITH (fillfactor = 80);
CREATE TABLE core.trip_events_2024_02 PARTITION OF core.trip_events
  FOR VALUES FROM ('2024-02-01 00:00+00') TO ('2024-03-01 00:00+00') PARTITION BY LIST (kind);
CREATE TABLE core.trip_events_2024_02_gps PARTITION OF core.trip_events_2024_02 FOR VALUES IN ('gps', 'gps''s "odd"');
CREATE TABLE core.trip_events_2024_02_rest PARTITION OF core.trip_events_2024_02 DEFAULT;
CREATE TABLE core.trip_events_2024_03 (
  junk    text,
  payload jsonb,
  kind    text NOT NULL,
  extra   integer,
  at      timestamptz NOT NULL,
  size    integer GENERATED ALWAYS AS (length(kind) * 2) STORED,
  id      bigint NOT NULL
);
ALTER TABLE core.trip_events_2024_03 DROP COLUMN junk, DROP COLUMN extra;
ALTER TABLE core.trip_events ATTACH PARTITION core.trip_events_2024_03
  FOR VALUES FROM ('2024-03-01 00:00+00') TO ('2024-04-01 00:00+00');
CREATE TABLE core.trip_events_other PARTITION OF core.trip_events DEFAULT;
INSERT INTO core.trip_events (id, at, kind, payload)
SELECT i, timestamptz '2023-12-25 00:00+00' + i * (interval '110 days' / (8000 * :scale)),
       (ARRAY['gps', 'door', 'chat', 'gps''s "odd"'])[1 + i % 4], jsonb_build_object('trip', i * 3, 'v', i / 8.0)
FROM generate_series(1, (8000 * :scale)::bigint) AS i;

-- By list, with null in a partition of its own. No key.
CREATE TABLE core.prices (country char(2), valid daterange, cents integer) PARTITION BY LIST (country);
CREATE TABLE core.prices_fr PARTITION OF core.prices FOR VALUES IN ('fr', 'be');
CREATE TABLE core.prices_de PARTITION OF core.prices (cents DEFAULT 100, CHECK (cents > 0)) FOR VALUES IN ('de');
CREATE TABLE core.prices_null PARTITION OF core.prices FOR VALUES IN (NULL);
CREATE TABLE core.prices_none PARTITION OF core.prices FOR VALUES IN ('zz');     -- stays empty
INSERT INTO core.prices
SELECT (ARRAY['fr', 'be', 'de', NULL])[1 + i % 4], daterange('2024-01-01'::date + i % 20, '2024-06-01'), 100 + i % 10
FROM generate_series(1, 400) AS i;

-- By hash of an integer.
CREATE TABLE core.devices (id integer PRIMARY KEY, model text) PARTITION BY HASH (id);
CREATE TABLE core.devices_0 PARTITION OF core.devices FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE core.devices_1 PARTITION OF core.devices FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE core.devices_2 PARTITION OF core.devices FOR VALUES WITH (MODULUS 4, REMAINDER 2) PARTITION BY RANGE (id);
CREATE TABLE core.devices_2_low PARTITION OF core.devices_2 FOR VALUES FROM (MINVALUE) TO (500);
CREATE TABLE core.devices_2_high PARTITION OF core.devices_2 FOR VALUES FROM (500) TO (MAXVALUE);
CREATE TABLE core.devices_3 PARTITION OF core.devices FOR VALUES WITH (MODULUS 4, REMAINDER 3);
INSERT INTO core.devices SELECT i, 'model ' || i % 17 FROM generate_series(1, 1000) AS i;

-- By hash of an enum. The hash is that of the label's OID, which is another one in every database: after a copy the
-- same row belongs to another leaf. A dump must be loaded through the root (pg_dump does so by itself since its
-- minor releases of May 2023; older ones need --load-via-partition-root), and the leaves of a source and of its copy
-- must not be compared with each other: only the root can be.
CREATE TABLE core.dispatches (id integer, state core.dispatch_state, who text, PRIMARY KEY (id, state))
  PARTITION BY HASH (state);
CREATE TABLE core.dispatches_0 PARTITION OF core.dispatches FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE core.dispatches_1 PARTITION OF core.dispatches FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE core.dispatches_2 PARTITION OF core.dispatches FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO core.dispatches
SELECT i, (enum_range(NULL::core.dispatch_state))[1 + i % 9], 'driver ' || i % 40 FROM generate_series(1, 900) AS i;

-- Partitioned, without any partition.
CREATE TABLE core.plans (id integer PRIMARY KEY, title text) PARTITION BY RANGE (id);

-- A foreign key to a partitioned table, and one from a partitioned table.
CREATE TABLE core.repairs (id integer PRIMARY KEY, device_id integer REFERENCES core.devices);
INSERT INTO core.repairs SELECT i, i * 3 FROM generate_series(1, 300) AS i;
ALTER TABLE core.dispatches ADD CONSTRAINT dispatches_device FOREIGN KEY (id) REFERENCES core.devices (id);

-- ==== 10. Inheritance =====================================================================================

CREATE TABLE core.places (
  id integer PRIMARY KEY, label text NOT NULL, place point, CONSTRAINT labelled CHECK (label <> ''),
  CONSTRAINT only_here CHECK (id < 10000) NO INHERIT
);
CREATE TABLE core.priced (id integer, cents integer DEFAULT 0);
CREATE TABLE core.restaurants (cuisine text, seats integer) INHERITS (core.places);
CREATE TABLE core.hotels (rooms integer, id integer DEFAULT 7, PRIMARY KEY (id)) INHERITS (core.places, core.priced);
CREATE TABLE core.grand_hotels (ballroom boolean) INHERITS (core.hotels);
INSERT INTO core.places SELECT i, 'place ' || i, point(i, i) FROM generate_series(1, 20) AS i;
INSERT INTO core.priced SELECT i, i * 100 FROM generate_series(1, 5) AS i;
INSERT INTO core.restaurants SELECT i, 'restaurant ' || i, NULL, 'thaï', i % 40 FROM generate_series(10, 60) AS i; -- ids that the parent has too
INSERT INTO core.hotels (id, label, cents, rooms) SELECT i, 'hotel ' || i, i, i FROM generate_series(20001, 20030) AS i;
INSERT INTO core.grand_hotels (id, label, ballroom) SELECT i, 'grand ' || i, i % 2 = 0 FROM generate_series(30001, 30004) AS i;

-- ==== 11. Uploads and large objects =======================================================================

CREATE TABLE uploads.files (
  id         uuid PRIMARY KEY,
  user_id    integer NOT NULL REFERENCES public."User" (id),
  path       public.ltree NOT NULL,
  mime       text NOT NULL,
  body       bytea,
  transcript text,
  meta       jsonb,
  attributes ext.hstore,
  search     tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(mime, ''))) STORED,
  sha        bytea,
  object     oid
);
ALTER TABLE uploads.files
  ALTER body SET STORAGE EXTERNAL, ALTER transcript SET STORAGE EXTENDED, ALTER meta SET STORAGE MAIN,
  ALTER sha SET STORAGE PLAIN, ALTER transcript SET COMPRESSION pglz,
  ALTER mime SET STATISTICS 500, ALTER user_id SET (n_distinct = -0.5, n_distinct_inherited = 100);
\if :lz4
  ALTER TABLE uploads.files ALTER meta SET COMPRESSION lz4;
\endif
INSERT INTO uploads.files (id, user_id, path, mime, body, transcript, meta, attributes, sha, object)
SELECT md5('file' || i)::uuid, 1 + i % 2000, ('files.y2024.f' || i)::public.ltree,
       (ARRAY['image/png', 'text/plain', 'application/pdf'])[1 + i % 3],
       -- out of line and not compressed: noise of up to 24 kB
       CASE WHEN i % 5 = 0 THEN '' WHEN i % 5 < 4 THEN
         (SELECT decode(string_agg(md5(i || '/' || n), '' ORDER BY n), 'hex') FROM generate_series(1, i * 37 % 1500) AS n) END,
       -- out of line and compressed: repeated text of up to 300 kB
       CASE WHEN i % 4 = 0 THEN repeat('chapter ' || i || E' é\n', 1000 + i * 53 % 20000) WHEN i % 4 = 1 THEN 'short' END,
       -- compressed in the row, or out of line when that does not help
       jsonb_build_object('exif', repeat(chr(97 + i % 26), 3000 + i % 1000), 'i', i),
       ext.hstore('w', i::text) OPERATOR(ext.||) ext.hstore('long', repeat('xy', i % 3000)),
       sha256(i::text::bytea), CASE WHEN i % 100 = 0 THEN 720000 + i / 100 END
FROM generate_series(1, (320 * :scale)::integer) AS i;

-- Large objects: empty, small, with holes, several megabytes, with an owner and a comment, with grants, and one
-- with an OID near the top.
DO $$
BEGIN
  PERFORM lo_create(720001);
  PERFORM lo_from_bytea(720002, 'small \\ with \000 a zero byte');
  PERFORM lo_from_bytea(720003, decode(repeat('00ff5c2e0a', 60000), 'hex'));
  PERFORM lo_create(720004);
  PERFORM lo_put(720004, 1000, 'first');
  PERFORM lo_put(720004, 3145728, 'after a hole of three megabytes');
  PERFORM lo_from_bytea(720005, (SELECT decode(string_agg(md5('lo' || n), '' ORDER BY n), 'hex') FROM generate_series(1, 131072) AS n));
  PERFORM lo_from_bytea(720006, decode(repeat('ab', 2048), 'hex'));   -- exactly one page
  PERFORM lo_create(720007);
  PERFORM lo_put(720007, 100000, '');
  PERFORM lo_from_bytea(4294967000, 'high');
END
$$;
DO $$   -- a hole at the end: the size is not what was written
DECLARE fd integer := lo_open(720007, x'20000'::integer);
BEGIN
  PERFORM lo_truncate(fd, 250000), lo_close(fd);
END
$$;

-- ==== 12. Billing =========================================================================================

CREATE TABLE billing.invoices (
  country  char(2) NOT NULL,
  number   integer NOT NULL,
  tenant   text NOT NULL,
  issued   date NOT NULL,
  amount   numeric NOT NULL,
  due_in   interval,
  paid     boolean,
  PRIMARY KEY (country, number)
);
INSERT INTO billing.invoices
SELECT CASE WHEN i % 2 = 0 THEN 'fr' ELSE 'de' END, i, 'tenant ' || i % 5, date '2024-01-01' + i % 366,
       CASE WHEN i % 100 = 0 THEN 'NaN' WHEN i % 101 = 0 THEN 'Infinity' WHEN i % 3 = 0 THEN 1.10 ELSE 1.1 END,
       CASE WHEN i % 4 > 0 THEN make_interval(months => i % 3, days => -i % 40, secs => i / 7.0) END,
       CASE WHEN i % 3 > 0 THEN i % 3 = 1 END
FROM generate_series(1, 1500) AS i;

CREATE TABLE billing.payments (
  id       bigint PRIMARY KEY,
  country  char(2),
  number   integer,
  currency char(3) NOT NULL,
  amount   money,
  iban     text,
  CONSTRAINT payments_invoice FOREIGN KEY (country, number) REFERENCES billing.invoices ON UPDATE CASCADE
);
INSERT INTO billing.payments
SELECT i, CASE WHEN i % 2 = 0 THEN 'fr' ELSE 'de' END, i, 'eur', (i * 3.33)::numeric::money, NULLIF('FR76' || i % 9, 'FR760')
FROM generate_series(1, 1400) AS i;

CREATE TABLE billing.refunds (id integer PRIMARY KEY, payment_id bigint, cents integer);
INSERT INTO billing.refunds SELECT i, i * 20, CASE WHEN i = 50 THEN -5 ELSE i END FROM generate_series(1, 71) AS i;  -- 1420 is no payment
-- Rows that break them are there: these two stay NOT VALID, at the source and in a copy.
ALTER TABLE billing.refunds
  ADD CONSTRAINT refunds_payment FOREIGN KEY (payment_id) REFERENCES billing.payments NOT VALID,
  ADD CONSTRAINT refunds_positive CHECK (cents > 0) NOT VALID;

-- Rows cannot be told apart by anything: no key, and every row several times.
CREATE TABLE billing.ledger (account text, cents integer, memo text);
INSERT INTO billing.ledger
SELECT CASE WHEN i % 7 > 0 THEN 'acc ' || i % 7 END, i % 3, NULLIF(repeat('m', i % 4), 'mm')
FROM generate_series(1, (3000 * :scale)::integer) AS i;
ALTER TABLE billing.ledger REPLICA IDENTITY FULL;

-- ==== 13. Odd names =======================================================================================

CREATE TABLE "Données Client"."Ville & ""Pays""" (
  "Clé Primaire"   integer PRIMARY KEY,
  "double""quote"  text,
  "new
line"              text DEFAULT 'a
b',
  "a.b"            text,
  "tab	here"      text,
  "it's"           integer DEFAULT nextval('"Données Client"."Numéro ""Client"""'),
  "select"         boolean,
  "\back\slash"    text,
  "%s $1 :var {}"  integer,
  "日本語 😀"        text,
  " "              text,
  "0"              text
);
INSERT INTO "Données Client"."Ville & ""Pays"""
SELECT i, 'a"b', E'x\ny', '.', E'\t', i * 2, i % 2 = 0, E'\\', i, '猫' || i, ' ', '0' FROM generate_series(1, 50) AS i;
CREATE INDEX "idx ""odd""
name" ON "Données Client"."Ville & ""Pays""" ("new
line", "日本語 😀");
ALTER TABLE "Données Client"."Ville & ""Pays""" ADD CONSTRAINT "vérifié; -- non" CHECK ("%s $1 :var {}" > 0);

-- The name ends a line, and the next line looks like a statement.
CREATE TABLE "Données Client"."x
DROP TABLE y;--" (id integer PRIMARY KEY, parent integer REFERENCES "Données Client"."Ville & ""Pays""");
INSERT INTO "Données Client"."x
DROP TABLE y;--" SELECT i, i FROM generate_series(1, 10) AS i;

-- 63 bytes, the longest name there is; reserved words; names that differ by case or by a trailing space.
CREATE TABLE "Données Client"."aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (id serial PRIMARY KEY, v text UNIQUE);
INSERT INTO "Données Client"."aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (v) VALUES ('x'), ('y');
CREATE TABLE "Données Client".table_ (id integer);
CREATE TABLE "Données Client"."Table_" (id integer);
CREATE TABLE "Données Client"."table_ " (id integer);
CREATE TABLE "Données Client"."table" ("user" name DEFAULT 'me', "order" integer, "default" text DEFAULT 'DEFAULT');
INSERT INTO "Données Client".table_ VALUES (1);
INSERT INTO "Données Client"."Table_" VALUES (2);
INSERT INTO "Données Client"."table_ " VALUES (3);
INSERT INTO "Données Client"."table" ("order") VALUES (1), (1), (NULL);
CREATE TYPE "Données Client"."État ""civil""" AS ENUM ('Célibataire', 'Marié(e)', 'a,b', '"', '\', '');
CREATE TYPE "Données Client"."Pièce" AS ("n°" integer, "x
y" "Données Client"."État ""civil""");
CREATE TABLE "Données Client"."Personnes" (
  "Id" integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  "État" "Données Client"."État ""civil""",
  "Pièces" "Données Client"."Pièce"[]
);
INSERT INTO "Données Client"."Personnes" ("État", "Pièces")
SELECT e, ARRAY[ROW(1, e), ROW(NULL, NULL), NULL]::"Données Client"."Pièce"[]
FROM unnest(enum_range(NULL::"Données Client"."État ""civil""")) AS e;
CREATE FUNCTION "Données Client"."Calcul (n)"("x y" integer, OUT "Résultat" integer) LANGUAGE sql
  AS $$ SELECT "Calcul (n)"."x y" * 2 $$;

-- ==== 14. Odd tables ======================================================================================

CREATE TABLE lab.no_columns ();
INSERT INTO lab.no_columns DEFAULT VALUES;
INSERT INTO lab.no_columns DEFAULT VALUES;
INSERT INTO lab.no_columns DEFAULT VALUES;

CREATE TABLE lab.all_dropped (a integer, b text);
INSERT INTO lab.all_dropped VALUES (1, 'x'), (2, 'y');
ALTER TABLE lab.all_dropped DROP COLUMN a, DROP COLUMN b;

CREATE TABLE lab.generated_only (answer integer GENERATED ALWAYS AS (42) STORED);
INSERT INTO lab.generated_only DEFAULT VALUES;
INSERT INTO lab.generated_only DEFAULT VALUES;

CREATE TABLE lab.generated_first (doubled integer GENERATED ALWAYS AS (n * 2) STORED, n integer DEFAULT 7);
INSERT INTO lab.generated_first DEFAULT VALUES;
INSERT INTO lab.generated_first (n) VALUES (8), (NULL);

CREATE TABLE lab.dropped_columns (a integer, id integer PRIMARY KEY, b text, c integer, d text);
INSERT INTO lab.dropped_columns SELECT i, i, 'b' || i, i, 'd' || i FROM generate_series(1, 100) AS i;
ALTER TABLE lab.dropped_columns DROP COLUMN a, DROP COLUMN c, ADD COLUMN e integer DEFAULT 5, ADD COLUMN c text;

CREATE TABLE lab.duplicates (a integer, b text);
INSERT INTO lab.duplicates SELECT i % 3, NULLIF('v' || i % 2, 'v1') FROM generate_series(1, 60) AS i;

CREATE UNLOGGED TABLE lab.unlogged (id integer PRIMARY KEY, v text);
INSERT INTO lab.unlogged SELECT i, md5(i::text) FROM generate_series(1, 100) AS i;

CREATE TABLE lab.empty (id integer PRIMARY KEY, v text NOT NULL);

CREATE TABLE lab.only_nulls (a integer, b text, c bytea);
INSERT INTO lab.only_nulls VALUES (NULL, NULL, NULL), (NULL, NULL, NULL);

CREATE TABLE lab.own_storage (id integer PRIMARY KEY, v text) USING atlas_heap;
INSERT INTO lab.own_storage SELECT i, 'stored ' || i FROM generate_series(1, 20) AS i;

-- Values that mean something else to the text format of COPY.
CREATE TABLE lab.copy_text (id integer PRIMARY KEY, v text);
INSERT INTO lab.copy_text VALUES (1, ''), (2, NULL), (3, '\N'), (4, '\.'), (5, E'\\.\n'), (6, E'a\tb'), (7, E'a\r\nb\rc'),
  (8, E'\\'), (9, E'\b\f\x0b\x01\x7f'), (10, '"quoted",comma'), (11, U&'\FEFFbom'), (12, '💾'), (13, E'x\n\\.\ny'),
  (14, ' spaces  '), (15, 'NULL'), (16, E'\\x41 \\101'), (17, E'\n'), (18, '-- comment'), (19, '$$'), (20, repeat('é', 5000));

CREATE TABLE lab.identity_text (code smallint GENERATED ALWAYS AS IDENTITY (MINVALUE -5 START WITH -5 MAXVALUE 5 CYCLE), v text UNIQUE);
INSERT INTO lab.identity_text (v) SELECT 'v' || i FROM generate_series(1, 13) AS i;

-- ==== 15. Indexes and late constraints ====================================================================

ALTER TABLE core.trips
  ADD CONSTRAINT trips_rider FOREIGN KEY (rider_id) REFERENCES public."User" (id),
  ADD CONSTRAINT trips_driver FOREIGN KEY (driver_id) REFERENCES core.drivers ON DELETE SET NULL DEFERRABLE;
CREATE INDEX trips_driver_idx ON core.trips (driver_id, requested_at DESC NULLS LAST) INCLUDE (state) WHERE driver_id IS NOT NULL;
CREATE INDEX trips_requested_idx ON core.trips USING brin (requested_at) WITH (pages_per_range = 16);
CREATE INDEX trips_note_idx ON core.trips USING gin (note public.gin_trgm_ops) WITH (fastupdate = off) WHERE note <> '';
CREATE INDEX trips_state_idx ON core.trips (state) WHERE state NOT IN ('finished', 'cancelled');
CREATE INDEX trips_tip_idx ON core.trips (tip DESC NULLS FIRST, id) WHERE tip > 4;
CREATE UNIQUE INDEX employees_slug_idx ON core.employees (core.slug(badge), (lower(name) || '!'));
CREATE INDEX employees_hash_idx ON core.employees USING hash (name);
CREATE INDEX employees_backward_idx ON core.employees (manager_id core.int4_backward_ops);
CREATE INDEX drivers_name_idx ON core.drivers (name COLLATE "C" text_pattern_ops);
CREATE INDEX drivers_extra_idx ON core.drivers USING gin (extra);
CREATE INDEX drivers_zones_idx ON core.drivers USING gist (zones public.gist__ltree_ops (siglen = 100));
CREATE INDEX vehicles_tank_idx ON core.vehicles USING gist (tank);
CREATE INDEX gps_fixes_place_idx ON core.gps_fixes USING spgist (place);
CREATE INDEX gps_fixes_at_idx ON core.gps_fixes USING brin (at timestamptz_minmax_multi_ops (values_per_range = 16));
CREATE INDEX files_search_idx ON uploads.files USING gin (search);
CREATE INDEX files_meta_idx ON uploads.files USING gin (meta jsonb_path_ops);
CREATE INDEX files_expression_idx ON uploads.files ((meta ->> 'i'), length(mime));
ALTER INDEX uploads.files_expression_idx ALTER COLUMN 2 SET STATISTICS 300;
CREATE UNIQUE INDEX identity_idx ON core.parcels (id) INCLUDE (depot) WITH (fillfactor = 70);
CREATE UNIQUE INDEX drivers_badge_idx ON core.drivers (badge_no) NULLS NOT DISTINCT;

-- On partitioned tables: one index everywhere; one attached to some leaves only, so that it stays invalid.
CREATE INDEX trip_events_kind_idx ON core.trip_events (kind, at);
CREATE INDEX trip_events_half_idx ON ONLY core.trip_events (at);
CREATE INDEX trip_events_half_01_idx ON core.trip_events_2024_01 (at);
ALTER INDEX core.trip_events_half_idx ATTACH PARTITION core.trip_events_half_01_idx;
CREATE UNIQUE INDEX devices_leaf_idx ON core.devices_1 (model, id);

-- A unique index promoted to a primary key, CLUSTER ON and replica identities.
CREATE UNIQUE INDEX only_unique ON core.priced (id);
ALTER TABLE core.priced ALTER id SET NOT NULL, ADD CONSTRAINT priced_pkey PRIMARY KEY USING INDEX only_unique;
ALTER TABLE core.gps_fixes CLUSTER ON gps_fixes_pkey;
ALTER TABLE core.vehicles CLUSTER ON vehicles_tank_idx;
ALTER TABLE core.vehicles REPLICA IDENTITY USING INDEX vehicles_plate_key;
ALTER TABLE public."_UserToZone" REPLICA IDENTITY USING INDEX "_UserToZone_AB_unique";
ALTER TABLE lab.duplicates REPLICA IDENTITY NOTHING;

-- A domain check that one driver's rating breaks.
ALTER DOMAIN core.score ADD CONSTRAINT score_range CHECK (VALUE BETWEEN 0 AND 5) NOT VALID;

-- ==== 16. Views ===========================================================================================

CREATE VIEW core.active_drivers AS SELECT id, email, name, active FROM core.drivers WHERE active
  WITH LOCAL CHECK OPTION;
CREATE VIEW core.named_drivers WITH (security_barrier = true, security_invoker = true) AS
  SELECT * FROM core.active_drivers WHERE name <> '' WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW core.chart (id, name, depth, path) AS
  SELECT id, name, 0, ARRAY[id] FROM core.employees WHERE manager_id IS NULL
  UNION ALL
  SELECT e.id, e.name, c.depth + 1, c.path || e.id FROM core.employees AS e JOIN chart AS c ON e.manager_id = c.id;
-- Grouped by the primary key: it needs the constraint, so a dump creates it in two steps.
CREATE VIEW core.driver_totals AS
  SELECT d.id, d.name, d.email, count(t.*) AS trips, sum(t.total) AS total, core.join_path(DISTINCT t.state::text) AS states
  FROM core.drivers AS d LEFT JOIN core.trips AS t ON t.driver_id = d.id GROUP BY d.id;
-- A function over the row type of a view, and a view over that function.
CREATE FUNCTION core.label(driver core.active_drivers) RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT driver.name || ' <' || driver.email || '>' $$;
CREATE VIEW core.driver_labels AS SELECT d.id, core.label(d) AS label FROM core.active_drivers AS d;
CREATE VIEW "Données Client"."Vue ""1""" ("a b", "c""d") AS
  SELECT "Clé Primaire", "double""quote" FROM "Données Client"."Ville & ""Pays""";
CREATE VIEW lab.no_columns_view AS SELECT FROM lab.no_columns;
ALTER VIEW core.active_drivers ALTER COLUMN active SET DEFAULT true;

-- Rules: an updatable view by INSTEAD rules, one that writes along (COPY does not run it), one disabled.
CREATE TABLE audit.rule_log (id bigint GENERATED ALWAYS AS IDENTITY, said text);
CREATE VIEW core.depot_names AS SELECT country, code, label FROM core.depots;
CREATE RULE depot_insert AS ON INSERT TO core.depot_names DO INSTEAD
  INSERT INTO core.depots VALUES (NEW.country, NEW.code, NEW.label) RETURNING country, code, label;
CREATE RULE depot_update AS ON UPDATE TO core.depot_names WHERE OLD.label IS DISTINCT FROM NEW.label DO INSTEAD
  UPDATE core.depots SET label = NEW.label WHERE country = OLD.country AND code = OLD.code;
CREATE RULE depot_update_else AS ON UPDATE TO core.depot_names DO INSTEAD NOTHING;
CREATE RULE depot_delete AS ON DELETE TO core.depot_names DO INSTEAD
  (INSERT INTO audit.rule_log (said) VALUES ('deleted; ' || OLD.code); DELETE FROM core.depots WHERE code = OLD.code);
CREATE RULE log_lab AS ON INSERT TO lab.empty DO ALSO INSERT INTO audit.rule_log (said) VALUES ('lab.empty ' || NEW.v);
CREATE RULE log_off AS ON DELETE TO lab.empty DO ALSO NOTIFY atlas_deleted;
ALTER TABLE lab.empty DISABLE RULE log_off;

-- Materialized views: plain, one on another, one never filled, and one over text that a copy must keep.
CREATE MATERIALIZED VIEW core.daily AS
  SELECT (requested_at AT TIME ZONE 'UTC')::date AS day, state, count(*) AS trips, sum(total) AS total
  FROM core.trips WHERE isfinite(requested_at) GROUP BY 1, 2;
CREATE UNIQUE INDEX daily_idx ON core.daily (day, state);
CREATE MATERIALIZED VIEW core.a_monthly WITH (fillfactor = 90) AS     -- sorts before the view that it needs
  SELECT date_trunc('month', day::timestamp) AS month, sum(trips) AS trips, sum(total) AS total FROM core.daily GROUP BY 1;
CREATE MATERIALIZED VIEW core.never_filled AS SELECT * FROM core.driver_totals WITH NO DATA;
CREATE MATERIALIZED VIEW lab.texts AS SELECT id, v FROM lab.copy_text;

-- ==== 17. Triggers and rules ==============================================================================

-- They come after the rows. The functions only tidy what they are given, or write to audit.changes.
CREATE TABLE audit.changes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, relation text, operation text, amount bigint);

CREATE FUNCTION audit.tidy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.name := btrim(NEW.name);
  RETURN NEW;
END
$$;
CREATE FUNCTION audit.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN COALESCE(NEW, OLD); END $$;
CREATE FUNCTION audit.count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.changes (relation, operation, amount)
  SELECT TG_RELID::regclass, TG_OP || ' ' || COALESCE(TG_ARGV[0], ''), count(*) FROM new_rows;
  RETURN NULL;
END
$$;
CREATE FUNCTION audit.log_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.changes (relation, operation) VALUES (TG_RELID::regclass, TG_OP);
  RETURN NULL;
END
$$;
CREATE FUNCTION audit.insert_driver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO core.drivers (email, name) VALUES (NEW.email, NEW.name);
  RETURN NEW;
END
$$;

CREATE TRIGGER tidy BEFORE INSERT OR UPDATE OF name ON core.drivers
  FOR EACH ROW WHEN (NEW.name LIKE ' %') EXECUTE FUNCTION audit.tidy();
CREATE TRIGGER counted AFTER INSERT ON billing.payments REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION audit.count_rows('an argument, it''s "quoted" \ ');
CREATE TRIGGER updated AFTER UPDATE ON billing.payments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION audit.count_rows();
CREATE CONSTRAINT TRIGGER "late check" AFTER INSERT OR UPDATE ON billing.invoices DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION audit.keep();
CREATE TRIGGER emptied BEFORE TRUNCATE ON billing.invoices FOR EACH STATEMENT EXECUTE FUNCTION audit.log_statement();
CREATE TRIGGER switched_off BEFORE INSERT ON core.employees FOR EACH ROW EXECUTE FUNCTION audit.tidy();
CREATE TRIGGER on_replica BEFORE INSERT ON core.employees FOR EACH ROW EXECUTE FUNCTION audit.tidy();
CREATE TRIGGER always BEFORE INSERT OR UPDATE ON core.employees FOR EACH ROW EXECUTE FUNCTION audit.tidy();
ALTER TABLE core.employees DISABLE TRIGGER switched_off, ENABLE REPLICA TRIGGER on_replica, ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER instead_insert INSTEAD OF INSERT ON core.driver_labels FOR EACH ROW EXECUTE FUNCTION audit.keep();
CREATE TRIGGER never_twice BEFORE UPDATE ON lab.copy_text
  FOR EACH ROW WHEN (OLD.* IS NOT DISTINCT FROM NEW.*) EXECUTE FUNCTION suppress_redundant_updates_trigger();
-- On a partitioned table every leaf has its copy of the trigger; one copy is disabled.
CREATE TRIGGER leafwise AFTER INSERT OR DELETE ON core.devices FOR EACH ROW EXECUTE FUNCTION audit.keep();
ALTER TABLE core.devices_1 DISABLE TRIGGER leafwise;

-- Event triggers: one writes down later changes to tables of schema core, one is disabled.
CREATE TABLE audit.ddl (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tag text, identity text);
CREATE FUNCTION audit.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.ddl (tag, identity)
  SELECT command_tag, object_identity FROM pg_event_trigger_ddl_commands() WHERE schema_name = 'core';
END
$$;
CREATE FUNCTION audit.on_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no drop'; END $$;
-- They are created at the end of this file, after the last change to a table.

-- ==== 18. Row security ====================================================================================

ALTER TABLE billing.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.invoices FORCE ROW LEVEL SECURITY;    -- not even its owner sees all rows
CREATE POLICY by_tenant ON billing.invoices TO atlas_app, "atlas Ops"
  USING (tenant = current_setting('atlas.tenant', true)) WITH CHECK (tenant = current_setting('atlas.tenant', true));
CREATE POLICY "read; only" ON billing.invoices FOR SELECT TO atlas_reader USING (paid);
CREATE POLICY recent ON billing.invoices AS RESTRICTIVE FOR ALL TO PUBLIC USING (issued > '2024-01-10');
CREATE POLICY add ON billing.invoices FOR INSERT TO atlas_app WITH CHECK (EXISTS (SELECT FROM billing.payments WHERE id = 1));
ALTER TABLE lab.copy_text ENABLE ROW LEVEL SECURITY;      -- without any policy
CREATE POLICY sleeping ON lab.duplicates FOR DELETE USING (a > 1);   -- on a table that has row security off

-- ==== 19. Text search =====================================================================================

CREATE TEXT SEARCH PARSER core.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE core.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY core.no_stop (TEMPLATE = core.plain, ACCEPT = true);
CREATE TEXT SEARCH DICTIONARY core.french (TEMPLATE = snowball, LANGUAGE = french);
CREATE TEXT SEARCH CONFIGURATION core.search (PARSER = core.words);
ALTER TEXT SEARCH CONFIGURATION core.search ADD MAPPING FOR asciiword, word, numword WITH core.no_stop, simple;
CREATE TEXT SEARCH CONFIGURATION core.french_search (COPY = pg_catalog.french);
ALTER TEXT SEARCH CONFIGURATION core.french_search ALTER MAPPING FOR word WITH core.french;
CREATE INDEX zone_search_idx ON public."Zone" USING gin (to_tsvector('core.search', name));

-- ==== 20. Foreign data ====================================================================================

-- The wrapper has no handler: its table exists and cannot be read.
CREATE FOREIGN DATA WRAPPER dummy OPTIONS (debug 'false');
CREATE SERVER "partner Bank" TYPE 'bank' VERSION '1.0' FOREIGN DATA WRAPPER dummy OPTIONS (host 'bank.example', "odd Key" 'it''s');
CREATE USER MAPPING FOR atlas_app SERVER "partner Bank" OPTIONS (user 'atlas', password 'not a secret');
CREATE USER MAPPING FOR PUBLIC SERVER "partner Bank";
CREATE FOREIGN TABLE billing.bank_lines (
  id integer OPTIONS (column_name 'ID') NOT NULL, amount numeric DEFAULT 0, CHECK (amount >= 0)
) SERVER "partner Bank" OPTIONS (path '/lines');

-- ==== 21. Publications ====================================================================================

SET client_min_messages = error;    -- a publication may warn about wal_level
CREATE PUBLICATION atlas_some FOR TABLE core.drivers (id, email, active) WHERE (active AND id > 10),
  public."User", core.trips (id, state), "Données Client"."Ville & ""Pays""" WITH (publish = 'insert');
CREATE PUBLICATION atlas_schemas FOR TABLES IN SCHEMA audit, "Données Client", TABLE core.devices
  WITH (publish = 'insert, truncate', publish_via_partition_root = true);
CREATE PUBLICATION "atlas Nothing";
\if :subscription
  CREATE SUBSCRIPTION atlas_partner CONNECTION 'host=partner.example dbname=partner' PUBLICATION theirs
    WITH (connect = false, slot_name = NONE, binary = true);
\endif
SET client_min_messages = warning;

-- ==== 22. Statistics ======================================================================================

CREATE STATISTICS core.trips_stats (ndistinct, dependencies, mcv) ON driver_id, state FROM core.trips;
CREATE STATISTICS core.trips_expression ON (total / 10), (lower(note)) FROM core.trips;
CREATE STATISTICS "Données Client"."stats ""1""" ON "Clé Primaire", "select" FROM "Données Client"."Ville & ""Pays""";
ALTER STATISTICS core.trips_stats SET STATISTICS 200;

-- ==== 23. Owners ==========================================================================================

DO $owners$
DECLARE
  command text;
  own CONSTANT regnamespace[] := ARRAY['core', 'uploads', 'billing', 'audit', 'lab', '"Données Client"', 'public'];
BEGIN
  FOR command IN
    SELECT format('ALTER SCHEMA %s OWNER TO atlas_owner', n)
    FROM unnest(own) AS n WHERE n <> 'public'::regnamespace
    UNION ALL
    SELECT format('ALTER %s %s OWNER TO atlas_owner', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                  WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class AS c WHERE relnamespace = ANY (own) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i', 'e'))
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO atlas_owner', p.oid::regprocedure)
    FROM pg_proc AS p WHERE pronamespace = ANY (own) AND prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('c', 'internal'))
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO atlas_owner', t.oid::regtype)
    FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = typrelid
    WHERE typnamespace = ANY (own) AND typtype IN ('c', 'd', 'e', 'r') AND (c.oid IS NULL OR relkind = 'c')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')
  LOOP
    EXECUTE command;
  END LOOP;
END
$owners$;
-- Some things belong to others, and some (functions in C, the schemas ext and sandbox) stay with the superuser.
ALTER SCHEMA "Données Client" OWNER TO "atlas Ops";
ALTER TABLE "Données Client"."Personnes" OWNER TO "atlas Ops";
ALTER TABLE core.trip_events_2024_03 OWNER TO "atlas Ops";
ALTER VIEW core.chart OWNER TO atlas_app;
ALTER COLLATION core.bytewise OWNER TO atlas_owner;
ALTER TEXT SEARCH CONFIGURATION core.search OWNER TO atlas_owner;
ALTER STATISTICS core.trips_stats OWNER TO atlas_owner;
ALTER OPERATOR core.@# (NONE, text) OWNER TO atlas_owner;
ALTER SERVER "partner Bank" OWNER TO atlas_owner;
ALTER LARGE OBJECT 720002 OWNER TO atlas_owner;
ALTER LARGE OBJECT 720005 OWNER TO "atlas Ops";

-- ==== 24. Grants ==========================================================================================

GRANT USAGE ON SCHEMA core, uploads, billing, public, ext TO atlas_app, atlas_reader, "atlas Ops";
GRANT ALL ON SCHEMA sandbox TO "atlas Ops" WITH GRANT OPTION;
GRANT USAGE, CREATE ON SCHEMA "Données Client" TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA core TO atlas_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON core.trips, core.drivers, core.vehicles, public."User" TO atlas_app;
GRANT ALL ON uploads.files TO "atlas Ops" WITH GRANT OPTION;
SET ROLE "atlas Ops";
GRANT SELECT ON uploads.files TO atlas_reader;       -- granted by someone who is not the owner
RESET ROLE;
GRANT SELECT (country, number, tenant), UPDATE (paid) ON billing.invoices TO atlas_reader;
GRANT INSERT ("double""quote", "日本語 😀") ON "Données Client"."Ville & ""Pays""" TO "atlas Ops" WITH GRANT OPTION;
REVOKE ALL ON lab.empty FROM atlas_owner;            -- an owner without any right
GRANT TRUNCATE, REFERENCES, TRIGGER ON lab.duplicates TO PUBLIC;
GRANT USAGE ON SEQUENCE core.ticket TO atlas_app;
GRANT SELECT, UPDATE ON SEQUENCE core.wheel TO PUBLIC;
REVOKE EXECUTE ON FUNCTION audit.tricky() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.tricky() TO "atlas Ops";
GRANT EXECUTE ON PROCEDURE audit.note(integer) TO atlas_app WITH GRANT OPTION;
REVOKE USAGE ON TYPE core.priority FROM PUBLIC;
GRANT USAGE ON TYPE core.priority TO atlas_app;
REVOKE USAGE ON LANGUAGE platlas FROM PUBLIC;
GRANT USAGE ON LANGUAGE platlas TO atlas_owner;
GRANT USAGE ON FOREIGN DATA WRAPPER dummy TO atlas_owner;
GRANT USAGE ON FOREIGN SERVER "partner Bank" TO atlas_app;
GRANT SELECT ON LARGE OBJECT 720002 TO atlas_reader;
GRANT SELECT, UPDATE ON LARGE OBJECT 720005 TO atlas_app WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_logdir() TO "atlas Ops";     -- on an object of the system
REVOKE EXECUTE ON FUNCTION ext.slice(ext.hstore, text[]) FROM PUBLIC;   -- on a member of an extension
DO $$ BEGIN
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO atlas_app', current_database());
  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;

ALTER DEFAULT PRIVILEGES FOR ROLE atlas_owner IN SCHEMA core GRANT SELECT ON TABLES TO atlas_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE atlas_owner GRANT USAGE ON SEQUENCES TO atlas_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE "atlas Ops" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE atlas_owner GRANT USAGE ON SCHEMAS TO "atlas Ops";
ALTER DEFAULT PRIVILEGES FOR ROLE atlas_owner IN SCHEMA "Données Client" GRANT USAGE ON TYPES TO atlas_reader;

-- ==== 25. Comments ========================================================================================

COMMENT ON SCHEMA core IS 'Trips; couriers -- and so on';
COMMENT ON SCHEMA "Données Client" IS 'Nom d''école: "é"';
COMMENT ON EXTENSION citext IS 'Our own words about citext';
COMMENT ON COLLATION core.bytewise IS 'Byte order';
COMMENT ON CONVERSION core.latin1_in IS 'Old files';
COMMENT ON ACCESS METHOD atlas_heap IS 'The heap by another name';
COMMENT ON LANGUAGE platlas IS 'PL/pgSQL by another name';
COMMENT ON TRANSFORM FOR integer LANGUAGE sql IS 'Never used';
COMMENT ON TYPE core.trip_state IS 'States of a trip';
COMMENT ON TYPE core.address IS 'An address';
COMMENT ON COLUMN core.address.city IS 'A column of a composite type';
COMMENT ON TYPE core.float_range IS 'A range';
COMMENT ON DOMAIN core.positive IS 'More than zero';
COMMENT ON CONSTRAINT positive_check ON DOMAIN core.positive IS 'The check of a domain';
COMMENT ON FUNCTION audit.tricky() IS E'Two\nlines; -- $$ \\ and a backslash';
COMMENT ON PROCEDURE audit.note(integer) IS 'A procedure';
COMMENT ON AGGREGATE core.join_path(text) IS 'An aggregate';
COMMENT ON AGGREGATE core.middle(double precision ORDER BY anyelement) IS 'An ordered-set aggregate';
COMMENT ON OPERATOR core.<<< (integer, integer) IS 'An operator';
COMMENT ON OPERATOR core.@# (NONE, text) IS 'A prefix operator';
COMMENT ON OPERATOR CLASS core.int4_backward_ops USING btree IS 'An operator class';
COMMENT ON OPERATOR FAMILY core.spare_ops USING hash IS 'An operator family';
COMMENT ON CAST (core.priority AS integer) IS 'A cast';
COMMENT ON SEQUENCE core.never_called IS 'Its first value is 77';
COMMENT ON TABLE core.trips IS 'The big table';
COMMENT ON COLUMN core.trips.total IS 'Generated';
COMMENT ON COLUMN "Données Client"."Ville & ""Pays"""."new
line" IS 'A column
with a newline';
COMMENT ON TABLE core.trip_events IS 'Partitioned';
COMMENT ON TABLE core.trip_events_2024_03 IS 'Attached from outside';
COMMENT ON CONSTRAINT trips_rider ON core.trips IS 'A foreign key';
COMMENT ON CONSTRAINT bookings_do_not_overlap ON core.bookings IS 'An exclusion constraint';
COMMENT ON INDEX core.trips_note_idx IS 'An index';
COMMENT ON INDEX core.trip_events_kind_idx IS 'A partitioned index';
COMMENT ON VIEW core.driver_totals IS 'A view';
COMMENT ON COLUMN core.driver_totals.total IS 'A column of a view';
COMMENT ON MATERIALIZED VIEW core.daily IS 'A materialized view';
COMMENT ON COLUMN core.daily.day IS 'In UTC';
COMMENT ON RULE depot_insert ON core.depot_names IS 'A rule';
COMMENT ON TRIGGER counted ON billing.payments IS 'A trigger';
COMMENT ON POLICY by_tenant ON billing.invoices IS 'A policy';
COMMENT ON TEXT SEARCH PARSER core.words IS 'A parser';
COMMENT ON TEXT SEARCH TEMPLATE core.plain IS 'A template';
COMMENT ON TEXT SEARCH DICTIONARY core.no_stop IS 'A dictionary';
COMMENT ON TEXT SEARCH CONFIGURATION core.search IS 'A configuration';
COMMENT ON FOREIGN DATA WRAPPER dummy IS 'A wrapper';
COMMENT ON SERVER "partner Bank" IS 'A server';
COMMENT ON FOREIGN TABLE billing.bank_lines IS 'A foreign table';
COMMENT ON COLUMN billing.bank_lines.id IS 'A column of a foreign table';
COMMENT ON PUBLICATION atlas_some IS 'A publication';
COMMENT ON STATISTICS core.trips_stats IS 'A statistics object';
COMMENT ON LARGE OBJECT 720005 IS 'A large object; it''s "big"';
DO $$ BEGIN
  EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), 'Atlas: trips, couriers, uploads and invoices');
END $$;

-- ==== 26. Database settings ===============================================================================

-- The numbers of the planner, so that the first queries after a load are sensible.
ANALYZE core.trips, public."User", uploads.files, billing.invoices;

DO $$
DECLARE
  database text := quote_ident(current_database());
BEGIN
  EXECUTE 'ALTER DATABASE ' || database || ' SET search_path = core, public, ext, "Données Client"';
  EXECUTE 'ALTER DATABASE ' || database || ' SET timezone = ''Europe/Paris''';
  EXECUTE 'ALTER DATABASE ' || database || ' SET datestyle = ''SQL, DMY''';
  EXECUTE 'ALTER DATABASE ' || database || ' SET intervalstyle = ''iso_8601''';
  EXECUTE 'ALTER DATABASE ' || database || ' SET bytea_output = ''escape''';
  EXECUTE 'ALTER DATABASE ' || database || ' SET extra_float_digits = 0';
  EXECUTE 'ALTER DATABASE ' || database || ' SET atlas.tenant = ''it''''s; "tenant" 1''';
  EXECUTE 'ALTER ROLE atlas_app IN DATABASE ' || database || ' SET statement_timeout = ''30s''';
  EXECUTE 'ALTER ROLE atlas_app IN DATABASE ' || database || ' SET search_path = ''$user'', core, public';
  EXECUTE 'ALTER ROLE "atlas Ops" IN DATABASE ' || database || ' SET work_mem = ''64MB''';
END
$$;

CREATE EVENT TRIGGER atlas_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION audit.on_ddl();
CREATE EVENT TRIGGER atlas_drop ON sql_drop EXECUTE FUNCTION audit.on_drop();
ALTER EVENT TRIGGER atlas_drop DISABLE;
COMMENT ON EVENT TRIGGER atlas_ddl IS 'An event trigger';
