#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sink.h"
#include "pg/copy_stream.h"
#include "pg/row_digest.h"
#include "tests/base/matchers.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"
#include "tests/support/database_digest.h"

namespace pg {
namespace {

using base::bytes_of;
using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Copied {
  uint64_t bytes = 0;
  uint64_t rows_read = 0;
  uint64_t rows_written = 0;
};

std::string options_of(CopyFormat format) {
  return format == CopyFormat::binary ? "(FORMAT binary)" : "(FORMAT text)";
}

class CopyStreamServer : public ::testing::TestWithParam<CopyFormat> {
 protected:
  std::string out(const std::string& query) const {
    return fmt::format("COPY ({}) TO STDOUT {}", query, options_of(GetParam()));
  }
  std::string in(const std::string& table) const {
    return fmt::format("COPY {} FROM STDIN {}", table, options_of(GetParam()));
  }

  /// Moves public.t from one database to the other with a buffer of this size, digesting on the way.
  Copied copy(size_t buffer_size, uint32_t columns) {
    auto from = test::open(source_);
    auto to = test::open(target_, {.role = Role::target});
    CopyReader reader(from, out("SELECT * FROM ONLY public.t"));
    CopyWriter writer(to, in("public.t"));
    RowDigest digest(DigestKey::random(), {GetParam(), columns, {}, 1});
    std::vector<std::byte> buffer(buffer_size);
    Copied copied;
    while (const auto size = reader.read(buffer)) {
      const auto piece = std::span(buffer).first(size);
      digest.write(piece);
      writer.write(piece);
      copied.bytes += size;
    }
    digest.finish();
    writer.finish();
    copied.rows_read = reader.rows();
    copied.rows_written = writer.rows();
    EXPECT_EQ(digest.digest().total().rows, copied.rows_read);
    EXPECT_EQ(copied.rows_written, copied.rows_read);
    EXPECT_EQ(from.exec("SELECT 1").integer(0, 0), 1) << "both connections can go on";
    EXPECT_EQ(to.exec("SELECT 1").integer(0, 0), 1);
    return copied;
  }

  void make_both(const std::string& table, const std::string& rows) {
    source_.exec(table + ";" + rows);
    target_.exec(table);
  }
  void expect_equal() const {
    EXPECT_EQ(support::database_digest(source_.url()), support::database_digest(target_.url()));
  }

