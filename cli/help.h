#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/option_set.h"

namespace cli {

/// What the program is for.
inline constexpr const char* kPurpose =
    "cutover moves a Postgres database to another server and directories of files to S3, exactly once, and "
    "proves that they arrived. A run that is interrupted, by whatever, goes on where it stopped when the "
    "same command is run again.";
/// Where options can stand.
inline constexpr const char* kOptionPlaces =
    "Every option --some-name can be given as the environment variable CUTOVER_SOME_NAME too; what is "
    "repeatable holds one value per line there. cutover.toml can hold it as well (cutover config template). "
    "The command line wins over the environment, and that over the file.";

/// "cutover fence [ACTION] [OPTIONS]"
std::string usage_of(const Command& command, const OptionSet& options);
/// "--jobs N"
std::string term_of(const OptionSet::Entry& entry);
/// Its help with what else is to be known.
std::string text_of(const OptionSet::Entry& entry);
/// The headings of the options, in their order.
std::vector<std::string> groups_of(const OptionSet& options);

/// Columns of help texts: the terminal's, but not more than 100.
size_t help_width();
std::string general_help(size_t width);
std::string command_help(const Command& command, const OptionSet& options, size_t width);

}  // namespace cli
