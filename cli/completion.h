#pragma once

#include <string>

namespace cli {

enum class Shell { bash, zsh, fish };

/// The script that makes a shell complete commands, options and what options spell out as their values.
std::string completion(Shell shell);

}  // namespace cli
