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

/// The members of a check's JSON object, each a text or a number.
class CheckMembers {
 public:
  /// `text` that is no object stands for its member `main`.
  CheckMembers(const std::string& text, const std::string& main, const std::vector<std::string>& known) {
    if (!base::trimmed(text).starts_with('{')) {
      members_[main] = text;
    } else if (members_ = nlohmann::json::parse(text, nullptr, false); !members_.is_object()) {
      throw Error(ErrorKind::usage, "the check is no JSON object", fmt::format("it has a \"{}\"", main));
    }
    for (const auto& [name, value] : members_.items()) {
      if (std::ranges::find(known, name) == known.end()) reject_name(name, known);
      if (!value.is_string() && !value.is_number_integer())
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
  [[noreturn]] static void reject_name(const std::string& name, const std::vector<std::string>& known) {
    throw Error(ErrorKind::usage, fmt::format("a check has no member \"{}\"", sanitized_line(name)),
                did_you_mean(name, known));
  }

  nlohmann::json members_ = nlohmann::json::object();
};

}  // namespace

HttpCheck parse_http_check(const std::string& text) {
  const CheckMembers members(text, "url", {"name", "url", "status", "contains", "timeout"});
  HttpCheck check{.name = members.get("name"), .url = members.get("url")};
  if (!check.url.starts_with("http://") && !check.url.starts_with("https://"))
    throw Error(ErrorKind::usage, "the URL of a check begins with neither http:// nor https://");
  if (check.name.empty()) check.name = url_without_secrets(check.url);
  constexpr unsigned kLeastStatus = 100;
  constexpr unsigned kMostStatus = 599;
  if (const auto status = members.get("status"); !status.empty())
    check.status = static_cast<int>(
        base::during("status", [&] { return parse_number(status, kLeastStatus, kMostStatus); }));
  check.contains = members.get("contains");
  check.timeout = members.timeout();
  return check;
}

TcpCheck parse_tcp_check(const std::string& text) {
  const CheckMembers members(text, "address", {"name", "address", "timeout"});
  const auto address = members.get("address");
  auto [host, port] = parse_address(address);
  TcpCheck check{.name = members.get("name"), .host = std::move(host), .port = std::move(port)};
  if (check.name.empty()) check.name = address;
  check.timeout = members.timeout();
  return check;
}

SqlCheck parse_sql_check(const std::string& text) {
  const CheckMembers members(text, "query", {"name", "query", "on", "timeout"});
  SqlCheck check{.name = members.get("name"), .query = members.get("query")};
  if (check.name.empty()) check.name = check.query;
  if (const auto on = members.get("on"); !on.empty())
    check.on_source = base::during("on", [&] {
      return parse_choice<bool>(on, {{"source", true}, {"target", false}});
    });
  check.timeout = members.timeout();
  return check;
}

void add_check_options(OptionSet& set, CheckOptions& options) {
  set.group("What must hold");
  set.list("--http", "URL|JSON",
           "a GET that must be answered with status 200, or as {\"url\": …, \"status\": 204, \"contains\": "
           "\"ok\", \"timeout\": \"5s\", \"name\": …} says; redirects are not followed",
           [&options](const std::string& text) { options.http.push_back(parse_http_check(text)); });
  set.list("--tcp", "HOST:PORT|JSON",
           "somebody must accept connections there; or {\"address\": …, \"timeout\": \"5s\", \"name\": …}",
           [&options](const std::string& text) { options.tcp.push_back(parse_tcp_check(text)); });
  set.list("--sql", "QUERY|JSON",
           "a query that must answer true; it can read only. Or {\"query\": …, \"on\": \"source\", "
           "\"timeout\": \"5s\", \"name\": …}; without \"on\" it is the target",
           [&options](const std::string& text) { options.sql.push_back(parse_sql_check(text)); });
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
