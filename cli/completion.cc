#include "cli/completion.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command_set.h"
#include "cli/text.h"

namespace cli {
namespace {

using Entry = OptionSet::Entry;

/// What a shell can offer for a value.
enum class ValueKind { none, words, file, directory };

ValueKind kind_of(const Entry& entry) {
  if (!entry.choices().empty()) return ValueKind::words;
  const auto& placeholder = entry.is_positional() ? entry.name : entry.value_name;
  if (placeholder == "FILE" || placeholder == "PATH") return ValueKind::file;
  if (placeholder.ends_with("DIR")) return ValueKind::directory;
  return ValueKind::none;
}

std::string words_of(const Entry& entry) { return fmt::format("{}", fmt::join(entry.choices(), " ")); }

/// The beginning of the help, for one line of a menu.
std::string brief(std::string_view help) {
  constexpr size_t kWidth = 60;
  const auto end = std::min({help.find(". "), help.find("; "), help.size()});
  return truncated(help.substr(0, end), kWidth, false);
}

std::string command_words(const CommandSet& set) {
  std::vector<std::string> names;
  for (const auto& member : set.members()) names.emplace_back(member.command.name);
  return fmt::format("{}", fmt::join(names, " "));
}

// ---- bash

/// The statement that offers values; empty for a value that only the user knows.
std::string bash_offer(const Entry& entry) {
  switch (kind_of(entry)) {
    case ValueKind::words:
      return fmt::format("words=\"{}\"", words_of(entry));
    case ValueKind::file:
      return "files=-f";
    case ValueKind::directory:
      return "files=-d";
    default:
      return "";
  }
}

/// Options behind which a value stands, by what is offered: "copy --schema" by 'words="dump none"'.
std::map<std::string, std::vector<std::string>> bash_values(const CommandSet& set) {
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& [command, options] : set.members())
    for (const auto& entry : options.entries()) {
      if (entry.is_flag() || entry.is_positional()) continue;
      const auto pattern = set.is_shared(entry) ? fmt::format("*\" {}\"", entry.name)
                                                : fmt::format("\"{} {}\"", command.name, entry.name);
      auto& patterns = values[bash_offer(entry)];
      if (std::ranges::find(patterns, pattern) == patterns.end()) patterns.push_back(pattern);
    }
  return values;
}

std::string bash_command(const CommandSet::Member& member) {
  std::vector<std::string> names;
  std::string offers;
  for (const auto& entry : member.options.entries()) {
    if (!entry.is_positional()) {
      names.push_back(entry.name);
    } else if (const auto offer = bash_offer(entry); !offer.empty() && offers.empty()) {
      offers = offer;
    }
  }
  return fmt::format("    {})\n      options=\"{} --help\"\n      {}\n      ;;\n", member.command.name,
                     fmt::join(names, " "), offers.empty() ? ":" : offers);
}

/// Needs nothing but bash itself: not the package bash-completion.
std::string bash_completion() {
  const CommandSet set;
  std::string out = R"(# bash completion for cutover; made by: cutover completion bash
_cutover() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= word options= words= files=
  # bash breaks --option=value into three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
)";
  const auto commands = command_words(set);
  std::string pattern = commands;
  for (size_t at = 0; (at = pattern.find(' ', at)) != std::string::npos; at += 3)
    pattern.replace(at, 1, " | ");
  out +=
      fmt::format("      {})\n        command=$word\n        break\n        ;;\n    esac\n  done\n", pattern);
  out += "  case \"$command $previous\" in\n";
  for (const auto& [offer, patterns] : bash_values(set))
    out += fmt::format("    {})\n      {}\n      _cutover_offer\n      return\n      ;;\n",
                       fmt::join(patterns, " | "), offer.empty() ? ":" : offer);
  out += "  esac\n  case $command in\n";
  for (const auto& member : set.members()) out += bash_command(member);
  out += fmt::format(
      "    *)\n      options=\"--help --version\"\n      words=\"{} help\"\n      ;;\n  esac\n", commands);
  out += R"script(  if [[ $current == -* ]]; then words=$options files=; fi
  _cutover_offer
}

_cutover_offer() {
  local offered
  COMPREPLY=()
  while IFS= read -r offered; do
    [[ -z $offered ]] || COMPREPLY+=("$offered")
  done <<<"$(
    if [[ -n $files ]]; then compgen "$files" -- "$current"; fi
    if [[ -n $words ]]; then compgen -W "$words" -- "$current"; fi
  )"
}

