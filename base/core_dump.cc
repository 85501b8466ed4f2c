#include "base/core_dump.h"

#include <cerrno>

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/error.h"

namespace base {

void forbid_core_dumps() {
  // The limit is for what is started, the other for us: it also holds where cores are piped to a program.
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    throw system_error("forbid", "core dumps", errno);
}

}  // namespace base
