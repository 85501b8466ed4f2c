#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/sink.h"
#include "base/uint128.h"
#include "s3/checksum.h"
#include "s3/file_state.h"
#include "s3/walk.h"

/// What the journal of an upload says: its records, and the state they fold to (docs/journal.md).
namespace s3 {

/// What a run belongs to: a journal made for one is never used for another.
struct RunIdentity {
  std::string directory;  ///< canonical path of the uploaded directory
  std::string endpoint;
  std::string bucket;
  std::string prefix;
  bool operator==(const RunIdentity&) const = default;
};

/// Which files of the directory are meant: a later comparison leaves out the same ones. And what the bucket
/// takes no request without.
struct Selection {
  Symlinks symlinks = Symlinks::error;
  std::vector<std::string> include;  ///< globs
  std::vector<std::string> exclude;
  bool requester_pays = false;
  bool operator==(const Selection&) const = default;
};

/// How the last process that came to its end ended.
struct Finished {
  uint64_t failures = 0;
  uint64_t differences = 0;
};

/// What the endpoint was found to do, by trying it.
struct Capabilities {
  Integrity integrity = Integrity::md5;
  bool conditional_put = false;  ///< If-None-Match: * is respected on PUT
  bool was_empty = false;        ///< nothing was under the prefix before the first upload
  bool checks_parts = false;     ///< that was tried with a part, too; journals of before do not say
  bool is_kms = false;           ///< what is written is encrypted by KMS: an ETag is no MD5
  bool operator==(const Capabilities&) const = default;
};

/// An object that is on the server, its content checked by it.
struct ObjectRecord {
  std::string path;
  FileState state;
  /// The file was changed so shortly before it was read that a later change may not show in its times.
  bool is_young = false;
  uint64_t settings = 0;  ///< hash of the headers it was made with
  std::string etag;       ///< without quotes
  std::string version;    ///< empty without versioning
  Integrity integrity = Integrity::md5;
  std::string checksum;  ///< raw, of the content; combined() for a multipart object
};

struct PartRecord {
  std::string etag;
  std::string checksum;  ///< raw
  uint64_t size = 0;
  bool operator==(const PartRecord&) const = default;
};

/// A multipart upload that is neither completed nor aborted.
struct OpenUpload {
  std::string path;
  FileState state;
  uint64_t settings = 0;
  std::string upload_id;
  uint64_t part_size = 0;
  Integrity integrity = Integrity::md5;
  /// As ObjectRecord::is_young, when it was begun: what was sent before a pause is then compared again.
  bool young = true;
  std::map<uint32_t, PartRecord> parts;
};

/// 1M objects must not take much memory: of an object only what later runs compare is kept, under the hash of
/// its path.
struct KnownObject {
  uint64_t state = 0;  ///< hash of its FileState
  uint64_t size = 0;
  uint64_t settings = 0;
  uint64_t etag = 0;      ///< hash
  uint64_t sequence = 0;  ///< of the record, from 0
};

uint64_t hash_of(const FileState& state);
uint64_t hash_of(std::string_view text);
base::uint128 path_hash(std::string_view path);

struct PathHasher {
  size_t operator()(base::uint128 hash) const { return static_cast<size_t>(hash); }
};

struct UploadState {
  std::optional<RunIdentity> run;
  std::optional<Capabilities> capabilities;
  std::optional<Selection> selection;  ///< of the process that began last
  std::optional<Finished> finished;    ///< nothing when that has not come to its end
  std::unordered_map<base::uint128, KnownObject, PathHasher> objects;
  /// Raw checksums of the young ones, to find out whether they changed after all.
  std::unordered_map<base::uint128, std::string, PathHasher> young;
  std::map<std::string, OpenUpload> uploads;  ///< by upload id
  /// Paths for which an upload was about to be made: the server may know one whose id we never heard.
  /// Since when, in seconds since 1970; 0 when an older version has not recorded it.
  std::map<std::string, uint64_t> intended;
  uint64_t records = 0;

  /// Applies one record. Throws Error{corrupt} for one that is none of ours.
  void apply(base::Bytes record);
  const KnownObject* find(std::string_view path) const;
};

std::string encode(const RunIdentity& run);
std::string encode(const Capabilities& capabilities);
std::string encode(const Selection& selection);  ///< a process begins
std::string encode(const Finished& finished);
std::string encode(const ObjectRecord& object);
/// An upload of the path is about to be made; what of it is unknown is settled by encode_cleared().
/// `time` in seconds since 1970.
std::string encode_intended(std::string_view path, uint64_t time);
/// The server has no upload of the path that we do not know.
std::string encode_cleared(std::string_view path);
std::string encode(const OpenUpload& upload);  ///< without its parts
std::string encode_part(std::string_view upload_id, uint32_t number, const PartRecord& part);
/// The upload is completed or aborted.
std::string encode_ended(std::string_view upload_id);
/// The object was deleted.
std::string encode_removed(std::string_view path);

/// The object is not young any more.
std::string encode_settled(std::string_view path);

/// The record if it is one of an object.
std::optional<ObjectRecord> decode_object(base::Bytes record);

}  // namespace s3
