#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/environment.h"

namespace aws {

/// Settings by name; a nested one ("s3 =" with indented lines below) as "s3.addressing_style".
using Settings = std::map<std::string, std::string, std::less<>>;

/// ~/.aws/config and ~/.aws/credentials (or where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say), as
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html describes them. The grammar of both:
///
///     file     = { comment | section }
///     section  = "[" name "]" EOL { comment | setting }       [default], [profile NAME], [sso-session NAME],
///                                                              [services NAME]; in credentials [NAME]
///     setting  = name "=" value EOL { blank name "=" value EOL }   the indented ones are nested
///     comment  = ( "#" | ";" ) … EOL; also behind a value, after a blank
///
/// Files that do not exist are empty. Read once: what changes later (a role's keys in a cache) lies in other
/// files.
class Profiles {
 public:
  /// Throws Error{usage} naming file and line for what is not of this form, Error{permanent} if it cannot be
  /// read.
  static Profiles load(const Environment& environment);

  /// Nullptr if neither file has it. Both files' settings together; the credentials file's count first.
  const Settings* find(std::string_view profile) const;
  const Settings* find_sso_session(std::string_view name) const;
  const Settings* find_services(std::string_view name) const;

 private:
  using Sections = std::map<std::string, Settings, std::less<>>;
  void read(const std::filesystem::path& path, bool is_credentials);
  Sections profiles_;
  Sections sso_sessions_;
  Sections services_;
};

/// The value, or nullopt when it is not there or empty.
std::optional<std::string> setting(const Settings& settings, std::string_view name);

}  // namespace aws
