#pragma once

#include "base/stop.h"
#include "pg/session.h"
#include "tests/support/cluster.h"

namespace pg::test {

inline Connection connect(const std::string& url, const base::Stop& stop = {}) {
  return Connection(Conninfo::parse(url), stop);
}
inline Connection connect(const support::TestDatabase& database, const base::Stop& stop = {}) {
  return connect(database.url(), stop);
}
inline Connection open(const support::TestDatabase& database, const SessionOptions& options = {}) {
  return open_session(Conninfo::parse(database.url()), options, base::Stop());
}

}  // namespace pg::test
