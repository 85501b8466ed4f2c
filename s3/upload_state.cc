#include "s3/upload_state.h"

#include <xxhash.h>

#include "base/codec.h"
#include "base/error.h"

namespace s3 {
namespace {

using base::Decoder;
using base::Encoder;

// The grammar is in docs/journal.md.
enum Type : uint64_t {
  run = 1,
  capabilities = 2,
  object = 3,
  upload = 4,
  part = 5,
  ended = 6,
  removed = 7,
  settled = 8,
  intended = 9,
  cleared = 10,
  selection = 11,
  finished = 12
};

void put(Encoder& out, const FileState& state) {
  out.number(state.size).number(state.mtime_ns).number(state.ctime_ns).number(state.inode);
}

FileState get_state(Decoder& in) {
  FileState state;
  state.size = in.number();
  state.mtime_ns = in.number();
  state.ctime_ns = in.number();
  state.inode = in.number();
  return state;
}

Integrity get_integrity(Decoder& in) {
  const auto value = in.number();
  if (value < 1 || value > 5) base::fail(base::ErrorKind::corrupt, "there is no checksum of kind {}", value);
  return static_cast<Integrity>(value);
}

std::string get_text(Decoder& in) { return std::string(in.text()); }

ObjectRecord get_object(Decoder& in) {
  ObjectRecord out;
  out.path = in.text();
  out.state = get_state(in);
  out.is_young = in.number() != 0;
  out.settings = in.number();
  out.etag = in.text();
  out.version = in.text();
  out.integrity = get_integrity(in);
  out.checksum = in.text();
  return out;
}

OpenUpload get_upload(Decoder& in) {
  OpenUpload out;
  out.path = in.text();
  out.state = get_state(in);
  out.settings = in.number();
  out.upload_id = in.text();
  out.part_size = in.number();
  out.integrity = get_integrity(in);
  if (!in.at_end()) out.young = in.number() != 0;  // records of 0.1 end before it
  return out;
}

void apply_object(UploadState& to, ObjectRecord from) {
  const auto hash = path_hash(from.path);
  to.objects.insert_or_assign(
      hash, KnownObject{hash_of(from.state), from.state.size, from.settings, hash_of(from.etag), to.records});
  if (from.is_young) {
    to.young.insert_or_assign(hash, std::move(from.checksum));
  } else {
    to.young.erase(hash);
  }
}

void apply_part(UploadState& to, Decoder& in) {
  const auto found = to.uploads.find(get_text(in));
  const auto number = static_cast<uint32_t>(in.number());
  PartRecord record;
  record.etag = in.text();
  record.checksum = in.text();
  record.size = in.number();
  // A part can be recorded after another thread has ended its upload.
  if (found != to.uploads.end()) found->second.parts.insert_or_assign(number, std::move(record));
}

std::vector<std::string> get_texts(Decoder& in) {
  std::vector<std::string> out;
  for (auto count = in.number(); count > 0; --count) out.push_back(get_text(in));
  return out;
}

Selection get_selection(Decoder& in) {
  Selection out;
  const auto symlinks = in.number();
  if (symlinks > static_cast<uint64_t>(Symlinks::skip))
    base::fail(base::ErrorKind::corrupt, "there is no treatment {} of symbolic links", symlinks);
  out.symlinks = static_cast<Symlinks>(symlinks);
  out.include = get_texts(in);
  out.exclude = get_texts(in);
  if (!in.at_end()) out.requester_pays = in.number() != 0;
  return out;
}

}  // namespace

uint64_t hash_of(const FileState& state) {
  Encoder out;
  put(out, state);
  return hash_of(out.str());
}

uint64_t hash_of(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

base::uint128 path_hash(std::string_view path) {
  const auto hash = XXH3_128bits(path.data(), path.size());
  return (base::uint128{hash.high64} << 64) | hash.low64;
}

const KnownObject* UploadState::find(std::string_view path) const {
  const auto found = objects.find(path_hash(path));
  return found == objects.end() ? nullptr : &found->second;
}

void UploadState::apply(base::Bytes record) {
  Decoder in(record);
  switch (in.number()) {
    case Type::run: {
      RunIdentity identity;
      identity.directory = in.text();
      identity.endpoint = in.text();
      identity.bucket = in.text();
      identity.prefix = in.text();
      run = std::move(identity);
      break;
    }
    case Type::capabilities: {
      Capabilities found;
      found.integrity = get_integrity(in);
      found.conditional_put = in.number() != 0;
      found.was_empty = in.number() != 0;
      if (!in.at_end()) {  // records of 0.1 end before it
        found.checks_parts = in.number() != 0;
        found.is_kms = in.number() != 0;
      }
      capabilities = found;
      break;
    }
    case Type::object:
      apply_object(*this, get_object(in));
      break;
    case Type::upload: {
      auto opened = get_upload(in);
      auto id = opened.upload_id;
      uploads.insert_or_assign(std::move(id), std::move(opened));
      break;
    }
    case Type::part:
      apply_part(*this, in);
      break;
    case Type::ended:
      uploads.erase(get_text(in));
      break;
    case Type::removed: {
      const auto hash = path_hash(in.text());
      objects.erase(hash);
      young.erase(hash);
      break;
    }
    case Type::intended: {
      auto path = get_text(in);
      // The first one counts: what it has begun may still be there.
      intended.emplace(std::move(path), in.at_end() ? 0 : in.number());
      break;
    }
    case Type::cleared:
      intended.erase(get_text(in));
      break;
    case Type::settled:
      young.erase(path_hash(in.text()));
      break;
    case Type::selection:
      selection = get_selection(in);
      finished.reset();
      break;
    case Type::finished: {
      const auto failures = in.number();
      finished = Finished{failures, in.number()};
      break;
    }
    default:
      base::fail(base::ErrorKind::corrupt, "a record of an unknown type");
  }
  if (!in.at_end()) base::fail(base::ErrorKind::corrupt, "a record is longer than its type");
  ++records;
}

std::string encode(const RunIdentity& identity) {
  Encoder out;
  out.number(Type::run).text(identity.directory).text(identity.endpoint);
  return out.text(identity.bucket).text(identity.prefix).str();
}

std::string encode(const Capabilities& found) {
  Encoder out;
  out.number(Type::capabilities).number(static_cast<uint64_t>(found.integrity));
  out.number(found.conditional_put ? 1 : 0).number(found.was_empty ? 1 : 0);
  return out.number(found.checks_parts ? 1 : 0).number(found.is_kms ? 1 : 0).str();
}

std::string encode(const Selection& chosen) {
  Encoder out;
  out.number(Type::selection).number(static_cast<uint64_t>(chosen.symlinks));
  for (const auto* list : {&chosen.include, &chosen.exclude}) {
    out.number(list->size());
    for (const auto& pattern : *list) out.text(pattern);
  }
  if (chosen.requester_pays) out.number(1);  // versions that do not know it read all other journals
  return out.str();
}

std::string encode(const Finished& end) {
  Encoder out;
  return out.number(Type::finished).number(end.failures).number(end.differences).str();
}

std::string encode(const ObjectRecord& record) {
  Encoder out;
  out.number(Type::object).text(record.path);
  put(out, record.state);
  out.number(record.is_young ? 1 : 0).number(record.settings).text(record.etag).text(record.version);
  return out.number(static_cast<uint64_t>(record.integrity)).text(record.checksum).str();
}

std::string encode_intended(std::string_view path, uint64_t time) {
  Encoder out;
  return out.number(Type::intended).text(path).number(time).str();
}

std::string encode_cleared(std::string_view path) {
  Encoder out;
  return out.number(Type::cleared).text(path).str();
}

std::string encode(const OpenUpload& opened) {
  Encoder out;
  out.number(Type::upload).text(opened.path);
  put(out, opened.state);
  out.number(opened.settings).text(opened.upload_id).number(opened.part_size);
  return out.number(static_cast<uint64_t>(opened.integrity)).number(opened.young ? 1 : 0).str();
}

std::string encode_part(std::string_view upload_id, uint32_t number, const PartRecord& record) {
  Encoder out;
  out.number(Type::part).text(upload_id).number(number).text(record.etag).text(record.checksum);
  return out.number(record.size).str();
}

std::string encode_ended(std::string_view upload_id) {
  Encoder out;
  return out.number(Type::ended).text(upload_id).str();
}

std::string encode_removed(std::string_view path) {
  Encoder out;
  return out.number(Type::removed).text(path).str();
}

std::string encode_settled(std::string_view path) {
  Encoder out;
  return out.number(Type::settled).text(path).str();
}

std::optional<ObjectRecord> decode_object(base::Bytes record) {
  Decoder in(record);
  if (in.number() != Type::object) return std::nullopt;
  return get_object(in);
}

}  // namespace s3
