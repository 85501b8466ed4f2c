#include "cli/help.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/errors.h"
#include "cli/screen.h"
#include "cli/text.h"

namespace cli {
namespace {

constexpr size_t kWidest = 100;
constexpr size_t kNarrowest = 60;

std::string paragraph(std::string_view text, size_t width, size_t indent) {
  std::string out;
  for (const auto& line : wrapped(text, width - indent)) out += std::string(indent, ' ') + line + "\n";
  return out;
}

/// "  --jobs N        data workers, …" with the text wrapped in its column.
std::string definition(std::string_view term, std::string_view text, size_t column, size_t width) {
  std::string out = "  " + std::string(term);
  const auto lines = wrapped(text, width - column);
  size_t next = 0;
  if (2 + display_width(term) + 2 <= column && !lines.empty())
    out = left_aligned(out, column) + lines.at(next++);
  out += "\n";
  for (; next < lines.size(); ++next) out += std::string(column, ' ') + lines[next] + "\n";
  return out;
}

std::string options_help(const OptionSet& options, size_t width) {
  size_t column = 0;
  for (const auto& entry : options.entries()) column = std::max(column, display_width(term_of(entry)) + 4);
  column = std::min<size_t>(column, 28);
  std::string out;
  for (const auto& group : groups_of(options)) {
    out += fmt::format("\n{}:\n", group);
    for (const auto& entry : options.entries())
      if (entry.group == group) out += definition(term_of(entry), text_of(entry), column, width);
  }
  return out;
}

std::string exit_codes_help(size_t width) {
  std::string out = "\nExit codes:\n";
  for (const auto& [code, meaning] : exit_codes()) out += definition(std::to_string(code), meaning, 7, width);
  return out;
}

/// Commands are made to be copied, so only a long one is broken, at its spaces and with a backslash.
std::string shell_command(std::string_view text, size_t width) {
  std::string out;
  const auto lines = wrapped(text, width - 8);
  for (size_t i = 0; i < lines.size(); ++i)
    out += fmt::format("{}{}{}\n", i == 0 ? "    " : "      ", lines[i], i + 1 < lines.size() ? " \\" : "");
  return out;
}

}  // namespace

std::string term_of(const OptionSet::Entry& entry) {
  return entry.value_name.empty() ? entry.name : entry.name + " " + entry.value_name;
}

std::string text_of(const OptionSet::Entry& entry) {
  std::string text = entry.help;
  if (entry.repeatable) text += " (repeatable)";
  if (!entry.default_text.empty()) text += fmt::format(" [default: {}]", entry.default_text);
  return text;
}

std::vector<std::string> groups_of(const OptionSet& options) {
  std::vector<std::string> groups;
  for (const auto& entry : options.entries())
    if (std::ranges::find(groups, entry.group) == groups.end()) groups.push_back(entry.group);
  return groups;
}

std::string usage_of(const Command& command, const OptionSet& options) {
  std::string out = fmt::format("cutover {}", command.name);
  for (const auto& entry : options.entries())
    if (entry.is_positional()) out += fmt::format(" [{}]", entry.name);
  return out + " [OPTIONS]";
}

size_t help_width() {
  if (isatty(STDOUT_FILENO) != 1) return kWidest;
  return std::clamp(Screen(STDOUT_FILENO).width(), kNarrowest, kWidest);
}

std::string general_help(size_t width) {
  std::string out = paragraph(kPurpose, width, 0);
  out += "\nUsage: cutover COMMAND [OPTIONS]\n\nCommands:\n";
  for (const auto& command : commands()) out += definition(command.name, command.summary, 14, width);
  out += "\nA move, step by step:\n";
  out += paragraph("export CUTOVER_SOURCE=postgres://app:SECRET@old.example/app", width, 4);
  out += paragraph("export CUTOVER_TARGET=postgres://app:SECRET@new.example/app", width, 4);
  out += definition("  cutover plan", "what would happen, and what stands in the way", 30, width);
  out += definition("  cutover run", "a rehearsal while the application lives", 30, width);
  out += definition("  cutover status --watch", "from another terminal", 30, width);
  out += definition("  cutover run --final", "the application is stopped: GO or NO-GO", 30, width);
  out += definition("  cutover clean", "after the switch", 30, width);
  out += "\nGeneral options:\n";
  out += definition("--help", "this text; cutover COMMAND --help has that command's options and examples", 14,
                    width);
  out += definition("--version", "the version", 14, width);
  out += "\n";
  out += paragraph(
      "Every option --some-name can be given as the environment variable CUTOVER_SOME_NAME too, or in "
      "cutover.toml (cutover config template).",
      width, 0);
  return out + exit_codes_help(width);
}

std::string command_help(const Command& command, const OptionSet& options, size_t width) {
  std::string out = paragraph(options.description(), width, 0);
  out += fmt::format("\nUsage: {}\n", usage_of(command, options));
  out += options_help(options, width);
  out += "\n";
  out += paragraph(kOptionPlaces, width, 0);
  out += "\nExamples:\n";
  for (const auto& example : options.examples()) {
    out += paragraph("# " + example.what, width, 4);
    out += shell_command(example.command, width);
  }
  return out + exit_codes_help(width);
}

}  // namespace cli
