#include "cli/authentication.h"

#include <charconv>
#include <memory>
#include <string>

#include "aws/rds_token.h"
#include "aws/session.h"
#include "base/error.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

void check(const pg::Conninfo& conninfo, const std::string& side) {
  const auto complain = [&](const std::string& problem, const std::string& hint) {
    throw Error(ErrorKind::usage, "--" + side + "-auth rds-iam: " + problem, hint);
  };
  const auto host = conninfo.get("host");
  if (host.empty() || host.find_first_of(",/") != std::string::npos || conninfo.get("user").empty())
    complain("the URL must name one host and the user",
             "write it as postgres://USER@NAME.ID.REGION.rds.amazonaws.com:5432/DBNAME");
  if (!conninfo.get("password").empty())
    complain("the URL has a password", "leave it out: the token takes its place");
  if (const auto mode = conninfo.get("sslmode"); !mode.empty() && mode != "verify-full")
    complain(
        "sslmode=" + mode + " would give the token to a server that is not known to be the right one",
        "use sslmode=verify-full, with sslrootcert=FILE: the bundle of authorities that AWS publishes for "
        "RDS");
}

int port_of(const pg::Conninfo& conninfo) {
  constexpr int kDefault = 5432;
  const auto text = conninfo.get("port");
  int port = kDefault;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

std::shared_ptr<aws::Session> session_of_environment() {
  return std::make_shared<aws::Session>(aws::SessionOptions{}, aws::Environment::of_process(),
                                        std::make_shared<base::HttpShare>());
}

pg::Conninfo with_tokens(const pg::Conninfo& conninfo, const std::string& side,
                         const std::shared_ptr<aws::Session>& session, const base::Stop& stop) {
  if (conninfo.parameters().empty()) return conninfo;  // it is not used
  check(conninfo, side);
  const auto host = conninfo.get("host");
  auto region = aws::rds_region(host);
  if (!region) region = session->region(stop);
  const auto token = [=, port = port_of(conninfo), user = conninfo.get("user")] {
    return aws::rds_token(host, port, user, *region, session->credentials().get(stop), session->now())
        .reveal();
  };
  return conninfo.with_default("sslmode", "verify-full").with_password_source(token);
}

}  // namespace

OptionSet::Entry& add_authentication_option(OptionSet& set, const std::string& side,
                                            Authentication& authentication) {
  return set.value(
      "--" + side + "-auth", "password|rds-iam",
      "rds-iam: a token instead of a password, made for each connection with the AWS credentials of the "
      "environment, the profile or the instance. The server's certificate is checked (sslrootcert in the "
      "URL)",
      "password", [&authentication](const std::string& text) {
        authentication = parse_choice<Authentication>(
            text, {{"password", Authentication::password}, {"rds-iam", Authentication::rds_iam}});
      });
}

copy::Options with_authentication(const RunOptions& options, const base::Stop& stop) {
  auto out = options.copy;
  const bool source = options.source_authentication == Authentication::rds_iam;
  const bool target = options.target_authentication == Authentication::rds_iam;
  if (!source && !target) return out;
  const auto session = session_of_environment();
  if (source) out.source = with_tokens(out.source, "source", session, stop);
  if (target) out.target = with_tokens(out.target, "target", session, stop);
  return out;
}

pg::Conninfo with_authentication(const pg::Conninfo& conninfo, const std::string& side,
                                 Authentication authentication, const base::Stop& stop) {
  if (authentication != Authentication::rds_iam) return conninfo;
  return with_tokens(conninfo, side, session_of_environment(), stop);
}

}  // namespace cli
