#include "cli/report_section.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/check_report.h"
#include "cli/errors.h"
#include "cli/fence_report.h"
#include "cli/plan_report.h"
#include "cli/report_environment.h"
#include "cli/run_report.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::ErrorKind;

constexpr int kKnownVersion = 1;

struct Renderer {
  std::string_view command;
  const char* title;
  ReportSection (*section)(const Json& report);
};
constexpr std::array kRenderers{
    Renderer{"plan", "Plan", plan_section},
    Renderer{"copy", "Copy", copy_section},
    Renderer{"export", "Export", copy_section},
    Renderer{"import", "Import", copy_section},
    Renderer{"upload", "Upload", upload_section},
    Renderer{"verify", "Comparison", verify_section},
    Renderer{"repair", "Repair", repair_section},
    Renderer{"check", "Check", check_section},
    Renderer{"run", "Move", run_section},
    Renderer{"fence", "Fence", fence_section},
    Renderer{"fence rights", "Rights", fence_rights_section},
};

// Of a command that ended with an error, which has nothing else to say.
ReportSection error_section(const Json& report) {
  const auto& error = report.at("error");
  ReportSection out;
  out.headline = fmt::format("{}: {}", base::upper_case(report.value("verdict", "failed")),
                             error.at("message").get<std::string>());
  out.tone = tone_of(report.value("exit_code", kFailed));
  if (const auto hint = error.value("hint", ""); !hint.empty()) out.next = hint;
  return out;
}

void text_of_list(std::string& out, const ReportList& list) {
  if (list.items.empty() || !list.in_text) return;
  out += fmt::format("\n{}:\n", list.title);
  const auto shown = std::min(list.most_in_text, list.items.size());
  for (size_t i = 0; i < shown; ++i) {
    const auto& item = list.items[i];
    out += fmt::format("  {}\n", sanitized_line(item.text));
    if (!item.hint.empty()) out += fmt::format("    hint: {}\n", sanitized_line(item.hint));
    for (const auto* lines : {&item.details, &item.remarks})
      for (const auto& line : *lines) out += fmt::format("    {}\n", sanitized_line(line));
  }
  if (const auto more = list.items.size() - shown + list.not_kept; more > 0)
    out += fmt::format("  and {} more\n", base::human_count(more));
}

void text_of_table(std::string& out, const ReportTable& table) {
  if (table.rows.empty() || !table.in_text) return;
  std::vector<size_t> widths(table.columns.size());
  for (const auto& row : table.rows)
    for (size_t i = 0; i < row.cells.size(); ++i)
      widths[i] = std::max(widths[i], display_width(sanitized_line(row.cells[i])));
  out += fmt::format("\n{}:\n", table.title);
  for (const auto& row : table.rows) {
    std::string line;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      if (!table.columns[i].in_text) continue;
      const auto cell = sanitized_line(row.cells[i]);
      line +=
          "  " + (table.columns[i].numeric ? right_aligned(cell, widths[i]) : left_aligned(cell, widths[i]));
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
}

Style style_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return Style::green;
    case Tone::bad:
      return Style::red;
    case Tone::unsure:
      return Style::yellow;
    case Tone::plain:
      break;
  }
  return Style::bold;
}

base::Error no_result(const std::string& name, const std::string& why) {
  return {ErrorKind::usage, fmt::format("{} is not a result that can be shown: {}", name, why),
          "give a run directory, or a file that --report has written"};
}

void add_sections(std::vector<ReportSection>& out, const Json& report, const std::string& name) {
  out.push_back(section_of(report, name));
  for (const auto& document : report.value("documents", Json::array())) add_sections(out, document, name);
}

}  // namespace

Tone tone_of(int exit_code) {
  if (exit_code == kEqual || exit_code == kWaived) return Tone::good;
  return exit_code == kIncomplete ? Tone::unsure : Tone::bad;
}

