#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/cluster.h"

struct pg_conn;

namespace support {

/// The connection could not be made, or broke.
class ConnectionLost : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A plain libpq connection, as far as possible from the code under test.
class Session {
 public:
  explicit Session(const std::string& conninfo);
  /// One or several statements; the last one's rows. Throws std::runtime_error with the server's message.
  Rows exec(std::string_view sql);
  int major() const;
  int backend_pid() const;

 private:
  struct Deleter {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Deleter> connection_;
};

std::string sql_identifier(std::string_view identifier);
std::string sql_literal(std::string_view text);

}  // namespace support
