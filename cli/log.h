#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/common.h>

#include "base/error.h"
#include "cli/global_options.h"
#include "cli/screen.h"

namespace cli {

using Json = nlohmann::ordered_json;

/// The document as one line of valid UTF-8, whatever bytes its texts hold.
std::string json_text(const Json& document, int indent = -1);
/// {"time":…,"level":…,"message":…} and then the members of `fields`.
Json log_object(std::chrono::system_clock::time_point time, std::string_view level, std::string_view message,
                const Json& fields = {});

/// Standard error of the program: what anybody logs with spdlog goes through here, and so do errors and lines
/// of progress, in the format the user asked for.
class Log {
 public:
  /// Becomes spdlog's default logger, text and level info.
  explicit Log(Screen& screen);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void configure(const GlobalOptions& options);
  LogFormat format() const { return format_; }
  Screen& screen() { return screen_; }

  void write(std::chrono::system_clock::time_point time, spdlog::level::level_enum level,
             std::string_view message, const Json& fields = {});
  /// An error that ends the program or one database's run: "error: …" and "hint: …", at every level.
  void report(const base::Error& error);

 private:
  Screen& screen_;
  LogFormat format_ = LogFormat::text;
};

}  // namespace cli
