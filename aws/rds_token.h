#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"

namespace aws {

/// A password for a database user with IAM authentication, good for connecting during the next 15 minutes;
/// made here, nobody is asked. The user needs the role rds_iam, the caller rds-db:connect, and the connection
/// TLS. (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html)
/// `host` is the instance's or cluster's own endpoint, not a CNAME of one: the server checks the name that
/// was signed.
Secret rds_token(std::string_view host, int port, std::string_view user, const std::string& region,
                 const Credentials& credentials, Clock::time_point now);

/// The region in the name of an RDS endpoint, "NAME.ID.REGION.rds.amazonaws.com"; nothing for other hosts.
std::optional<std::string> rds_region(std::string_view host);

}  // namespace aws
