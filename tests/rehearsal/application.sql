-- A database as Prisma's migrations make it: quoted names in two styles, enums, ids of three kinds, jsonb.
CREATE TYPE "OrderStatus" AS ENUM ('PENDING', 'PAID', 'SHIPPED');
CREATE TABLE "_prisma_migrations" (
  id varchar(36) PRIMARY KEY,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count int NOT NULL DEFAULT 0
);
CREATE TABLE "User" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL,
  "displayName" text,
  settings jsonb NOT NULL DEFAULT '{}',
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "User_email_key" ON "User" (email);
CREATE TABLE "Order" (
  id text PRIMARY KEY,
  "userId" uuid NOT NULL,
  status "OrderStatus" NOT NULL DEFAULT 'PENDING',
  total numeric(12, 2) NOT NULL,
  meta jsonb,
  CONSTRAINT "Order_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "Order_userId_status_idx" ON "Order" ("userId", status);
CREATE TABLE order_items (
  id serial PRIMARY KEY,
  order_id text NOT NULL REFERENCES "Order" (id) ON DELETE CASCADE,
  sku text NOT NULL,
  quantity int NOT NULL DEFAULT 1
);
CREATE TABLE documents (
  id bigserial PRIMARY KEY,
  "orderId" text REFERENCES "Order" (id) ON DELETE SET NULL,
  file_path text NOT NULL
);
INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count)
  SELECT md5(i::text), md5('c' || i) || md5('d' || i), '2024010' || i || '_init', now(), 1 FROM generate_series(1, 3) i;
INSERT INTO "User" (id, email, "displayName", settings)
  SELECT md5('user ' || i)::uuid, 'user' || i || '@example.org', CASE WHEN i % 7 > 0 THEN 'Ünïcode ' || i END,
         jsonb_build_object('theme', 'dark', 'n', i) FROM generate_series(1, 500) i;
INSERT INTO "Order" (id, "userId", status, total, meta)
  SELECT 'ck' || md5('order ' || i), md5('user ' || (i % 500 + 1))::uuid,
         (ARRAY['PENDING', 'PAID', 'SHIPPED'])[i % 3 + 1]::"OrderStatus", i / 7.0,
         CASE WHEN i % 5 > 0 THEN jsonb_build_object('note', repeat('x', i % 90)) END FROM generate_series(1, 3000) i;
INSERT INTO order_items (order_id, sku, quantity)
  SELECT 'ck' || md5('order ' || (i % 3000 + 1)), 'SKU-' || i % 40, i % 4 + 1 FROM generate_series(1, 5000) i;
