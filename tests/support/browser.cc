#include "tests/support/browser.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace support {
namespace {

constexpr const char* kProgram = "/usr/bin/chromium";
constexpr std::string_view kResultStart = R"(<script type="application/json" id="measured">)";

std::vector<std::string> view_arguments(const BrowserView& view) {
  constexpr int kDark = 0;
  constexpr int kLight = 1;
  return {fmt::format("--window-size={},{}", view.width, view.height),
          fmt::format("--blink-settings=preferredColorScheme={}", view.dark ? kDark : kLight)};
}

// "[1:2:1122/215232.425580:INFO:CONSOLE:2] "text", source: file:///… (2)"
std::vector<std::string> console_lines(const std::string& error) {
  std::vector<std::string> out;
  std::istringstream lines(error);
  for (std::string line; std::getline(lines, line);)
    if (line.find(":CONSOLE") != std::string::npos) out.push_back(line);
  return out;
}

std::string for_attribute(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

/// A page around the page: a frame may be narrower than a window.
std::string framed(const std::string& page, const BrowserView& view) {
  return fmt::format(
      "<!doctype html><meta name=\"color-scheme\" content=\"light dark\"><body style=\"margin:0\">"
      "<iframe style=\"border:0;width:{}px;height:{}px\" srcdoc=\"{}\"></iframe>",
      view.width, view.height, for_attribute(page));
}

}  // namespace

ProcessResult Browser::run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(),
                   {"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--disable-background-networking", "--enable-logging=stderr", "--v=0",
                    "--user-data-dir=" + (home_ / "profile").string()});
  auto result = support::run(kProgram, arguments,
                             {.environment = {{"HOME", home_.path().string()}}, .directory = home_.path()});
  if (result.exit_code != 0)
    throw std::runtime_error(
        fmt::format("{} ended with {}: {}", kProgram, result.exit_code, result.error.substr(0, 4000)));
  return result;
}

Browser::Visit Browser::visit(const std::string& url, const BrowserView& view) const {
  auto arguments = view_arguments(view);
  arguments.insert(arguments.end(), {"--dump-dom", url});
  const auto result = run(arguments);
  return {result.output, console_lines(result.error)};
}

nlohmann::json Browser::measure(const std::string& page, const std::string& script,
                                const BrowserView& view) const {
  auto copy = page.substr(0, page.rfind("</body>"));
  if (const auto start = copy.find("<meta http-equiv=\"Content-Security-Policy\"");
      start != std::string::npos)
    copy.erase(start, copy.find('>', start) + 1 - start);
  copy += fmt::format(
      "<script>const measured = {{}};\n{}\n"
      "const result = parent.document.createElement('script'); result.type = 'application/json'; result.id = "
      "'measured'; result.textContent = JSON.stringify(measured); "
      "parent.document.body.append(result);</script></body></html>",
      script);
  const auto file = home_ / "measured.html";
  std::ofstream(file) << framed(copy, view);
  const auto visit = this->visit(file_url(file), view);
  const auto start = visit.document.rfind(kResultStart);
  if (start == std::string::npos)
    throw std::runtime_error(fmt::format("nothing was measured: {}", fmt::join(visit.console, "\n")));
  const auto from = start + kResultStart.size();
  return nlohmann::json::parse(visit.document.substr(from, visit.document.find("</script>", from) - from));
}

void Browser::print(const std::string& url, const std::filesystem::path& pdf) const {
  run({"--print-to-pdf=" + pdf.string(), "--no-pdf-header-footer", url});
}

std::string file_url(const std::filesystem::path& path) { return "file://" + path.string(); }

}  // namespace support
