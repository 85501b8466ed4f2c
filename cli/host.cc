#include "cli/host.h"

#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/file.h"

namespace cli {
namespace {

/// PRETTY_NAME of os-release(5), or nothing.
std::string distribution() {
  constexpr std::string_view kName = "PRETTY_NAME=";
  std::istringstream lines(base::read_file_if_exists("/etc/os-release").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kName)) continue;
    auto name = line.substr(kName.size());
    std::erase(name, '"');
    return name + ", ";
  }
  return {};
}

std::string kernel() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", &name.sysname[0], &name.release[0], &name.machine[0]);
}

}  // namespace

Json host_json() {
  return {{"system", distribution() + kernel()}, {"cores", std::thread::hardware_concurrency()}};
}

}  // namespace cli
