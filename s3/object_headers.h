#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/http.h"
#include "s3/content_type.h"
#include "s3/file_state.h"
#include "s3/header_rules.h"

namespace s3 {

/// What objects are made with, beside their content.
struct ObjectSettings {
  HeaderRules content_type;   ///< ahead of the table by extension
  HeaderRules cache_control;  ///< none: no header
  std::string storage_class;  ///< empty: the bucket's default
  std::string encryption;     ///< "AES256", "aws:kms" or empty: the bucket's default
  std::string kms_key;        ///< empty: the account's default key
  std::map<std::string, std::string> tags;
};

/// Whether the server says that it has encrypted as asked: some pass over what they do not know. `encryption`
/// is what it says.
bool is_encrypted_as_asked(const ObjectSettings& settings, std::string_view encryption);
/// Throws Error{permanent} otherwise.
void check_encryption(const ObjectSettings& settings, std::string_view encryption);

/// Throws Error{usage} for more tags, or longer ones, than S3 lets an object have.
void add_tag(ObjectSettings& settings, const std::string& key, const std::string& value);

class ObjectHeaders {
 public:
  ObjectHeaders(ObjectSettings settings, ContentTypes types)
      : settings_(std::move(settings)), types_(std::move(types)) {}

  /// The headers of the object's PUT, or of the request that begins its multipart upload. The file's
  /// modification time is kept as x-amz-meta-mtime, in seconds with a fraction, as rclone writes and reads
  /// it.
  base::HttpHeaders of(std::string_view path, const FileState& state) const;
  /// Whether an object with these is known to have what was asked for by name. What the program chooses by
  /// itself does not count. Tags, and what a key's alias stands for, no answer shows.
  bool are_as_asked(std::string_view path, const base::HttpHeaders& of_object) const;
  /// A hash of everything in them that is not the file's own.
  uint64_t settings_hash(std::string_view path) const;

 private:
  base::HttpHeaders settings_of(std::string_view path) const;

  ObjectSettings settings_;
  ContentTypes types_;
};

}  // namespace s3
