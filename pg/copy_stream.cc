#include "pg/copy_stream.h"

#include <algorithm>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

// Why it reads as it does. PQgetCopyData allocates, copies and frees every row: at 100 bytes a row that is
// most of the client's time. PQgetlineAsync, libpq's older call, copies the same message straight into our
// buffer, so many rows share one batch with no allocation. It is still documented and works for binary data
// too (it returns the bytes of the message as they are). And a socket that wakes us for each 8 kB the server
// flushes costs a poll and a recv per 8 kB: SO_RCVLOWAT lets the kernel gather more before it wakes us, a
// short timeout keeps the end of the stream from waiting for bytes that will not come. A stream that ends
// before there is much to gather, as that of most tables, does not wait for such an end at all.

namespace pg {
namespace {

constexpr uint64_t kLargeMessage = uint64_t{16} << 20;
constexpr int kLowWater = 128 * 1024;
constexpr int kLingerMilliseconds = 5;
// Not for ever: under TLS a decrypted rest can wait in OpenSSL while the socket has nothing to tell.
constexpr int kPatienceMilliseconds = 200;

void set_low_water(Connection& connection, int bytes) {
  // Only an optimisation: a socket that does not know the option works as well without it.
  setsockopt(PQsocket(connection.raw()), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

// libpq's input buffer starts at 16 kB, grows to the largest message it has seen and never shrinks. One large
// message, once for each connection, lets every later recv() take up to that much.
void grow_input_buffer(Connection& connection) {
  connection.exec(fmt::format("SELECT pg_catalog.repeat(' ', {})", kCopyBatch - 1024));
}

}  // namespace

CopyReader::CopyReader(Connection& connection, const std::string& sql) : connection_(connection) {
  if (connection_.first_bulk_read()) grow_input_buffer(connection_);
  connection_.exec(sql);
}

CopyReader::~CopyReader() {
  if (connection_.alive()) gather(false);
}

void CopyReader::gather(bool much) {
  if (std::exchange(gathers_, much) != much) set_low_water(connection_, much ? kLowWater : 1);
}

// A piece that fills the room may be followed by more of its message.
void CopyReader::note_piece(size_t size, size_t room) {
  message_ += size;
  if (message_ >= kLargeMessage) connection_.large_message_came();
  if (size < room) message_ = 0;
}

void CopyReader::wait_for_input() {
  if (!gathers_) {
    connection_.wait(POLLIN, kPatienceMilliseconds);
  } else if (connection_.wait(POLLIN, kLingerMilliseconds) == 0) {
    // Less than the low water mark has come: sleep until the first byte, and take what there is.
    set_low_water(connection_, 1);
    connection_.wait(POLLIN, kPatienceMilliseconds);
    set_low_water(connection_, kLowWater);
  }
  if (PQconsumeInput(connection_.raw()) == 0) connection_.throw_connection_error();
}

size_t CopyReader::read(std::span<std::byte> buffer) {
  if (ended_) return 0;
  size_t filled = 0;
  while (filled < buffer.size()) {
    const auto room = std::min<size_t>(buffer.size() - filled, 1U << 30);
    const int got =
        PQgetlineAsync(connection_.raw(), reinterpret_cast<char*>(buffer.data() + filled),  // NOLINT
                       static_cast<int>(room));
    if (got > 0) {
      filled += static_cast<size_t>(got);
      note_piece(static_cast<size_t>(got), room);
    } else if (got < 0) {
      finish();
      break;
    } else if (filled > buffer.size() / 2) {
      break;
    } else {
      gather(bytes_ + filled >= kLowWater);
      wait_for_input();
    }
  }
  bytes_ += filled;
  return filled;
}

void CopyReader::finish() {
  ended_ = true;
  gather(false);
  rows_ = connection_.collect().affected();
}

CopyWriter::CopyWriter(Connection& connection, const std::string& sql) : connection_(connection) {
  connection_.exec(sql);
}

CopyWriter::~CopyWriter() {
  // Unfinished: the server must not take a cut-off stream for a whole one. Closing the connection would do
  // too.
  if (connection_.alive() && PQtransactionStatus(connection_.raw()) == PQTRANS_ACTIVE)
    PQputCopyEnd(connection_.raw(), "the copy was given up");
}

void CopyWriter::write(base::Bytes bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kCopyBatch));
    bytes = bytes.subspan(piece.size());
    const int queued =
        PQputCopyData(connection_.raw(), reinterpret_cast<const char*>(piece.data()),  // NOLINT
                      static_cast<int>(piece.size()));
    // 0: libpq found no memory for the piece and has not taken it.
    if (queued == 0) throw std::bad_alloc();
    if (queued < 0) connection_.throw_connection_error();
    for (;;) {
      const int left = PQflush(connection_.raw());
      if (left < 0) connection_.throw_connection_error();
      if (left == 0) break;
      // During COPY IN the server speaks only to report an error; notices are off in our sessions.
      if ((connection_.wait(POLLIN | POLLOUT) & POLLIN) != 0) abort_with_server_error();
    }
  }
  if ((connection_.wait(POLLIN, 0) & POLLIN) != 0) abort_with_server_error();
}

void CopyWriter::abort_with_server_error() {
  if (PQconsumeInput(connection_.raw()) == 0) connection_.throw_connection_error();
  PQputCopyEnd(connection_.raw(), "the server interrupted the copy");
  connection_.collect();
  throw base::Error(base::ErrorKind::transient, "the server interrupted the copy");
}

void CopyWriter::finish() {
  int sent = 0;
  while ((sent = PQputCopyEnd(connection_.raw(), nullptr)) == 0) connection_.flush();
  if (sent < 0) connection_.throw_connection_error();
  rows_ = connection_.collect().affected();
}

}  // namespace pg
