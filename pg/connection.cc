#include "pg/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <exception>

#include <libpq-fe.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares no C linkage of its own
}

namespace pg {

using base::Error;
using base::ErrorKind;
using base::trimmed;

// ---------------------------------------------------------------------------------------------- Result

void Result::Deleter::operator()(pg_result* result) const { PQclear(result); }
int Result::rows() const { return PQntuples(result_.get()); }
bool Result::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

std::string_view Result::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> Result::optional_text(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return string(row, column);
}

int64_t Result::integer(int row, int column) const {
  const auto value = text(row, column);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size())
    base::fail(ErrorKind::permanent, "expected an integer in column {} of a catalog query, got \"{}\"",
               column, value);
  return number;
}

char Result::character(int row, int column) const {
  const auto value = text(row, column);
  return value.empty() ? '\0' : value.front();
}

std::vector<std::string> Result::array(int row, int column) const {
  std::vector<std::string> elements;
  const auto value = text(row, column);
  if (value.size() < 2) return elements;
  std::string element;
  bool quoted = false;
  bool plain = true;  // not one quote in this element
  const auto end_element = [&] {
    if (std::exchange(plain, true) && element == "NULL") element.clear();
    elements.push_back(std::exchange(element, {}));
  };
  for (size_t i = 1; i + 1 < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\' && quoted) {
      element += value[++i];
    } else if (c == '"') {
      quoted = !quoted;
      plain = false;
    } else if (c == ',' && !quoted) {
      end_element();
    } else {
      element += c;
    }
  }
  if (value.size() > 2) end_element();
  return elements;
}

int Result::columns() const { return PQnfields(result_.get()); }
int Result::table_column(int column) const { return PQftablecol(result_.get(), column); }
Oid Result::type(int column) const { return PQftype(result_.get(), column); }

std::string_view Result::tag() const { return PQcmdStatus(result_.get()); }

uint64_t Result::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

// ---------------------------------------------------------------------------------------------- errors

bool is_insufficient_privilege(const base::Error& error) { return error.sqlstate() == "42501"; }

ErrorKind error_kind_of(std::string_view sqlstate) {
  using enum ErrorKind;
  static constexpr std::array kTransient = {
      std::string_view("40001"),  // serialization_failure
      std::string_view("40P01"),  // deadlock_detected
      std::string_view("53100"),  // disk_full: the operator may free some
      std::string_view("53200"),  // out_of_memory
      std::string_view("53300"),  // too_many_connections
      std::string_view("55P03"),  // lock_not_available
      std::string_view("57014"),  // query_canceled, by someone else than us
      std::string_view("57P01"),  // admin_shutdown (also a suspended Neon compute)
      std::string_view("57P02"),  // crash_shutdown
      std::string_view("57P03"),  // cannot_connect_now
      std::string_view("57P05"),  // idle_session_timeout
      std::string_view("25P03"),  // idle_in_transaction_session_timeout
  };
  if (sqlstate.starts_with("08") || std::ranges::find(kTransient, sqlstate) != kTransient.end())
    return transient;
  return permanent;
}