ReportList remark_list(const Json& remarks, std::string title, Tone tone) {
  ReportList out{std::move(title), tone, {}};
  for (const auto& remark : remarks)
    out.items.push_back({fmt::format("{}: {}", remark.at("object").get<std::string>(),
                                     remark.at("message").get<std::string>()),
                         remark.value("hint", remark.value("fix", ""))});
  return out;
}

ReportList problem_list(const Json& report, std::string_view kind, std::string title, Tone tone) {
  ReportList out{std::move(title), tone, {}};
  for (const auto& problem : report.value("problems", Json::array())) {
    if (problem.value("kind", "") != kind) continue;
    // An upload's are of paths, and say what.
    const auto object = problem.value("object", problem.value("path", ""));
    out.items.push_back(
        {(object.empty() ? "" : object + ": ") + problem.value("message", problem.value("what", "")),
         problem.value("hint", "")});
  }
  return out;
}

std::string amount(const Json& report, const char* member, std::string_view noun) {
  const auto count = report.value(member, uint64_t{0});
  return noun.empty() ? base::human_count(count) : counted(count, noun);
}

std::string duration_text(const Json& seconds) {
  if (seconds.is_null()) return {};
  constexpr double kMilliseconds = 1000.0;
  return base::human_duration(std::chrono::milliseconds(std::llround(seconds.get<double>() * kMilliseconds)));
}

void add_fact(ReportSection& section, std::string name, std::string value) {
  if (!value.empty()) section.facts.emplace_back(std::move(name), std::move(value));
}

void add_list(ReportSection& section, ReportList list) {
  if (!list.items.empty()) section.lists.push_back(std::move(list));
}

ReportSection section_of(const Json& report, const std::string& name) {
  try {
    if (const auto version = report.at("version").get<int>(); version != kKnownVersion)
      throw no_result(name, fmt::format("it is of version {}", version));
    auto command = report.at("command").get<std::string>();
    // A comparison of files says what an upload says.
    if (command == "verify" && report.contains("walked")) command = "upload";
    for (const auto& renderer : kRenderers) {
      if (renderer.command != command) continue;
      auto out = report.contains("error") ? error_section(report) : renderer.section(report);
      out.title = renderer.title;
      if (const auto run_dir = report.value("run_dir", ""); !run_dir.empty())
        out.title += " (" + run_dir + ")";
      out.time = report.value("time", "");
      return out;
    }
    throw no_result(name, fmt::format("it is of the command \"{}\"", command));
  } catch (const Json::exception& error) {
    throw no_result(name, error.what());
  }
}

std::vector<std::string> said_in(const ReportSection& section, Tone tone) {
  std::vector<std::string> out;
  for (const auto& list : section.lists) {
    if (list.tone != tone) continue;
    for (const auto& item : list.items) out.push_back(fmt::format("{}: {}", list.title, item.text));
  }
  return out;
}

std::vector<ReportSection> sections_of(const Json& report, const std::string& name) {
  std::vector<ReportSection> out;
  add_sections(out, report, name);
  try {
    add_list(out.front(), environment_of(report));
  } catch (const Json::exception& error) {
    throw no_result(name, error.what());
  }
  return out;
}

std::string section_text(const ReportSection& section, bool colours) {
  constexpr size_t kNameWidth = 10;
  const auto colon = std::min(section.headline.find(':'), section.headline.size());
  auto out = styled(style_of(section.tone), sanitized_line(section.headline.substr(0, colon)), colours) +
             sanitized_line(section.headline.substr(colon)) + (section.facts.empty() ? "\n" : "\n\n");
  for (const auto& [name, value] : section.facts)
    out += fmt::format("{}{}\n", left_aligned(name, kNameWidth), sanitized_line(value));
  for (const auto& list : section.lists) text_of_list(out, list);
  for (const auto& table : section.tables) text_of_table(out, table);
  if (section.next.empty()) return out;
  return out + fmt::format("\n{} {}\n", styled(Style::bold, "next:", colours), sanitized_line(section.next));
}

}  // namespace cli
