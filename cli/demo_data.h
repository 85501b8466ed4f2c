#pragma once

#include <filesystem>
#include <string>

namespace cli {

/// The application that `cutover demo` moves: a shop as Prisma's migrations would make it, with some 60 MB of
/// rows, and the files that its table "Document" mentions.
std::string demo_sql();
/// Under `directory`, with the paths of "Document".
void make_demo_files(const std::filesystem::path& directory);

}  // namespace cli
