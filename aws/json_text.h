#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace aws {

/// A member that is a string; empty without one.
inline std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace aws
