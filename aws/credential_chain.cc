#include "aws/credential_chain.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/credential_process.h"
#include "aws/metadata.h"
#include "aws/session.h"
#include "aws/sso.h"
#include "aws/sts.h"
#include "aws/timestamp.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::Stop;
using base::trimmed;

CredentialsSource fixed(Credentials credentials) {
  return [credentials = std::move(credentials)](const Stop&) { return credentials; };
}

std::optional<Credentials> from_environment(const Environment& environment) {
  const auto id = environment.get("AWS_ACCESS_KEY_ID");
  const auto secret = environment.get("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  if (!id || !secret)
    throw base::Error(ErrorKind::usage,
                      fmt::format("{} is set, but not {}", id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                                  id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"),
                      "set both or neither");
  auto token = environment.get("AWS_SESSION_TOKEN");
  if (!token) token = environment.get("AWS_SECURITY_TOKEN");
  Credentials credentials{.access_key_id = *id,
                          .secret_access_key = Secret(*secret),
                          .session_token = Secret(token.value_or(""))};
  if (const auto expires = environment.get("AWS_CREDENTIAL_EXPIRATION"))
    credentials.expires = parse_timestamp(*expires);
  return credentials;
}

class Finder {
 public:
  Finder(const Session& session, const Stop& stop)
      : session_(session),
        stop_(stop),
        metadata_(session.environment(), session.http()),
        environment_counts_(session.options().profile.empty()) {}

  CredentialsSource find() {
    if (session_.options().credentials) return fixed(*session_.options().credentials);
    if (environment_counts_)
      if (auto found = from_environment(session_.environment())) return fixed(*std::move(found));
    if (auto source = from_profile(session_.profile(), environment_counts_)) return source;
    if (auto source = from_container()) return source;
    if (auto source = from_instance()) return source;
    std::vector<std::string> looked;
    if (environment_counts_) looked.emplace_back("AWS_ACCESS_KEY_ID in the environment");
    looked.push_back(fmt::format("the profile {}", session_.profile()));
    looked.emplace_back("a container's endpoint");
    looked.emplace_back("an instance's role");
    throw base::Error(ErrorKind::usage, "there are no AWS credentials",
                      fmt::format("looked for {}", fmt::join(looked, ", ")));
  }

 private:
  CredentialsSource from_profile(const std::string& name, bool environment_too) {
    static const Settings none;
    const auto* found = session_.profiles().find(name);
    const auto& settings = found != nullptr ? *found : none;
    if (settings.contains("role_arn") && !settings.contains("web_identity_token_file"))
      return from_role(name, settings);
    if (auto source = from_web_identity(name, settings, environment_too)) return source;
    if (const auto login = sso_login(session_.profiles(), name, settings))
      return [&session = session_, login = *login](const Stop& stop) {
        return sso_credentials(session, login, stop);
      };
    if (auto source = from_access_key(name, settings)) return source;
    if (const auto command = setting(settings, "credential_process"))
      return [command = *command](const Stop& stop) { return process_credentials(command, stop); };
    return {};
  }

  static CredentialsSource from_access_key(const std::string& name, const Settings& settings) {
    const auto id = setting(settings, "aws_access_key_id");
    const auto secret = setting(settings, "aws_secret_access_key");
    if (!id && !secret) return {};
    if (!id || !secret)
      base::fail(ErrorKind::usage,
                 "the AWS profile {} has only one of aws_access_key_id and aws_secret_access_key", name);
    return fixed({.access_key_id = *id,
                  .secret_access_key = Secret(*secret),
                  .session_token = Secret(setting(settings, "aws_session_token").value_or(""))});
  }

  static Role role_of(const std::string& name, const Settings& settings) {
    Role role{.arn = setting(settings, "role_arn").value_or(""),
              .session_name = setting(settings, "role_session_name").value_or("")};
    if (role.arn.empty()) base::fail(ErrorKind::usage, "the AWS profile {} lacks role_arn", name);
    if (auto id = setting(settings, "external_id")) role.external_id = Secret(*std::move(id));
    if (const auto text = setting(settings, "duration_seconds")) {
      int seconds = 0;
      const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
      if (error != std::errc() || end != text->data() + text->size() || seconds <= 0)
        base::fail(ErrorKind::usage, "the AWS profile {} has a malformed duration_seconds", name);
      role.duration = std::chrono::seconds(seconds);
    }
    return role;
  }

  CredentialsSource from_role(const std::string& name, const Settings& settings) {
    auto role = role_of(name, settings);
    if (settings.contains("mfa_serial"))
      throw base::Error(
          ErrorKind::usage, fmt::format("the AWS profile {} asks for a one-time password", name),
          "log in first and pass the result on: eval \"$(aws configure export-credentials --profile " + name +
              " --format env)\"");
    const auto profile = setting(settings, "source_profile");
    const auto source = setting(settings, "credential_source");
    if (profile.has_value() == source.has_value())
      base::fail(ErrorKind::usage, "the AWS profile {} needs either source_profile or credential_source",
                 name);
    auto caller = profile ? from_source_profile(name, settings, *profile) : from_source(name, *source);
    return [&session = session_, sts = sts(), role = std::move(role), caller = std::move(caller)](
               const Stop& stop) { return sts.assume_role(role, caller(stop), session.now(), stop); };
  }

  CredentialsSource from_source_profile(const std::string& name, const Settings& settings,
                                        const std::string& source) {
    visited_.push_back(name);
    if (source == name) {  // its own access key
      if (auto key = from_access_key(name, settings)) return key;
    } else if (session_.profiles().find(source) == nullptr) {
      base::fail(ErrorKind::usage, "the AWS profile {} has a source_profile {} that is not there", name,
                 source);
    }
    if (std::find(visited_.begin(), visited_.end(), source) != visited_.end())
      base::fail(ErrorKind::usage, "the AWS profiles {} and {} have each other as their source", name,
                 source);
    // An access key counts before a role here, so that a chain can end in a profile that is a role itself.
    const auto& source_settings = *session_.profiles().find(source);
    if (auto key = from_access_key(source, source_settings)) return key;
    if (auto found = from_profile(source, false)) return found;
    base::fail(ErrorKind::usage, "the AWS profile {}, source of {}, has no credentials", source, name);
  }

  CredentialsSource from_source(const std::string& name, const std::string& source) {
    CredentialsSource found;
    if (source == "Environment") {
      if (auto credentials = from_environment(session_.environment())) found = fixed(*std::move(credentials));
    } else if (source == "EcsContainer") {
      found = from_container();
    } else if (source == "Ec2InstanceMetadata") {
      found = from_instance();
    } else {
      throw base::Error(ErrorKind::usage,
                        fmt::format("the AWS profile {} has an unknown credential_source", name),
                        "it can be Environment, EcsContainer or Ec2InstanceMetadata");
    }
    if (!found)
      base::fail(ErrorKind::usage, "the credential_source {} of the AWS profile {} has none", source, name);
    return found;
  }

  CredentialsSource from_web_identity(const std::string& name, const Settings& settings,
                                      bool environment_too) {
    const auto value = [&](const char* variable, const char* setting_name) {
      std::optional<std::string> text;
      if (environment_too) text = session_.environment().get(variable);
      return text ? text : setting(settings, setting_name);
    };
    const auto file = value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    if (!file) return {};
    const auto arn = value("AWS_ROLE_ARN", "role_arn");
    if (!arn)
      throw base::Error(ErrorKind::usage,
                        fmt::format("there is a web identity token {}, but no role for it", *file),
                        "set AWS_ROLE_ARN, or role_arn in the profile " + name);
    Role role{.arn = *arn, .session_name = value("AWS_ROLE_SESSION_NAME", "role_session_name").value_or("")};
    return [&session = session_, sts = sts(), role = std::move(role), file = *file](const Stop& stop) {
      const Secret token(std::string(trimmed(base::read_file(file))));  // whoever put it there renews it
      return sts.assume_role_with_web_identity(role, token, session.now(), stop);
    };
  }

  CredentialsSource from_container() {
    if (!container_credentials_url(session_.environment())) return {};
    return [&session = session_](const Stop& stop) {
      return container_credentials(session.environment(), session.http(), stop).value();
    };
  }

  CredentialsSource from_instance() {
    const auto role = metadata_.role(stop_);
    if (!role) return {};
    return
        [metadata = metadata_, role = *role](const Stop& stop) { return metadata.credentials(role, stop); };
  }

  Sts sts() const {
    const auto region = session_.configured_region().value_or("us-east-1");
    return {session_.endpoint("sts", region), session_.http()};
  }

  const Session& session_;
  const Stop& stop_;
  InstanceMetadata metadata_;
  bool environment_counts_;
  std::vector<std::string> visited_;
};

}  // namespace

CredentialsSource find_credentials(const Session& session, const Stop& stop) {
  return Finder(session, stop).find();
}

}  // namespace aws
