#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/stop.h"
#include "s3/options.h"
#include "s3/problems.h"
#include "s3/verify.h"

namespace s3 {

struct References {
  uint64_t mentioned = 0;                ///< distinct values of each query
  uint64_t missing = 0;                  ///< of those: without a verified object
  uint64_t elsewhere = 0;                ///< values that do not begin with the prefix
  uint64_t unmentioned = 0;              ///< files that no value names
  std::vector<std::string> silent = {};  ///< queries without any value: nothing of them was checked
};

/// The SQL of one of ReferenceOptions::queries, without NULLs and duplicates. Throws Error{usage}.
std::string reference_sql(std::string_view query);

/// Compares what the database mentions with the files that `verification` found equal. Each path without a
/// verified object is a problem; files that nobody mentions are notes, and so is a query that mentions
/// nothing: a young application's table may be empty. Memory does not grow with the
/// database. Throws Error{usage} when the database cannot be reached or a query is wrong.
References check_references(const UploadOptions& options, const Root& root,
                            const std::vector<ExpectedFile>& files, const Verification& verification,
                            Problems& problems, const base::Stop& stop);

}  // namespace s3