  support::TestDatabase source_{support::cluster()};
  support::TestDatabase target_{support::cluster()};
};

INSTANTIATE_TEST_SUITE_P(Formats, CopyStreamServer, ::testing::Values(CopyFormat::binary, CopyFormat::text),
                         [](const auto& test) {
                           return test.param == CopyFormat::binary ? "binary" : "text";
                         });

TEST_P(CopyStreamServer, MovesRowsOfEveryShape) {
  make_both(
      "CREATE TABLE t (id int, note text, data bytea, at timestamptz, tags text[], doc jsonb, ratio float8)",
      "INSERT INTO t SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' "
      "WHEN 2 THEN E'tab\\t, newline\\n, back\\\\slash, \\\\N' ELSE repeat('ä', i) END,"
      "decode(md5(i::text), 'hex'), '2024-01-01'::timestamptz + i * interval '1 hour', ARRAY['a', NULL, "
      "i::text],"
      "jsonb_build_object('i', i), CASE WHEN i % 5 = 0 THEN 'NaN' ELSE i / 3.0 END "
      "FROM generate_series(1, 300) i");
  for (const size_t buffer : {size_t{1}, size_t{17}, size_t{4096}, kCopyBatch}) {
    target_.exec("TRUNCATE t");
    EXPECT_EQ(copy(buffer, 7).rows_read, 300U);
    expect_equal();
  }
}

TEST_P(CopyStreamServer, MovesAnEmptyTable) {
  make_both("CREATE TABLE t (a int)", "");
  EXPECT_EQ(copy(kCopyBatch, 1).rows_read, 0U);
  expect_equal();
}

TEST_P(CopyStreamServer, MovesRowsWithoutColumns) {
  make_both("CREATE TABLE t ()", "INSERT INTO t SELECT FROM generate_series(1, 1000)");
  EXPECT_EQ(copy(kCopyBatch, 0).rows_read, 1000U);
  EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "1000");
}

TEST_P(CopyStreamServer, MovesARowOf40Megabytes) {
  make_both(
      "CREATE TABLE t (id int, data bytea)",
      "ALTER TABLE t ALTER data SET STORAGE EXTERNAL;"
      "INSERT INTO t SELECT i, decode(repeat(md5(i::text), CASE i WHEN 5 THEN 2500000 ELSE 10 END), 'hex') "
      "FROM generate_series(1, 10) i");
  EXPECT_GT(copy(kCopyBatch, 2).bytes, 40'000'000U);
  expect_equal();
}

TEST_P(CopyStreamServer, MovesManySmallRows) {
  make_both("CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 500000)");
  EXPECT_EQ(copy(kCopyBatch, 1).rows_read, 500'000U);
  expect_equal();
}

// The server answers nothing for a while in the middle: the reader must neither spin nor take it for the end.
TEST_P(CopyStreamServer, ASlowQueryIsWaitedFor) {
  auto from = test::open(source_);
  CopyReader reader(
      from, out("SELECT i, CASE WHEN i = 3 THEN pg_sleep(0.5)::text END FROM generate_series(1, 4) i"));
  std::vector<std::byte> buffer(kCopyBatch);
  RowDigest digest(DigestKey::random(), {GetParam(), 2, {}, 1});
  while (const auto size = reader.read(buffer)) digest.write(std::span(buffer).first(size));
  digest.finish();
  EXPECT_EQ(reader.rows(), 4U);
}

void read_all(CopyReader& reader) {
  std::vector<std::byte> buffer(kCopyBatch);
  while (reader.read(buffer) > 0) {
  }
}

TEST_P(CopyStreamServer, AnErrorOfTheQueryComesAtTheStartOrOnTheWay) {
  auto from = test::open(source_);
  EXPECT_THAT([&] { CopyReader(from, out("SELECT * FROM public.nowhere")); }, throws(ErrorKind::permanent));
  CopyReader reader(from, out("SELECT 1 / (i - 300000) FROM generate_series(1, 1000000) i"));
  EXPECT_THAT([&] { read_all(reader); }, throws(ErrorKind::permanent, HasSubstr("division by zero")));
  EXPECT_EQ(from.exec("SELECT 1").integer(0, 0), 1);
}

TEST_P(CopyStreamServer, ASourceThatDiesOnTheWayIsTransient) {
  auto from = test::open(source_);
  CopyReader reader(from, out("SELECT repeat('x', 1000), generate_series(1, 100000000)"));
  std::vector<std::byte> buffer(kCopyBatch);
  EXPECT_GT(reader.read(buffer), 0U);
  source_.exec(fmt::format("SELECT pg_terminate_backend({})", from.backend_pid()));
  EXPECT_THAT([&] { read_all(reader); }, throws(ErrorKind::transient));
}

TEST_P(CopyStreamServer, AStopEndsAReaderThatWaits) {
  const base::Stop stop;
  auto from = test::connect(source_, stop);
  // The server tells of its start only when it sends the first rows: already the constructor waits.
  auto reading = std::async(std::launch::async, [&] {
    CopyReader reader(from, out("SELECT 1 FROM pg_sleep(60)"));
    read_all(reader);
  });
  source_.wait_until(
      fmt::format("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {} AND wait_event = 'PgSleep'",
                  from.backend_pid()));
  stop.request();
  EXPECT_THAT([&] { reading.get(); }, throws(ErrorKind::cancelled));
}

std::string row_of(CopyFormat format, const std::string& value) {
  if (format == CopyFormat::text) return value + "\n";
  std::string row("\0\1\0\0\0", 5);
  return row + static_cast<char>(value.size()) + value;
}

std::string header_of(CopyFormat format) {
  return format == CopyFormat::text ? "" : std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
}

/// Writes good rows without end, until the writer throws; at most 400 MB.
void write_for_ever(CopyWriter& writer, CopyFormat format, uint64_t& written) {
  std::string many;
  while (many.size() < kCopyBatch) many += row_of(format, "good");
  for (written = 0; written < 400'000'000; written += many.size()) writer.write(bytes_of(many));
}

TEST_P(CopyStreamServer, AnErrorOfTheTargetIsNoticedOnTheWay) {
  target_.exec("CREATE TABLE t (a text CHECK (a <> 'bad'))");
  auto to = test::open(target_, {.role = Role::target});
  CopyWriter writer(to, in("public.t"));
  uint64_t written = 0;
  // A quick server speaks up during the first write already.
  EXPECT_THAT(
      [&] {
        writer.write(bytes_of(header_of(GetParam()) + row_of(GetParam(), "bad")));
        write_for_ever(writer, GetParam(), written);
      },
      throws(ErrorKind::permanent, HasSubstr("violates check constraint")));
  EXPECT_LT(written, 100'000'000U) << "it must not send everything first";
  EXPECT_EQ(to.exec("SELECT count(*) FROM public.t").integer(0, 0), 0);
}

TEST_P(CopyStreamServer, AnErrorThatComesAtTheEndIsThrownByFinish) {
  target_.exec("CREATE TABLE t (a text PRIMARY KEY DEFERRABLE)");
  auto to = test::open(target_, {.role = Role::target});
  CopyWriter writer(to, in("public.t"));
  auto stream = header_of(GetParam()) + row_of(GetParam(), "one") + row_of(GetParam(), "one");
  if (GetParam() == CopyFormat::binary) stream += "\xff\xff";
  writer.write(bytes_of(stream));
  EXPECT_THAT([&] { writer.finish(); },
              throws(ErrorKind::permanent, AllOf(HasSubstr("duplicate key"), Not(HasSubstr("one")))));
  EXPECT_EQ(to.exec("SELECT 1").integer(0, 0), 1);
}

TEST_P(CopyStreamServer, ATargetThatDiesOnTheWayIsTransient) {
  target_.exec("CREATE TABLE t (a text)");
  auto to = test::open(target_, {.role = Role::target});
  CopyWriter writer(to, in("public.t"));
  writer.write(bytes_of(header_of(GetParam()) + row_of(GetParam(), "good")));
  target_.exec(fmt::format("SELECT pg_terminate_backend({})", to.backend_pid()));
  uint64_t written = 0;
  EXPECT_THAT([&] { write_for_ever(writer, GetParam(), written); }, throws(ErrorKind::transient));
  EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "0");
}

TEST_P(CopyStreamServer, AnAbandonedWriterStoresNothing) {
  target_.exec("CREATE TABLE t (a text)");
  {
    auto to = test::open(target_, {.role = Role::target});
    CopyWriter writer(to, in("public.t"));
    writer.write(bytes_of(header_of(GetParam()) + row_of(GetParam(), "good")));
  }
  target_.wait_until(
      "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
      "pg_backend_pid() AND backend_type = 'client backend'");
  EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "0");
}

TEST_P(CopyStreamServer, AWriterBlockedByALockCanBeStopped) {
  target_.exec("CREATE TABLE t (a text); CREATE TABLE other ()");
  target_.exec(
      "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN LOCK TABLE public.other; RETURN NEW; END $$;"
      "CREATE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()");
  auto holder = test::connect(target_);
  holder.exec("BEGIN; LOCK TABLE other");
  const base::Stop stop;
  auto to = test::connect(target_, stop);
  CopyWriter writer(to, in("public.t"));
  writer.write(bytes_of(header_of(GetParam())));
  uint64_t written = 0;
  auto writing = std::async(std::launch::async, [&] { write_for_ever(writer, GetParam(), written); });
  target_.wait_until(
      fmt::format("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {} AND wait_event_type = 'Lock'",
                  to.backend_pid()));
  stop.request();
  EXPECT_THAT([&] { writing.get(); }, throws(ErrorKind::cancelled));
}

}  // namespace
}  // namespace pg
