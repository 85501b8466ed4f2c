#include "cli/kept_results.h"

#include <array>

#include "base/error.h"
#include "base/file.h"

namespace cli {

namespace fs = std::filesystem;

std::vector<fs::path> kept_results(const fs::path& run_dir) {
  static constexpr std::array kKept = {"report.json", "verify-report.json", "repair-report.json"};
  std::vector<fs::path> out;
  for (const auto* name : kKept)
    if (fs::exists(run_dir / name)) out.push_back(run_dir / name);
  return out;
}

Json read_result(const fs::path& file) {
  try {
    return Json::parse(base::read_file(file));
  } catch (const Json::exception&) {
    throw base::Error(base::ErrorKind::usage, file.string() + " is not a JSON document",
                      "give a run directory, or a file that --report has written");
  }
}

Json read_result_if_exists(const fs::path& file) {
  const auto text = base::read_file_if_exists(file);
  auto document = text ? Json::parse(*text, nullptr, false) : Json();
  return document.is_object() ? document : Json();
}

}  // namespace cli
