#include "s3/object_headers.h"

#include <fmt/format.h>

#include "aws/sigv4.h"
#include "base/codec.h"
#include "base/error.h"
#include "s3/keys.h"
#include "s3/upload_state.h"

namespace s3 {
namespace {

/// `found` is a key's ARN, "arn:aws:kms:REGION:ACCOUNT:key/ID"; `asked` that, the ID, or an alias. Servers
/// other than AWS name it as it was asked for.
bool is_key(std::string_view asked, std::string_view found) {
  return found == asked || (found.starts_with("arn:") && found.ends_with(fmt::format(":key/{}", asked)));
}

}  // namespace

bool is_encrypted_as_asked(const ObjectSettings& settings, std::string_view encryption) {
  return settings.encryption.empty() || settings.encryption == encryption;
}

void check_encryption(const ObjectSettings& settings, std::string_view encryption) {
  if (is_encrypted_as_asked(settings, encryption)) return;
  throw base::Error(
      base::ErrorKind::permanent,
      fmt::format("the server does not say that it has encrypted with {}, as it was asked to, but {}",
                  settings.encryption, encryption.empty() ? "nothing" : printable(encryption)),
      "leave --sse out to take what the server does by itself");
}

void add_tag(ObjectSettings& settings, const std::string& key, const std::string& value) {
  constexpr size_t kMost = 10;
  constexpr size_t kLongestName = 128;
  constexpr size_t kLongestValue = 256;
  const auto reject = [&](const char* why, const char* hint) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the tag \"{}={}\" {}", printable(key), printable(value), why), hint);
  };
  if (!is_plain_text(key) || !is_plain_text(value))
    reject("is not UTF-8 or holds a control character",
           "a tag has letters, digits, spaces and + - = . _ : / @");
  if (characters(key) > kLongestName || characters(value) > kLongestValue)
    reject("is too long", "a key has 128 characters, a value 256");
  if (key.starts_with("aws:")) reject("begins with aws:", "AWS keeps such names for itself");
  settings.tags[key] = value;
  if (settings.tags.size() > kMost) reject("is one too many", "S3 allows 10 for an object");
}

base::HttpHeaders ObjectHeaders::settings_of(std::string_view path) const {
  base::HttpHeaders out;
  const auto type = settings_.content_type.value_for(path);
  out.add("Content-Type", std::string(type.empty() ? types_.of(path) : type));
  if (const auto control = settings_.cache_control.value_for(path); !control.empty())
    out.add("Cache-Control", std::string(control));
  if (!settings_.storage_class.empty()) out.add("x-amz-storage-class", settings_.storage_class);
  if (!settings_.encryption.empty()) out.add("x-amz-server-side-encryption", settings_.encryption);
  if (!settings_.kms_key.empty()) out.add("x-amz-server-side-encryption-aws-kms-key-id", settings_.kms_key);
  std::string tags;  // as in a URL's query
  for (const auto& [key, value] : settings_.tags)
    tags += fmt::format("{}{}={}", tags.empty() ? "" : "&", aws::uri_encode(key), aws::uri_encode(value));
  if (!tags.empty()) out.add("x-amz-tagging", tags);
  return out;
}

base::HttpHeaders ObjectHeaders::of(std::string_view path, const FileState& state) const {
  auto out = settings_of(path);
  constexpr uint64_t kSecond = 1'000'000'000;
  const bool is_before_1970 = static_cast<int64_t>(state.mtime_ns) < 0;
  const auto time = is_before_1970 ? -state.mtime_ns : state.mtime_ns;
  out.add("x-amz-meta-mtime",
          fmt::format("{}{}.{:09}", is_before_1970 ? "-" : "", time / kSecond, time % kSecond));
  return out;
}

bool ObjectHeaders::are_as_asked(std::string_view path, const base::HttpHeaders& of_object) const {
  const auto is = [&](std::string_view name, std::string_view asked, std::string_view otherwise = {}) {
    const auto value = of_object.get(name);
    return asked.empty() || asked == (value.empty() ? otherwise : value);
  };
  return is("Content-Type", settings_.content_type.value_for(path)) &&
         is("Cache-Control", settings_.cache_control.value_for(path)) &&
         is("x-amz-storage-class", settings_.storage_class, "STANDARD") && settings_.tags.empty() &&
         (settings_.kms_key.empty() ||
          is_key(settings_.kms_key, of_object.get("x-amz-server-side-encryption-aws-kms-key-id")));
}

uint64_t ObjectHeaders::settings_hash(std::string_view path) const {
  base::Encoder out;
  for (const auto& [name, value] : settings_of(path)) out.text(name).text(value);
  return hash_of(out.str());
}

}  // namespace s3
