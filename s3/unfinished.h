#pragma once

#include <string_view>
#include <vector>

#include "s3/client.h"
#include "s3/retry.h"

namespace s3 {

/// Every unfinished multipart upload of the keys that begin with `prefix`, however many pages it takes.
std::vector<ListedUpload> unfinished_uploads(Client& client, const Retries& retries, std::string_view prefix);

}  // namespace s3
