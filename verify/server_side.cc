#include "verify/server_side.h"

#include <array>
#include <random>

#include <fmt/format.h>

namespace verify {
namespace {

using base::ErrorKind;

// What text forms and hashing could disagree about.
constexpr std::array kProbes = {
    "0::int2",
    "'-32768'::int2",
    "2147483647",
    "'-9223372036854775808'::int8",
    "'NaN'::float8",
    "'-0'::float8",
    "1e-12::float8",
    "0.1::float4",
    "'-Infinity'::float8",
    "1.7976931348623157e308::float8",
    "1.10::numeric",
    "1.1::numeric",
    "'NaN'::numeric",
    "123456789012345678901234567890.123456789::numeric",
    "'a'::text",
    "''::text",
    "NULL::text",
    R"(E'tab\t, \\N, line\nbreak')",
    "'a '::char(5)",
    "'a'::varchar(5)",
    R"('x'::"char")",
    "'\\x00ff'::bytea",
    "''::bytea",
    "true",
    "false",
    "'2020-02-29 12:00:00.123456+00'::timestamptz",
    "'infinity'::timestamptz",
    "'0044-03-15 BC'::date",
    "'4713-01-01 00:00:00 BC'::timestamp",
    "'294276-12-31 23:59:59.999999'::timestamp",
    "'24:00:00'::time",
    "'12:34:56.5+05:30'::timetz",
    "'1 mon'::interval",
    "'30 days'::interval",
    "'-1 day +02:03:04.5'::interval",
    R"('{"b": 1.0, "a": [null]}'::json)",
    R"('{"b": 1.00, "a": [null]}'::jsonb)",
    "'[0:1]={1,NULL}'::int4[]",
    R"(ARRAY['a,b', '"', '', NULL]::text[])",
    "'00000000-0000-4000-8000-00000000000f'::uuid",
    "'10.0.0.0/8'::cidr",
    "'::1'::inet",
    "'08:00:2b:01:02:03'::macaddr",
    "B'101'::bit(3)",
    "B''::varbit",
    "'[1,10)'::int4range",
    "'empty'::numrange",
    "'(1.5,-2)'::point",
    "'<(1,2),3>'::circle",
    "'a b'::tsvector",
    "ROW(1, NULL, 'x')",
};

int64_t random_seed() {
  std::random_device device;
  return static_cast<int64_t>((static_cast<uint64_t>(device()) << 32) | device());
}

std::vector<std::string> probe(const Side& side, const base::Stop& stop) {
  std::string sql;
  for (const auto* value : kProbes)
    sql += fmt::format("{}pg_catalog.hashtextextended(ROW({})::pg_catalog.text, 42)",
                       sql.empty() ? "SELECT " : ", ", value);
  auto session = side.open_present(stop);
  const auto row = session.exec(sql);
  std::vector<std::string> out;
  for (int column = 0; column < row.columns(); ++column) out.push_back(row.string(0, column));
  return out;
}

std::string server_encoding(const Side& side, const base::Stop& stop) {
  return side.open_present(stop).exec("SHOW server_encoding").string(0, 0);
}

base::uint128 parse_sum(std::string_view text) {
  const bool negative = text.starts_with('-');
  base::uint128 value = 0;
  for (const char digit : text.substr(negative ? 1 : 0))
    value = value * 10 + static_cast<unsigned>(digit - '0');
  return negative ? -value : value;
}

// Sums modulo 2^128: at a billion rows far from wrapping.
struct Sums {
  base::uint128 first = 0;
  base::uint128 second = 0;
  bool operator==(const Sums&) const = default;
};

struct Reading {
  ServerReading result;
  PerSide<Sums> sums;
};

void fail(ServerReading& reading, const Slice& slice, const base::Error& error) {
  if (std::exchange(reading.failed, true)) return;
  reading.reason = fmt::format("it cannot be read at the {}: {}", name_of(slice.role), error.message());
  reading.hint = error.hint();
}

}  // namespace

void require_same_hashes(const Context& context) {
  // What is hashed are the bytes that the servers keep.
  const auto source_encoding = server_encoding(*context.sides[0], context.stop);
  const auto target_encoding = server_encoding(*context.sides[1], context.stop);
  if (source_encoding != target_encoding)
    throw base::Error(ErrorKind::usage,
                      fmt::format("the source is encoded in {} and the target in {}: the same text has other "
                                  "bytes there, and the same bytes may be another text",
                                  source_encoding, target_encoding),
                      "compare without --server-side");
  const auto source = probe(*context.sides[0], context.stop);
  const auto target = probe(*context.sides[1], context.stop);
  for (size_t i = 0; i < kProbes.size(); ++i)
    if (source[i] != target[i])
      throw base::Error(ErrorKind::usage,
                        fmt::format("the two servers do not write or hash {} alike", kProbes[i]),
                        "compare without --server-side");
}

std::vector<std::optional<ServerReading>> read_at_servers(const Context& context,
                                                          const std::vector<Unit>& units) {
  const PerSide<int64_t> seeds{random_seed(), random_seed()};
  base::Guarded<std::vector<Reading>> readings(units.size());
  std::vector<Slice> slices;
  for (uint32_t i = 0; i < units.size(); ++i) {
    if (units[i].kind == Unit::Kind::large_objects) continue;
    for (const auto role : kSides) {
      const auto own =
          slices_of(units[i], i, role, context.sides[index(role)]->major(),
                    pg::split_rule(context.options.split_size, context.options.jobs, units[i].bytes(role)));
      slices.insert(slices.end(), own.begin(), own.end());
    }
  }
  SlicePass pass;
  pass.work = [&](Reader& reader, const Slice& slice, Progress::Scope&) {
    const auto started = Progress::Clock::now();
    const auto row = reader.connection().exec(hash_sql(units[slice.unit], slice, seeds[0], seeds[1]));
    const auto rows = static_cast<uint64_t>(row.integer(0, 0));
    context.progress.rows_read += rows;
    auto all = readings.lock();
    auto& reading = (*all)[slice.unit];
    auto& figures = reading.result.figures[index(slice.role)];
    auto& sums = reading.sums[index(slice.role)];
    figures.digest.rows += rows;
    sums.first += parse_sum(row.text(0, 1));
    sums.second += parse_sum(row.text(0, 2));
    // For people: what is compared are both sums.
    figures.digest.sum = (sums.first << 64) ^ sums.second;
    figures.elapsed +=
        std::chrono::duration_cast<std::chrono::milliseconds>(Progress::Clock::now() - started);
  };
  pass.failed = [&](const Slice& slice, const base::Error& error) {
    fail((*readings.lock())[slice.unit].result, slice, error);
  };
  for_each_slice(context, units, slices, pass,
                 [&](uint32_t unit) { return (*readings.lock())[unit].result.failed; });
  std::vector<std::optional<ServerReading>> out(units.size());
  auto all = readings.lock();
  for (size_t i = 0; i < units.size(); ++i) {
    if (units[i].kind == Unit::Kind::large_objects) continue;
    auto& reading = (*all)[i];
    reading.result.equal = reading.result.figures[0].digest.rows == reading.result.figures[1].digest.rows &&
                           reading.sums[0] == reading.sums[1];
    out[i] = std::move(reading.result);
  }
  return out;
}

}  // namespace verify
