#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/option_set.h"

namespace cli {

/// Columns of help texts: the terminal's, but not more than 100.
size_t help_width();
std::string general_help(size_t width);
std::string command_help(const Command& command, const OptionSet& options, size_t width);

}  // namespace cli
