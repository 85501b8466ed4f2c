#pragma once

#include <string>
#include <vector>

namespace cli {

/// The command line as one would type it to run this again: quoted for a shell, connections as "…", and
/// without
/// --restart, which must not be repeated. `arguments` are with the program's name.
std::string command_to_type(const std::vector<std::string>& arguments);

/// The program's arguments: a copy to work with, and the memory that `ps` shows.
class Arguments {
 public:
  Arguments(int argc, char** argv) : values_(argv, argv + argc), argc_(argc), argv_(argv) {}

  /// With the program's name.
  const std::vector<std::string>& values() const { return values_; }
  /// Overwrites, in the process's own memory, every argument that holds a password. From then on
  /// /proc/PID/cmdline shows the connection without it.
  void hide_secrets();
  std::string again() const { return command_to_type(values_); }

 private:
  std::vector<std::string> values_;
  int argc_;
  char** argv_;
};

/// The argument without secrets: a connection string with a password becomes its redacted form, one that
/// cannot be understood "…"; a URL of a check, alone or in JSON, loses user and query. Anything else stays as
/// it is.
std::string without_secret(const std::string& argument);

}  // namespace cli
