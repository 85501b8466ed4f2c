#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace aws {

/// The environment variables, read once. Tests make their own.
class Environment {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;

  static Environment of_process();
  explicit Environment(Variables variables) : variables_(std::move(variables)) {}

  /// As all AWS tools do, an empty variable counts as none.
  std::optional<std::string> get(std::string_view name) const;
  /// "true" in any case; everything else is false, no variable is nullopt.
  std::optional<bool> flag(std::string_view name) const;
  /// A leading "~" is the home directory.
  std::filesystem::path expand_home(const std::string& path) const;

 private:
  Variables variables_;
};

}  // namespace aws
