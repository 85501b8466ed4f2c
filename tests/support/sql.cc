#include "tests/support/sql.h"

#include <fmt/format.h>
#include <libpq-fe.h>

namespace support {

void Session::Deleter::operator()(pg_conn* connection) const { PQfinish(connection); }

Session::Session(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw ConnectionLost(PQerrorMessage(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
}

Rows Session::exec(std::string_view sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection_.get(), std::string(sql).c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
    const auto message = fmt::format("{}\nin: {}", PQerrorMessage(connection_.get()), sql);
    if (PQstatus(connection_.get()) != CONNECTION_OK) throw ConnectionLost(message);
    throw std::runtime_error(message);
  }
  Rows rows(static_cast<size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row)
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      auto& values = rows[static_cast<size_t>(row)];
      if (PQgetisnull(result.get(), row, column) != 0) {
        values.emplace_back();
      } else {
        values.emplace_back(std::string(PQgetvalue(result.get(), row, column),
                                        static_cast<size_t>(PQgetlength(result.get(), row, column))));
      }
    }
  return rows;
}

int Session::major() const { return PQserverVersion(connection_.get()) / 10000; }
int Session::backend_pid() const { return PQbackendPID(connection_.get()); }

Rows exec_url(const std::string& url, std::string_view sql) { return Session(url).exec(sql); }

std::string sql_identifier(std::string_view identifier) {
  std::string out = "\"";
  for (const char c : identifier) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string sql_literal(std::string_view text) {
  std::string out = " E'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string(2, c) : std::string(1, c);
  return out + "'";
}

}  // namespace support
