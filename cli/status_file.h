#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

#include "cli/log.h"

/// DIR/status.json: how far the running process is, renewed every second for `cutover status`.
namespace cli {

/// Replaces the file atomically. It is not made durable: after a crash nobody runs. Nothing is written unless
/// this process was the last to lock the directory. Failures are ignored: the run matters more than who
/// watches it.
void write_status_file(const std::filesystem::path& directory, const Json& status) noexcept;
/// What was written last; nothing when there is none, or it is not whole.
std::optional<Json> read_status_file(const std::filesystem::path& directory);

/// The process that holds the lock of the run directory. The lock alone says that it lives: the pid in the
/// lock file may be another process's by now, in containers even another cutover's.
std::optional<pid_t> running_process(const std::filesystem::path& directory);

}  // namespace cli
