#include "s3/small_upload.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "s3/compare.h"
#include "s3/layout.h"
#include "s3/local_file.h"
#include "s3/probe.h"

namespace s3 {
namespace {

/// A file whose content is in memory.
struct Loaded {
  const std::string& path;
  FileState state;
  bool young = false;
  base::Bytes content;
  BodySum sum;
};

void finish(Context& context, const FileState& state) {
  context.progress.files_done.fetch_add(1);
  context.progress.bytes_done.fetch_add(state.size);
}

void record(Context& context, const Loaded& file, std::string etag, std::string version) {
  context.journal.record(ObjectRecord{file.path, file.state, file.young,
                                      context.headers.settings_hash(file.path), std::move(etag),
                                      std::move(version), file.sum.integrity, file.sum.checksum});
  finish(context, file.state);
}

/// An ETag that is an MD5 of something else: the server has stored something else.
void check_etag(const PutResult& result, const BodySum& sum, std::string_view what, bool may_be_kms) {
  if (sum.integrity != Integrity::md5 || may_be_kms || result.is_kms || !looks_like_md5(result.etag)) return;
  if (result.etag == to_hex(sum.checksum)) return;
  throw S3Error(base::ErrorKind::permanent,
                fmt::format("{}: the server's ETag {} is not the content's MD5", what, result.etag), 200,
                "BadDigest");
}

void put(Context& context, Client& client, const Loaded& file, const base::HttpHeaders& conditions) {
  const auto key = context.key_of(file.path);
  auto headers = context.headers.of(file.path, file.state);
  for (const auto& [name, value] : conditions) headers.set(name, value);
  context.governor.pace(file.content.size(), context.stop);
  const auto result = with_retries(client, context.retries(), [&] {
    auto answer = client.put_object(key, file.content, file.sum, headers);
    check_etag(answer, file.sum, "put " + printable(key), context.may_be_kms());
    return answer;
  });
  base::crash_point("s3_put.done");
  note_carried_out(context.put_match, conditions);
  check_encryption(context.options.settings, result.encryption);
  context.progress.bytes_sent.fetch_add(file.content.size());
  context.governor.moved(file.content.size());
  record(context, file, result.etag, result.version);
  context.uploaded.fetch_add(1);
}

/// Looks at what is there, and sets `conditions` for the PUT, which are those that were refused, if any;
/// false when the file needs none.
bool needs_put(Context& context, Client& client, const Loaded& file, base::HttpHeaders& conditions) {
  std::optional<Head> head;
  const auto read = [&](uint64_t offset, std::span<std::byte> buffer) {
    const auto rest = file.content.subspan(std::min<uint64_t>(offset, file.content.size()));
    const auto count = std::min(rest.size(), buffer.size());
    std::copy_n(rest.begin(), count, buffer.begin());
    return count;
  };
  const auto found = look_first(context, client, file.path, file.content.size(), read, head);
  switch (found) {
    case Found::same:
      record(context, file, head->etag, head->version);
      adopted(context, file.path, *head);
      return false;
    case Found::in_the_way:
      context.governor.moved(0);
      context.fail(file.path, std::string(kInTheWay));
      finish(context, file.state);
      return false;
    case Found::nothing:
    case Found::ours:
    case Found::any:
      break;
  }
  conditions = conditions_for(context, context.put_match, found, head, conditions);
  return true;
}

void upload_loaded(Context& context, Client& client, const Loaded& file) {
  const auto known = context.journal.find(file.path);
  if (known && known->settings == context.headers.settings_hash(file.path) &&
      context.journal.lookup(file.path, file.state, known->settings) == UploadJournal::Known::unsure &&
      context.journal.young_checksum(file.path) == file.sum.checksum) {
    context.unchanged.fetch_add(1);
    if (!file.young) context.journal.record_settled(file.path);
    finish(context, file.state);
    return;
  }
  base::HttpHeaders conditions;
  for (int attempt = 1; needs_put(context, client, file, conditions); ++attempt) {
    try {
      return put(context, client, file, conditions);
    } catch (const S3Error& error) {
      // Somebody else was faster, or it is our own from a try whose answer was lost.
      if (attempt == kMostAttempts || !is_condition_refused(context, context.put_match, error, conditions))
        throw;
      if (error.status() != 412) conditions.clear();  // not because of their form
    }
  }
}

enum class Attempt { done, changed, too_large };

Attempt try_once(Context& context, Client& client, const WalkedFile& walked) {
  const auto file = LocalFile::open(context.root, walked.path, context.options.walk.symlinks);
  if (!file) {
    context.vanished.lock()->push_back(walked.path);
    finish(context, walked.state);
    return Attempt::done;
  }
  const auto state = file->opened();
  if (state.size > kLargestPut) return Attempt::too_large;
  const auto begun = std::chrono::system_clock::now();
  const auto buffer = context.buffers.acquire(state.size, context.stop);
  const auto count = file->read_at(0, buffer.bytes());
  if (count != state.size || file->state() != state) return Attempt::changed;
  const auto integrity = context.capabilities.integrity;
  const Loaded loaded{walked.path,
                      state,
                      is_young(state, begun),
                      buffer.bytes(),
                      {integrity, checksum(integrity, buffer.bytes())}};
  upload_loaded(context, client, loaded);
  return Attempt::done;
}

/// As an If-Match of this server; empty when it takes none.
std::string as_match(Context::Match::Form form, const std::string& etag) {
  if (form == Context::Match::Form::never || etag.empty()) return {};
  return form == Context::Match::Form::bare ? etag : "\"" + etag + "\"";
}

}  // namespace

void collect(Context& context, Client& client, std::string_view path, const base::Error& error) {
  if (context.stop.requested() || ends_the_run(error)) throw;
  // The first denial of a process that has not written anything yet: is it this file's, or everything's?
  if (is_denied(error) && !context.may_write.exchange(true))
    probe_right(client, context.retries(), context.options, context.capabilities.integrity, context.journal);
  context.fail(path, error.in_one_line());
  context.progress.files_done.fetch_add(1);
  constexpr uint64_t kTooMany = 1000;
  if (context.problems.failures() > kTooMany + context.uploaded.load())
    throw base::Error(base::ErrorKind::permanent,
                      fmt::format("more than {} files failed, the last one: {}", kTooMany, error.message()));
}

void adopted(Context& context, std::string_view path, const Head& head) {
  context.governor.moved(0);
  context.adopted.fetch_add(1);
  if (!context.headers.are_as_asked(path, head.headers)) context.other_headers.fetch_add(1);
}

Found look_first(Context& context, Client& client, std::string_view path, uint64_t size, const ReadAt& read,
                 std::optional<Head>& head, bool always) {
  const auto known = context.journal.find(path);
  head.reset();
  if (known && context.options.overwrite) return Found::any;
  if (!known && !context.may_have_others && !always) return Found::nothing;
  const auto key = context.key_of(path);
  head = with_retries(client, context.retries(), [&] { return client.head_object(key); });
  if (!head) return context.options.overwrite ? Found::any : Found::nothing;
  if (known && known->etag == hash_of(head->etag)) return Found::ours;
  if (is_encrypted_as_asked(context.options.settings, head->encryption) &&
      compare(*head, size, read, context.stop) == Comparison::equal) {
    // With other headers wanted than those it was made with, the content alone is not enough.
    const bool has_headers =
        known ? known->settings == context.headers.settings_hash(path)
              : !context.options.overwrite || context.headers.are_as_asked(path, head->headers);
    return has_headers ? Found::same : Found::ours;
  }
  return context.options.overwrite ? Found::any : Found::in_the_way;
}

base::HttpHeaders conditions_for(Context& context, Context::Match& match, Found found,
                                 const std::optional<Head>& head, const base::HttpHeaders& refused) {
  using Form = Context::Match::Form;
  base::HttpHeaders out;
  if (!context.capabilities.conditional_put) return out;
  if (found == Found::nothing && !context.options.overwrite) out.set("If-None-Match", "*");
  if (found != Found::ours || !head) return out;
  auto form = match.form.load();
  auto value = as_match(form, head->etag);
  if (!match.works && !value.empty() && refused.get("If-Match") == value) {
    // The object is the very one that was named: it is the ETag's form that the server does not take.
    const auto next = form == Form::quoted ? Form::bare : Form::never;
    if (match.form.compare_exchange_strong(form, next) && next == Form::never)
      context.problems.note(
          "", "the server refuses If-Match with the object's own ETag: objects are replaced without it");
    value = as_match(match.form, head->etag);
  }
  if (!value.empty()) out.set("If-Match", value);
  return out;
}

void note_carried_out(Context::Match& match, const base::HttpHeaders& conditions) {
  if (conditions.find("If-Match") != nullptr) match.works = true;
}

bool is_condition_refused(Context& context, Context::Match& match, const base::Error& error,
                          const base::HttpHeaders& conditions) {
  const auto* answer = dynamic_cast<const S3Error*>(&error);
  const bool matches = conditions.find("If-Match") != nullptr;
  if (answer == nullptr || (!matches && conditions.find("If-None-Match") == nullptr)) return false;
  if (answer->status() == 412) {
    if (!matches) context.may_have_others = true;
    return true;
  }
  // What was to be replaced is gone.
  if (matches && answer->status() == 404 && answer->code() == "NoSuchKey") return true;
  if (!matches || answer->status() != 501) return false;
  match.form = Context::Match::Form::never;
  return true;
}

bool upload_small(Context& context, Client& client, const WalkedFile& file) {
  try {
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
      const auto result = reading_again([&] { return try_once(context, client, file); });
      if (result == Attempt::too_large) return false;
      if (result == Attempt::done) return true;
    }
    context.fail(file.path, "changes faster than it can be read");
    finish(context, file.state);
  } catch (const base::Error& error) {
    collect(context, client, file.path, error);
  }
  return true;
}

}  // namespace s3
