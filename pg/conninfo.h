#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace pg {

/// Makes a password that is only good for a while. Called anew for each connection, by several threads at
/// once; what it throws is thrown by whoever connects.
using PasswordSource = std::function<std::string()>;

/// The parameters of a connection, from a postgres:// URL or a libpq keyword string. What is not given comes
/// from libpq's own places (PGHOST …, PGPASSFILE, PGSERVICE) when connecting.
class Conninfo {
 public:
  Conninfo() = default;
  /// Throws Error{usage}; the message never quotes the text, which may hold a password.
  static Conninfo parse(std::string_view text);

  std::string get(const std::string& keyword) const;
  Conninfo with(const std::string& keyword, std::string value) const;
  /// As with(), but only where the user said nothing.
  Conninfo with_default(const std::string& keyword, std::string value) const;
  const std::map<std::string, std::string>& parameters() const { return parameters_; }

  /// The password comes from `source` from now on, also in copies made of this.
  Conninfo with_password_source(PasswordSource source) const;
  bool has_password_source() const { return password_source_ != nullptr; }
  /// With the password for one connection, asked for now; the same as *this without a source.
  Conninfo with_fresh_password() const;

  /// The one place where a connection is turned into text for people: no password, no key material.
  /// "postgres://user@host:5432/dbname"
  std::string redacted() const;
  /// A keyword string for a child's command line, without any secret; the child gets those from
  /// secrets() in its environment, which asks a password source too.
  std::string without_secrets() const;
  std::map<std::string, std::string> secrets() const;

 private:
  std::map<std::string, std::string> parameters_;
  PasswordSource password_source_;
};

}  // namespace pg
