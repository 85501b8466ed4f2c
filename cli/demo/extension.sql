-- An extension with a configuration table: the extension makes the table, its users add rows, and only theirs are moved. None
-- that comes with PostgreSQL has one, and one of our own would have to be installed into the server. So an installed one
-- is told that a table belongs to it, at the source and at the target: an extension has its tables wherever it is.
--
--   psql -X -v ON_ERROR_STOP=1 -d DB -f extension.sql          (superuser)

CREATE EXTENSION fuzzystrmatch SCHEMA public;
CREATE TABLE public.spelling (word text PRIMARY KEY, meant text NOT NULL, own boolean NOT NULL DEFAULT true);
INSERT INTO public.spelling VALUES ('teh', 'the', false);    -- comes with the extension
ALTER EXTENSION fuzzystrmatch ADD TABLE public.spelling;
UPDATE pg_catalog.pg_extension
   SET extconfig = ARRAY['public.spelling'::regclass::oid], extcondition = ARRAY['WHERE own']
 WHERE extname = 'fuzzystrmatch';
