#include "s3/file_limit.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <sys/resource.h>

#include "base/error.h"

namespace s3 {

void allow_open_files(uint64_t transfers) {
  // For journal, log, databases, and a directory for each level of a walk.
  constexpr uint64_t kLeastBeside = 100;
  constexpr uint64_t kBeside = 600;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw base::system_error("read the limit of", "open files", errno);
  if (limit.rlim_cur >= transfers + kBeside) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, transfers + kBeside);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw base::system_error("raise the limit of", "open files", errno);
  if (limit.rlim_cur >= transfers + kLeastBeside) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} files may be open at once, and {} are needed", limit.rlim_cur,
                                transfers + kLeastBeside),
                    "give a lower --concurrency, or raise the limit (ulimit -Hn)");
}

}  // namespace s3
