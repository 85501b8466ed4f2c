#include "cli/check_options.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/connection_options.h"
#include "cli/option_values.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* kHeaders = "headers";

/// The members of a check's JSON object: texts and numbers, and of a table of headers each a text.
class CheckMembers {
 public:
  /// `text` that is no object stands for its member `main`.
  CheckMembers(const std::string& text, const std::string& main, const std::vector<std::string>& known,
               SecretResolver* secrets)
      : main_(main), resolver_(secrets) {
    if (!base::trimmed(text).starts_with('{')) {
      members_[main] = text;
    } else if (members_ = nlohmann::json::parse(text, nullptr, false); !members_.is_object()) {
      throw Error(ErrorKind::usage, "the check is no JSON object", fmt::format("it has a \"{}\"", main));
    }
    for (const auto& [name, value] : members_.items()) {
      if (std::ranges::find(known, name) == known.end()) reject_name(name, known);
      const bool is_table = name == kHeaders && value.is_object();
      if (!value.is_string() && !value.is_number_integer() && !is_table)
        throw Error(ErrorKind::usage,
                    fmt::format("\"{}\" is neither text nor a number", sanitized_line(name)));
    }
    if (get(main).empty()) throw Error(ErrorKind::usage, fmt::format("a check has no \"{}\"", main));
  }

  std::string get(const std::string& name) const {
    const auto found = members_.find(name);
    if (found == members_.end()) return {};
    return found->is_string() ? found->get<std::string>() : found->dump();
  }
  /// The same, looked up where it is a reference.
  std::string secret(const std::string& name) { return looked_up(get(name)); }
  base::HttpHeaders headers() {
    base::HttpHeaders out;
    if (!members_.contains(kHeaders)) return out;
    const auto& table = members_.at(kHeaders);
    if (!table.is_object()) reject_headers();
    for (const auto& [name, value] : table.items()) {
      if (!value.is_string()) reject_headers();
      add_header(out, name, looked_up(value.get<std::string>()));
    }
    return out;
  }
  /// For people: the check's own, else its reference, which says where the main member is; else `plain`.
  std::string name(const std::string& plain) const {
    if (auto own = get("name"); !own.empty()) return own;
    return has_reference() ? get(main_) : plain;
  }
  /// The main member is not to be shown: `parts` of it neither.
  void hide(std::initializer_list<std::string> parts) {
    if (!has_reference()) return;
    for (const auto& part : parts) found_.add(part, get(main_));
  }
  const FoundSecrets& found() const { return found_; }
  std::chrono::milliseconds timeout() const {
    const auto text = get("timeout");
    if (text.empty()) return kCheckTimeout;
    return base::during("timeout", [&] {
      const auto timeout = parse_duration(text);
      if (timeout.count() == 0)
        throw Error(ErrorKind::usage, "0 would be no limit at all", "give it a second");
      return timeout;
    });
  }

 private:
  bool has_reference() const { return resolver_ && is_secret_reference(get(main_)); }
  std::string looked_up(const std::string& text) {
    if (!resolver_ || !is_secret_reference(text)) return text;
    const auto& secret = resolver_->resolve(text);
    found_.add(secret, text);
    return secret;
  }
  static void add_header(base::HttpHeaders& headers, const std::string& name, const std::string& value) {
    if (!base::is_header_field(name, value))
      throw Error(ErrorKind::usage,
                  fmt::format("the header \"{}\" has no name, or a line break in it", sanitized_line(name)));
    headers.add(name, value);
  }
  [[noreturn]] static void reject_headers() {
    throw Error(ErrorKind::usage, "the headers of a check are no table of texts",
                R"(write them as headers = { Host = "app.example" })");
  }
  [[noreturn]] static void reject_name(const std::string& name, const std::vector<std::string>& known) {
    throw Error(ErrorKind::usage, fmt::format("a check has no member \"{}\"", sanitized_line(name)),
                did_you_mean(name, known));
  }

  std::string main_;
  SecretResolver* resolver_;
  nlohmann::json members_ = nlohmann::json::object();
  FoundSecrets found_;
};

/// Of host[:port]: what libcurl says of it has no port.
std::string host_of(const std::string& host_and_port) {
  const auto colon = host_and_port.rfind(':');
  const bool has_port = colon != std::string::npos &&
                        host_and_port.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  return has_port ? host_and_port.substr(0, colon) : host_and_port;
}

/// No error quotes an address that was looked up.
Address address_of(const std::string& address, const std::string& said) {
  if (address == said) return parse_address(address);
  try {
    return parse_address(address);
  } catch (const Error&) {
    throw Error(ErrorKind::usage, fmt::format("what {} refers to is no address", sanitized_line(said)),
                "write it as HOST:PORT");
  }
}

}  // namespace

