#include "verify/side.h"

#include <fmt/format.h>

#include "pg/copy_stream.h"
#include "pg/pooler.h"

namespace verify {
namespace {

using base::ErrorKind;

constexpr const char* kApplication = "cutover verify";

pg::SessionOptions session_options(Role role, const std::string& encoding) {
  return {.role = role, .application_name = kApplication, .client_encoding = encoding};
}

pg::Connection open_direct(Role role, const pg::Conninfo& conninfo, const std::string& encoding,
                           const base::Stop& stop) {
  auto session = pg::open_first_session(conninfo, session_options(role, encoding), stop);
  if (const auto way = pg::direct_way(session))
    throw base::Error(ErrorKind::usage,
                      "the connection goes through a pooler, which shares sessions: snapshots and session "
                      "settings would be lost",
                      *way);
  return session;
}

}  // namespace

Side::Side(Role role, pg::Conninfo conninfo, std::string encoding, const base::Stop& stop)
    : role_(role), conninfo_(std::move(conninfo)), encoding_(std::move(encoding)) {
  base::during(fmt::format("look at the {}", name_of(role)), [&] {
    keeper_.emplace(open_direct(role_, conninfo_, encoding_, stop));
    auto& session = keeper_->connection();
    major_ = session.major();
    version_ = session.exec("SHOW server_version").string(0, 0);
    catalog_ = pg::read_catalog(session);
  });
}

pg::Connection Side::open_present(const base::Stop& stop) const {
  return pg::open_session(conninfo_, session_options(role_, encoding_), stop);
}

pg::Connection Side::open_session(const base::Stop& stop) const {
  auto session = open_present(stop);
  try {
    pg::import_snapshot(session, keeper_->id(), keeper_->mark().transactions);
  } catch (base::Error& error) {
    if (pg::is_snapshot_gone(error))
      throw base::Error(
          ErrorKind::permanent, fmt::format("the snapshot at the {} is gone", name_of(role_)),
          "the session that held it was ended, or the server restarted: run the comparison again");
    throw;
  }
  session.exec("SAVEPOINT part");
  return session;
}

std::string common_encoding(const pg::Conninfo& source, const pg::Conninfo& target, const base::Stop& stop) {
  const auto encoding_of = [&](Role role, const pg::Conninfo& conninfo) {
    return base::during(fmt::format("look at the {}", name_of(role)), [&] {
      auto session = pg::open_first_session(conninfo, session_options(role, {}), stop);
      return session.exec("SHOW server_encoding").string(0, 0);
    });
  };
  const auto own = encoding_of(Role::source, source);
  return own == "SQL_ASCII" || encoding_of(Role::target, target) == "SQL_ASCII" ? own : "UTF8";
}

Reader::Reader(const Side& side, const base::Stop& stop)
    : connection_(side.open_session(stop)), buffer_(pg::kCopyBatch) {}

void Reader::hold_still(const Part& part) {
  // The savepoint gives the locks of the part before back: ten thousand tables would not fit the server's
  // lock table.
  std::string sql = "ROLLBACK TO SAVEPOINT part";
  if (part.oid == 0) {  // large objects
    connection_.exec(sql);
    return;
  }
  // LOCK takes no materialized view; a refresh is noticed by its new file all the same.
  if (part.is_table)
    sql += fmt::format(
        "; SET LOCAL lock_timeout = '10s'; LOCK TABLE ONLY {} IN ACCESS SHARE MODE; SET LOCAL lock_timeout = "
        "0",
        part.name.sql());
  try {
    const auto row =
        connection_.exec(fmt::format("{}; SELECT pg_catalog.pg_relation_filenode({})", sql, part.oid));
    if (!row.is_null(0, 0) && static_cast<uint64_t>(row.integer(0, 0)) == part.filenode) return;
  } catch (base::Error& error) {
    if (error.sqlstate() == "55P03")
      error.kind(ErrorKind::permanent)
          .hint(
              "another session wants the table for itself (ALTER TABLE, TRUNCATE, VACUUM FULL) and waits; "
              "end that session and run the comparison again");
    if (error.sqlstate() == "42P01") error.hint("it was dropped or renamed while the comparison ran");
    throw;
  }
  throw base::Error(ErrorKind::permanent, "it was truncated, rewritten or refreshed while the comparison ran",
                    "let such changes wait, and run the comparison again");
}

Reader::Copied Reader::copy(const std::string& sql, base::ByteSink& out, Progress::Scope& scope) {
  Copied copied;
  pg::CopyReader reader(connection_, sql);
  while (const auto size = reader.read(buffer_)) {
    out.write(base::Bytes(buffer_).first(size));
    scope.add_bytes(size);
    copied.bytes += size;
  }
  out.finish();
  copied.rows = reader.rows();
  return copied;
}

}  // namespace verify
