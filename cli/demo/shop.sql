-- A shop's tables as Prisma's migrations would make them, with some 60 MB of rows, in a schema of their own.
--
--   psql -X -v ON_ERROR_STOP=1 -v documents=60 -d DB -f shop.sql    (where extension.sql was run)
--
-- documents: the rows of "Document", each of which names a file.

CREATE SCHEMA shop;
SET search_path = shop;

CREATE TYPE "OrderStatus" AS ENUM ('PENDING', 'PAID', 'SHIPPED');
CREATE TABLE "User" (
  id uuid PRIMARY KEY,
  email text NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}',
  "createdAt" timestamp(3) NOT NULL DEFAULT '2026-01-01'
);
CREATE UNIQUE INDEX "User_email_key" ON "User" (email);
CREATE TABLE "Order" (
  id text PRIMARY KEY,
  "userId" uuid NOT NULL REFERENCES "User" ON DELETE RESTRICT,
  status "OrderStatus" NOT NULL DEFAULT 'PENDING',
  total numeric(12, 2) NOT NULL
);
CREATE INDEX "Order_userId_status_idx" ON "Order" ("userId", status);
CREATE TABLE "Document" (id serial PRIMARY KEY, "filePath" text NOT NULL);
CREATE TABLE "Event" (id bigserial PRIMARY KEY, kind text NOT NULL, payload jsonb NOT NULL, at timestamptz NOT NULL);
INSERT INTO "User" (id, email, settings)
  SELECT md5('user ' || i)::uuid, 'user' || i || '@example.org', jsonb_build_object('theme', 'dark', 'n', i)
  FROM generate_series(1, 2000) i;
INSERT INTO "Order" (id, "userId", status, total)
  SELECT 'ck' || md5('order ' || i), md5('user ' || (i % 2000 + 1))::uuid,
         (ARRAY['PENDING', 'PAID', 'SHIPPED'])[i % 3 + 1]::"OrderStatus", i / 7.0
  FROM generate_series(1, 30000) i;
INSERT INTO "Document" ("filePath") SELECT '/uploads/invoice-' || i || '.pdf' FROM generate_series(1, :documents) i;
INSERT INTO "Event" (kind, payload, at)
  SELECT 'kind ' || i % 20, jsonb_build_object('order', md5(i::text), 'note', repeat('x', i % 150)),
         timestamptz '2026-01-01 00:00 UTC' + i * interval '7 seconds'
  FROM generate_series(1, 300000) i;

INSERT INTO public.spelling (word, meant) VALUES ('recieve', 'receive'), ('adress', 'address');
