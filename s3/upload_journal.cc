#include "s3/upload_journal.h"

#include <system_error>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/sink.h"
#include "s3/error.h"

namespace s3 {
namespace {

namespace fs = std::filesystem;

/// Not worth the trouble below this.
constexpr uint64_t kLeastOutdated = 10'000;

using base::bytes_of;

void check_identity(const fs::path& directory, const RunIdentity& known, const RunIdentity& wanted) {
  if (known == wanted) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} belongs to the upload of {} to s3://{}/{} at {}", directory.native(),
                                known.directory, known.bucket, known.prefix, known.endpoint),
                    "give each upload a --run-dir of its own");
}

/// Both have a lock and a report: who cleaned one would take them from the other.
void refuse_copies(const fs::path& directory) {
  if (!fs::exists(directory / "journal.0") && !fs::exists(directory / "checkpoint.zst")) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} is the run directory of a copy", directory.native()),
                    "give the upload a --run-dir of its own");
}

}  // namespace

UploadJournal::UploadJournal(fs::path directory, const RunIdentity& identity)
    : directory_(std::move(directory)) {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) throw base::system_error("create the run directory", directory_.native(), error.value());
  refuse_copies(directory_);
  lock_.emplace(directory_);
  const auto path = directory_ / kFile;
  base::during(fmt::format("read {}", path.native()),
               [&] { journal_.emplace(path, [this](base::Bytes record) { state_.apply(record); }); });
  if (state_.run) check_identity(directory_, *state_.run, identity);
  if (!state_.run) append(encode(identity), true);
  if (state_.records > 2 * (state_.objects.size() + state_.uploads.size()) + kLeastOutdated) compact();
}

void UploadJournal::compact() {
  const auto path = directory_ / kFile;
  const auto temporary = directory_ / (std::string(kFile) + ".new");
  std::error_code ignored;
  fs::remove(temporary, ignored);
  UploadState fresh;
  base::Journal journal(temporary, [](base::Bytes) {});
  const auto put = [&](const std::string& record) {
    journal.append(bytes_of(record));
    fresh.apply(bytes_of(record));
  };
  put(encode(*state_.run));
  if (state_.capabilities) put(encode(*state_.capabilities));
  if (state_.selection) put(encode(*state_.selection));
  if (state_.finished) put(encode(*state_.finished));
  for_each_object([&](const ObjectRecord& object) { put(encode(object)); });
  for (const auto& [intended, since] : state_.intended) put(encode_intended(intended, since));
  for (const auto& [id, upload] : state_.uploads) {
    put(encode(upload));
    for (const auto& [number, part] : upload.parts) put(encode_part(id, number, part));
  }
  journal.sync();
  fs::rename(temporary, path);
  base::sync_directory(directory_);
  journal_.emplace(path, [](base::Bytes) {});
  state_ = std::move(fresh);
}

void UploadJournal::append(const std::string& record, bool durable) {
  try {
    append_now(record, durable);
  } catch (const base::Error& error) {
    throw JournalError(error);
  }
}

void UploadJournal::append_now(const std::string& record, bool durable) {
  const std::lock_guard lock(mutex_);
  base::crash_point("upload_journal.before");
  journal_->append(bytes_of(record));
  state_.apply(bytes_of(record));
  base::crash_point("upload_journal.after");
  const auto now = std::chrono::steady_clock::now();
  if (!durable && now - last_sync_ < std::chrono::seconds(1)) return;
  journal_->sync();
  last_sync_ = now;
}

void UploadJournal::sync() {
  const std::lock_guard lock(mutex_);
  journal_->sync();
}

std::optional<Capabilities> UploadJournal::capabilities() {
  const std::lock_guard lock(mutex_);
  return state_.capabilities;
}

void UploadJournal::record(const Capabilities& capabilities) { append(encode(capabilities), true); }
void UploadJournal::record(const Finished& finished) { append(encode(finished), true); }

void UploadJournal::begin(const Selection& selection) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.selection == selection && !state_.finished) return;
  }
  append(encode(selection), true);
}

UploadJournal::Known UploadJournal::lookup(std::string_view path, const FileState& state, uint64_t settings) {
  const std::lock_guard lock(mutex_);
  const auto* known = state_.find(path);
  if (known == nullptr || known->settings != settings || known->state != hash_of(state)) return Known::no;
  return state_.young.contains(path_hash(path)) ? Known::unsure : Known::current;
}

std::optional<std::string> UploadJournal::young_checksum(std::string_view path) {
  const std::lock_guard lock(mutex_);
  const auto found = state_.young.find(path_hash(path));
  if (found == state_.young.end()) return std::nullopt;
  return found->second;
}

std::optional<KnownObject> UploadJournal::find(std::string_view path) {
  const std::lock_guard lock(mutex_);
  const auto* known = state_.find(path);
  if (known == nullptr) return std::nullopt;
  return *known;
}

uint64_t UploadJournal::object_count() {
  const std::lock_guard lock(mutex_);
  return state_.objects.size();
}

void UploadJournal::record(const ObjectRecord& object) { append(encode(object)); }
void UploadJournal::record_removed(std::string_view path) { append(encode_removed(path)); }
void UploadJournal::record_settled(std::string_view path) { append(encode_settled(path)); }
void UploadJournal::record(const OpenUpload& upload) { append(encode(upload), true); }
void UploadJournal::record_intended(std::string_view path, uint64_t since) {
  append(encode_intended(path, since), true);
}
void UploadJournal::record_cleared(std::string_view path) { append(encode_cleared(path)); }
void UploadJournal::record_ended(std::string_view upload_id) { append(encode_ended(upload_id)); }

void UploadJournal::record_part(std::string_view upload_id, uint32_t number, const PartRecord& part) {
  append(encode_part(upload_id, number, part));
}

std::vector<UploadJournal::Intention> UploadJournal::intended() {
  const std::lock_guard lock(mutex_);
  std::vector<Intention> out;
  for (const auto& [path, since] : state_.intended) out.push_back({path, since});
  return out;
}

bool UploadJournal::is_intended(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return state_.intended.contains(path);
}

std::vector<OpenUpload> UploadJournal::open_uploads() {
  const std::lock_guard lock(mutex_);
  std::vector<OpenUpload> out;
  for (const auto& [id, upload] : state_.uploads) out.push_back(upload);
  return out;
}

std::vector<OpenUpload> UploadJournal::open_uploads_of(std::string_view path) {
  auto uploads = open_uploads();
  std::erase_if(uploads, [&](const OpenUpload& upload) { return upload.path != path; });
  return uploads;
}

void UploadJournal::for_each_object(const std::function<void(const ObjectRecord&)>& visit) {
  uint64_t sequence = 0;
  base::Journal::read(directory_ / kFile, [&](base::Bytes record) {
    const auto here = sequence++;
    auto object = decode_object(record);
    if (!object) return;
    const auto* known = state_.find(object->path);
    if (known == nullptr || known->sequence != here) return;
    object->is_young = state_.young.contains(path_hash(object->path));
    visit(*object);
  });
}

}  // namespace s3
