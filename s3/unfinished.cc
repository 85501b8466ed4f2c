#include "s3/unfinished.h"

#include <chrono>
#include <iterator>

#include "aws/timestamp.h"
#include "base/error.h"

namespace s3 {

std::vector<ListedUpload> unfinished_uploads(Client& client, const Retries& retries,
                                             std::string_view prefix) {
  std::vector<ListedUpload> all;
  UploadsPage page;
  do {
    const auto before = std::pair(page.next_key, page.next_upload_id);
    page = with_retries(client, retries,
                        [&] { return client.list_multipart_uploads(prefix, before.first, before.second); });
    std::ranges::move(page.uploads, std::back_inserter(all));
    if (!page.next_key.empty() && before == std::pair(page.next_key, page.next_upload_id))
      base::fail(base::ErrorKind::permanent, "the server lists the same uploads again and again");
  } while (!page.next_key.empty());
  return all;
}

bool may_be_begun_after(const ListedUpload& upload, uint64_t since) {
  // A server does not take requests whose clock differs by more.
  constexpr std::chrono::minutes kSkew{15};
  const auto begun = aws::parse_timestamp(upload.initiated);
  return !begun || *begun + kSkew >= aws::Clock::time_point(std::chrono::seconds(since));
}

}  // namespace s3
