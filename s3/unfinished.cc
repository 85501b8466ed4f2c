#include "s3/unfinished.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "aws/timestamp.h"
#include "base/error.h"
#include "s3/keys.h"
#include "s3/probe.h"

namespace s3 {
namespace {

/// What a server puts in the place of what it cannot write.
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// The key may be the one that is listed like this, though it is not written so.
bool may_be_listed_as(std::string_view key, std::string_view listed) {
  const auto first = listed.find(kReplacement);
  if (first == std::string_view::npos || listed == key) return false;
  const auto head = listed.substr(0, first);
  const auto tail = listed.substr(listed.rfind(kReplacement) + kReplacement.size());
  return key.size() > head.size() + tail.size() && key.starts_with(head) && key.ends_with(tail);
}

/// Returns why it may be left; empty: it is gone, or not ours to remove. Where the bucket keeps versions each
/// try of a probe has made one, and below the one that is deleted the one before it appears.
std::string remove_probe(Client& client, const Retries& retries, const std::string& key) {
  constexpr int kMostVersions = 10;
  try {
    for (int deleted = 0;; ++deleted) {
      const auto head = with_retries(client, retries, [&] { return client.head_object(key); });
      if (!head) return {};
      if (deleted == kMostVersions)
        return fmt::format("{} versions of the temporary object were deleted, and there are more", deleted);
      with_retries(client, retries, [&] { client.delete_object(key, head->version); });
    }
  } catch (const S3Error& error) {
    if (!is_denied(error)) return error.message();
    spdlog::warn("the temporary object {} may be left: {}", printable(key), error.message());
    return {};
  }
}

}  // namespace

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

uint64_t abort_open_uploads(UploadJournal& journal, const std::string& prefix, Client& client,
                            const Retries& retries) {
  const auto open = journal.open_uploads();
  for (const auto& upload : open) {
    with_retries(client, retries,
                 [&] { client.abort_multipart_upload(prefix + upload.path, upload.upload_id); });
    journal.record_ended(upload.upload_id);
  }
  return open.size();
}

UnknownUploads abort_unknown_uploads(UploadJournal& journal, const std::string& prefix,
                                     const std::string& path, uint64_t since, Client& client,
                                     const Retries& retries) {
  const auto key = prefix + path;
  const auto known = journal.open_uploads_of(path);
  const auto is_known = [&](const std::string& id) {
    return std::ranges::find(known, id, &OpenUpload::upload_id) != known.end();
  };
  UnknownUploads out;
  // A file may be called like that, too.
  if (since == 0 && is_probe(path) && !journal.find(path)) out.doubt = remove_probe(client, retries, key);
  for (const auto& upload : unfinished_uploads(client, retries, key)) {
    if (is_known(upload.upload_id) || !may_be_begun_after(upload, since)) continue;
    if (may_be_listed_as(key, upload.key))
      out.doubt = fmt::format(
          "the server lists one as {}, with U+FFFD for what it cannot write, and it is not to be told "
          "whether that is it; if it is, abort it by its id, {}",
          printable(upload.key), printable(upload.upload_id));
    if (upload.key != key) continue;
    with_retries(client, retries, [&] { client.abort_multipart_upload(key, upload.upload_id); });
    ++out.aborted;
  }
  return out;
}

bool may_be_begun_after(const ListedUpload& upload, uint64_t since) {
  // A server does not take requests whose clock differs by more.
  constexpr std::chrono::minutes kSkew{15};
  const auto begun = aws::parse_timestamp(upload.initiated);
  return !begun || *begun + kSkew >= aws::Clock::time_point(std::chrono::seconds(since));
}

}  // namespace s3
