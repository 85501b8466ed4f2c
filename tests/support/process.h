#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "tests/support/build.h"

namespace support {

struct ProcessOptions {
  /// Set on top of clean_environment().
  std::map<std::string, std::string> environment = {};
  std::string input = {};  ///< what standard input holds
  std::filesystem::path directory = {};
  bool as_postgres = false;  ///< run as the user postgres when we are root
  /// Standard output and error are one terminal of 100 columns and 30 rows, TERM is xterm; what the program
  /// sends to it is the output.
  bool terminal = false;
  /// From the start on. A process that is over it is killed, and wait() throws.
  std::chrono::milliseconds deadline{120'000};
};

struct ProcessResult {
  int exit_code = 0;  ///< 128 + signal number when killed by a signal
  std::string output;
  std::string error;
  /// Bytes of memory (RSS) at the peak: its own, or those of a child of its that had more.
  uint64_t peak_memory = 0;
};

/// Our environment without CUTOVER_*, PG*, AWS_* and colour settings.
std::map<std::string, std::string> clean_environment();

/// A running program in a session of its own. Standard output and error go to memory files, so that nothing
/// blocks and what came so far can be read at any time. The destructor kills it and what it started in its
/// session.
class Process {
 public:
  Process(const std::filesystem::path& program, const std::vector<std::string>& arguments,
          const ProcessOptions& options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running();
  void kill(int signal) const;
  /// Waits for the end; throws std::runtime_error with the output when the deadline comes first.
  ProcessResult wait();
  /// Waits until standard output or error contains `text`; throws when the process ends or the deadline comes
  /// first.
  void wait_for_output(std::string_view text);
  std::string output() const;
  std::string error() const;

 private:
  class Terminal;
  bool wait_until(std::chrono::steady_clock::time_point time);
  std::string description() const;

  std::string name_;
  std::chrono::steady_clock::time_point deadline_;
  int output_ = -1;
  int error_ = -1;
  int exited_ = -1;  // pidfd
  pid_t pid_ = -1;
  std::unique_ptr<Terminal> terminal_;
  std::optional<int> exit_code_;
  uint64_t peak_memory_ = 0;
};

/// Runs to the end.
ProcessResult run(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                  const ProcessOptions& options = {});
/// As run(); throws std::runtime_error with the output unless the exit code is 0. Returns standard output.
std::string run_or_throw(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                         const ProcessOptions& options = {});

/// The program under test, to the end.
ProcessResult cutover(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

}  // namespace support