namespace {

Error server_error(const PGresult* result) {
  const auto field = [&](int code) {
    const char* value = PQresultErrorField(result, code);
    return std::string(value ? value : "");
  };
  const auto sqlstate = field(PG_DIAG_SQLSTATE);
  auto message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = trimmed(PQresultErrorMessage(result));
  // DETAIL may quote row values; they belong to the user's data, which the user may see, but a log may
  // travel. CONTEXT of COPY does too: only its first line's head, "COPY t, line 7, column x", is kept.
  auto context = field(PG_DIAG_CONTEXT);
  context = context.substr(0, context.find_first_of(":\n"));
  if (context.starts_with("COPY ")) message += " (" + context + ")";
  Error error(error_kind_of(sqlstate), message, field(PG_DIAG_MESSAGE_HINT));
  error.sqlstate(sqlstate);
  return error;
}

// libpq has no SQLSTATE for a failed connection attempt, so the text decides. What is not known to be a
// refusal is taken as "not reachable now": the first contact of a command turns that into a usage error
// anyway.
Error connect_error(const Conninfo& conninfo, std::string_view message) {
  const auto said = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
  Error error(ErrorKind::transient,
              fmt::format("cannot connect to {}: {}", conninfo.redacted(), trimmed(message)));
  if (said("password authentication failed") || said("no password supplied") ||
      said("authentication failed")) {
    error.kind(ErrorKind::usage)
        .hint(
            conninfo.has_password_source()
                ? "the user needs the role rds_iam and the AWS identity rds-db:connect for it; the host must "
                  "be the endpoint's own name, and IAM authentication be on"
                : "check the user and the password in the URL, PGPASSWORD or PGPASSFILE");
  } else if (said("database") && said("does not exist")) {
    error.kind(ErrorKind::usage)
        .hint("check the database name in the URL, or create it on that server first");
  } else if (said("role") && said("does not exist")) {
    error.kind(ErrorKind::usage).hint("check the user in the URL");
  } else if (said("not permitted to log in") || said("permission denied for database")) {
    error.kind(ErrorKind::usage)
        .hint("let the user in the URL log in there (LOGIN, CONNECT), or name another one");
  } else if (said("no pg_hba.conf entry")) {
    error.kind(ErrorKind::usage)
        .hint(
            "the server does not accept this client address, user, or plain-text connection: try "
            "sslmode=require, or allow it in the server's access rules");
  } else if (said("certificate") || said("does not support SSL") || said("root.crt")) {
    error.kind(ErrorKind::usage).hint("check sslmode and sslrootcert in the URL");
  } else if (said("invalid") && said("value")) {
    error.kind(ErrorKind::usage);
  } else if (said("could not translate host name")) {
    error.hint("check the host name in the URL");
  } else if (said("Connection refused") || said("timeout") || said("timed out")) {
    error.hint(
        "is the server running, and may this machine reach that host and port (security group, firewall, "
        "VPN)?");
  }
  return error;
}

}  // namespace

// ------------------------------------------------------------------------------------------ Connection

namespace {

void on_notice(void* warnings, const PGresult* notice) {
  spdlog::debug("{}", trimmed(PQresultErrorMessage(notice)));
  const auto* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && std::string_view(severity) == "WARNING")
    static_cast<std::vector<Error>*>(warnings)->push_back(server_error(notice));
}

}  // namespace

void Connection::Deleter::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(Conninfo conninfo, base::Stop stop)
    : warnings_(std::make_unique<std::vector<Error>>()),
      conninfo_(std::move(conninfo)),
      stop_(std::move(stop)) {
  connect(conninfo_.with_fresh_password()
              .with_default("connect_timeout", "15")
              .with_default("keepalives_idle", "30")
              .with_default("keepalives_interval", "10")
              .with_default("keepalives_count", "3")
              .with_default("tcp_user_timeout", "90000")
              .with_default("fallback_application_name", "cutover"));
}

void Connection::connect(const Conninfo& effective) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : effective.parameters()) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection_) throw std::bad_alloc();
  PQsetNoticeReceiver(raw(), &on_notice, warnings_.get());
  // libpq applies connect_timeout only in its blocking calls.
  const auto timeout = std::chrono::seconds(std::max(2, std::atoi(effective.get("connect_timeout").c_str())));
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto state = PQstatus(raw()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) throw connect_error(conninfo_, PQerrorMessage(raw()));
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 ||
        wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, static_cast<int>(left.count())) == 0)
      throw connect_error(conninfo_, fmt::format("timeout after {} s", timeout.count()));
    state = PQconnectPoll(raw());
  }
  PQsetnonblocking(raw(), 1);
}

short Connection::wait(short events, int timeout) {
  std::array<pollfd, 2> watched = {pollfd{PQsocket(raw()), events, 0}, pollfd{stop_.descriptor(), POLLIN, 0}};
  for (;;) {
    const int ready = poll(watched.data(), watched.size(), timeout);
    if (ready < 0 && errno != EINTR) throw base::system_error("wait for", conninfo_.redacted(), errno);
    if (watched[1].revents != 0) {
      cancel_statement();
      throw Error(ErrorKind::cancelled, "stopped on request");
    }
    if (ready >= 0) return watched[0].revents;
  }
}

