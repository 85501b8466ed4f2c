#include "s3/large_upload.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/crash_point.h"
#include "s3/compare.h"
#include "s3/small_upload.h"
#include "s3/unfinished.h"

namespace s3 {
namespace {

/// The server keeps a checksum of this kind, and it is another.
bool contradicts(const ListedPart& part, Integrity integrity, const std::string& checksum) {
  const auto known = std::ranges::find(part.checksums, integrity, &BodySum::integrity);
  return known != part.checksums.end() && known->checksum != checksum;
}

bool is_invalid_part(const base::Error& error) {
  const auto* s3_error = dynamic_cast<const S3Error*>(&error);
  return s3_error != nullptr && (s3_error->code() == "InvalidPart" || is_digest_mismatch(*s3_error));
}

}  // namespace

std::vector<PartSum> LargeUpload::part_sums(const std::map<uint32_t, PartRecord>& parts) const {
  std::vector<PartSum> sums;
  for (const auto& [number, part] : parts) sums.push_back({part.checksum, part.size});
  return sums;
}

bool LargeUpload::begin(Client& client) {
  try {
    return begin_or_resume(client);
  } catch (const base::Error& error) {
    collect(context_, client, file_.path, error);
    return false;
  }
}

bool LargeUpload::begin_or_resume(Client& client) {
  *shared_.lock() = Shared();
  todo_.clear();
  upload_id_.clear();
  key_ = context_.key_of(file_.path);
  local_.reset();
  if (auto opened = LocalFile::open(context_.root, file_.path, context_.options.walk.symlinks)) {
    local_.emplace(std::move(*opened));
  } else {
    context_.vanished.lock()->push_back(file_.path);
    count_done();
    return false;
  }
  state_ = local_->opened();
  young_ = is_young(state_, std::chrono::system_clock::now());
  settings_ = context_.headers.settings_hash(file_.path);
  if (state_.size <= kLargestPut && upload_small(context_, client, file_)) return false;
  if (state_.size <= kLargestPut) return begin_or_resume(client);  // it has grown again
  layout_ = layout_of(state_.size);
  if (is_unchanged()) return false;
  if (has_changed()) return begin_again(client);
  for (const auto& known : context_.journal.open_uploads_of(file_.path)) {
    young_ = young_ || (known.young && known.state == state_);
    const bool usable = upload_id_.empty() && known.state == state_ && known.settings == settings_ &&
                        known.part_size == layout_.part_size &&
                        known.integrity == context_.capabilities.integrity;
    if (!usable) {
      abort(client, known.upload_id);
    } else if (resume(client, known)) {
      return false;
    }
  }
  if (!upload_id_.empty()) return true;

  std::optional<Head> head;
  const auto found = look(client, head);
  if (found == Found::same) {
    if (has_changed()) return begin_again(client);
    record(head->etag, head->version, {});
    adopted(context_, file_.path, *head);
    return false;
  }
  create(client);
  for (uint32_t number = 1; number <= layout_.parts(); ++number) todo_.push_back(number);
  return true;
}

bool LargeUpload::begin_again(Client& client) {
  count_attempt();
  return begin_or_resume(client);
}

void LargeUpload::count_attempt() {
  context_.progress.bytes_done.fetch_sub(std::exchange(counted_, 0));
  if (++attempts_ == kMostAttempts)
    base::fail(base::ErrorKind::permanent, "changes faster than it can be uploaded, or its object does");
}

/// As look_first(); throws when another object is in the way. One more request does not count here, and what
/// is found later was sent in vain.
Found LargeUpload::look(Client& client, std::optional<Head>& head) {
  const auto read = [&](uint64_t offset, std::span<std::byte> buffer) {
    return local_->read_at(offset, buffer);
  };
  const auto found = look_first(context_, client, file_.path, state_.size, read, head, true);
  if (found == Found::in_the_way) throw base::Error(base::ErrorKind::permanent, std::string(kInTheWay));
  return found;
}

void LargeUpload::create(Client& client) {
  const bool is_suspect = context_.journal.is_intended(file_.path);
  const auto now = std::chrono::floor<std::chrono::seconds>(context_.session->now().time_since_epoch());
  context_.journal.record_intended(file_.path, static_cast<uint64_t>(now.count()));
  int tries = 0;
  upload_id_ = with_retries(client, context_.retries(), [&] {
    ++tries;
    return client.create_multipart_upload(key_, context_.capabilities.integrity,
                                          context_.headers.of(file_.path, state_));
  });
  base::crash_point("s3_create.done");
  context_.journal.record(OpenUpload{file_.path,
                                     state_,
                                     settings_,
                                     upload_id_,
                                     layout_.part_size,
                                     context_.capabilities.integrity,
                                     young_,
                                     {}});
  // Otherwise there may be another one, or may be soon: a request can be carried out long after who sent it
  // has given it up or is dead. The end of the run looks for it.
  if (tries == 1 && !is_suspect) context_.journal.record_cleared(file_.path);
}

/// A file whose times cannot be trusted has the content that was uploaded.
bool LargeUpload::is_unchanged() {
  if (context_.journal.lookup(file_.path, state_, settings_) != UploadJournal::Known::unsure) return false;
  std::vector<PartSum> sums;
  for (uint64_t number = 1; number <= layout_.parts(); ++number) {
    const auto buffer = context_.buffers.acquire(layout_.length(number), context_.stop);
    const auto bytes = buffer.bytes();
    if (local_->read_at(layout_.offset(number), bytes) != bytes.size()) return false;
    sums.push_back({checksum(context_.capabilities.integrity, bytes), bytes.size()});
  }
  if (context_.journal.young_checksum(file_.path) != combined(context_.capabilities.integrity, sums))
    return false;
  if (has_changed()) return false;
  if (!young_) context_.journal.record_settled(file_.path);
  context_.unchanged.fetch_add(1);
  count_done();
  return true;
}

/// True when the upload turns out to be finished. Otherwise upload_id_ is set, unless it is gone.
bool LargeUpload::resume(Client& client, const OpenUpload& known) {
  try {
    adopt(client, known);
    return false;
  } catch (const base::Error& error) {
    if (is_denied(error)) {
      // Without s3:ListMultipartUploadParts nothing is known about it: everything is sent again.
      spdlog::warn("{}", error.message());
      abort(client, known.upload_id);
      upload_id_.clear();
      return false;
    }
    if (!is_no_such_upload(error)) throw;
  }
  todo_.clear();
  shared_.lock()->parts.clear();
  const bool finished = is_finished_already(client, known);
  context_.journal.record_ended(known.upload_id);
  return finished;
}

void LargeUpload::adopt(Client& client, const OpenUpload& known) {
  std::map<uint32_t, ListedPart> listed;
  std::string marker;
  do {
    const auto page = with_retries(client, context_.retries(),
                                   [&] { return client.list_parts(key_, known.upload_id, marker); });
    for (const auto& part : page.parts) listed.insert_or_assign(part.number, part);
    if (!marker.empty() && page.next_marker == marker)
      base::fail(base::ErrorKind::permanent, "the server lists the same parts again and again");
    marker = page.next_marker;
  } while (!marker.empty());
  upload_id_ = known.upload_id;
  std::map<uint32_t, PartRecord> adopted;
  for (uint32_t number = 1; number <= layout_.parts(); ++number) {
    const auto there = listed.find(number);
    const auto ours = known.parts.find(number);
    PartRecord part;
    if (there != listed.end() && there->second.size == layout_.length(number)) {
      const bool agreed = ours != known.parts.end() && ours->second.etag == there->second.etag &&
                          !contradicts(there->second, known.integrity, ours->second.checksum);
      if (agreed && (!known.young || has_sum(number, ours->second.checksum))) {
        part = ours->second;
      } else if (!agreed && has_md5(number, there->second.etag, part.checksum) &&
                 !contradicts(there->second, known.integrity, part.checksum)) {
        part.etag = there->second.etag;
        part.size = layout_.length(number);
        context_.journal.record_part(upload_id_, number, part);
      }
    }
    if (part.etag.empty()) {
      todo_.push_back(number);
    } else {
      counted_ += part.size;
      context_.progress.bytes_done.fetch_add(part.size);
      adopted.emplace(number, std::move(part));
    }
  }
  shared_.lock()->parts = std::move(adopted);
}

/// True when the local bytes of the part have this checksum, of the kind we work with.
bool LargeUpload::has_sum(uint32_t number, const std::string& sum) const {
  const auto buffer = context_.buffers.acquire(layout_.length(number), context_.stop);
  const auto bytes = buffer.bytes();
  return local_->read_at(layout_.offset(number), bytes) == bytes.size() &&
         checksum(context_.capabilities.integrity, bytes) == sum;
}

/// True when the local bytes of the part have this MD5; then `sum` is set to the checksum we work with.
bool LargeUpload::has_md5(uint32_t number, const std::string& etag, std::string& sum) const {
  if (!looks_like_md5(etag)) return false;
  const auto buffer = context_.buffers.acquire(layout_.length(number), context_.stop);
  const auto bytes = buffer.bytes();
  if (local_->read_at(layout_.offset(number), bytes) != bytes.size()) return false;
  if (to_hex(checksum(Integrity::md5, bytes)) != etag) return false;
  sum = checksum(context_.capabilities.integrity, bytes);
  return true;
}

/// The upload is gone: the answer to its completion may have been lost. The object that it made is the one
/// with our content.
bool LargeUpload::is_finished_already(Client& client, const OpenUpload& known) {
  const auto head = with_retries(client, context_.retries(), [&] { return client.head_object(key_); });
  if (!head) return false;
  const auto read = [&](uint64_t offset, std::span<std::byte> buffer) {
    return local_->read_at(offset, buffer);
  };
  if (compare(*head, state_.size, read, context_.stop, known.part_size) != Comparison::equal) return false;
  if (has_changed()) return false;
  check_encryption(context_.options.settings, head->encryption);
  record(head->etag, head->version,
         known.parts.size() == layout_.parts() ? combined(known.integrity, part_sums(known.parts)) : "");
  context_.uploaded.fetch_add(1);
  return true;
}

void LargeUpload::send(Client& client, uint32_t number) {
  {
    auto shared = shared_.lock();
    if (shared->failed || shared->changed) return;
  }
  try {
    const bool is_sent = reading_again([&] { return send_once(client, number); });
    if (!is_sent) shared_.lock()->changed = true;
  } catch (const base::Error& error) {
    if (is_no_such_upload(error)) {
      // Aborted by somebody else, or by a lifecycle rule: as good as a change.
      shared_.lock()->changed = true;
      return;
    }
    if (!std::exchange(shared_.lock()->failed, true)) {
      collect(context_, client, file_.path, error);
    } else if (context_.stop.requested() || ends_the_run(error)) {
      throw;
    }
  }
}

/// False when the file is not any more what it was.
bool LargeUpload::send_once(Client& client, uint32_t number) {
  const auto size = layout_.length(number);
  const auto buffer = context_.buffers.acquire(size, context_.stop);
  if (local_->read_at(layout_.offset(number), buffer.bytes()) != size) return false;
  const auto integrity = context_.capabilities.integrity;
  const BodySum sum{integrity, checksum(integrity, buffer.bytes())};
  context_.governor.pace(size, context_.stop);
  const auto etag = with_retries(client, context_.retries(), [&] {
    auto answer = client.upload_part(key_, upload_id_, number, buffer.bytes(), sum);
    if (integrity == Integrity::md5 && !context_.may_be_kms() && looks_like_md5(answer) &&
        answer != to_hex(sum.checksum))
      throw S3Error(base::ErrorKind::permanent,
                    fmt::format("part {}: the server's ETag {} is not the part's MD5", number, answer), 200,
                    "BadDigest");
    return answer;
  });
  base::crash_point("s3_part.done");
  PartRecord part{etag, sum.checksum, size};
  context_.journal.record_part(upload_id_, number, part);
  context_.progress.bytes_sent.fetch_add(size);
  context_.progress.bytes_done.fetch_add(size);
  context_.governor.moved(size);
  auto shared = shared_.lock();
  counted_ += size;
  shared->parts.insert_or_assign(number, std::move(part));
  return true;
}

bool LargeUpload::finish(Client& client) {
  try {
    const auto [failed, changed] = [&] {
      auto shared = shared_.lock();
      return std::pair(shared->failed, shared->changed);
    }();
    // Its problem is noted; abort_open_uploads() ends it with all that have none.
    if (failed) return true;
    if (!changed && !has_changed() && complete(client)) return true;
    abort(client, upload_id_);
    count_attempt();
    return false;
  } catch (const base::Error& error) {
    collect(context_, client, file_.path, error);
  }
  return true;
}

/// False when the upload is gone and what is there is something else.
bool LargeUpload::complete(Client& client) {
  const auto parts = shared_.lock()->parts;
  std::vector<CompletedPart> list;
  for (const auto& [number, part] : parts) list.push_back({number, part.etag, part.checksum});
  const BodySum sum{context_.capabilities.integrity,
                    combined(context_.capabilities.integrity, part_sums(parts))};
  CompleteResult result;
  bool confirmed = true;
  try {
    confirmed = complete_once(client, list, sum, result);
  } catch (const base::Error& error) {
    // The server has other parts than it said, or wants the upload to be begun anew.
    if (is_invalid_part(error) || is_conflict(error)) return false;
    throw;
  }
  const auto head = with_retries(client, context_.retries(), [&] { return client.head_object(key_); });
  if (!head || !matches(*head, sum.checksum, confirmed, result)) return false;
  check_encryption(context_.options.settings, head->encryption);
  if (!confirmed) abort(client, upload_id_);  // it may be there still, when a condition was not met
  record(head->etag, result.version.empty() ? head->version : result.version, sum.checksum);
  context_.uploaded.fetch_add(1);
  return true;
}

/// False when the server does not confirm it: the object itself has to tell, after a try whose answer was
/// lost, or when one has come that is not to be replaced.
bool LargeUpload::complete_once(Client& client, const std::vector<CompletedPart>& list, const BodySum& sum,
                                CompleteResult& result) {
  base::HttpHeaders conditions;
  bool on_condition = context_.may_complete_on_condition;
  for (int attempt = 1;; ++attempt) {
    std::optional<Head> there;
    auto found = look(client, there);
    if (found == Found::same) found = Found::ours;  // in this very state
    if (on_condition)
      conditions = conditions_for(context_, context_.complete_match, found, there, conditions);
    try {
      base::crash_point("s3_complete.before");
      result = with_retries(client, context_.retries(), [&] {
        try {
          return client.complete_multipart_upload(key_, upload_id_, list, sum, state_.size, conditions);
        } catch (S3Error& error) {
          // Unlike a PUT, this upload cannot be completed any more.
          if (is_conflict(error)) error.kind(base::ErrorKind::permanent);
          throw;
        }
      });
      base::crash_point("s3_complete.done");
      note_carried_out(context_.complete_match, conditions);
      if (!on_condition && context_.may_complete_on_condition.exchange(false))
        context_.problems.note(
            "",
            "the server takes no conditions on what completes an upload in parts: an object that "
            "comes at the very end is replaced");
      return true;
    } catch (const S3Error& error) {
      if (error.status() == 501 && conditions.size() > 0) {
        on_condition = false;
        conditions.clear();
        continue;
      }
      const bool refused = is_condition_refused(context_, context_.complete_match, error, conditions);
      const bool had_match = conditions.find("If-Match") != nullptr;
      if (error.status() != 412) conditions.clear();  // not because of their form
      if (refused && had_match && attempt < kMostAttempts) continue;
      if (!refused && !is_no_such_upload(error)) throw;
      return false;
    }
  }
}

/// True when the object is the one that our parts make. Unless the server has just `confirmed` that it has
/// made it from them, its ETag or a checksum has to prove it. `made` is what the server says; not all do.
bool LargeUpload::matches(const Head& head, const std::string& sum, bool confirmed,
                          const CompleteResult& made) {
  if (head.size != state_.size) return false;
  const auto is_another = [](const std::string& said, const std::string& found) {
    return !said.empty() && !found.empty() && said != found;
  };
  if (is_another(made.etag, head.etag) || is_another(made.version, head.version)) return false;
  for (const auto& known : head.checksums)
    if (known.integrity == context_.capabilities.integrity) return known.checksum == sum;
  std::vector<std::string> etags;
  {
    auto shared = shared_.lock();
    for (const auto& [number, part] : shared->parts) etags.push_back(part.etag);
  }
  const auto by_the_rule = multipart_etag(etags);
  if (by_the_rule == head.etag) return true;
  // Not every server makes its ETags so. One that names none (Ceph's gateway) is believed only where they do
  // not look so: this object may be another writer's, who came since.
  const bool may_be_otherwise = !by_the_rule || context_.may_be_kms() || head.is_kms ||
                                !looks_like_md5(std::string_view(head.etag).substr(0, head.etag.find('-')));
  const bool is_named = (!made.etag.empty() && made.etag == head.etag) ||
                        (!made.version.empty() && made.version == head.version);
  return confirmed && (is_named || may_be_otherwise);
}

void LargeUpload::abort(Client& client, const std::string& upload_id) {
  with_retries(client, context_.retries(), [&] { client.abort_multipart_upload(key_, upload_id); });
  context_.journal.record_ended(upload_id);
}

void LargeUpload::record(std::string etag, std::string version, std::string sum) {
  auto state = state_;
  // Without a checksum a young file could not be told from a changed one later: it has to look changed.
  if (young_ && sum.empty()) state.inode = 0;
  context_.journal.record(ObjectRecord{file_.path, state, young_, settings_, std::move(etag),
                                       std::move(version), context_.capabilities.integrity, std::move(sum)});
  if (!upload_id_.empty()) context_.journal.record_ended(upload_id_);
  count_done();
}

void LargeUpload::count_done() {
  context_.progress.files_done.fetch_add(1);
  context_.progress.bytes_done.fetch_add(file_.state.size - std::min(counted_, file_.state.size));
  counted_ = file_.state.size;
}

}  // namespace s3
