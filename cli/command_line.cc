#include "cli/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/config_file.h"
#include "cli/errors.h"
#include "cli/help.h"
#include "cli/secret_reference.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

/// A command as the parser knows it. Both stay where they are: options keep pointers to them.
struct ParsedCommand {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::unique_ptr<OptionSet> options;
  bool help = false;
  Run run;
};

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = std::min(text.find('='), text.size());
    out.emplace(text.substr(0, equals), text.substr(std::min(equals + 1, text.size())));
  }
  return out;
}

std::vector<std::string> names_of_commands() {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  return names;
}

std::vector<std::string> names_of_options(const OptionSet* options) {
  std::vector<std::string> names{"--help"};
  if (!options) names.emplace_back("--version");
  if (options)
    for (const auto& entry : options->entries()) names.push_back(entry.name);
  return names;
}

/// An argument that may be quoted in a message: an option loses its value.
std::string quotable(const std::string& argument) {
  const auto name =
      argument.starts_with("-") ? argument.substr(0, argument.find('=')) : without_secret(argument);
  return sanitized_line(name.find("://") == std::string::npos ? name : kHidden);
}

[[noreturn]] void reject_argument(const std::string& argument, const std::string& command,
                                  const OptionSet* options) {
  const auto shown = quotable(argument);
  const auto help = command.empty() ? "see cutover --help" : fmt::format("see cutover {} --help", command);
  if (argument.starts_with("-"))
    throw Error(ErrorKind::usage, fmt::format("unknown option {}", shown),
                did_you_mean(shown, names_of_options(options), help));
  if (!command.empty() && shown == kHidden)
    throw Error(ErrorKind::usage, fmt::format("{} takes no connection as an argument", command),
                fmt::format("give it as --source URL or --target URL; {}", help));
  if (!command.empty())
    throw Error(ErrorKind::usage, fmt::format("{} takes no argument \"{}\"", command, shown), help);
  throw Error(ErrorKind::usage, fmt::format("unknown command \"{}\"", shown),
              did_you_mean(shown, names_of_commands(), help));
}

/// What CLI11 says about an option without its value, in our words.
[[noreturn]] void reject_syntax(const CLI::ParseError& error, const std::string& command) {
  const std::string text = error.what();
  const auto help = command.empty() ? "see cutover --help" : fmt::format("see cutover {} --help", command);
  const auto name = text.starts_with("--") ? text.substr(0, text.find_first_of(": =")) : std::string();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) && !name.empty())
    throw Error(ErrorKind::usage, fmt::format("{} needs a value", name), help);
  throw Error(
      ErrorKind::usage,
      name.empty() ? "the command line cannot be understood" : fmt::format("{} is not used correctly", name),
      help);
}

void parse(CLI::App& app, const std::vector<std::string>& arguments,
           const std::vector<ParsedCommand>& parsed) {
  // CLI11 takes them last first, without the program's name.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - (arguments.empty() ? 0 : 1));
  const auto chosen = [&]() -> const ParsedCommand* {
    const auto found = std::ranges::find_if(parsed, [](const auto& one) { return one.app->parsed(); });
    return found == parsed.end() ? nullptr : &*found;
  };
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ExtrasError&) {
    auto extras = app.remaining(true);
    const auto option =
        std::ranges::find_if(extras, [](const auto& extra) { return extra.starts_with("-"); });
    const auto* command = chosen();
    reject_argument(option == extras.end() ? extras.front() : *option, command ? command->command->name : "",
                    command ? command->options.get() : nullptr);
  } catch (const CLI::ParseError& error) {
    reject_syntax(error, chosen() ? chosen()->command->name : "");
  }
}

