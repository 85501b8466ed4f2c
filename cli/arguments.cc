#include "cli/arguments.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/log.h"
#include "cli/secret_reference.h"
#include "cli/text.h"
#include "pg/conninfo.h"

namespace cli {
namespace {

/// Where the value starts: behind the "=" of "--source=postgres://…".
size_t value_offset(std::string_view argument) {
  if (!argument.starts_with("--")) return 0;
  const auto equals = argument.find('=');
  return equals == std::string_view::npos ? 0 : equals + 1;
}

/// A user name before the host is enough: a mistyped URL may have its password anywhere, and lack a slash.
bool may_hold_secret(std::string_view value) {
  const bool is_url_alike = value.find(":/") != std::string_view::npos || value.starts_with("postgres");
  if (is_url_alike && value.find('@') != std::string_view::npos) return true;
  // Every one of them: a database may be named so, too.
  constexpr std::string_view kKeyword = "password";
  for (size_t at = 0; (at = value.find(kKeyword, at)) != std::string_view::npos;) {
    at += kKeyword.size();
    const auto behind = value.find_first_not_of(" \t\n\r\f\v", at);
    if (behind != std::string_view::npos && value[behind] == '=') return true;
  }
  return false;
}

/// Every http:// and https:// URL in the value without its secrets; in JSON each ends with its text.
std::string without_url_secrets(const std::string& value) {
  const auto find_url = [&](size_t from) {
    return std::min(value.find("http://", from), value.find("https://", from));
  };
  std::string out;
  size_t done = 0;
  for (auto at = find_url(0); at != std::string::npos; at = find_url(done)) {
    const auto end = std::min(value.find('"', at), value.size());
    const auto url = value.substr(at, end - at);
    out += value.substr(done, at - done) + url_without_secrets(url);
    if (url.find_first_of("?#") != std::string::npos) out += fmt::format("?{}", kHidden);
    done = end;
  }
  return out + value.substr(done);
}

/// A check's headers, in JSON: their values may be tokens. References may be shown.
std::string without_header_values(const std::string& value) {
  constexpr const char* kHeaders = "headers";
  if (!base::trimmed(value).starts_with('{') || value.find(kHeaders) == std::string::npos) return value;
  auto json = Json::parse(value, nullptr, false);
  if (!json.is_object()) return kHidden;
  if (!json.contains(kHeaders)) return value;
  if (!json.at(kHeaders).is_object()) return kHidden;
  for (auto& [name, header] : json.at(kHeaders).items())
    if (!header.is_string() || !is_secret_reference(header.get<std::string>())) header = kHidden;
  return json_text(json);
}

/// What stands in `memory` from now on, with spaces up to its old length: they do not show in `ps`.
void overwrite(char* memory, std::string_view text) {
  const auto length = std::strlen(memory);
  const auto kept = std::min(length, text.size());
  std::memcpy(memory, text.data(), kept);
  std::memset(memory + kept, ' ', length - kept);
}

}  // namespace

std::string without_secret(const std::string& argument) {
  const auto offset = value_offset(argument);
  const auto value = without_header_values(without_url_secrets(argument.substr(offset)));
  if (!may_hold_secret(value)) return argument.substr(0, offset) + value;
  try {
    const auto conninfo = pg::Conninfo::parse(value);
    if (conninfo.secrets().empty()) return argument.substr(0, offset) + value;
    return argument.substr(0, offset) + conninfo.redacted();
  } catch (const base::Error&) {
    return argument.substr(0, offset) + kHidden;
  }
}

void Arguments::hide_secrets() {
  for (int i = 1; i < argc_; ++i) {
    const auto shown = without_secret(argv_[i]);
    if (shown != argv_[i]) overwrite(argv_[i], shown);
  }
}

std::string command_to_type(const std::vector<std::string>& arguments) {
  std::string out = "cutover";
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto& value = arguments[i];
    if (value == "--restart") continue;
    const auto name = std::string_view(value).substr(0, value.find('='));
    const bool is_connection = name == "--source" || name == "--target";
    if (!is_connection) {
      out += " " + shell_quoted(without_secret(value));
    } else if (const auto offset = value_offset(value); offset > 0) {
      out += " " + value.substr(0, offset) + kHidden;
    } else {
      out += " " + value + " " + kHidden;
      ++i;
    }
  }
  return out;
}

}  // namespace cli
