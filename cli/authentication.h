#pragma once

#include <string>

#include "base/stop.h"
#include "cli/copy_options.h"

namespace cli {

/// --SIDE-auth.
OptionSet::Entry& add_authentication_option(OptionSet& set, const std::string& side,
                                            Authentication& authentication);

/// The engine's options with connections that authenticate as was asked for: under rds-iam each one gets a
/// token of its own, and the server must prove by its certificate that it is the host that was named, since a
/// token is as good as a password to whoever gets it. Throws Error{usage} when the URL does not allow that.
copy::Options with_authentication(const RunOptions& options, const base::Stop& stop);
/// Likewise for one connection; `side` is that of its option: "target".
pg::Conninfo with_authentication(const pg::Conninfo& conninfo, const std::string& side,
                                 Authentication authentication, const base::Stop& stop);

}  // namespace cli
