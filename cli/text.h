#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// What is shown instead of a secret.
inline constexpr const char* kHidden = "…";

/// Columns of a terminal that the text takes: UTF-8, wide East Asian characters count as two.
size_t display_width(std::string_view text);
/// At most `width` columns of the text; what was cut is shown as "…" ("~" without Unicode).
std::string truncated(std::string_view text, size_t width, bool unicode = true);
/// Padded with spaces to `width` columns.
std::string left_aligned(std::string_view text, size_t width);
std::string right_aligned(std::string_view text, size_t width);

/// Fit for a terminal whatever a server said: control characters and those that reorder text are dropped,
/// tabs become spaces, bytes that are not UTF-8 become U+FFFD. Line ends stay, since messages have several
/// lines.
std::string sanitized(std::string_view text);
/// sanitized(), on one line.
std::string sanitized_line(std::string_view text);

/// Broken at spaces into lines of at most `width` columns; words that are longer stay whole.
std::vector<std::string> wrapped(std::string_view text, size_t width);

/// As it would be typed in a shell.
std::string shell_quoted(std::string_view argument);

/// Without user, password, query and fragment, any of which may hold a secret.
std::string url_without_secrets(const std::string& url);

/// The candidate that `text` most likely meant; empty when none is near: a third of the letters may be wrong,
/// but `always` that many.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates, size_t always = 2);

/// "did you mean NAME? " and then `rest`, as a hint; only `rest` when no candidate is near.
std::string did_you_mean(std::string_view text, const std::vector<std::string>& candidates,
                         std::string_view rest = {});

/// A line of a report, "name      value"; none without a value. What a server said may be in it.
void add_fact(std::string& out, std::string_view name, std::string_view value);

/// "1 table", "2 tables", "1,234 tables".
std::string counted(uint64_t count, std::string_view noun);

}  // namespace cli
