#include "cli/status_file.h"

#include <charconv>
#include <string>

#include "base/file.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "status.json";

std::optional<pid_t> pid_in_lock_file(const fs::path& directory) {
  const auto text = base::read_file_if_exists(directory / "lock");
  pid_t pid = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), pid).ec != std::errc{} || pid <= 0)
    return std::nullopt;
  return pid;
}

}  // namespace

void write_status_file(const fs::path& directory, const Json& status) noexcept {
  try {
    if (!base::was_locked_here(directory)) return;
    const auto temporary = directory / (std::string(kName) + ".tmp");
    {
      auto file = base::File::create_anew(temporary);
      file.write_all(json_text(status) + "\n");
      file.close();
    }
    fs::rename(temporary, directory / kName);
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

std::optional<Json> read_status_file(const fs::path& directory) {
  const auto text = base::read_file_if_exists(directory / kName);
  if (!text) return std::nullopt;
  auto status = Json::parse(*text, nullptr, false);
  if (!status.is_object()) return std::nullopt;
  return status;
}

std::optional<pid_t> running_process(const fs::path& directory) {
  return base::is_locked(directory) ? pid_in_lock_file(directory) : std::nullopt;
}

}  // namespace cli
