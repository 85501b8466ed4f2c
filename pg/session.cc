#include "pg/session.h"

#include <fmt/format.h>

#include "pg/quote.h"

namespace pg {
namespace {

struct Setting {
  const char* name;
  const char* value;
  int since = 0;  // first major version that has it
};

constexpr Setting kCommon[] = {
    {"search_path", ""},
    {"row_security", "off"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0", 14},
    {"transaction_timeout", "0", 17},
    {"TimeZone", "UTC"},
    {"DateStyle", "ISO, YMD"},
    {"IntervalStyle", "postgres"},
    {"extra_float_digits", "3"},
    {"bytea_output", "hex"},
    {"array_nulls", "on"},
    {"xmlbinary", "base64"},
    {"xmloption", "content"},
    {"lc_monetary", "C"},
    {"standard_conforming_strings", "on"},
    {"quote_all_identifiers", "off"},
    {"jit", "off"},
    // A cached inner side would answer lo_lseek64(fd) for the next large object too, whose descriptor has the
    // same number.
    {"enable_memoize", "off", 14},
    // Workers are our parallelism: a parallel plan under each would only multiply processes.
    {"max_parallel_workers_per_gather", "0"},
    {"synchronize_seqscans", "off"},
    {"client_min_messages", "error"},
};

constexpr Setting kTarget[] = {
    {"default_transaction_read_only", "off"},
    // A look that comes after a lock was waited for must see what was committed meanwhile.
    {"default_transaction_isolation", "read committed"},
    {"check_function_bodies", "off"},
};

void add_setting(std::string& sql, std::string_view name, std::string_view value) {
  sql += sql.empty() ? "SELECT " : ", ";
  sql += fmt::format("pg_catalog.set_config({}, {}, false)", quote_literal(name), quote_literal(value));
}

}  // namespace

Connection open_session(const Conninfo& conninfo, const SessionOptions& options, const base::Stop& stop) {
  Connection connection(conninfo.with("application_name", options.application_name), stop);
  std::string sql;
  const auto add_all = [&](const auto& settings) {
    for (const auto& setting : settings)
      if (connection.major() >= setting.since) add_setting(sql, setting.name, setting.value);
  };
  add_all(kCommon);
  if (options.role == Role::target) add_all(kTarget);
  if (options.client_encoding.empty()) {
    sql +=
        ", pg_catalog.set_config('client_encoding', CASE pg_catalog.current_setting('server_encoding') "
        "WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, false)";
  } else {
    add_setting(sql, "client_encoding", options.client_encoding);
  }
  if (options.asynchronous_commit) add_setting(sql, "synchronous_commit", "off");
  if (options.replica_role) add_setting(sql, "session_replication_role", "replica");
  connection.exec(sql);
  return connection;
}

std::map<std::string, std::string> pinned_settings(Connection& connection) {
  std::string names = "'client_encoding'";
  for (const auto& setting : kCommon) names += ", " + quote_literal(setting.name);
  const auto rows = connection.exec(fmt::format(
      "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings WHERE name IN ({})", names));
  std::map<std::string, std::string> out;
  for (int row = 0; row < rows.rows(); ++row) out.emplace(rows.string(row, 0), rows.string(row, 1));
  return out;
}

Connection open_first_session(const Conninfo& conninfo, const SessionOptions& options,
                              const base::Stop& stop) {
  try {
    return open_session(conninfo, options, stop);
  } catch (base::Error& error) {
    if (error.kind() == base::ErrorKind::transient) error.kind(base::ErrorKind::usage);
    throw;
  }
}

}  // namespace pg
