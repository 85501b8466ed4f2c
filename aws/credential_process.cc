#include "aws/credential_process.h"

#include <nlohmann/json.hpp>

#include "aws/metadata.h"
#include "base/error.h"
#include "base/process.h"

namespace aws {

using base::ErrorKind;

std::vector<std::string> split_command(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool escapes = c == '\\' && quote != '\'' && i + 1 < command.size();
    if (escapes && (quote == 0 || command[i + 1] == '"' || command[i + 1] == '\\')) {
      word += command[++i];
      in_word = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      in_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) base::fail(ErrorKind::usage, "credential_process has a quote that is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

Credentials process_credentials(const std::string& command, const base::Stop& stop) {
  auto words = split_command(command);
  if (words.empty()) base::fail(ErrorKind::usage, "credential_process is empty");
  const auto program = words.front();
  words.erase(words.begin());
  std::string output;
  const auto result = base::run_command({.program = program, .arguments = std::move(words)}, stop,
                                        [&](std::string_view piece) { output += piece; });
  if (result.exit_code != 0)
    throw base::Error(
        ErrorKind::permanent,
        fmt::format("the credential_process {} ended with exit code {}", program, result.exit_code),
        "run it by hand to see what it says");
  const auto object = nlohmann::json::parse(output, nullptr, false);
  if (!object.is_object() || !object.contains("Version") || object["Version"] != 1)
    base::fail(ErrorKind::permanent, "the credential_process {} did not print credentials of version 1",
               program);
  return parse_credentials(output, "the credential_process " + program);
}

}  // namespace aws
