#include "cli/screen.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "cli/text.h"

namespace cli {
namespace {

constexpr std::string_view kWrapOff = "\x1b[?7l";
constexpr std::string_view kWrapOn = "\x1b[?7h";

std::string_view environment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  return value ? value : "";
}

winsize size_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) size = {};
  if (size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

std::string_view sequence(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::bold:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::red:
      return "\x1b[1;31m";
    case Style::yellow:
      return "\x1b[33m";
    case Style::green:
      return "\x1b[1;32m";
    case Style::cyan:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

std::string styled(Style style, std::string_view text, bool colours) {
  if (!colours || style == Style::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", sequence(style), text);
}

std::string composed(const Line& line, size_t width, bool colours, bool unicode) {
  std::string out;
  for (const auto& span : line) {
    const auto own = display_width(span.text);
    if (own > width) {
      out += styled(span.style, truncated(span.text, width, unicode), colours);
      break;
    }
    out += styled(span.style, span.text, colours);
    width -= own;
  }
  return out;
}

bool wants_colours(int descriptor) {
  return isatty(descriptor) == 1 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

bool wants_unicode() {
  // The first of these that is set decides, as in setlocale().
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(environment(name));
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return value.find("UTF-8") != std::string::npos || value.find("UTF8") != std::string::npos;
  }
  return false;
}

Screen::Screen(int descriptor)
    : descriptor_(descriptor),
      is_terminal_(isatty(descriptor) == 1 && environment("TERM") != "dumb"),
      colours_(wants_colours(descriptor)),
      unicode_(wants_unicode()) {}

size_t Screen::width() const { return std::max<size_t>(size_of(descriptor_).ws_col, 2) - 1; }
size_t Screen::height() const { return size_of(descriptor_).ws_row; }

void Screen::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string out = lines_.empty() ? std::string() : fmt::format("\x1b[{}A\r\x1b[J", live_rows());
  if (paused_) out += '\n';  // behind the question
  out += text;
  if (!text.ends_with('\n')) out += '\n';
  if (!lines_.empty()) out += kWrapOff;
  for (const auto& line : lines_) out += line + "\n";
  if (!lines_.empty()) out += kWrapOn;
  write_all(out);
}

void Screen::draw(const std::vector<Line>& lines) {
  const std::lock_guard lock(mutex_);
  if (paused_ || (lines.empty() && lines_.empty())) return;
  const auto columns = width();
  // Moves up and overwrites, instead of erasing first: an unchanged line never blinks.
  std::string out = lines_.empty() ? "\r" : fmt::format("\x1b[{}A\r", live_rows());
  out += kWrapOff;
  lines_.clear();
  widths_.clear();
  for (const auto& line : lines) {
    lines_.push_back(composed(line, columns, colours_, unicode_));
    widths_.push_back(display_width(composed(line, columns, false, unicode_)));
    out += lines_.back();
    out += "\x1b[K\n";
  }
  out += "\x1b[J";
  out += kWrapOn;
  write_all(out);
}

/// How many rows the live lines take. A terminal that became narrower has wrapped them.
size_t Screen::live_rows() const {
  const size_t columns = width() + 1;
  size_t rows = 0;
  for (const auto own : widths_) rows += std::max<size_t>(1, (own + columns - 1) / columns);
  return rows;
}

void Screen::write_all(std::string_view text) const {
  while (!text.empty()) {
    const auto written = ::write(descriptor_, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd waiting{descriptor_, POLLOUT, 0};
      poll(&waiting, 1, 1000);
    } else if (written == 0 || errno != EINTR) {
      return;  // nobody listens any more; the run goes on
    }
  }
}

Screen::Pause::Pause(Screen& screen) : screen_(screen) {
  screen_.clear();
  const std::lock_guard lock(screen_.mutex_);
  screen_.paused_ = true;
}

Screen::Pause::~Pause() {
  const std::lock_guard lock(screen_.mutex_);
  screen_.paused_ = false;
}

}  // namespace cli
