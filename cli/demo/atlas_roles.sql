-- Roles of the Atlas database. Roles belong to a whole server, not to a database, so they live in their own
-- file: run it on a target server before restoring Atlas there. Running it again changes nothing.
--
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f atlas_roles.sql

SET client_encoding = 'UTF8';

DO $roles$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'atlas_owner') THEN
    CREATE ROLE atlas_owner NOLOGIN;
    COMMENT ON ROLE atlas_owner IS 'Owns the objects of Atlas';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'atlas_app') THEN
    CREATE ROLE atlas_app NOLOGIN CONNECTION LIMIT 50;
    COMMENT ON ROLE atlas_app IS 'The Atlas web application';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'atlas_reader') THEN
    CREATE ROLE atlas_reader NOLOGIN;
    GRANT atlas_reader TO atlas_app;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'atlas Ops') THEN
    CREATE ROLE "atlas Ops" NOLOGIN CREATEROLE;
    COMMENT ON ROLE "atlas Ops" IS 'A role whose name needs quotes';
  END IF;
END
$roles$;
