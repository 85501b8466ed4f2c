#pragma once

#include <cstdint>
#include <vector>

#include "s3/context.h"
#include "s3/verify.h"

namespace s3 {

/// --delete takes what has no file for gone. Throws Error{usage} where that is wrong from the start: where
/// files are left out that have an object, or where there is no file at all.
void check_removal(const UploadOptions& options, const WalkCounts& walked, Problems& problems);

/// Deletes the objects under the prefix that have no file, and returns how many. Only after walks and an
/// upload without problems: what could not be read is not known to be gone. `files` is what a walk has seen;
/// of each object that it says nothing about, its place in the directory is looked at before it is deleted.
uint64_t remove_extra(Context& context, Client& client, const std::vector<ExpectedFile>& files);

}  // namespace s3
