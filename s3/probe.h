#pragma once

#include "s3/client.h"
#include "s3/options.h"
#include "s3/retry.h"
#include "s3/upload_state.h"

namespace s3 {

/// Finds out what the endpoint checks, by trying it on a temporary object "PREFIX.cutover-probe-…": of the
/// checksums it is the first for which a wrong one is refused and a right one accepted (several servers
/// ignore the headers they do not know, or check them on a PUT alone), for a PUT as for a part. Throws
/// Error{permanent} when the server accepts wrong content in every way. Whatever else is wrong with bucket
/// and credentials shows here, before any file is touched.
Capabilities probe(Client& client, const Retries& retries, const UploadOptions& options);

/// Throws what keeps such an object from being written at all.
void probe_right(Client& client, const Retries& retries, const UploadOptions& options, Integrity integrity);

}  // namespace s3
