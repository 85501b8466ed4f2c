#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cli {

/// cutover.toml, flattened to keys: [copy] with jobs = 4 becomes "copy.jobs", and a key above the first table
/// is its own name. What a key may be, and which section may stand several times ([[upload]]), is the
/// options' to say (OptionSet), not this file's.
class ConfigFile {
 public:
  struct Value {
    /// As they would be given on a command line: 4 is "4", true is "true". A table becomes one "name=value"
    /// for each of its values; a table in an array, also by [[section.key]], a JSON object, in
    /// which a table is one, too.
    std::vector<std::string> texts;
    bool is_list = false;  ///< an array or a table, also with one element
    size_t line = 0;       ///< from 1
  };

  /// Throws Error{usage} that names the file and the line, for a file that cannot be read, that is no TOML,
  /// or that holds what no option can take (a date, a nested array).
  static ConfigFile read(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, Value>& values() const { return values_; }
  /// "cutover.toml:7: copy.jobs", to begin a message with.
  std::string place(const std::string& key) const;
  /// Throws Error{usage} with the line and the nearest known name, unless every key is one of `known`, and
  /// every section that stands several times one of `repeatable`.
  void check_keys(const std::vector<std::string>& known, const std::vector<std::string>& repeatable) const;
  /// The file once for each [[section]], as if that one stood there alone; itself, if there is none. A file
  /// with [[upload]] has no upload.… keys but in these.
  std::vector<ConfigFile> each(const std::string& section) const;
  /// Is that where any key's value is, or a part of one: env:NAME?
  bool refers_to(const std::string& reference) const;
  /// Takes `text` for the key's value, unless the file says something.
  void add_default(const std::string& key, std::string text);

 private:
  using Values = std::map<std::string, Value>;
  struct Tables {
    size_t line = 0;  ///< of the first
    std::vector<Values> all;
  };
  void check_known(const Values& values, const std::vector<std::string>& known) const;

  std::filesystem::path path_;
  Values values_;
  std::map<std::string, Tables> tables_;  // of sections in double brackets
};

}  // namespace cli
