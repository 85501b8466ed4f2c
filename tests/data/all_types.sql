-- Every built-in type, and the values of each that copies get wrong. Everything is in schema "types".
--
--   psql -X -v ON_ERROR_STOP=1 -d DB -f all_types.sql          (superuser, UTF8 database, PostgreSQL 12 to 18)
--
-- Variables:
--   -v part=schema         only creates the tables; -v part=data only fills them; default: both
--   -v max_version=120000  leaves out all that a server of this version does not have (default: the server's own).
--                          With part=schema on a newer server this creates what the older one has.
--
-- Tables:  t_TYPE (id, v)   one per type, the values of section 2
--          a_TYPE (id, v)   arrays of that type: one and two dimensions, other lower bounds, nulls, empty
--          everything       one wide table with a column per type
--          k_NAME           tables for their keys: extreme, odd, collated, of several columns
--          the rest         no key, no rows, no columns, identity, generated columns, inheritance
--
-- Section 1 is the schema, section 2 the rows. The a_ tables and "everything" are made from the t_ tables.

\set QUIET on
\pset format unaligned
\pset tuples_only on

\if :{?part}
\else
  \set part both
\endif
\if :{?max_version}
\else
  \set max_version :SERVER_VERSION_NUM
\endif

SET client_encoding = 'UTF8';
SET client_min_messages = warning;
SET standard_conforming_strings = on;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
SET extra_float_digits = 1;
SET search_path = pg_catalog, public;
SET xmloption = content;

SELECT :'part' IN ('schema', 'both') AS do_schema, :'part' IN ('data', 'both') AS do_data,
       least(:max_version, :SERVER_VERSION_NUM) >= 130000 AS from_13,
       least(:max_version, :SERVER_VERSION_NUM) >= 140000 AS from_14,
       least(:max_version, :SERVER_VERSION_NUM) >= 150000 AS from_15,
       least(:max_version, :SERVER_VERSION_NUM) >= 170000 AS from_17,
       EXISTS (SELECT FROM pg_collation WHERE collname = 'en-x-icu') AS icu
\gset

-- ==== 1. Schema ===========================================================================================

\if :do_schema

CREATE SCHEMA types;
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
CREATE EXTENSION IF NOT EXISTS ltree SCHEMA public;

CREATE TYPE types.mood AS ENUM ('sad', 'ok', 'so, "so"', '\', '', 'é', 'NULL', 'happy');
ALTER TYPE types.mood ADD VALUE 'in between' BEFORE 'ok';
CREATE TYPE types.pair AS (a integer, "b c" text);
CREATE TYPE types.nested AS (p types.pair, ps types.pair[], m types.mood, n numeric);
CREATE DOMAIN types.small AS smallint CHECK (VALUE BETWEEN -10 AND 10);
CREATE DOMAIN types.words AS text[] CHECK (cardinality(VALUE) < 20);
CREATE DOMAIN types.smaller AS types.small CHECK (VALUE <> 0);
CREATE DOMAIN types.some_pair AS types.pair CHECK ((VALUE).a > 0);
CREATE TYPE types.text_range AS RANGE (subtype = text, collation = "C");

-- Whole numbers, and what is stored like them
CREATE TABLE types.t_int2 (id integer PRIMARY KEY, v smallint);
CREATE TABLE types.t_int4 (id integer PRIMARY KEY, v integer);
CREATE TABLE types.t_int8 (id integer PRIMARY KEY, v bigint);
CREATE TABLE types.t_bool (id integer PRIMARY KEY, v boolean);
CREATE TABLE types.t_oid (id integer PRIMARY KEY, v oid);
CREATE TABLE types.t_xid (id integer PRIMARY KEY, v xid);
CREATE TABLE types.t_cid (id integer PRIMARY KEY, v cid);
CREATE TABLE types.t_tid (id integer PRIMARY KEY, v tid);
CREATE TABLE types.t_oidvector (id integer PRIMARY KEY, v oidvector);
CREATE TABLE types.t_int2vector (id integer PRIMARY KEY, v int2vector);
CREATE TABLE types.t_pg_lsn (id integer PRIMARY KEY, v pg_lsn);
CREATE TABLE types.t_txid_snapshot (id integer PRIMARY KEY, v txid_snapshot);
-- Fractions
CREATE TABLE types.t_numeric (id integer PRIMARY KEY, v numeric);
CREATE TABLE types.t_numeric_12_4 (id integer PRIMARY KEY, v numeric(12,4));
CREATE TABLE types.t_float4 (id integer PRIMARY KEY, v real);
CREATE TABLE types.t_float8 (id integer PRIMARY KEY, v double precision);
CREATE TABLE types.t_money (id integer PRIMARY KEY, v money);
-- Text and bytes
CREATE TABLE types.t_text (id integer PRIMARY KEY, v text);
CREATE TABLE types.t_varchar (id integer PRIMARY KEY, v varchar);
CREATE TABLE types.t_varchar_10 (id integer PRIMARY KEY, v varchar(10));
CREATE TABLE types.t_bpchar (id integer PRIMARY KEY, v bpchar);
CREATE TABLE types.t_char_5 (id integer PRIMARY KEY, v char(5));
CREATE TABLE types.t_char (id integer PRIMARY KEY, v "char");
CREATE TABLE types.t_name (id integer PRIMARY KEY, v name);
CREATE TABLE types.t_bytea (id integer PRIMARY KEY, v bytea);
CREATE TABLE types.t_bit_5 (id integer PRIMARY KEY, v bit(5));
CREATE TABLE types.t_varbit (id integer PRIMARY KEY, v bit varying);
CREATE TABLE types.t_varbit_9 (id integer PRIMARY KEY, v bit varying(9));
CREATE TABLE types.t_refcursor (id integer PRIMARY KEY, v refcursor);
CREATE TABLE types.t_uuid (id integer PRIMARY KEY, v uuid);
-- Times
CREATE TABLE types.t_date (id integer PRIMARY KEY, v date);
CREATE TABLE types.t_time (id integer PRIMARY KEY, v time);
CREATE TABLE types.t_time_0 (id integer PRIMARY KEY, v time(0));
CREATE TABLE types.t_timetz (id integer PRIMARY KEY, v timetz);
CREATE TABLE types.t_timestamp (id integer PRIMARY KEY, v timestamp);
CREATE TABLE types.t_timestamp_3 (id integer PRIMARY KEY, v timestamp(3));
CREATE TABLE types.t_timestamptz (id integer PRIMARY KEY, v timestamptz);
CREATE TABLE types.t_interval (id integer PRIMARY KEY, v interval);
CREATE TABLE types.t_interval_ym (id integer PRIMARY KEY, v interval year to month);
CREATE TABLE types.t_interval_2 (id integer PRIMARY KEY, v interval second(2));
-- Geometry and networks
CREATE TABLE types.t_point (id integer PRIMARY KEY, v point);
CREATE TABLE types.t_line (id integer PRIMARY KEY, v line);
CREATE TABLE types.t_lseg (id integer PRIMARY KEY, v lseg);
CREATE TABLE types.t_box (id integer PRIMARY KEY, v box);
CREATE TABLE types.t_path (id integer PRIMARY KEY, v path);
CREATE TABLE types.t_polygon (id integer PRIMARY KEY, v polygon);
CREATE TABLE types.t_circle (id integer PRIMARY KEY, v circle);
CREATE TABLE types.t_inet (id integer PRIMARY KEY, v inet);
CREATE TABLE types.t_cidr (id integer PRIMARY KEY, v cidr);
CREATE TABLE types.t_macaddr (id integer PRIMARY KEY, v macaddr);
CREATE TABLE types.t_macaddr8 (id integer PRIMARY KEY, v macaddr8);
-- Documents
CREATE TABLE types.t_json (id integer PRIMARY KEY, v json);
CREATE TABLE types.t_jsonb (id integer PRIMARY KEY, v jsonb);
CREATE TABLE types.t_jsonpath (id integer PRIMARY KEY, v jsonpath);
CREATE TABLE types.t_xml (id integer PRIMARY KEY, v xml);
CREATE TABLE types.t_tsvector (id integer PRIMARY KEY, v tsvector);
CREATE TABLE types.t_tsquery (id integer PRIMARY KEY, v tsquery);
-- Names of objects: stored as an OID, which is another one in every database
CREATE TABLE types.t_regclass (id integer PRIMARY KEY, v regclass);
CREATE TABLE types.t_regtype (id integer PRIMARY KEY, v regtype);
CREATE TABLE types.t_regproc (id integer PRIMARY KEY, v regproc);
CREATE TABLE types.t_regprocedure (id integer PRIMARY KEY, v regprocedure);
CREATE TABLE types.t_regoper (id integer PRIMARY KEY, v regoper);
CREATE TABLE types.t_regoperator (id integer PRIMARY KEY, v regoperator);
CREATE TABLE types.t_regrole (id integer PRIMARY KEY, v regrole);
CREATE TABLE types.t_regnamespace (id integer PRIMARY KEY, v regnamespace);
CREATE TABLE types.t_regconfig (id integer PRIMARY KEY, v regconfig);
CREATE TABLE types.t_regdictionary (id integer PRIMARY KEY, v regdictionary);
CREATE TABLE types.t_aclitem (id integer PRIMARY KEY, v aclitem);       -- has no binary form
-- Ranges
CREATE TABLE types.t_int4range (id integer PRIMARY KEY, v int4range);
CREATE TABLE types.t_int8range (id integer PRIMARY KEY, v int8range);
CREATE TABLE types.t_numrange (id integer PRIMARY KEY, v numrange);
CREATE TABLE types.t_daterange (id integer PRIMARY KEY, v daterange);
CREATE TABLE types.t_tsrange (id integer PRIMARY KEY, v tsrange);
CREATE TABLE types.t_tstzrange (id integer PRIMARY KEY, v tstzrange);
-- Types of this file and of extensions
CREATE TABLE types.t_mood (id integer PRIMARY KEY, v types.mood);
CREATE TABLE types.t_pair (id integer PRIMARY KEY, v types.pair);
CREATE TABLE types.t_nested (id integer PRIMARY KEY, v types.nested);
CREATE TABLE types.t_row (id integer PRIMARY KEY, v types.t_text);      -- the row type of a table
CREATE TABLE types.t_small (id integer PRIMARY KEY, v types.small);
CREATE TABLE types.t_smaller (id integer PRIMARY KEY, v types.smaller);
CREATE TABLE types.t_words (id integer PRIMARY KEY, v types.words);
CREATE TABLE types.t_some_pair (id integer PRIMARY KEY, v types.some_pair);
CREATE TABLE types.t_text_range (id integer PRIMARY KEY, v types.text_range);
CREATE TABLE types.t_citext (id integer PRIMARY KEY, v public.citext);
CREATE TABLE types.t_hstore (id integer PRIMARY KEY, v public.hstore);
CREATE TABLE types.t_ltree (id integer PRIMARY KEY, v public.ltree);
CREATE TABLE types.t_lquery (id integer PRIMARY KEY, v public.lquery);
\if :from_13
  CREATE TABLE types.t_xid8 (id integer PRIMARY KEY, v xid8);
  CREATE TABLE types.t_pg_snapshot (id integer PRIMARY KEY, v pg_snapshot);
  CREATE TABLE types.t_regcollation (id integer PRIMARY KEY, v regcollation);
\endif
\if :from_14
  CREATE TABLE types.t_int4multirange (id integer PRIMARY KEY, v int4multirange);
  CREATE TABLE types.t_int8multirange (id integer PRIMARY KEY, v int8multirange);
  CREATE TABLE types.t_nummultirange (id integer PRIMARY KEY, v nummultirange);
  CREATE TABLE types.t_datemultirange (id integer PRIMARY KEY, v datemultirange);
  CREATE TABLE types.t_tsmultirange (id integer PRIMARY KEY, v tsmultirange);
  CREATE TABLE types.t_tstzmultirange (id integer PRIMARY KEY, v tstzmultirange);
  CREATE TABLE types.t_text_multirange (id integer PRIMARY KEY, v types.text_multirange);
\endif
\if :from_15
  CREATE TABLE types.t_numeric_3_m2 (id integer PRIMARY KEY, v numeric(3,-2));
  CREATE TABLE types.t_numeric_2_4 (id integer PRIMARY KEY, v numeric(2,4));
\endif

-- The arrays, and the wide table. A domain over an array has arrays too.
SELECT format('CREATE TABLE types.%I (id integer PRIMARY KEY, v %s[])', 'a' || substr(relname, 2), format_type(atttypid, atttypmod))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'v'
WHERE relnamespace = 'types'::regnamespace AND relname LIKE 't\_%' AND relkind = 'r' ORDER BY relname COLLATE "C"
\gexec
SELECT format('CREATE TABLE types.everything (id integer PRIMARY KEY, %s)',
              string_agg(format('%I %s', substr(relname, 3), format_type(atttypid, atttypmod)), ', ' ORDER BY relname COLLATE "C"))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'v'
WHERE relnamespace = 'types'::regnamespace AND relname LIKE 't\_%' AND relkind = 'r'
\gexec

-- Keys
CREATE TABLE types.k_int8 (k bigint PRIMARY KEY, v text);
CREATE TABLE types.k_int4 (k integer PRIMARY KEY, v text);
CREATE TABLE types.k_int2 (k smallint PRIMARY KEY, v text);
CREATE TABLE types.k_oid (k oid PRIMARY KEY, v text);
CREATE TABLE types.k_numeric (k numeric PRIMARY KEY, v text);
CREATE TABLE types.k_float8 (k double precision PRIMARY KEY, v text);
CREATE TABLE types.k_timestamptz (k timestamptz PRIMARY KEY, v text);
CREATE TABLE types.k_date (k date PRIMARY KEY, v text);
CREATE TABLE types.k_uuid (k uuid PRIMARY KEY, v text);
CREATE TABLE types.k_bytea (k bytea PRIMARY KEY, v text);
CREATE TABLE types.k_bool (k boolean PRIMARY KEY, v text);
CREATE TABLE types.k_mood (k types.mood PRIMARY KEY, v text);
CREATE TABLE types.k_text (k text PRIMARY KEY, v integer);
CREATE TABLE types.k_text_c (k text COLLATE "C" PRIMARY KEY, v integer);
CREATE TABLE types.k_char_5 (k char(5) PRIMARY KEY, v integer);
CREATE TABLE types.k_citext (k public.citext PRIMARY KEY, v text);
CREATE TABLE types.k_range (k int4range PRIMARY KEY, v text);
CREATE TABLE types.k_array (k integer[] PRIMARY KEY, v text);
CREATE TABLE types.k_pair (k types.pair PRIMARY KEY, v text);
CREATE TABLE types.k_two_texts (a text, b varchar(20), v integer, PRIMARY KEY (b, a));
CREATE TABLE types.k_three (a smallint, b text COLLATE "C", c timestamptz, v integer, PRIMARY KEY (a, b, c));
CREATE TABLE types.k_unique_nulls (k integer UNIQUE, v text);                       -- unique, but with nulls
CREATE TABLE types.k_unique_not_null (k integer NOT NULL UNIQUE, v text);
CREATE TABLE types.k_late (k integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);
\if :icu
  CREATE COLLATION types.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TABLE types.k_text_icu (k text COLLATE "en-x-icu" PRIMARY KEY, v integer);
  CREATE TABLE types.k_text_no_case (k text COLLATE types.no_case PRIMARY KEY, v text COLLATE types.no_case);
\endif

-- Shapes
CREATE TABLE types.no_key (a integer, b text, c numeric);
CREATE TABLE types.no_key_json (a json, b xml, c point);                            -- types that have no "="
CREATE TABLE types.no_rows (id integer PRIMARY KEY, v text NOT NULL);
CREATE TABLE types.no_columns ();
CREATE TABLE types.one_column (v text);
CREATE TABLE types.identity_always (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 7) PRIMARY KEY, v text);
CREATE TABLE types.identity_default (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text);
CREATE TABLE types.with_serial (id serial PRIMARY KEY, v text);
CREATE TABLE types.generated (
  twice numeric GENERATED ALWAYS AS (n * 2) STORED, id integer PRIMARY KEY, n numeric,
  label text GENERATED ALWAYS AS ('<' || v || '>') STORED, v text
);
CREATE TABLE types.dropped (gone integer, id integer PRIMARY KEY, lost text, v text);
ALTER TABLE types.dropped DROP COLUMN gone, DROP COLUMN lost;
CREATE TABLE types.parent (id integer PRIMARY KEY, v text);
CREATE TABLE types.child (w integer) INHERITS (types.parent);
CREATE TABLE types.other_parent (x text DEFAULT 'x');
CREATE TABLE types.grandchild (y integer) INHERITS (types.child, types.other_parent);
CREATE TABLE types."Odd ""Table"" é" ("Id" integer PRIMARY KEY, "a	tab" text, "new
line" text, "back\slash" text);
CREATE TABLE types.storage (id integer PRIMARY KEY, plain text, main text, external text, extended text);
ALTER TABLE types.storage ALTER plain SET STORAGE PLAIN, ALTER main SET STORAGE MAIN,
                          ALTER external SET STORAGE EXTERNAL, ALTER extended SET STORAGE EXTENDED;

\endif

-- ==== 2. Rows =============================================================================================

\if :do_data

INSERT INTO types.t_int2 VALUES (1, 0), (2, -1), (3, 32767), (4, -32768), (5, NULL);
INSERT INTO types.t_int4 VALUES (1, 0), (2, -1), (3, 2147483647), (4, -2147483648), (5, NULL);
INSERT INTO types.t_int8 VALUES (1, 0), (2, -1), (3, 9223372036854775807), (4, -9223372036854775808), (5, NULL), (6, 9007199254740993);
INSERT INTO types.t_bool VALUES (1, true), (2, false), (3, NULL);
INSERT INTO types.t_oid VALUES (1, 0), (2, 1259), (3, 4294967295), (4, NULL);
INSERT INTO types.t_xid VALUES (1, '0'), (2, '3'), (3, '4294967295'), (4, NULL);
INSERT INTO types.t_cid VALUES (1, '0'), (2, '4294967295'), (3, NULL);
INSERT INTO types.t_tid VALUES (1, '(0,0)'), (2, '(4294967295,65535)'), (3, '(7,1)'), (4, NULL);
INSERT INTO types.t_oidvector VALUES (1, ''), (2, '1 2 4294967295'), (3, NULL);
INSERT INTO types.t_int2vector VALUES (1, ''), (2, '-1 0 32767'), (3, NULL);
INSERT INTO types.t_pg_lsn VALUES (1, '0/0'), (2, '16/B374D848'), (3, 'FFFFFFFF/FFFFFFFF'), (4, NULL);
INSERT INTO types.t_txid_snapshot VALUES (1, '10:20:10,14,15'), (2, '1:1:'), (3, '4294967299:4294967310:4294967305'), (4, NULL);

INSERT INTO types.t_numeric VALUES (1, 0), (2, 1.1), (3, 1.10), (4, 1.100000), (5, 0.000), (6, -0.0), (7, 'NaN'), (8, NULL),
  (9, 1e-1000), (10, -1e1000), (11, (repeat('9', 2000) || '.' || repeat('1', 2000))::numeric), (12, 1e131071), (13, 1e-16383),
  (14, 10000), (15, 9999.9999), (16, 1e20), (17, 123456789012345678901234567890.123456789), (18, 100), (19, 100.00);
INSERT INTO types.t_numeric_12_4 VALUES (1, 1.1), (2, 99999999.9999), (3, -0.0001), (4, 'NaN'), (5, NULL);
INSERT INTO types.t_float4 VALUES (1, 0), (2, '-0'), (3, 'NaN'), (4, 'Infinity'), (5, '-Infinity'), (6, 1e-45), (7, 3.4028235e38),
  (8, 1.1754944e-38), (9, 0.1), (10, 16777217), (11, NULL);
INSERT INTO types.t_float8 VALUES (1, 0), (2, '-0'), (3, 'NaN'), (4, 'Infinity'), (5, '-Infinity'), (6, 5e-324), (7, 1.7976931348623157e308),
  (8, 2.2250738585072014e-308), (9, 0.1::float8 + 0.2::float8), (10, 1e15), (11, 1e16), (12, 123456789.123456789), (13, NULL);
INSERT INTO types.t_money VALUES (1, '0'), (2, '$1,234.56'), (3, '-92233720368547758.08'), (4, '92233720368547758.07'), (5, NULL);

-- Text that means something else to COPY, to psql, to CSV, to a dump and to a shell
INSERT INTO types.t_text VALUES (1, ''), (2, NULL), (3, '\N'), (4, '\.'), (5, E'\\.\n'), (6, E'\n\\.\n'), (7, E'a\tb\tc'), (8, E'line\nline\n'),
  (9, E'dos\r\nline'), (10, E'\r'), (11, '\'), (12, '\\'), (13, E'ends with \\'), (14, E'\\n \\t \\x41 \\101 \\b'), (15, E'\b\f\x0b\x01\x1f\x7f'),
  (16, 'NULL'), (17, 'null'), (18, '""'), (19, '"a","b"'), (20, 'it''s'), (21, '$$ $body$'), (22, '-- comment'), (23, '/* comment */'), (24, ';'),
  (25, 'é è ü ß ø'), (26, U&'e\0301 combining'), (27, '😀 𝒳 𠜎'), (28, U&'\FEFF byte order mark'), (29, U&'\0085\00A0\2028\2029'),
  (30, '日本語 العربية עברית'), (31, U&'\+10FFFF\FFFF'), (32, ' spaces around '), (33, '   '), (34, '{}'), (35, '{"a",NULL}'), (36, '(,)'), (37, '%s %d %%'),
  (38, '$(id) `id` ${HOME}'), (39, 'COPY types.t_text (id, v) FROM stdin;'), (40, E'--\n-- TOC entry 5 (class 1259 OID 16384)\n--\n'),
  (41, '\connect template1'), (42, ':part :''part'''), (43, '0'), (44, 'f'), (45, U&'\200B\200E'), (46, repeat('é', 3000)), (47, repeat(E'\\', 5000));
INSERT INTO types.t_text SELECT 48, string_agg(md5(n::text), E'\n' ORDER BY n) FROM generate_series(1, 32000) AS n;      -- 1 MB
INSERT INTO types.t_text SELECT 49, repeat(E'compressible \\ text\t', 60000);                                            -- 1 MB
INSERT INTO types.t_text SELECT 1000 + n, chr(n) FROM generate_series(1, 300) AS n;
INSERT INTO types.t_varchar VALUES (1, ''), (2, NULL), (3, '\N'), (4, 'varchar '), (5, E'\t');
INSERT INTO types.t_varchar_10 VALUES (1, ''), (2, NULL), (3, '0123456789'), (4, 'éééééééééé'), (5, '😀😀😀😀😀😀😀😀😀😀'), (6, 'a   ');
INSERT INTO types.t_bpchar VALUES (1, ''), (2, NULL), (3, 'a'), (4, 'a   '), (5, '   ');
INSERT INTO types.t_char_5 VALUES (1, ''), (2, NULL), (3, 'a'), (4, 'a   '), (5, 'ééééé'), (6, '\N'), (7, E'\n'), (8, 'abcde');
INSERT INTO types.t_char VALUES (1, 'a'), (2, ''), (3, NULL), (4, '\'), (5, E'\n'), (6, ' '), (7, E'\t'), (8, '"'), (9, ',');
INSERT INTO types.t_name VALUES (1, ''), (2, 'name'), (3, repeat('n', 63)), (4, E'new\nline'), (5, '"Quoted"'), (6, NULL);
INSERT INTO types.t_bytea VALUES (1, ''), (2, NULL), (3, '\x00'), (4, '\x5c2e0a'), (5, '\x5c4e'), (6, '\xff'), (7, '\x0d0a090008'), (8, '\xefbbbf');
INSERT INTO types.t_bytea SELECT 9, decode(string_agg(md5(n::text), '' ORDER BY n), 'hex') FROM generate_series(1, 131072) AS n;    -- 2 MB
INSERT INTO types.t_bytea SELECT 10, decode(repeat('00', 1000000), 'hex');
INSERT INTO types.t_bytea SELECT 11, decode(string_agg(lpad(to_hex(n), 2, '0'), '' ORDER BY n), 'hex') FROM generate_series(0, 255) AS n;
INSERT INTO types.t_bit_5 VALUES (1, B'00000'), (2, B'11111'), (3, B'10010'), (4, NULL);
INSERT INTO types.t_varbit VALUES (1, B''), (2, B'0'), (3, B'00000000'), (4, B'101010101'), (5, repeat('10', 500)::varbit), (6, NULL);
INSERT INTO types.t_varbit_9 VALUES (1, B''), (2, B'111111111'), (3, B'0000'), (4, NULL);
INSERT INTO types.t_refcursor VALUES (1, ''), (2, 'a cursor'), (3, NULL);
INSERT INTO types.t_uuid VALUES (1, '00000000-0000-0000-0000-000000000000'), (2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  (3, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (4, NULL);

INSERT INTO types.t_date VALUES (1, '2000-01-01'), (2, '4714-11-24 BC'), (3, '5874897-12-31'), (4, 'infinity'), (5, '-infinity'), (6, '0001-12-31 BC'),
  (7, '0001-01-01'), (8, '2024-02-29'), (9, '10000-01-01'), (10, NULL);
INSERT INTO types.t_time VALUES (1, '00:00'), (2, '24:00'), (3, '23:59:59.999999'), (4, '12:34:56.7'), (5, NULL);
INSERT INTO types.t_time_0 VALUES (1, '00:00'), (2, '23:59:59.6'), (3, NULL);
INSERT INTO types.t_timetz VALUES (1, '00:00+00'), (2, '00:00:00+15:59:59'), (3, '24:00:00-15:59:59'), (4, '12:00+05:30'), (5, '12:00:00.000001-03:30:15'), (6, NULL);
INSERT INTO types.t_timestamp VALUES (1, '2000-01-01'), (2, '4714-11-24 00:00:00 BC'), (3, '294276-12-31 23:59:59.999999'), (4, 'infinity'), (5, '-infinity'),
  (6, '1999-12-31 23:59:59.999999'), (7, '0044-03-15 12:00 BC'), (8, '2024-03-31 02:30:00'), (9, NULL);
INSERT INTO types.t_timestamp_3 VALUES (1, '2000-01-01 00:00:00.1239'), (2, 'infinity'), (3, NULL);
INSERT INTO types.t_timestamptz VALUES (1, '2000-01-01 00:00+00'), (2, '4714-11-24 00:00:00+00 BC'), (3, '294276-12-31 23:59:59.999999+00'), (4, 'infinity'),
  (5, '-infinity'), (6, '1890-01-01 00:00:00+00'), (7, '0044-03-15 12:00+00 BC'), (8, '2024-10-27 00:30+00'), (9, '2024-10-27 01:30+00'), (10, NULL);
INSERT INTO types.t_interval VALUES (1, '0'), (2, '178000000 years'), (3, '-178000000 years'), (4, '2147483647 days'), (5, '-2147483648 days'),
  (6, '2147483000:59:59.999999'), (7, '1 mon -2 days +03:04:05.000006'), (8, '-1 year -2 mons +3 days -04:05:06.000007'), (9, '1 day'), (10, '24 hours'),
  (11, '30 days'), (12, '1 mon'), (13, '0.000001 seconds'), (14, '-0.000001 seconds'), (15, '-1 mon +1 day'), (16, NULL);
INSERT INTO types.t_interval_ym VALUES (1, '1 year 2 months'), (2, '-3 months'), (3, NULL);
INSERT INTO types.t_interval_2 VALUES (1, '1.239 seconds'), (2, '1 day 00:00:00.01'), (3, NULL);

INSERT INTO types.t_point VALUES (1, '(0,0)'), (2, '(-0,1e300)'), (3, '(NaN,Infinity)'), (4, '(0.1,5e-324)'), (5, NULL);
INSERT INTO types.t_line VALUES (1, '{1,2,3}'), (2, '{0,-1,0.1}'), (3, '{-1e10,1,1e-10}'), (4, NULL);
INSERT INTO types.t_lseg VALUES (1, '[(0,0),(1,1)]'), (2, '[(1,1),(0,0)]'), (3, '[(0,0),(0,0)]'), (4, NULL);
INSERT INTO types.t_box VALUES (1, '(1,1),(0,0)'), (2, '(-1,5),(3,-2)'), (3, '(0,0),(0,0)'), (4, NULL);
INSERT INTO types.t_path VALUES (1, '[(0,0)]'), (2, '((0,0),(1,0.1),(2,0))'), (3, '[(0,0),(1,1),(1e-5,-1)]'), (4, NULL);
INSERT INTO types.t_polygon VALUES (1, '((0,0))'), (2, '((0,0),(1,0),(0.5,1))'), (3, NULL);
INSERT INTO types.t_circle VALUES (1, '<(0,0),0>'), (2, '<(-1,1.5),1e10>'), (3, NULL);
INSERT INTO types.t_inet VALUES (1, '0.0.0.0'), (2, '192.168.1.5/24'), (3, '192.168.1.5'), (4, '::'), (5, 'fe80::1/64'), (6, '::ffff:1.2.3.4'), (7, '255.255.255.255/0'),
  (8, '2001:db8::ff00:42:8329/128'), (9, NULL);
INSERT INTO types.t_cidr VALUES (1, '0.0.0.0/0'), (2, '10.0.0.0/8'), (3, '192.168.1.1/32'), (4, '::/0'), (5, '2001:db8::/32'), (6, NULL);
INSERT INTO types.t_macaddr VALUES (1, '00:00:00:00:00:00'), (2, 'ff:ff:ff:ff:ff:ff'), (3, '08:00:2b:01:02:03'), (4, NULL);
INSERT INTO types.t_macaddr8 VALUES (1, '00:00:00:00:00:00:00:00'), (2, 'ff:ff:ff:ff:ff:ff:ff:ff'), (3, '08:00:2b:ff:fe:01:02:03'), (4, NULL);

INSERT INTO types.t_json VALUES (1, '{}'), (2, 'null'), (3, '{"b" : 1,  "a":2, "b":3}'), (4, E'[1.10, 1e400,\n\t"\\u00e9\\n\\\\"]'), (5, '"\u0000"'), (6, '   1   '),
  (7, '{"":""}'), (8, '"\ud83d\ude00"'), (9, NULL);
INSERT INTO types.t_jsonb VALUES (1, '{}'), (2, 'null'), (3, '{"b" : 1,  "a":2, "b":3}'), (4, E'[1.10, 1.1, 1e400,\n\t"\\u00e9\\n\\\\"]'), (5, '[]'), (6, '"x"'),
  (7, '{"":""}'), (8, '"\ud83d\ude00"'), (9, NULL), (10, '-0'), (11, '{"a":{"b":[null,true,{"c":[]}]}}'), (12, '100'), (13, '1.0e2');
INSERT INTO types.t_jsonpath VALUES (1, '$'), (2, 'strict $.a[*] ? (@.b > 1.10 && @ like_regex "^\\d" flag "i")'), (3, '$."a b".c[0 to last]'), (4, NULL);
INSERT INTO types.t_xml VALUES (1, '<a/>'), (2, '<?xml version="1.0" encoding="UTF-8"?><a b="é">x &amp; y</a>'), (3, 'text <b/> content'), (4, ''), (5, E'<a>\n\t<!-- c -->\\N</a>'),
  (6, '<![CDATA[<&>]]>'), (7, NULL), (8, '<!DOCTYPE a><a/>');
INSERT INTO types.t_tsvector VALUES (1, ''), (2, '''a'' ''b c'' ''d''''e'' ''f\\g'''), (3, 'fat:2A,4B cat:3 é:16383'), (4, to_tsvector('simple', 'the fat Cats sat')), (5, NULL);
INSERT INTO types.t_tsquery VALUES (1, ''), (2, 'fat & (cat | !rat)'), (3, '''a b'':*AB <-> ''d''''e'' <3> f'), (4, NULL);

INSERT INTO types.t_regclass VALUES (1, 'pg_class'), (2, 'types.t_text'), (3, 'types."Odd ""Table"" é"'), (4, '-'), (5, '4000000000'), (6, NULL), (7, 'types.t_text_pkey');
INSERT INTO types.t_regtype VALUES (1, 'integer'), (2, 'types.mood'), (3, 'types.pair[]'), (4, '-'), (5, '"char"'), (6, 'timestamp with time zone'), (7, NULL);
INSERT INTO types.t_regproc VALUES (1, 'now'), (2, 'pg_backend_pid'), (3, '-'), (4, NULL);
INSERT INTO types.t_regprocedure VALUES (1, 'sum(integer)'), (2, 'now()'), (3, 'abs(double precision)'), (4, '-'), (5, NULL);
INSERT INTO types.t_regoper VALUES (1, '||/'), (2, '0'), (3, NULL);
INSERT INTO types.t_regoperator VALUES (1, '+(integer,integer)'), (2, '-(none,bigint)'), (3, '0'), (4, NULL);
INSERT INTO types.t_regrole VALUES (1, 'pg_monitor'), (2, '-'), (3, NULL);
INSERT INTO types.t_regnamespace VALUES (1, 'pg_catalog'), (2, 'types'), (3, '-'), (4, NULL);
INSERT INTO types.t_regconfig VALUES (1, 'english'), (2, 'simple'), (3, '-'), (4, NULL);
INSERT INTO types.t_regdictionary VALUES (1, 'simple'), (2, 'english_stem'), (3, '-'), (4, NULL);
INSERT INTO types.t_aclitem VALUES (1, 'pg_monitor=r*w/pg_read_all_stats'), (2, '=r/pg_monitor'), (3, NULL);

INSERT INTO types.t_int4range VALUES (1, 'empty'), (2, '[1,5)'), (3, '(1,5]'), (4, '(,)'), (5, '[-2147483648,2147483646]'), (6, '(,7]'), (7, NULL);
INSERT INTO types.t_int8range VALUES (1, 'empty'), (2, '[-9223372036854775808,9223372036854775807)'), (3, '(,)'), (4, NULL);
INSERT INTO types.t_numrange VALUES (1, 'empty'), (2, '[1.10,1.1]'), (3, '(1.1,2.20)'), (4, '[1,NaN]'), (5, '(,)'), (6, NULL);
INSERT INTO types.t_daterange VALUES (1, 'empty'), (2, '[2024-01-01,2024-02-01]'), (3, '[-infinity,infinity]'), (4, '(,)'), (5, '["0044-03-15 BC",)'), (6, NULL);
INSERT INTO types.t_tsrange VALUES (1, 'empty'), (2, '["2024-01-01 00:00","2024-01-02 00:00:00.000001"]'), (3, '[-infinity,infinity)'), (4, NULL);
INSERT INTO types.t_tstzrange VALUES (1, 'empty'), (2, '["2024-01-01 00:00+02",)'), (3, '(,infinity]'), (4, NULL);

INSERT INTO types.t_mood SELECT n, m FROM unnest(enum_range(NULL::types.mood)) WITH ORDINALITY AS s (m, n);
INSERT INTO types.t_mood VALUES (100, NULL);
INSERT INTO types.t_pair VALUES (1, ROW(1, 'x')), (2, ROW(NULL, NULL)), (3, NULL), (4, ROW(0, '')), (5, ROW(-1, E'a "b", (c) \\ \n')), (6, ROW(NULL, 'NULL'));
INSERT INTO types.t_nested VALUES (1, ROW(ROW(1, 'x'), ARRAY[ROW(2, 'y,z'), NULL, ROW(NULL, '"')]::types.pair[], 'so, "so"', 1.10)), (2, ROW(NULL, '{}', '', 'NaN')), (3, NULL),
  (4, ROW(ROW(NULL, NULL), NULL, NULL, NULL));
INSERT INTO types.t_row VALUES (1, ROW(1, 'text')), (2, ROW(NULL, E'\\N')), (3, NULL);
INSERT INTO types.t_small VALUES (1, 10), (2, -10), (3, NULL);
INSERT INTO types.t_smaller VALUES (1, 10), (2, -1), (3, NULL);
INSERT INTO types.t_words VALUES (1, '{}'), (2, ARRAY['a', NULL, 'NULL', '', 'x,y', '"', '\', '{}']), (3, NULL), (4, '[3:4]={a,b}');
INSERT INTO types.t_some_pair VALUES (1, ROW(1, 'one')), (2, ROW(NULL, 'none')), (3, NULL);
INSERT INTO types.t_text_range VALUES (1, 'empty'), (2, '[a,b)'), (3, '["","\\ ""x, )"]'), (4, '(,)'), (5, NULL);
INSERT INTO types.t_citext VALUES (1, 'abc'), (2, 'ABC'), (3, ''), (4, '\N'), (5, 'É'), (6, NULL);
INSERT INTO types.t_hstore VALUES (1, ''), (2, 'a=>1, b=>NULL, c=>"NULL"'), (3, '"k \"e\" y"=>"v\\\\ , => x", ""=>""'), (4, NULL);
INSERT INTO types.t_ltree VALUES (1, ''), (2, 'a.b.c_1'), (3, 'Top.A'), (4, NULL);
INSERT INTO types.t_lquery VALUES (1, '*.a.b*|c@'), (2, '!x.*{2,3}'), (3, NULL);

-- More, where the server and the version that was asked for know it
\if :from_13
  INSERT INTO types.t_xid8 VALUES (1, '0'), (2, '18446744073709551615'), (3, NULL);
  INSERT INTO types.t_pg_snapshot VALUES (1, '10:20:10,14,15'), (2, '4294967299:4294967310:4294967305'), (3, NULL);
  INSERT INTO types.t_regcollation VALUES (1, '"C"'), (2, '"POSIX"'), (3, '-'), (4, NULL);
\endif
\if :from_14
  INSERT INTO types.t_numeric VALUES (50, 'Infinity'), (51, '-Infinity');
  INSERT INTO types.t_numrange VALUES (50, '[-Infinity,Infinity]');
  INSERT INTO types.t_int4multirange VALUES (1, '{}'), (2, '{[1,3),[5,6]}'), (3, '{(,)}'), (4, NULL);
  INSERT INTO types.t_int8multirange VALUES (1, '{}'), (2, '{[-9223372036854775808,0),[5,9223372036854775807)}'), (3, NULL);
  INSERT INTO types.t_nummultirange VALUES (1, '{}'), (2, '{[1.10,1.20),(5.0,)}'), (3, NULL);
  INSERT INTO types.t_datemultirange VALUES (1, '{}'), (2, '{(,2024-01-01),[2024-06-01,infinity]}'), (3, NULL);
  INSERT INTO types.t_tsmultirange VALUES (1, '{}'), (2, '{["2024-01-01 00:00","2024-01-02 00:00"],["2025-01-01 00:00",)}'), (3, NULL);
  INSERT INTO types.t_tstzmultirange VALUES (1, '{}'), (2, '{["2024-01-01 00:00+05:30","2024-01-02 00:00+00"]}'), (3, NULL);
  INSERT INTO types.t_text_multirange VALUES (1, '{}'), (2, '{[a,b),["c ""}",d]}'), (3, NULL);
\endif
\if :from_15
  INSERT INTO types.t_interval VALUES (40, '2562047788:00:54.775807'), (41, '-2562047788:00:54.775807');
  INSERT INTO types.t_numeric_3_m2 VALUES (1, 12345), (2, -99900), (3, NULL);
  INSERT INTO types.t_numeric_2_4 VALUES (1, 0.0012), (2, -0.0099), (3, NULL);
\endif
\if :from_17
  INSERT INTO types.t_interval VALUES (50, 'infinity'), (51, '-infinity');
\endif

-- Arrays: the short values of a type in one array, twice in two dimensions, other lower bounds, nulls, none.
-- Vectors and domains over arrays do not fit the array functions: theirs are made from text.
SELECT CASE WHEN relname IN ('t_int2vector', 't_oidvector', 't_words') THEN format(
         'INSERT INTO types.%1$I SELECT 1, array_agg(v::text ORDER BY id)::text::%3$s[] FROM types.%2$I
          UNION ALL SELECT 2, ''{}'' UNION ALL SELECT 3, NULL',
         'a' || substr(relname, 2), relname, format_type(atttypid, atttypmod))
       ELSE format(
         'INSERT INTO types.%1$I
          WITH s AS (SELECT id, v FROM types.%2$I WHERE id < 1000 AND (v IS NULL OR octet_length(v::text) < 1000)),
               a AS (SELECT array_agg(v ORDER BY id)::%3$s[] AS v FROM s),
               one AS (SELECT v FROM s WHERE v::text IS NOT NULL ORDER BY id LIMIT 1)
          SELECT 1, v FROM a
          UNION ALL SELECT 2, ''{}'' UNION ALL SELECT 3, NULL
          UNION ALL SELECT 4, ARRAY[v, v] FROM a
          UNION ALL SELECT 5, array_fill(v, ARRAY[2, 3], ARRAY[-1, 5])::%3$s[] FROM one
          UNION ALL SELECT 6, array_fill(NULL::%3$s, ARRAY[3])::%3$s[]
          UNION ALL SELECT 7, array_fill(v, ARRAY[1, 2, 1], ARRAY[0, -2, 3])::%3$s[] FROM one',
         'a' || substr(relname, 2), relname, format_type(atttypid, atttypmod)) END
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'v'
WHERE relnamespace = 'types'::regnamespace AND relname LIKE 't\_%' AND relkind = 'r' ORDER BY relname COLLATE "C"
\gexec

-- The wide table: row n holds the values number n. Rows 101 and 102 are all nulls.
SELECT format('INSERT INTO types.everything (id, %s) SELECT n, %s FROM generate_series(1, 20) AS n', string_agg(quote_ident(substr(relname, 3)), ', ' ORDER BY relname),
              string_agg(format('(SELECT v FROM types.%I WHERE id = n AND octet_length(v::text) < 1000)', relname), ', ' ORDER BY relname))
FROM pg_class WHERE relnamespace = 'types'::regnamespace AND relname LIKE 't\_%' AND relkind = 'r'
\gexec
INSERT INTO types.everything (id) VALUES (101), (102);

-- Keys
INSERT INTO types.k_int8 SELECT k, 'v' || k FROM unnest(ARRAY[-9223372036854775808, -9223372036854775807, -4294967296, -1, 0, 1, 4294967295, 9223372036854775806, 9223372036854775807]) AS k;
INSERT INTO types.k_int8 SELECT n * 1000003, md5(n::text) FROM generate_series(-500, 500) AS n WHERE n <> 0;
INSERT INTO types.k_int4 SELECT k, 'v' || k FROM unnest(ARRAY[-2147483648, -2147483647, -1, 0, 1, 2147483646, 2147483647]) AS k;
INSERT INTO types.k_int4 SELECT n, md5(n::text) FROM generate_series(-3000, -2) AS n;
INSERT INTO types.k_int2 SELECT n, 'v' || n FROM generate_series(-32768, 32767, 97) AS n;
INSERT INTO types.k_oid VALUES (0, 'zero'), (1, 'one'), (2147483648, 'middle'), (4294967295, 'last');
INSERT INTO types.k_numeric VALUES (-1e500, 'a'), (-1.10, 'b'), (0.00, 'c'), (1.1, 'd'), (1e-500, 'e'), (123456789012345678901234567890, 'f'), ('NaN', 'g'), (2.00, 'h');
INSERT INTO types.k_float8 VALUES ('-Infinity', 'a'), (-1e308, 'b'), ('-0', 'c'), (5e-324, 'd'), (0.1, 'e'), (1e308, 'f'), ('Infinity', 'g'), ('NaN', 'h');
INSERT INTO types.k_timestamptz VALUES ('-infinity', 'a'), ('4714-11-24 00:00+00 BC', 'b'), ('1969-12-31 23:59:59.999999+00', 'c'), ('2024-10-27 01:30+00', 'd'), ('294276-12-31 23:59:59.999999+00', 'e'), ('infinity', 'f');
INSERT INTO types.k_date VALUES ('-infinity', 'a'), ('4714-11-24 BC', 'b'), ('2024-02-29', 'c'), ('5874897-12-31', 'd'), ('infinity', 'e');
INSERT INTO types.k_uuid SELECT md5('uuid' || n)::uuid, 'v' || n FROM generate_series(1, 1000) AS n;
INSERT INTO types.k_uuid VALUES ('00000000-0000-0000-0000-000000000000', 'first'), ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'last');
INSERT INTO types.k_bytea VALUES ('', 'empty'), ('\x00', 'zero'), ('\x0000', 'zeros'), ('\x5c', 'backslash'), ('\xff', 'last');
INSERT INTO types.k_bool VALUES (true, 'yes'), (false, 'no');
INSERT INTO types.k_mood SELECT m, 'v' FROM unnest(enum_range(NULL::types.mood)) AS m;
INSERT INTO types.k_text SELECT v, id FROM types.t_text WHERE v IS NOT NULL AND octet_length(v) < 1000 ON CONFLICT DO NOTHING;
INSERT INTO types.k_text VALUES ('a', 1), ('A', 2), ('b', 3), ('B', 4), ('_', 5), ('a b', 6), ('ab', 7), ('a-b', 8), ('aB', 9), ('Ab', 10), ('é', 11), (U&'e\0301', 12), ('z', 13), ('Z', 14), ('ß', 15), ('ss', 16)
  ON CONFLICT DO NOTHING;
INSERT INTO types.k_text SELECT CASE WHEN n % 2 = 0 THEN 'key' ELSE 'Key' END || n, n FROM generate_series(1, 500) AS n;
INSERT INTO types.k_text_c SELECT k, v FROM types.k_text;
INSERT INTO types.k_char_5 VALUES ('', 1), ('a', 2), ('ab', 3), ('A', 4), (' a', 5), ('ééééé', 6);
INSERT INTO types.k_citext SELECT CASE WHEN n % 2 = 0 THEN 'key' ELSE 'KEY' END || n, 'v' || n FROM generate_series(1, 100) AS n;
INSERT INTO types.k_range VALUES ('empty', 'a'), ('(,)', 'b'), ('[1,2)', 'c'), ('(,5)', 'd'), ('[7,)', 'e');
INSERT INTO types.k_array VALUES ('{}', 'a'), ('{1}', 'b'), ('{1,NULL}', 'c'), ('{{1,2},{3,4}}', 'd'), ('[0:1]={1,2}', 'e');
INSERT INTO types.k_pair VALUES (ROW(1, 'x'), 'a'), (ROW(NULL, NULL), 'b'), (ROW(1, NULL), 'c'), (ROW(-1, ','), 'd');
INSERT INTO types.k_two_texts SELECT (ARRAY['', 'a', 'A', 'a"b', E'a\tb', '\N', 'é', '😀'])[1 + n % 8], 'b' || n / 8, n FROM generate_series(0, 799) AS n;
INSERT INTO types.k_three SELECT n % 5 - 2, (ARRAY['', 'x', 'X', E'\n'])[1 + n % 4], timestamptz '2024-01-01 00:00+00' + n * interval '1.000001 seconds', n FROM generate_series(1, 1000) AS n;
INSERT INTO types.k_unique_nulls SELECT NULLIF(n % 10 * n, 0), 'v' || n % 20 FROM generate_series(1, 9) AS n UNION ALL SELECT NULL, 'null' FROM generate_series(1, 5);
INSERT INTO types.k_unique_not_null SELECT -n, 'v' || n FROM generate_series(1, 50) AS n;
INSERT INTO types.k_late SELECT n, 'v' || n FROM generate_series(1, 50) AS n;
\if :icu
  INSERT INTO types.k_text_icu SELECT k, v FROM types.k_text;
  INSERT INTO types.k_text_no_case VALUES ('abc', 'x'), ('DEF', 'X'), ('Ghi', 'É'), ('é', 'é'), ('', '');
\endif

-- Shapes
INSERT INTO types.no_key SELECT n % 3, NULLIF('v' || n % 2, 'v1'), CASE n % 4 WHEN 0 THEN 1.1 WHEN 1 THEN 1.10 END FROM generate_series(1, 600) AS n;
INSERT INTO types.no_key VALUES (NULL, NULL, NULL), (NULL, NULL, NULL);
INSERT INTO types.no_key_json SELECT json_build_object('n', n % 2), '<a/>', point(n % 2, 0) FROM generate_series(1, 20) AS n;
INSERT INTO types.no_columns DEFAULT VALUES;
INSERT INTO types.no_columns DEFAULT VALUES;
INSERT INTO types.no_columns DEFAULT VALUES;
INSERT INTO types.one_column VALUES (''), (NULL), ('\.'), ('\N'), (E'\n'), (''), ('x');
INSERT INTO types.identity_always (v) SELECT 'v' || n FROM generate_series(1, 20) AS n;
INSERT INTO types.identity_always OVERRIDING SYSTEM VALUE VALUES (-5, 'given');
INSERT INTO types.identity_default (v) SELECT 'v' || n FROM generate_series(1, 20) AS n;
INSERT INTO types.identity_default VALUES (2147483647, 'given');
INSERT INTO types.with_serial (v) SELECT 'v' || n FROM generate_series(1, 20) AS n;
INSERT INTO types.generated (id, n, v) VALUES (1, 1.10, 'a'), (2, NULL, NULL), (3, 'NaN', E'\t');
INSERT INTO types.dropped VALUES (1, 'one'), (2, NULL);
INSERT INTO types.parent VALUES (1, 'parent'), (2, 'parent too');
INSERT INTO types.child VALUES (1, 'child', 10), (3, NULL, NULL);
INSERT INTO types.other_parent VALUES ('other');
INSERT INTO types.grandchild (id, v, w, y) VALUES (4, 'grandchild', 1, 2);
INSERT INTO types."Odd ""Table"" é" VALUES (1, E'\t', E'\n', '\'), (2, NULL, '', '\N');
INSERT INTO types.storage SELECT n, repeat('p', n * 10), repeat('m', n * 500), repeat('external ', n * 1000), repeat('extended ', n * 1000) FROM generate_series(1, 20) AS n;

\endif
