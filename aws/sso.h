#pragma once

#include "aws/credentials.h"
#include "aws/profile.h"
#include "base/stop.h"

namespace aws {

class Session;

/// The settings of a profile that logs in with IAM Identity Center ("aws sso login").
struct SsoLogin {
  std::string profile;
  std::string start_url;
  std::string region;
  std::string account_id;
  std::string role_name;
  std::string session_name;  ///< of [sso-session NAME]; empty in profiles of the older form
};

/// nullopt unless the profile has sso_account_id or sso_role_name. Throws Error{usage} for half of the
/// settings.
std::optional<SsoLogin> sso_login(const Profiles& profiles, const std::string& profile,
                                  const Settings& settings);

/// Exchanges the access token that the login left in ~/.aws/sso/cache for the role's credentials. One that
/// has expired is renewed with the refresh token beside it, and the file replaced, by one process at a time
/// (the lock is FILE.lock). Throws Error{usage} asking to log in again when there is none, it is no longer
/// good, or a new one could not be kept.
Credentials sso_credentials(const Session& session, const SsoLogin& login, const base::Stop& stop);

}  // namespace aws
