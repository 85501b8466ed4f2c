#include <filesystem>
#include <memory>
#include <optional>

#include <unistd.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/kept_results.h"
#include "cli/option_values.h"
#include "cli/output.h"
#include "cli/report_page.h"
#include "cli/report_section.h"
#include "cli/run_report.h"
#include "cli/screen.h"
#include "cli/text.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

enum class Format { text, json, html };

struct ReportCommand {
  std::vector<fs::path> paths;
  Format format = Format::text;
  std::optional<fs::path> output;
};

struct NamedResult {
  std::string name;
  Json document;
};

/// A run directory's results; a file's own.
std::vector<NamedResult> results_at(const fs::path& path) {
  if (is_run_root(path)) return {{path.string(), run_document(path)}};
  if (!fs::is_directory(path)) return {{path.string(), read_result(path)}};
  std::vector<NamedResult> out;
  for (const auto& file : kept_results(path)) out.push_back({file.string(), read_result(file)});
  if (out.empty())
    throw Error(ErrorKind::usage, path.string() + " holds no result",
                "give the directory of a run, or a file that --report has written");
  return out;
}

std::string rendered(const ReportCommand& command, const std::vector<Json>& documents,
                     const std::vector<ReportSection>& sections) {
  std::string out;
  switch (command.format) {
    case Format::html:
      return report_page(sections);
    case Format::json:
      return json_text(documents.size() == 1 ? documents.front() : Json(documents), 2) + "\n";
    case Format::text:
      break;
  }
  const bool colours = !command.output && wants_colours(STDOUT_FILENO);
  for (const auto& section : sections) {
    if (sections.size() > 1) out += (out.empty() ? "== " : "\n== ") + sanitized_line(section.title) + " ==\n";
    out += section_text(section, colours);
  }
  return out;
}

int run(const ReportCommand& command) {
  std::vector<Json> documents;
  std::vector<ReportSection> sections;
  int exit_code = kEqual;
  for (const auto& path : command.paths)
    for (auto& [name, document] : results_at(path)) {
      for (auto& section : sections_of(document, name)) sections.push_back(std::move(section));
      exit_code = worse(exit_code, document.at("exit_code").get<int>());
      documents.push_back(std::move(document));
    }
  const auto text = rendered(command, documents, sections);
  if (command.output) {
    base::replace_file(*command.output, text);
  } else {
    print(text);
  }
  return exit_code;
}

}  // namespace

Run set_up_report(OptionSet& set) {
  auto command = std::make_shared<ReportCommand>();
  set.describe(
      "Shows results that were kept: of a copy, an upload, a comparison, a repair. A run directory stands "
      "for "
      "everything it holds. The exit code is the worst of those that the results have.");
  set.example("the last results of a run", "cutover report cutover-run");
  set.example("one page of the whole move, to be sent around",
              "cutover report cutover-run --with upload-run --format html --output cutover.html");
  set.group("What is shown, and how");
  set.positional("PATH", "a run directory, or a file that --report has written", "./cutover-run",
                 [command](const std::string& text) { command->paths.insert(command->paths.begin(), text); });
  set.list("--with", "PATH", "show this one too",
           [command](const std::string& text) { command->paths.emplace_back(text); });
  set.value("--format", "text|json|html",
            "text; json: the documents as they are; html: one page of its own, which loads nothing", "text",
            [command](const std::string& text) {
              command->format = parse_choice<Format>(
                  text, {{"text", Format::text}, {"json", Format::json}, {"html", Format::html}});
            });
  set.value("--output", "FILE", "write to this file instead of standard output", "",
            [command](const std::string& text) { command->output = text; });
  return [command](const Invocation&) {
    auto one = *command;
    if (one.paths.empty()) one.paths.emplace_back("cutover-run");
    return run(one);
  };
}

}  // namespace cli