complete -o filenames -F _cutover cutover
)script";
  return out;
}

// ---- zsh

/// In a specification of _arguments, inside single quotes.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out;
}

std::string zsh_values(const Entry& entry) {
  switch (kind_of(entry)) {
    case ValueKind::words: {
      std::vector<std::string> words;
      for (const auto& word : entry.choices()) words.push_back(zsh_text(word));
      return fmt::format("({})", fmt::join(words, " "));
    }
    case ValueKind::file:
      return "_files";
    case ValueKind::directory:
      return "_files -/";
    default:
      return " ";
  }
}

std::string zsh_option(const Entry& entry) {
  if (entry.is_positional()) return fmt::format("'::{}:{}'", zsh_text(entry.name), zsh_values(entry));
  const auto* equals = entry.is_flag() ? "" : "=";
  const auto argument =
      entry.is_flag() ? "" : fmt::format(":{}:{}", zsh_text(entry.value_name), zsh_values(entry));
  return fmt::format("'{}{}{}[{}]{}'", entry.repeatable ? "*" : "", entry.name, equals,
                     zsh_text(brief(entry.help)), argument);
}

std::string zsh_completion() {
  const CommandSet set;
  std::string out =
      "#compdef cutover\n# zsh completion for cutover; made by: cutover completion zsh\n\n"
      "_cutover() {\n  local -a commands\n  commands=(\n";
  for (const auto& [command, options] : set.members())
    out += fmt::format("    '{}:{}'\n", command.name, zsh_text(brief(command.summary)));
  out += R"(    'help:the help of a command'
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments '--help[the help]' '--version[the version]'
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
)";
  for (const auto& [command, options] : set.members()) {
    out += fmt::format("    {})\n      _arguments", command.name);
    for (const auto& entry : options.entries()) out += fmt::format(" \\\n        {}", zsh_option(entry));
    out += " \\\n        '--help[the help of this command]'\n      ;;\n";
  }
  return out +
         "    help)\n      _describe -t commands command commands\n      ;;\n  esac\n}\n\n"
         "if [[ $funcstack[1] == _cutover ]]; then _cutover \"$@\"; else compdef _cutover cutover; fi\n";
}

// ---- fish

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_values(const Entry& entry) {
  switch (kind_of(entry)) {
    case ValueKind::words:
      return " -x -a " + fish_quoted(words_of(entry));
    case ValueKind::file:
      return " -r -F";
    case ValueKind::directory:
      return " -x -a '(__fish_complete_directories)'";
    default:
      return " -x";
  }
}

std::string fish_line(const Command& command, const Entry& entry) {
  const auto start = fmt::format("complete -c cutover -n '__fish_seen_subcommand_from {}'", command.name);
  if (!entry.is_positional())
    return fmt::format("{} -l {}{} -d {}\n", start, entry.name.substr(2),
                       entry.is_flag() ? "" : fish_values(entry), fish_quoted(brief(entry.help)));
  if (kind_of(entry) == ValueKind::none) return "";
  // What stands behind the command itself needs no option's letter: -r would ask for a value of one.
  const auto values = kind_of(entry) == ValueKind::words  ? fish_quoted(words_of(entry))
                      : kind_of(entry) == ValueKind::file ? "'(__fish_complete_path)'"
                                                          : "'(__fish_complete_directories)'";
  return fmt::format("{} -a {}\n", start, values);
}

std::string fish_completion() {
  const CommandSet set;
  std::string out =
      "# fish completion for cutover; made by: cutover completion fish\n"
      "complete -c cutover -f\n"
      "complete -c cutover -l help -d 'the help'\n"
      "complete -c cutover -n __fish_use_subcommand -l version -d 'the version'\n";
  for (const auto& [command, options] : set.members())
    out += fmt::format("complete -c cutover -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       fish_quoted(brief(command.summary)));
  for (const auto& [command, options] : set.members())
    for (const auto& entry : options.entries()) out += fish_line(command, entry);
  return out;
}

}  // namespace

std::string completion(Shell shell) {
  switch (shell) {
    case Shell::bash:
      return bash_completion();
    case Shell::zsh:
      return zsh_completion();
    default:
      return fish_completion();
  }
}

}  // namespace cli
