#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "pg/conninfo.h"

// libpq's own types, so that only pg/*.cc need libpq-fe.h.
struct pg_conn;
struct pg_result;

namespace pg {

using Oid = uint32_t;

/// The rows of a query, text format.
class Result {
 public:
  explicit Result(pg_result* result) : result_(result) {}

  int rows() const;
  bool is_null(int row, int column) const;
  std::string_view text(int row, int column) const;
  std::optional<std::string> optional_text(int row, int column) const;
  std::string string(int row, int column) const { return std::string(text(row, column)); }
  /// Throws Error{permanent} when the value is not an integer that fits.
  int64_t integer(int row, int column) const;
  Oid oid(int row, int column) const { return static_cast<Oid>(integer(row, column)); }
  bool boolean(int row, int column) const { return text(row, column) == "t"; }
  char character(int row, int column) const;
  /// Elements of a one-dimensional text-format array, NULLs as empty strings.
  std::vector<std::string> array(int row, int column) const;
  int columns() const;
  /// The attribute number of the table's column that this one shows as it is; 0: it is no column of a table.
  int table_column(int column) const;
  /// The type on the wire; for a domain, what it is over.
  Oid type(int column) const;
  /// The command tag: "COPY 17", "COMMIT".
  std::string_view tag() const;
  /// From the command tag ("COPY 17", "DELETE 3"); 0 where there is none.
  uint64_t affected() const;

 private:
  struct Deleter {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Deleter> result_;
};

using RowVisitor = std::function<void(const Result& row)>;

/// One session. Every wait can be interrupted: when the Stop given at construction is requested, the running
/// statement is cancelled on the server, Error{cancelled} is thrown and the connection is no longer usable.
/// Errors of the server carry its SQLSTATE and a kind derived from it (error_kind_of()).
/// Not thread-safe; one thread at a time.
class Connection {
 public:
  /// Connects. Error{transient} when the server cannot be reached or is not ready, Error{usage} when it
  /// refuses (password, database, TLS). connect_timeout is 15 s and TCP keepalives are on unless the user
  /// said otherwise.
  Connection(Conninfo conninfo, base::Stop stop);

  /// One or several statements by the simple protocol; the last result.
  Result exec(const std::string& sql);
  /// The rows of a query one by one, each as a result of one row: a list of any length is never held. All of
  /// them are visited before an error of the server is thrown; one that `visit` throws ends the visits.
  void for_each_row(const std::string& sql, const RowVisitor& visit);
  /// One statement with text parameters ($1 …), nullopt is NULL.
  Result exec(const std::string& sql, std::span<const std::optional<std::string>> parameters);
  Result exec(const std::string& sql, std::initializer_list<std::optional<std::string>> parameters) {
    return exec(sql, std::span(parameters.begin(), parameters.size()));
  }

  /// What the server has warned of since the last call ("no privileges were granted"), each with its
  /// SQLSTATE. Our sessions hear of none but in a statement that sets client_min_messages.
  std::vector<base::Error> take_warnings() { return std::exchange(*warnings_, {}); }

  /// False once the socket is known to be dead.
  bool alive() const;
  int server_version() const;  ///< 150018 is 15.18
  int major() const { return server_version() / 10000; }
  int backend_pid() const;
  std::string database() const;
  /// Of the server that answered, as the user or the environment wrote it: one of several, or a name beside
  /// an address (hostaddr).
  std::string host() const;
  const base::Stop& stop() const { return stop_; }
  const Conninfo& conninfo() const { return conninfo_; }

  /// libpq keeps room for the largest message that came, as long as the connection lives. True when that is
  /// a lot: a copy, which has several such sessions at a time, closes them behind the row.
  bool keeps_large_buffer() const { return keeps_large_buffer_; }

  // For the COPY classes of this folder.
  void large_message_came() { keeps_large_buffer_ = true; }
  pg_conn* raw() const { return connection_.get(); }
  /// True once, for whoever has to prepare the connection for reading much.
  bool first_bulk_read() { return std::exchange(first_bulk_read_, false); }
  /// Waits for `events` (POLLIN/POLLOUT) on the socket; returns the events that came, 0 on timeout
  /// (milliseconds, -1: none). Handles a stop as described above.
  short wait(short events, int timeout = -1);
  /// Collects the results of a statement that was sent; throws the first error. Rows that come one by one are
  /// for `visit`.
  Result collect(const RowVisitor& visit = {});
  /// Sends everything that libpq has buffered.
  void flush();
  /// Throws the connection's current error.
  [[noreturn]] void throw_connection_error();

 private:
  void connect(const Conninfo& effective);
  void cancel_statement() noexcept;

  struct Deleter {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<std::vector<base::Error>> warnings_;  // libpq knows where it is
  std::unique_ptr<pg_conn, Deleter> connection_;
  Conninfo conninfo_;
  base::Stop stop_;
  bool first_bulk_read_ = true;
  bool keeps_large_buffer_ = false;
};

/// What a SQLSTATE allows the caller to do. Source: Postgres's Appendix A; the transient ones are those that
/// go away when the server is back, the lock is free or the disk has room.
base::ErrorKind error_kind_of(std::string_view sqlstate);
/// The role may not do that.
bool is_insufficient_privilege(const base::Error& error);

/// A transaction that is rolled back unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Connection& connection, const std::string& begin = "BEGIN");
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  /// Throws Error{in_doubt} when the connection was lost before the reply came.
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace pg