/// The parser wants the command first. "cutover help copy" is "cutover copy --help", and "cutover --quiet
/// copy" is "cutover copy --quiet".
std::vector<std::string> command_first(std::vector<std::string> arguments) {
  if (arguments.size() > 1 && arguments[1] == "help") {
    arguments.erase(arguments.begin() + 1);
    arguments.emplace_back("--help");
  }
  const auto is_command = [](const std::string& argument) {
    return std::ranges::any_of(commands(), [&](const Command& command) { return argument == command.name; });
  };
  if (arguments.size() > 1 && arguments[1].starts_with("-"))
    if (const auto found = std::ranges::find_if(arguments, is_command); found != arguments.end())
      std::rotate(arguments.begin() + 1, found, found + 1);
  return arguments;
}

/// The file that --config names, else the one that lies here. Its keys may be any command's.
std::optional<ConfigFile> read_config(const OptionSet& options, const std::vector<ParsedCommand>& parsed) {
  const auto given = OptionSet::given(*options.find("--config"), nullptr);
  if (!given && !std::filesystem::exists(kConfigFile)) return std::nullopt;
  auto file = ConfigFile::read(given ? given->values.back() : kConfigFile);
  std::vector<std::string> keys;
  std::vector<std::string> repeatable;
  for (const auto& command : parsed) {
    if (command.options->is_repeatable()) repeatable.push_back(command.options->section());
    for (const auto& entry : command.options->entries())
      if (!entry.key.empty()) keys.push_back(entry.key);
  }
  file.check_keys(keys, repeatable);
  return file;
}

/// Is it where a secret is: env:NAME?
bool is_referred_to(const std::string& variable, const std::vector<std::string>& arguments,
                    const ConfigFile* config) {
  const auto reference = "env:" + variable;
  if (config && config->refers_to(reference)) return true;
  const auto refers = [&](const std::string& text) {
    return text.ends_with(reference) || mentions(text, reference);
  };
  if (std::ranges::any_of(arguments, refers)) return true;
  return std::ranges::any_of(environment(), [&](const auto& entry) { return refers(entry.second); });
}

/// A slip in the name of a variable leaves something out in silence: one that is nearly an option's is
/// refused. Returns the others that mean nothing to us.
std::vector<std::string> unknown_variables(const std::vector<ParsedCommand>& parsed,
                                           const std::vector<std::string>& arguments,
                                           const ConfigFile* config) {
  constexpr std::string_view kPrefix = "CUTOVER_";
  // A third of the letters: "SOUCE" is, "HOST" is not "HTTP".
  constexpr size_t kShortest = 1;
  std::vector<std::string> known{"CRASH_AT"};  // base/crash_point.h
  for (const auto& command : parsed)
    for (const auto& entry : command.options->entries())
      if (const auto variable = entry.variable(); !variable.empty())
        known.push_back(variable.substr(kPrefix.size()));
  std::vector<std::string> unknown;
  for (const auto& [name, value] : environment()) {
    if (!name.starts_with(kPrefix) || value.empty()) continue;
    const auto own = name.substr(kPrefix.size());
    if (std::ranges::find(known, own) != known.end() || is_referred_to(name, arguments, config)) continue;
    if (const auto meant = nearest(own, known, kShortest); !meant.empty())
      throw Error(ErrorKind::usage,
                  fmt::format("the environment variable {} is no option's", sanitized_line(name)),
                  fmt::format("did you mean {}{}? Else unset it, or give it another name", kPrefix, meant));
    unknown.push_back(name);
  }
  return unknown;
}

/// A command line as it was understood, before the environment and the file say anything.
struct Parsed {
  std::shared_ptr<GlobalOptions> globals = std::make_shared<GlobalOptions>();
  CLI::App app;
  std::vector<ParsedCommand> commands;
  bool help = false;
  bool version = false;