namespace {

// PQcancel() connects and waits for an answer without any limit, and a stop must not hang at a server that
// does not answer. It may be called in a signal handler, so it may be called in a forked child, which can be
// killed.
void cancel_within(PGcancel* cancel, std::chrono::milliseconds limit) noexcept {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the child must not answer signals that are meant for us
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a second signal may end us before the limit does
    close_range(3, ~0U, 0);            // among them the lock of the run directory, which must end with us
    std::array<char, 256> message{};
    PQcancel(cancel, message.data(), static_cast<int>(message.size()));
    _exit(0);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return;
  const int ended = pidfd_open(child, 0);
  pollfd watched{ended, POLLIN, 0};
  if (ended < 0 || poll(&watched, 1, static_cast<int>(limit.count())) <= 0) kill(child, SIGKILL);
  if (ended >= 0) close(ended);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

void Connection::cancel_statement() noexcept {
  if (PQtransactionStatus(raw()) != PQTRANS_ACTIVE) return;
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(raw()), PQfreeCancel);
  if (cancel) cancel_within(cancel.get(), std::chrono::seconds(3));
}

void Connection::throw_connection_error() {
  throw Error(ErrorKind::transient, fmt::format("lost the connection to {}: {}", conninfo_.redacted(),
                                                trimmed(PQerrorMessage(raw()))));
}

void Connection::flush() {
  for (;;) {
    const int left = PQflush(raw());
    if (left == 0) return;
    if (left < 0) throw_connection_error();
    if ((wait(POLLIN | POLLOUT) & POLLIN) != 0 && PQconsumeInput(raw()) == 0) throw_connection_error();
  }
}

Result Connection::collect(const RowVisitor& visit) {
  flush();
  Result last(nullptr);
  std::optional<Error> first_error;
  for (;;) {
    while (PQisBusy(raw()) != 0) {
      // Not for ever: under TLS a decrypted rest can wait in OpenSSL while the socket has nothing to tell.
      wait(POLLIN, 1000);
      if (PQconsumeInput(raw()) == 0) break;
    }
    PGresult* result = PQgetResult(raw());
    if (!result) break;
    last = Result(result);
    const auto status = PQresultStatus(result);
    if (status == PGRES_SINGLE_TUPLE) visit(last);
    if (status == PGRES_FATAL_ERROR && !first_error) first_error = server_error(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return last;
    if (PQstatus(raw()) == CONNECTION_BAD) break;
  }
  if (PQstatus(raw()) == CONNECTION_BAD) {
    if (first_error && !first_error->sqlstate().empty())
      throw *first_error;  // e.g. "terminating connection due to …"
    throw_connection_error();
  }
  if (first_error) throw *first_error;
  return last;
}

Result Connection::exec(const std::string& sql) {
  stop_.check();
  if (PQsendQuery(raw(), sql.c_str()) == 0) throw_connection_error();
  return collect();
}

void Connection::for_each_row(const std::string& sql, const RowVisitor& visit) {
  stop_.check();
  if (PQsendQuery(raw(), sql.c_str()) == 0 || PQsetSingleRowMode(raw()) == 0) throw_connection_error();
  // The rows behind one that could not be visited must be read all the same, or the next statement would meet
  // them.
  std::exception_ptr failure;
  collect([&](const Result& row) {
    if (failure) return;
    try {
      visit(row);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

Result Connection::exec(const std::string& sql, std::span<const std::optional<std::string>> parameters) {
  stop_.check();
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
  if (PQsendQueryParams(raw(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) == 0)
    throw_connection_error();
  return collect();
}

bool Connection::alive() const { return PQstatus(raw()) == CONNECTION_OK; }
int Connection::server_version() const { return PQserverVersion(raw()); }
int Connection::backend_pid() const { return PQbackendPID(raw()); }
std::string Connection::database() const { return PQdb(raw()); }

std::string Connection::host() const {
  const char* host = PQhost(raw());
  return host ? host : "";
}

// ----------------------------------------------------------------------------------------- Transaction

Transaction::Transaction(Connection& connection, const std::string& begin) : connection_(connection) {
  connection_.exec(begin);
}

Transaction::~Transaction() {
  if (!open_ || !connection_.alive() || PQtransactionStatus(connection_.raw()) == PQTRANS_ACTIVE) return;
  try {
    connection_.exec("ROLLBACK");
  } catch (const std::exception& error) {
    spdlog::debug("rollback: {}", error.what());
  }
}

void Transaction::commit() {
  open_ = false;
  try {
    // The server answers COMMIT of a failed transaction with success and the tag ROLLBACK.
    if (connection_.exec("COMMIT").tag() != "COMMIT")
      throw Error(ErrorKind::permanent, "the server rolled the transaction back");
  } catch (Error& error) {
    if (!connection_.alive() || error.kind() == ErrorKind::cancelled)
      error.kind(ErrorKind::in_doubt).during("the reply to a commit was lost");
    throw;
  }
}

}  // namespace pg
