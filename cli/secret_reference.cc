#include "cli/secret_reference.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "aws/secrets.h"
#include "aws/session.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view kEnvironment = "env:";
constexpr std::string_view kFile = "file:";
constexpr std::string_view kSecretsManager = "secretsmanager:";
constexpr std::string_view kParameterStore = "ssm:";

std::string from_environment(const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
  const char* value = std::getenv(name.c_str());
  if (value && *value) return value;
  throw Error(ErrorKind::usage, fmt::format("the environment variable {} is not set", name));
}

std::string from_file(const std::string& path) {
  try {
    return std::string(base::trimmed(base::read_file(path)));
  } catch (Error& error) {
    error.kind(ErrorKind::usage);
    throw;
  }
}

template <typename Ask>
std::string from_aws(Ask&& ask) {
  aws::Session session({}, aws::Environment::of_process(), std::make_shared<base::HttpShare>());
  aws::Secrets secrets(session);
  return ask(secrets).reveal();
}

std::string member_of(const std::string& document, const std::string& id, const std::string& key) {
  const auto json = nlohmann::json::parse(document, nullptr, false);
  if (json.is_object() && json.contains(key) && json.at(key).is_string())
    return json.at(key).get<std::string>();
  throw Error(ErrorKind::usage, fmt::format("the secret {} is no JSON object with a text \"{}\"", id, key),
              "leave #KEY out if the secret is the value itself");
}

std::string from_secrets_manager(const std::string& name, const base::Stop& stop) {
  const auto hash = name.find('#');
  const auto id = name.substr(0, hash);
  auto text = from_aws([&](aws::Secrets& secrets) { return secrets.secret(id, stop); });
  return hash == std::string::npos ? text : member_of(text, id, name.substr(hash + 1));
}

std::string look_up(const std::string& text, const base::Stop& stop) {
  const auto behind = [&](std::string_view prefix) { return text.substr(prefix.size()); };
  if (text.starts_with(kEnvironment)) return from_environment(behind(kEnvironment));
  if (text.starts_with(kFile)) return from_file(behind(kFile));
  if (text.starts_with(kSecretsManager)) return from_secrets_manager(behind(kSecretsManager), stop);
  return from_aws([&](aws::Secrets& secrets) { return secrets.parameter(behind(kParameterStore), stop); });
}

}  // namespace

bool is_secret_reference(const std::string& text) {
  for (const auto prefix : {kEnvironment, kFile, kSecretsManager, kParameterStore})
    if (text.starts_with(prefix)) return true;
  return false;
}

bool mentions(const std::string& text, const std::string& reference) {
  return text == reference || text.find(fmt::format("\"{}\"", reference)) != std::string::npos;
}

const std::string& SecretResolver::resolve(const std::string& text) {
  if (!is_secret_reference(text)) return text;
  if (const auto found = known_.find(text); found != known_.end()) return found->second;
  return base::during(text, [&]() -> const std::string& {
    auto secret = look_up(text, stop_);
    if (secret.empty()) throw Error(ErrorKind::usage, "it is empty");
    return known_.emplace(text, std::move(secret)).first->second;
  });
}

// A secret may be a part of another one: a host, and the URL.
void FoundSecrets::add(std::string secret, const std::string& reference) {
  if (secret.empty()) return;
  const auto shorter =
      std::ranges::find_if(found_, [&](const auto& other) { return other.first.size() < secret.size(); });
  found_.insert(shorter, {std::move(secret), reference});
}

std::string FoundSecrets::hidden_in(std::string text) const {
  for (const auto& [secret, reference] : found_)
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + reference.size()))
      text.replace(at, secret.size(), reference);
  return text;
}

}  // namespace cli
