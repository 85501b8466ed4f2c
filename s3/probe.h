#pragma once

#include <string_view>

#include "s3/client.h"
#include "s3/options.h"
#include "s3/retry.h"
#include "s3/upload_journal.h"

namespace s3 {

/// Finds out what the endpoint checks, by trying it on a temporary object "PREFIX.cutover-probe-…": of the
/// checksums it is the first for which a wrong one is refused and a right one accepted (several servers
/// ignore the headers they do not know, or check them on a PUT alone), for a PUT as for a part. Throws
/// Error{permanent} when the server accepts wrong content in every way. Whatever else is wrong with bucket
/// and credentials shows here, before any file is touched.
/// What a process that dies meanwhile leaves, the next one removes (s3/unfinished.h): the journal knows its
/// name.
Capabilities probe(Client& client, const Retries& retries, const UploadOptions& options,
                   UploadJournal& journal);

/// Throws what keeps such an object from being written at all.
void probe_right(Client& client, const Retries& retries, const UploadOptions& options, Integrity integrity,
                 UploadJournal& journal);

/// The path, below the prefix, is that of such an object.
bool is_probe(std::string_view path);

}  // namespace s3
