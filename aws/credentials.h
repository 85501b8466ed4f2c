#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace aws {

using Clock = std::chrono::system_clock;

/// Text that must not be shown. It has no conversion and no formatter: who wants it has to write reveal().
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

/// What a request is signed with.
struct Credentials {
  std::string access_key_id = {};
  Secret secret_access_key = {};
  Secret session_token = {};                      ///< empty for a long-term key
  std::optional<Clock::time_point> expires = {};  ///< when the server stops accepting them
};

}  // namespace aws
