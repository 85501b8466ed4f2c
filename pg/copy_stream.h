#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/sink.h"
#include "pg/connection.h"

namespace pg {

/// Bytes that both COPY classes like to move at a time: small enough for the L2 cache, large enough that the
/// system calls do not show.
inline constexpr size_t kCopyBatch = 256 * 1024;

/// The bytes of one COPY … TO STDOUT, without their framing. Memory: one batch, and libpq's buffer for one
/// row (up to twice its size).
class CopyReader : public base::ByteSource {
 public:
  /// Sends `sql` and waits for the server to start.
  CopyReader(Connection& connection, const std::string& sql);
  ~CopyReader() override;

  /// Fills as much of `buffer` as it can before waiting more than a moment; 0 at the end, after the server
  /// has confirmed that the COPY succeeded. The split has nothing to do with rows.
  size_t read(std::span<std::byte> buffer) override;
  /// Rows the server says it sent; known once read() returned 0.
  uint64_t rows() const { return rows_; }

 private:
  void gather(bool much);
  void note_piece(size_t size, size_t room);
  void wait_for_input();
  void finish();

  Connection& connection_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;    // that read() has given
  uint64_t message_ = 0;  // of them, in pieces of a message that does not end yet
  bool gathers_ = false;  // waits for much at a time
  bool ended_ = false;
};

/// Feeds one COPY … FROM STDIN. Memory: what libpq buffers of one write().
class CopyWriter : public base::ByteSink {
 public:
  CopyWriter(Connection& connection, const std::string& sql);
  ~CopyWriter() override;

  void write(base::Bytes bytes) override;
  /// Ends the COPY; throws what the server has to say against it.
  void finish() override;
  /// Rows the server stored; known after finish().
  uint64_t rows() const { return rows_; }

 private:
  [[noreturn]] void abort_with_server_error();

  Connection& connection_;
  uint64_t rows_ = 0;
};

}  // namespace pg
