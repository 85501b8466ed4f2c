#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
class Option;
}  // namespace CLI

namespace cli {

class ConfigFile;
class SecretResolver;

/// The options of one command: what the parser accepts, what the environment and cutover.toml may set, what
/// the help says. Each is declared once, with a function that stores its value. Those functions run in
/// apply(), after the whole command line was understood, so that --help works whatever else is wrong.
class OptionSet {
 public:
  using Set = std::function<void(const std::string&)>;
  /// Of a value in which texts may be references: it looks them up itself. Null: they are left as they are.
  using SetWithSecrets = std::function<void(const std::string&, SecretResolver*)>;

  /// What the help shows of an option.
  struct Entry {
    std::string group;
    std::string name;        ///< "--jobs"; "RUN_DIR" for a positional argument
    std::string value_name;  ///< empty for a flag
    std::string help;
    std::string default_text;
    bool repeatable = false;
    CLI::Option* option = nullptr;
    SetWithSecrets set;
    /// In cutover.toml: "copy.jobs". Empty: that file cannot set it. What several commands share lives in one
    /// section, so that plan, copy and clean read the same.
    std::string key;
    bool secret = false;  ///< the whole value is never shown, and may be a reference (cli/secret_reference.h)
    bool written = false;            ///< its value names a file that the command writes
    std::function<bool()> needed;    ///< empty: always (group())
    std::vector<std::string> words;  ///< that a positional argument takes; empty: others

    /// Another section than the command's.
    Entry& in(const std::string& section);
    Entry& at(std::string whole_key) {
      key = std::move(whole_key);
      return *this;
    }
    /// For what belongs to one run: an answer, a decision to delete.
    Entry& not_in_file() { return at(""); }
    Entry& hidden() {
      secret = true;
      return *this;
    }
    Entry& takes(std::vector<std::string> all_words) {
      words = std::move(all_words);
      return *this;
    }
    Entry& is_written() {
      written = true;
      return *this;
    }
    bool is_positional() const { return !name.starts_with("--"); }
    bool is_flag() const { return value_name.empty() && !is_positional(); }
    /// CUTOVER_JOBS for --jobs; none for a positional argument.
    std::string variable() const;
    /// Two options of one name, of two commands: does a value for the one mean the same for the other?
    /// --include takes tables here and files there; and one file that two commands write is the second one's.
    bool means_the_same(const Entry& other) const {
      return key == other.key ||
             (!written && value_name == other.value_name && repeatable == other.repeatable);
    }
    /// What a shell can offer as the value: the words, or what "dump|none" and "list|download[=N%]" spell
    /// out. Empty for a placeholder such as URL.
    std::vector<std::string> choices() const;
  };
  struct Example {
    std::string what;
    std::string command;
  };

  /// What one option was given, and where: "--jobs", "CUTOVER_JOBS", "cutover.toml:7: copy.jobs".
  struct Given {
    std::string origin;
    std::vector<std::string> values;
  };

  /// `section` of cutover.toml: the command's name.
  explicit OptionSet(CLI::App& app, std::string section = "copy") : app_(app), section_(std::move(section)) {}

  void describe(std::string text) { description_ = std::move(text); }
  void example(std::string what, std::string command) {
    examples_.push_back({std::move(what), std::move(command)});
  }

  /// The command's section of cutover.toml may stand several times, as [[upload]] does: the command does each
  /// of them, or the one that its arguments name. `own`: the option that must name something else for each,
  /// "--run-dir".
  void repeatable(std::string own) { own_ = std::move(own); }
  bool is_repeatable() const { return !own_.empty(); }
  /// The file as the command sees it: once for each of its sections that agrees with the arguments; once
  /// without any when none does. Throws Error{usage} when several would share what --run-dir names.
  std::vector<ConfigFile> views(const ConfigFile& file) const;

  /// The heading of the options that follow. With `needed` apply() asks it when it comes to them, and leaves
  /// them alone if they are not: what nobody needs is not looked up, and need not be right.
  void group(std::string name, std::function<bool()> needed = {}) {
    group_ = std::move(name);
    needed_ = std::move(needed);
  }
  // What these return is to be used at once: the next declaration moves it.
  Entry& positional(const std::string& value_name, std::string help, std::string default_text, Set set);
  /// Given twice, the last one counts.
  Entry& value(std::string name, std::string value_name, std::string help, std::string default_text, Set set);
  /// May be given several times; `set` is called for each value. A variable holds one value per line.
  Entry& list(std::string name, std::string value_name, std::string help, Set set);
  Entry& list(std::string name, std::string value_name, std::string help, SetWithSecrets set);
  Entry& flag(std::string name, std::string help, bool& value);
  Entry& flag(std::string name, std::string help, std::function<void(bool)> set);

  /// Who runs the command: a person, whose environment may hold all that the command line may, or another
  /// command, which gives as arguments what belongs to one run: then a variable cannot say it.
  enum class Caller { person, command };

  /// The command line comes before the environment, and that before the file. nullopt: nobody says.
  static std::optional<Given> given(const Entry& entry, const ConfigFile* file,
                                    Caller caller = Caller::person);
  /// What can only be checked when every option has its value; apply() does it last. Throws Error{usage}.
  void require(std::function<void()> rule) { rules_.push_back(std::move(rule)); }

  /// The option of that name; null if there is none.
  const Entry* find(std::string_view name) const;
  /// Stores what was given. Throws Error{usage} that starts with the origin.
  void apply(const ConfigFile* file = nullptr, SecretResolver* secrets = nullptr,
             Caller caller = Caller::person) const;
  static void apply(const Entry& entry, const ConfigFile* file, SecretResolver* secrets,
                    Caller caller = Caller::person);

  const std::string& section() const { return section_; }
  const std::string& description() const { return description_; }
  const std::vector<Example>& examples() const { return examples_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  Entry& add(std::string name, std::string value_name, std::string help, std::string default_text,
             SetWithSecrets set);

  CLI::App& app_;
  std::string section_;
  std::string own_;
  std::string description_;
  std::string group_;
  std::function<bool()> needed_;
  std::vector<Example> examples_;
  std::vector<Entry> entries_;
  std::vector<std::function<void()>> rules_;
};

}  // namespace cli
