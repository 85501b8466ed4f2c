#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "s3/client.h"
#include "s3/retry.h"
#include "s3/upload_journal.h"

namespace s3 {

/// Every unfinished multipart upload of the keys that begin with `prefix`, however many pages it takes.
std::vector<ListedUpload> unfinished_uploads(Client& client, const Retries& retries, std::string_view prefix);

/// Aborts the uploads that the journal has open, whatever became of their files. Returns how many.
uint64_t abort_open_uploads(UploadJournal& journal, const std::string& prefix, Client& client,
                            const Retries& retries);

struct UnknownUploads {
  uint64_t aborted = 0;
  std::string doubt;  ///< why it is not to be told whether one is left; empty: none is
};
/// Aborts the uploads of the path that the journal does not know: those whose id was lost with the answer, or
/// with the process that had asked for them since then (seconds since 1970). Older ones are of others. There
/// is a doubt where the server lists keys by other names than theirs. What is left of a probe's temporary
/// object (s3/probe.h) is removed, too.
UnknownUploads abort_unknown_uploads(UploadJournal& journal, const std::string& prefix,
                                     const std::string& path, uint64_t since, Client& client,
                                     const Retries& retries);

/// False for an upload that was begun before `since` (seconds since 1970), so early that no difference of the
/// clocks explains it. True when the server, or an old journal, does not say.
bool may_be_begun_after(const ListedUpload& upload, uint64_t since);

}  // namespace s3
