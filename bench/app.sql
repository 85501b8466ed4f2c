-- The benchmark database: about 1.55 GB with indexes at pgbench scale 40. After: pgbench -i -s 40 DB; then this file.
-- One table is large and plain (pgbench_accounts), one is mixed and has a GIN index that takes longer to build than
-- everything else (events), one is TOASTed text (docs), one has a foreign key to check (refs).
create table events(
  id bigint generated always as identity primary key, tenant uuid not null, kind text not null,
  amount numeric(14,4), ratio double precision, at timestamptz not null, payload jsonb, tags text[], note text);
insert into events(tenant, kind, amount, ratio, at, payload, tags, note)
select ('00000000-0000-4000-8000-' || lpad(to_hex(g % 500), 12, '0'))::uuid,
       (array['ride','pay','login','refund'])[1 + g % 4],
       (g::bigint * 7919 % 1000000) / 100.0,
       ((g::bigint * 2654435761) % 1000000007) / 1000.0,
       '2024-01-01'::timestamptz + g * interval '7 seconds',
       jsonb_build_object('n', g, 's', md5(g::text), 'ok', g % 3 = 0),
       array['a' || g % 10, 'b' || g % 7],
       case when g % 5 = 0 then null else repeat(md5(g::text), 1 + g % 4) end
from generate_series(1, 50000 * :scale) g;
create index on events(tenant, at);
create index on events using gin(payload jsonb_path_ops);
create index on events(kind);
create table docs(id serial primary key, body text, bin bytea);
insert into docs(body, bin)
select string_agg(md5((g * i)::text), ' '), decode(md5(g::text) || md5((g + 1)::text), 'hex')
from generate_series(1, 1000 * :scale) g, generate_series(1, 60) i group by g;
create table refs(id bigint primary key, event_id bigint references events(id), v int);
insert into refs select g, 1 + g % (50000 * :scale), g from generate_series(1, 25000 * :scale) g;
vacuum analyze;
