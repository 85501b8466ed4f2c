#pragma once

#include <string_view>
#include <vector>

#include "s3/client.h"
#include "s3/retry.h"

namespace s3 {

/// Every unfinished multipart upload of the keys that begin with `prefix`, however many pages it takes.
std::vector<ListedUpload> unfinished_uploads(Client& client, const Retries& retries, std::string_view prefix);

/// False for an upload that was begun before `since` (seconds since 1970), so early that no difference of the
/// clocks explains it. True when the server, or an old journal, does not say.
bool may_be_begun_after(const ListedUpload& upload, uint64_t since);

}  // namespace s3
