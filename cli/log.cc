#include "cli/log.h"

#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "base/format.h"
#include "cli/text.h"

namespace cli {
namespace {

class Sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(Log& log) : log_(log) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    log_.write(message.time, message.level, {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

  Log& log_;
};

std::string_view name_of(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return "error";
  if (level == spdlog::level::warn) return "warning";
  return level == spdlog::level::info ? "info" : "debug";
}

Style style_of(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return Style::red;
  if (level == spdlog::level::warn) return Style::yellow;
  return level == spdlog::level::info ? Style::plain : Style::dim;
}

/// Later lines of a message are indented: no text of a server's can pass for a line of ours.
std::string indented(std::string_view message) {
  std::string out;
  for (const char c : message) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

}  // namespace

std::string json_text(const Json& document, int indent) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json log_object(std::chrono::system_clock::time_point time, std::string_view level, std::string_view message,
                const Json& fields) {
  Json object{{"time", base::utc_timestamp(time)}, {"level", level}, {"message", message}};
  if (fields.is_object()) object.update(fields);
  return object;
}

Log::Log(Screen& screen) : screen_(screen) {
  auto logger = std::make_shared<spdlog::logger>("cutover", std::make_shared<Sink>(*this));
  logger->set_level(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

Log::~Log() {
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("off", std::make_shared<spdlog::sinks::null_sink_mt>()));
}

void Log::configure(const GlobalOptions& options) {
  format_ = options.log_format;
  spdlog::set_level(options.quiet ? spdlog::level::err : options.log_level);
}

void Log::write(std::chrono::system_clock::time_point time, spdlog::level::level_enum level,
                std::string_view message, const Json& fields) {
  if (format_ == LogFormat::json) {
    screen_.print(json_text(log_object(time, name_of(level), message, fields)));
    return;
  }
  const auto name = level == spdlog::level::info ? std::string() : fmt::format("{}: ", name_of(level));
  const auto stamp = base::utc_timestamp(time);
  // A person at a terminal knows the day.
  const auto shown = screen_.is_terminal() ? stamp.substr(11, 8) : stamp;
  screen_.print(fmt::format("{} {}{}", styled(Style::dim, shown, screen_.colours()),
                            styled(style_of(level), name, screen_.colours()), indented(sanitized(message))));
}

void Log::report(const base::Error& error) {
  if (format_ == LogFormat::json) {
    Json fields{{"kind", base::to_string(error.kind())}};
    if (!error.hint().empty()) fields["hint"] = error.hint();
    if (!error.sqlstate().empty()) fields["sqlstate"] = error.sqlstate();
    write(std::chrono::system_clock::now(), spdlog::level::err, error.message(), fields);
    return;
  }
  auto text = fmt::format("{} {}\n", styled(Style::red, "error:", screen_.colours()),
                          indented(sanitized(error.message())));
  if (!error.hint().empty())
    text += fmt::format("{} {}\n", styled(Style::bold, "hint:", screen_.colours()),
                        indented(sanitized(error.hint())));
  screen_.print(text);
}

}  // namespace cli
