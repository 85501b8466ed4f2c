#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/http.h"
#include "cli/copy_options.h"
#include "cli/option_set.h"
#include "cli/secret_reference.h"

namespace cli {

constexpr std::chrono::milliseconds kCheckTimeout{10'000};

struct HttpCheck {
  std::string name;  ///< for people: the URL without user and query, or where it is
  std::string url;
  base::HttpHeaders headers = {};
  int status = 200;
  std::string contains;  ///< must stand in the answer's body
  std::chrono::milliseconds timeout = kCheckTimeout;
  FoundSecrets secrets = {};
};

struct TcpCheck {
  std::string name;
  std::string host;
  std::string port;
  std::chrono::milliseconds timeout = kCheckTimeout;
  FoundSecrets secrets = {};
};

struct SqlCheck {
  std::string name;
  std::string query;  ///< one row with one boolean, which must be true
  bool on_source = false;
  std::chrono::milliseconds timeout = kCheckTimeout;
  FoundSecrets secrets = {};
};

enum class CheckPart { databases, uploads, smoke };

struct CheckOptions {
  RunOptions run;               ///< of which: source, target, databases, run_dir, json
  std::vector<CheckPart> only;  ///< empty: all of them
  bool require_fence = false;   ///< a source that accepts writes is no GO, instead of a waiver
  bool does(CheckPart part) const { return only.empty() || std::ranges::find(only, part) != only.end(); }
  std::vector<HttpCheck> http;
  std::vector<TcpCheck> tcp;
  std::vector<SqlCheck> sql;
};

// Each takes the short form (a URL, HOST:PORT, a query) or a JSON object with all there is to say. URLs,
// headers, addresses and queries, and what an answer contains, may be references. Throw Error{usage} for a
// member that is unknown, missing or of another type, and what SecretResolver throws.
HttpCheck parse_http_check(const std::string& text, SecretResolver* secrets = nullptr);
TcpCheck parse_tcp_check(const std::string& text, SecretResolver* secrets = nullptr);
SqlCheck parse_sql_check(const std::string& text, SecretResolver* secrets = nullptr);

void add_check_options(OptionSet& set, CheckOptions& options);

}  // namespace cli