HttpCheck parse_http_check(const std::string& text, SecretResolver* secrets) {
  CheckMembers members(text, "url", {"name", "url", kHeaders, "status", "contains", "timeout"}, secrets);
  HttpCheck check{.name = {}, .url = members.secret("url"), .headers = members.headers()};
  if (!check.url.starts_with("http://") && !check.url.starts_with("https://"))
    throw Error(ErrorKind::usage, "the URL of a check begins with neither http:// nor https://");
  check.name = members.name(url_without_secrets(check.url));
  const auto host = base::http_host(check.url);
  members.hide({host, host_of(host)});
  constexpr unsigned kLeastStatus = 100;
  constexpr unsigned kMostStatus = 599;
  if (const auto status = members.get("status"); !status.empty())
    check.status = static_cast<int>(
        base::during("status", [&] { return parse_number(status, kLeastStatus, kMostStatus); }));
  check.contains = members.secret("contains");
  check.timeout = members.timeout();
  check.secrets = members.found();
  return check;
}

TcpCheck parse_tcp_check(const std::string& text, SecretResolver* secrets) {
  CheckMembers members(text, "address", {"name", "address", "timeout"}, secrets);
  const auto address = members.secret("address");
  auto [host, port] = address_of(address, members.get("address"));
  members.hide({fmt::format("{}:{}", host, port), host});
  TcpCheck check{.name = members.name(address), .host = std::move(host), .port = std::move(port)};
  check.timeout = members.timeout();
  check.secrets = members.found();
  return check;
}

SqlCheck parse_sql_check(const std::string& text, SecretResolver* secrets) {
  CheckMembers members(text, "query", {"name", "query", "on", "timeout"}, secrets);
  SqlCheck check{.name = {}, .query = members.secret("query")};
  check.name = members.name(check.query);
  if (const auto on = members.get("on"); !on.empty())
    check.on_source = base::during("on", [&] {
      return parse_choice<bool>(on, {{"source", true}, {"target", false}});
    });
  check.timeout = members.timeout();
  check.secrets = members.found();
  return check;
}

void add_check_options(OptionSet& set, CheckOptions& options) {
  set.group("What must hold");
  set.list("--http", "URL|JSON",
           "a GET that must be answered with status 200, or as {\"url\": …, \"status\": 204, \"contains\": "
           "\"ok\", \"headers\": {…}, \"timeout\": \"5s\", \"name\": …} says; redirects are not followed",
           [&options](const std::string& text, SecretResolver* secrets) {
             options.http.push_back(parse_http_check(text, secrets));
           });
  set.list("--tcp", "HOST:PORT|JSON",
           "somebody must accept connections there; or {\"address\": …, \"timeout\": \"5s\", \"name\": …}",
           [&options](const std::string& text, SecretResolver* secrets) {
             options.tcp.push_back(parse_tcp_check(text, secrets));
           });
  set.list("--sql", "QUERY|JSON",
           "a query that must answer true; it can read only. Or {\"query\": …, \"on\": \"source\", "
           "\"timeout\": \"5s\", \"name\": …}; without \"on\" it is the target",
           [&options](const std::string& text, SecretResolver* secrets) {
             options.sql.push_back(parse_sql_check(text, secrets));
           });
  set.group("What is checked");
  set.list("--only", "PART",
           "databases, uploads or smoke (the tests by HTTP, TCP and SQL), instead of all that is declared",
           [&options](const std::string& text) {
             for (const auto& part : split_list(text))
               options.only.push_back(parse_choice<CheckPart>(part, {{"databases", CheckPart::databases},
                                                                     {"uploads", CheckPart::uploads},
                                                                     {"smoke", CheckPart::smoke}}));
           })
      .not_in_file();
  set.flag(
      "--require-fence",
      "a source that accepts writes, or from which somebody can still write, is NO-GO instead of a waiver",
      options.require_fence);
  set.group("Connections");
  add_source_option(set, options.run);
  add_target_option(set, options.run);
  add_databases_option(set, options.run);
  set.value("--run-dir", "DIR",
            "the directory of the `cutover run` that moved the databases: its timeline gets the verdict, and "
            "behind a GO `cutover run --final` changes nothing any more. Empty: none",
            "./" + options.run.copy.run_dir.string(),
            [&options](const std::string& text) { options.run.copy.run_dir = text; })
      .in("copy");
  set.group("Result");
  set.flag("--json", "JSON instead of text on standard output", options.run.json);
}

}  // namespace cli
