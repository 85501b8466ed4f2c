// relay SOURCE TARGET TABLE: moves a table as most programs with libpq do, row by row as it comes; nothing is
// looked at. What `./dev bench copy` compares cutover's own CPU time with.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <libpq-fe.h>

namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

[[noreturn]] void give_up(const Connection& connection) {
  std::fputs(PQerrorMessage(connection.get()), stderr);
  std::exit(1);
}

Connection begin_copy(const char* url, const std::string& sql, ExecStatusType expected) {
  Connection connection(PQconnectdb(url), &PQfinish);
  PGresult* result = PQexec(connection.get(), sql.c_str());
  if (PQresultStatus(result) != expected) give_up(connection);
  PQclear(result);
  return connection;
}

void end_copy(const Connection& connection) {
  while (PGresult* result = PQgetResult(connection.get())) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up(connection);
    PQclear(result);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string table = argv[3];
  const auto source = begin_copy(argv[1], "COPY " + table + " TO STDOUT (FORMAT binary)", PGRES_COPY_OUT);
  const auto target = begin_copy(argv[2], "COPY " + table + " FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
  char* row = nullptr;
  int size = 0;
  while ((size = PQgetCopyData(source.get(), &row, 0)) > 0) {
    if (PQputCopyData(target.get(), row, size) != 1) give_up(target);
    PQfreemem(row);
  }
  if (size == -2) give_up(source);
  if (PQputCopyEnd(target.get(), nullptr) != 1) give_up(target);
  end_copy(source);
  end_copy(target);
}
