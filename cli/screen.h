#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace cli {

enum class Style { plain, bold, dim, red, yellow, green, cyan };

/// A piece of a line. The text is sanitized by whoever makes it.
struct Span {
  Style style = Style::plain;
  std::string text;
};
using Line = std::vector<Span>;

/// The text in its style; as it is when `colours` is false.
std::string styled(Style style, std::string_view text, bool colours);
/// At most `width` columns of the line.
std::string composed(const Line& line, size_t width, bool colours, bool unicode);
/// True for a terminal, unless NO_COLOR is set or TERM is dumb.
bool wants_colours(int descriptor);
/// True when the locale's character set is UTF-8.
bool wants_unicode();

/// Standard error: log lines that scroll, and below them live lines that are redrawn in place. Every change
/// is one write() with the terminal's automatic wrapping off, so that nothing flickers and nothing wraps.
/// Thread-safe.
class Screen {
 public:
  explicit Screen(int descriptor = STDERR_FILENO);
  /// Leaves the terminal without live lines.
  ~Screen() { clear(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// True when live lines make sense.
  bool is_terminal() const { return is_terminal_; }
  bool colours() const { return colours_; }
  bool unicode() const { return unicode_; }
  /// Columns a live line may take: the last one stays free, since erasing behind a full line erases its end.
  size_t width() const;
  size_t height() const;

  /// Writes whole lines above the live ones.
  void print(std::string_view lines);
  /// Replaces the live lines.
  void draw(const std::vector<Line>& lines);
  void clear() { draw({}); }

  /// While one lives, the live lines are gone and draw() does nothing: somebody is asked something.
  class Pause {
   public:
    explicit Pause(Screen& screen);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Screen& screen_;
  };

 private:
  size_t live_rows() const;
  void write_all(std::string_view text) const;

  int descriptor_;
  bool is_terminal_;
  bool colours_;
  bool unicode_;
  std::mutex mutex_;                // guards what follows, and the order of writes
  std::vector<std::string> lines_;  // live, as composed
  std::vector<size_t> widths_;      // of lines_, in columns
  bool paused_ = false;
};

}  // namespace cli
