#pragma once

#include <string_view>

namespace cli {

/// Writes to standard output, where only results go. A reader that went away (`| head`) is none of our
/// business; any other failure is Error{permanent}: a result that nobody got must not look like success.
void print(std::string_view text);

}  // namespace cli
