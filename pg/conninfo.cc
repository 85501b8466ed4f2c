#include "pg/conninfo.h"

#include <memory>

#include <libpq-fe.h>

#include "base/error.h"

namespace pg {
namespace {

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// Keyword -> the environment variable through which a child gets it.
const std::map<std::string, std::string>& secret_variables() {
  static const std::map<std::string, std::string> variables = {{"password", "PGPASSWORD"},
                                                               {"sslpassword", "PGSSLPASSWORD"}};
  return variables;
}

std::string quoted_value(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// A password with a raw "/" or "@" in it makes libpq cut the URL elsewhere: a part of the password ends up in
// the host, the port or the database name, which are shown to people. Such a URL is refused.
std::string_view misplaced_part(std::string_view text, const std::map<std::string, std::string>& parameters) {
  const auto parameter = [&](const char* keyword) {
    const auto found = parameters.find(keyword);
    return found == parameters.end() ? std::string_view() : std::string_view(found->second);
  };
  if (const auto scheme = text.find("://");
      text.starts_with("postgres") && scheme != std::string_view::npos) {
    const auto rest = text.substr(scheme + 3);
    const auto at = rest.find('@');
    if (at != std::string_view::npos &&
        (rest.find('@', at + 1) != std::string_view::npos || rest.find_first_of("/?") < at))
      return "there is an \"@\" that does not end the password";
  }
  if (parameter("port").find_first_not_of("0123456789,") != std::string_view::npos)
    return "the port is not a number";
  const auto database = parameter("dbname");
  if (database.find("://") != std::string_view::npos || database.find("password=") != std::string_view::npos)
    return "the database name is itself a connection string";
  return {};
}

}  // namespace

Conninfo Conninfo::parse(std::string_view text) {
  const auto complain = [](std::string_view problem) {
    throw base::Error(
        base::ErrorKind::usage, fmt::format("malformed connection string: {}", problem),
        "write it as postgres://USER:PASSWORD@HOST:PORT/DBNAME?sslmode=require; special characters in the "
        "password must be percent-encoded (@ is %40, / is %2F, ? is %3F)");
  };
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) complain("it is empty");
  char* raw_message = nullptr;
  const std::unique_ptr<PQconninfoOption, OptionsDeleter> options(
      PQconninfoParse(std::string(text).c_str(), &raw_message));
  const std::unique_ptr<char, decltype(&PQfreemem)> message(raw_message, PQfreemem);
  if (!options) {
    // libpq quotes the offending part, which may be the password: keep only what stands before the first
    // quote.
    const std::string_view said = raw_message ? raw_message : "out of memory";
    complain(said.substr(0, said.find_first_of("\"\n")));
  }
  Conninfo result;
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option)
    if (option->val && *option->val) result.parameters_[option->keyword] = option->val;
  if (const auto problem = misplaced_part(text, result.parameters_); !problem.empty()) complain(problem);
  return result;
}

std::string Conninfo::get(const std::string& keyword) const {
  const auto found = parameters_.find(keyword);
  return found == parameters_.end() ? std::string() : found->second;
}

Conninfo Conninfo::with(const std::string& keyword, std::string value) const {
  Conninfo copy = *this;
  copy.parameters_[keyword] = std::move(value);
  return copy;
}

Conninfo Conninfo::with_default(const std::string& keyword, std::string value) const {
  return parameters_.contains(keyword) ? *this : with(keyword, std::move(value));
}

Conninfo Conninfo::with_password_source(PasswordSource source) const {
  Conninfo copy = *this;
  copy.password_source_ = std::move(source);
  return copy;
}

Conninfo Conninfo::with_fresh_password() const {
  return password_source_ ? with("password", password_source_()) : *this;
}

std::string Conninfo::redacted() const {
  const auto host = get("host").empty() ? get("hostaddr") : get("host");
  std::string out = "postgres://";
  if (!get("user").empty()) out += get("user") + "@";
  out += host.empty() ? "localhost" : host;
  if (!get("port").empty()) out += ":" + get("port");
  return out + "/" + get("dbname");
}

std::string Conninfo::without_secrets() const {
  std::string out;
  for (const auto& [keyword, value] : parameters_) {
    if (secret_variables().contains(keyword)) continue;
    if (!out.empty()) out += ' ';
    out += keyword + "=" + quoted_value(value);
  }
  return out;
}

std::map<std::string, std::string> Conninfo::secrets() const {
  const auto fresh = with_fresh_password();
  std::map<std::string, std::string> out;
  for (const auto& [keyword, variable] : secret_variables())
    if (!fresh.get(keyword).empty()) out[variable] = fresh.get(keyword);
  return out;
}

}  // namespace pg
