#include "aws/profile.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::trimmed;

/// Up to a comment mark with a blank before it: secrets may hold a bare '#'.
std::string_view without_comment(std::string_view value) {
  for (const std::string_view mark : {" #", " ;", "\t#", "\t;"}) value = value.substr(0, value.find(mark));
  return trimmed(value);
}

/// "profile  dev" -> {"profile", "dev"}; "default" -> {"", "default"}
std::pair<std::string_view, std::string_view> split_name(std::string_view name) {
  const auto blank = name.find_first_of(" \t");
  if (blank == std::string_view::npos) return {{}, name};
  auto rest = trimmed(name.substr(blank));
  if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
  return {name.substr(0, blank), rest};
}

const Settings* find_in(const std::map<std::string, Settings, std::less<>>& sections, std::string_view name) {
  const auto found = sections.find(name);
  return found == sections.end() ? nullptr : &found->second;
}

}  // namespace

Profiles Profiles::load(const Environment& environment) {
  Profiles profiles;
  // Later files override: the credentials file comes last.
  profiles.read(environment.expand_home(environment.get("AWS_CONFIG_FILE").value_or("~/.aws/config")), false);
  profiles.read(
      environment.expand_home(environment.get("AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials")),
      true);
  return profiles;
}

void Profiles::read(const std::filesystem::path& path, bool is_credentials) {
  const auto content = base::read_file_if_exists(path);
  if (!content) return;
  Settings ignored;  // sections of a kind that nothing here reads
  Settings* section = nullptr;
  std::string parent;
  std::string_view rest = *content;
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto text = trimmed(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') continue;
    if (text.front() == '[') {
      const auto close = text.find(']');
      if (close == std::string_view::npos)
        base::fail(ErrorKind::usage, "{}:{}: a section's name has no closing bracket", path.native(), number);
      const auto [kind, name] = split_name(trimmed(text.substr(1, close - 1)));
      parent.clear();
      if (is_credentials || kind == "profile" || (kind.empty() && name == "default")) {
        section = &profiles_[std::string(name)];
      } else if (kind == "sso-session") {
        section = &sso_sessions_[std::string(name)];
      } else {
        section = kind == "services" ? &services_[std::string(name)] : &ignored;
      }
      continue;
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || section == nullptr)
      // Never the line itself: it may be a misplaced secret.
      base::fail(ErrorKind::usage, "{}:{}: not a section and not a setting in one", path.native(), number);
    std::string name(trimmed(text.substr(0, equals)));
    const auto value = without_comment(text.substr(equals + 1));
    const bool nested = line.front() == ' ' || line.front() == '\t';
    if (!nested) parent = name;
    if (nested && !parent.empty()) name = parent + '.' + name;
    (*section)[name] = value;
  }
}

const Settings* Profiles::find(std::string_view profile) const { return find_in(profiles_, profile); }
const Settings* Profiles::find_sso_session(std::string_view name) const {
  return find_in(sso_sessions_, name);
}
const Settings* Profiles::find_services(std::string_view name) const { return find_in(services_, name); }

std::optional<std::string> setting(const Settings& settings, std::string_view name) {
  const auto found = settings.find(name);
  if (found == settings.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

}  // namespace aws
