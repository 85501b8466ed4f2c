#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/global_options.h"
#include "cli/option_set.h"

namespace cli {

/// All that cutover.toml may hold, with help: what `cutover config template` prints. Every key is commented
/// out.
std::string config_template();

/// What counts for one key, and who says so.
struct EffectiveValue {
  std::string key;
  std::string value;  ///< redacted
  std::string
      origin;  ///< "default", "CUTOVER_JOBS", "cutover.toml:7", with "(env:NAME)" behind it for secrets
};

struct EffectiveConfig {
  std::vector<EffectiveValue> values;  ///< in the template's order; keys that nobody sets and without default
                                       ///< are left out
  std::vector<base::Error> errors;     ///< of values that are refused, each once
};

/// What every command would be told by the environment and `file` (may be null): each value goes through its
/// option, and secrets are looked up.
EffectiveConfig effective_config(const ConfigFile* file, SecretResolver& secrets);

}  // namespace cli
