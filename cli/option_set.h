#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
class Option;
}  // namespace CLI

namespace cli {

/// The options of one command: what the parser accepts, what the environment may set, what the help says.
/// Each is declared once, with a function that stores its value. Those functions run in apply(), after the
/// whole command line was understood, so that --help works whatever else is wrong.
class OptionSet {
 public:
  using Set = std::function<void(const std::string&)>;

  /// What the help shows of an option.
  struct Entry {
    std::string group;
    std::string name;        ///< "--jobs"; "RUN_DIR" for a positional argument
    std::string value_name;  ///< empty for a flag
    std::string help;
    std::string default_text;
    bool repeatable = false;
    CLI::Option* option = nullptr;
    Set set;
    /// CUTOVER_JOBS for --jobs; none for a positional argument.
    std::string variable() const;
  };
  struct Example {
    std::string what;
    std::string command;
  };

  explicit OptionSet(CLI::App& app) : app_(app) {}

  void describe(std::string text) { description_ = std::move(text); }
  void example(std::string what, std::string command) {
    examples_.push_back({std::move(what), std::move(command)});
  }

  /// The heading of the options that follow.
  void group(std::string name) { group_ = std::move(name); }
  void positional(const std::string& value_name, std::string help, std::string default_text, Set set);
  /// Given twice, the last one counts.
  void value(std::string name, std::string value_name, std::string help, std::string default_text, Set set);
  /// May be given several times; `set` is called for each value. A variable holds one value per line.
  void list(std::string name, std::string value_name, std::string help, Set set);
  void flag(std::string name, std::string help, bool& value);
  void flag(std::string name, std::string help, std::function<void(bool)> set);

  /// Stores what was given on the command line, and what the environment says about the rest. Throws
  /// Error{usage} that starts with the name of the option or variable.
  void apply() const;

  const std::string& description() const { return description_; }
  const std::vector<Example>& examples() const { return examples_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  Entry& add(std::string name, std::string value_name, std::string help, std::string default_text, Set set);

  CLI::App& app_;
  std::string description_;
  std::string group_;
  std::vector<Example> examples_;
  std::vector<Entry> entries_;
};

}  // namespace cli
