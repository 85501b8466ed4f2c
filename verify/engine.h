#pragma once

#include "base/stop.h"
#include "verify/options.h"
#include "verify/progress.h"
#include "verify/result.h"

namespace verify {

/// Compares two databases, or a target with what a copy has recorded. Reads only. What cannot be compared is
/// in the result; thrown is what stands in the way of everything: Error{usage} when a server cannot be
/// reached or the options make no sense, Error{cancelled} on a stop.
Outcome compare(const Options& options, Progress& progress, const base::Stop& stop);

}  // namespace verify