  explicit Parsed(const std::vector<std::string>& arguments) : commands(cli::commands().size()) {
    app.set_help_flag();
    app.require_subcommand(0, 1);
    app.add_flag("--help,-h", help);
    app.add_flag("--version,-V", version);
    for (size_t i = 0; i < commands.size(); ++i) {
      auto& one = commands[i];
      one.command = &cli::commands()[i];
      one.app = app.add_subcommand(one.command->name);
      one.app->set_help_flag();
      one.app->add_flag("--help,-h", one.help);
      one.options = std::make_unique<OptionSet>(*one.app, one.command->name);
      one.run = one.command->set_up(*one.options);
      add_global_options(*one.options, *globals);
    }
    parse(app, arguments, commands);
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  /// Null: no command was given.
  const ParsedCommand* chosen() const {
    const auto found = std::ranges::find_if(commands, [](const auto& one) { return one.app->parsed(); });
    return found == commands.end() ? nullptr : &*found;
  }
};

std::vector<TypedOption> typed_options(const OptionSet& options) {
  std::vector<TypedOption> typed;
  for (const auto& entry : options.entries())
    if (auto values = entry.option->results(); !values.empty() && entry.name.starts_with("--"))
      typed.push_back({entry.name, std::move(values)});
  return typed;
}

CommandLine understood(const Parsed& parsed, const ConfigFile* config, SecretResolver& secrets,
                       OptionSet::Caller caller) {
  const auto& chosen = *parsed.chosen();
  chosen.options->apply(config, &secrets, caller);
  if (config) parsed.globals->config = config->path();
  return {*parsed.globals, chosen.run, typed_options(*chosen.options), chosen.command->allocates};
}

/// A section that stands several times in the file is worked on once for each. One that cannot be is
/// reported, and the next one is taken.
CommandLine one_after_the_other(std::vector<CommandLine> each) {
  auto out = each.front();
  out.run = [each = std::move(each)](const Invocation& invocation) {
    int exit_code = kEqual;
    for (const auto& one : each) {
      if (invocation.stop.requested()) return worse(exit_code, kIncomplete);
      exit_code = worse(exit_code, reporting_errors(invocation.log, [&] { return one.run(invocation); }));
    }
    return exit_code;
  };
  return out;
}

/// By each section of the file that the command stands in.
CommandLine understood_by_all(const Parsed& parsed, const std::vector<std::string>& arguments,
                              const ConfigFile* config, const base::Stop& stop, OptionSet::Caller caller) {
  SecretResolver secrets(stop);
  if (!config) return understood(parsed, nullptr, secrets, caller);
  const auto views = parsed.chosen()->options->views(*config);
  if (views.size() == 1) return understood(parsed, &views.front(), secrets, caller);
  std::vector<CommandLine> each;
  each.reserve(views.size());
  for (const auto& view : views) each.push_back(understood(Parsed(arguments), &view, secrets, caller));
  return one_after_the_other(std::move(each));
}

CommandLine printing(std::string text, int exit_code = 0) {
  return {{}, [text = std::move(text), exit_code](const Invocation& invocation) {
            invocation.print(text);
            return exit_code;
          }};
}

}  // namespace

bool asks_for_json_logs(const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--log-format=json") return true;
    if (arguments[i] == "--log-format" && i + 1 < arguments.size()) return arguments[i + 1] == "json";
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
  const char* value = std::getenv("CUTOVER_LOG_FORMAT");
  return value && std::string_view(value) == "json";
}

CommandLine parse_command_line(const std::vector<std::string>& arguments, const base::Stop& stop,
                               OptionSet::Caller caller) {
  const auto given = command_first(arguments);
  const Parsed parsed(given);
  if (parsed.version) return printing("cutover " CUTOVER_VERSION "\n");
  const auto* chosen = parsed.chosen();
  if (!chosen) return printing(general_help(help_width()), parsed.help ? 0 : 2);
  if (parsed.help || chosen->help)
    return printing(command_help(*chosen->command, *chosen->options, help_width()));
  const auto config = read_config(*chosen->options, parsed.commands);
  // Once: whoever runs this command has seen to them.
  auto unknown = caller == OptionSet::Caller::person
                     ? unknown_variables(parsed.commands, arguments, config ? &*config : nullptr)
                     : std::vector<std::string>();
  auto out = understood_by_all(parsed, given, config ? &*config : nullptr, stop, caller);
  out.unknown_variables = std::move(unknown);
  return out;
}

}  // namespace cli
