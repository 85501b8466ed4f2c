#include "aws/environment.h"

#include <algorithm>

#include <unistd.h>

namespace aws {

Environment Environment::of_process() {
  Variables variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return Environment(std::move(variables));
}

std::optional<std::string> Environment::get(std::string_view name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<bool> Environment::flag(std::string_view name) const {
  auto text = get(name);
  if (!text) return std::nullopt;
  for (char& c : *text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text == "true";
}

std::filesystem::path Environment::expand_home(const std::string& path) const {
  if (path != "~" && !path.starts_with("~/")) return path;
  return get("HOME").value_or("/") + path.substr(1);
}

}  // namespace aws
