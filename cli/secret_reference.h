#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/stop.h"

namespace cli {

/// Where a secret is, in place of the secret:
///
///   env:NAME                  an environment variable
///   file:PATH                 the content of a file, without the line end
///   secretsmanager:ID[#KEY]   AWS Secrets Manager; KEY: that member of a JSON object
///   ssm:NAME                  AWS Systems Manager's Parameter Store
bool is_secret_reference(const std::string& text);

/// Is it the text, or a text in the JSON that it is?
bool mentions(const std::string& text, const std::string& reference);

/// Looks secrets up, each one once.
class SecretResolver {
 public:
  explicit SecretResolver(base::Stop stop) : stop_(std::move(stop)) {}
  /// The secret that `text` refers to; any other text as it is. Throws Error{usage} when there is none of
  /// that name or it is empty, and what aws::Secrets throws; never with a secret in the message.
  const std::string& resolve(const std::string& text);

 private:
  base::Stop stop_;
  std::map<std::string, std::string> known_;
};

/// Secrets that were looked up for one purpose: whatever is said of it shows their references instead.
class FoundSecrets {
 public:
  void add(std::string secret, const std::string& reference);
  bool empty() const { return found_.empty(); }
  std::string hidden_in(std::string text) const;

 private:
  std::vector<std::pair<std::string, std::string>> found_;  // the longest one first
};

}  // namespace cli
