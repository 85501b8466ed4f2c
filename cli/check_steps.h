#pragma once

#include <string>
#include <vector>

#include "cli/declared.h"

/// The commands that `cutover check` is made of: their arguments, without the program's name.
namespace cli {

/// Both sides, whatever a copy has recorded, and every row: what it is for is the moment of the switch.
std::vector<std::string> comparison_of_databases();
std::vector<std::string> comparison_of_upload(const DeclaredUpload& upload);
std::vector<std::string> look_at_the_fence();

/// All of them.
std::vector<std::vector<std::string>> commands_of_check(bool databases,
                                                        const std::vector<DeclaredUpload>& uploads);

}  // namespace cli
