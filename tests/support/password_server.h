#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/stop.h"

namespace support {

/// Judges the passwords with which users log in at a Postgres server, which asks it over LDAP: what RDS does
/// by itself with IAM tokens. pg_hba.conf needs access_rules().
class PasswordServer {
 public:
  /// Called by one thread, one login after the other.
  using Judge = std::function<bool(const std::string& user, const std::string& password)>;
  explicit PasswordServer(Judge judge);
  PasswordServer(const PasswordServer&) = delete;
  PasswordServer& operator=(const PasswordServer&) = delete;
  ~PasswordServer();

  /// Of `role` on 127.0.0.1 over TLS; without TLS it is refused.
  std::string access_rules(const std::string& role) const;

 private:
  void accept_all();
  void serve(int socket) const;

  Judge judge_;
  base::Stop stop_;
  int listening_ = -1;
  int port_ = 0;
  std::jthread accepting_;
};

}  // namespace support
