#pragma once

#include <cstdint>

namespace s3 {

/// Raises this process's limit of open files so that `transfers` files and connections can be open beside a
/// walk through a deep tree. Throws Error{usage} when the system does not let it: files would fail one by
/// one, and directories in the middle of a walk.
void allow_open_files(uint64_t transfers);

}  // namespace s3
