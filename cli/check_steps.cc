#include "cli/check_steps.h"

namespace cli {

std::vector<std::string> comparison_of_databases() {
  return {"verify", "--run-dir", "", "--independent=false", "--level", "rows"};
}

std::vector<std::string> comparison_of_upload(const DeclaredUpload& upload) {
  std::vector<std::string> arguments{"upload", upload.from, upload.to, "--verify-only"};
  // Enough right behind the upload, of which the journal knows; here a listing would only have sizes, and so
  // would the rest of a sample.
  const bool is_sample = upload.verify.starts_with("download=") && upload.verify != "download=100%";
  if (upload.verify == "list" || upload.verify == "none" || is_sample)
    arguments.insert(arguments.end(), {"--verify", "checksum"});
  return arguments;
}

std::vector<std::string> look_at_the_fence() { return {"fence", "status"}; }

std::vector<std::vector<std::string>> commands_of_check(bool databases,
                                                        const std::vector<DeclaredUpload>& uploads) {
  std::vector<std::vector<std::string>> out;
  if (databases) out = {comparison_of_databases(), look_at_the_fence()};
  for (const auto& upload : uploads) out.push_back(comparison_of_upload(upload));
  return out;
}

}  // namespace cli
