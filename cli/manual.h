#pragma once

#include <string>

namespace cli {

/// The manual, cutover(1), as roff with the macros of man(7): every command and every option, in the words of
/// the help. It has no date, so that the same source makes the same page.
std::string manual();

}  // namespace cli
