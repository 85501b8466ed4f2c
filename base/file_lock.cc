#include "base/file_lock.h"

#include <cerrno>
#include <chrono>

#include <sys/file.h>

#include "base/error.h"

namespace base {

FileLock::FileLock(const std::filesystem::path& path, const Stop& stop) : file_(File::open_append(path)) {
  // A flock() that waits would not hear of the stop.
  while (::flock(file_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    if (error_number != EWOULDBLOCK && error_number != EINTR)
      throw system_error("lock", path.native(), error_number);
    stop.sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace base
