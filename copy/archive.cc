#include "copy/archive.h"

#include <fmt/format.h>

#include "base/error.h"

namespace copy {

namespace fs = std::filesystem;

Archive::Archive(const fs::path& path, const std::string& run_id)
    : own_(std::make_unique<RunDir>(path)), dir_(own_.get()) {
  if (dir_->has_run() && dir_->state().run_id != run_id)
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the archive {} belongs to another run", path.string()),
                      "name an empty directory, or resume that run with the run directory it was made with");
}

fs::path Archive::chunk_path(const fs::path& archive, uint32_t relation, uint32_t chunk) {
  return archive / "data" / std::to_string(relation) / fmt::format("{}.zst", chunk);
}

std::unique_ptr<Archive::ChunkSink> Archive::chunk_sink(uint32_t relation, uint32_t chunk) {
  const auto path = chunk_path(dir_->path(), relation, chunk);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) throw base::system_error("create", path.parent_path().string(), error.value());
  return std::make_unique<ChunkSink>(path);
}

}  // namespace copy
