#include "cli/manual.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/command_set.h"
#include "cli/errors.h"
#include "cli/help.h"

namespace cli {
namespace {

/// The code point that begins at `text`, which is cut off there. A text of ours is valid UTF-8.
char32_t take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < std::min(length, text.size()); ++i)
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  text.remove_prefix(std::min(length, text.size()));
  return code;
}

/// As it stands: what roff makes typography of (quotes, hyphens, a point at the start of a line) stays what
/// can be copied into a shell.
std::string roff(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    switch (const auto code = take_code_point(text); code) {
      case U'\\':
        out += "\\e";
        break;
      case U'-':
        out += "\\-";
        break;
      case U'\'':
        out += "\\(aq";
        break;
      case U'`':
        out += "\\(ga";
        break;
      case U'^':
        out += "\\(ha";
        break;
      case U'~':
        out += "\\(ti";
        break;
      case U'"':
        out += "\\(dq";
        break;
      case U'.':
        out += out.empty() ? "\\&." : ".";
        break;
      default:
        out += code < 0x80 ? std::string(1, static_cast<char>(code))
                           : fmt::format("\\[u{:04X}]", static_cast<uint32_t>(code));
    }
  }
  return out;
}

std::string section(std::string_view title) { return fmt::format(".SH {}\n", title); }

/// A term in bold, its text indented below it.
std::string item(std::string_view term, std::string_view text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(term), roff(text));
}

std::string option_item(const OptionSet::Entry& entry) {
  const auto value = entry.value_name.empty() ? "" : fmt::format(" \\fI{}\\fR", roff(entry.value_name));
  return fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(entry.name), value, roff(text_of(entry)));
}

std::string example_of(const OptionSet::Example& example) {
  return fmt::format(".PP\n{}:\n.PP\n.RS 4\n.EX\n{}\n.EE\n.RE\n", roff(example.what), roff(example.command));
}

std::string command_section(const CommandSet& set, const CommandSet::Member& member) {
  std::string out = fmt::format(".SS \"{}\"\n", roff(usage_of(member.command, member.options)));
  out += roff(member.options.description()) + "\n";
  for (const auto& group : groups_of(member.options)) {
    std::string items;
    for (const auto& entry : member.options.entries())
      if (entry.group == group && !set.is_shared(entry)) items += option_item(entry);
    if (!items.empty()) out += fmt::format(".PP\n\\fI{}\\fR\n", roff(group)) + items;
  }
  for (const auto& example : member.options.examples()) out += example_of(example);
  return out;
}

std::string environment_section() {
  return section("ENVIRONMENT") + item("CUTOVER_*", kOptionPlaces) +
         item("PGPASSFILE, PGSERVICE, PGPASSWORD, PGSSLROOTCERT and others",
              "what libpq takes from the environment counts for what a connection string leaves open") +
         item("AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID and others",
              "credentials and region of uploads, of secrets that are referred to, and of IAM tokens, as the "
              "AWS "
              "command line takes them") +
         item("NO_COLOR", "no colours on a terminal");
}

std::string files_section() {
  return section("FILES") +
         item(fmt::format("./{}", kConfigFile),
              "options for every command, if it is there; cutover config template prints all its keys") +
         item("./cutover-run, ./cutover-upload",
              "the run directories of a copy and of an upload: journal, plan, results. Readable by their "
              "owner "
              "alone");
}

}  // namespace

std::string manual() {
  const CommandSet set;
  std::string out = fmt::format(".TH CUTOVER 1 \"\" \"cutover {}\" \"User Commands\"\n", CUTOVER_VERSION);
  out += ".nh\n.ad l\n";  // names and commands are not to be broken at hyphens
  out += section("NAME") + "cutover \\- move a Postgres database and a directory of files, and prove it\n";
  out += section("SYNOPSIS") + ".B cutover\n.I COMMAND\n.RI [ OPTIONS ]\n";
  out += section("DESCRIPTION") + roff(kPurpose) + "\n";
  for (const auto& [command, options] : set.members()) out += item(command.name, command.summary);
  out += section("OPTIONS OF EVERY COMMAND");
  for (const auto& entry : set.shared().entries()) out += option_item(entry);
  out += item("--help", "the help of the program, or behind a command of that command");
  out += item("--version", "the version");
  out += section("COMMANDS");
  for (const auto& member : set.members()) out += command_section(set, member);
  out += environment_section() + files_section() + section("EXIT STATUS");
  for (const auto& [code, meaning] : exit_codes()) out += item(std::to_string(code), meaning);
  out += section("SEE ALSO") + ".BR pg_dump (1),\n.BR psql (1)\n";
  return out;
}

}  // namespace cli
