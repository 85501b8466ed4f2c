#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "cli/commands.h"
#include "cli/databases.h"
#include "copy/engine.h"

namespace cli {

/// How a command calls the engine.
using EngineCall = std::function<copy::Outcome(const copy::Options&, copy::Progress&, const copy::Confirm&,
                                               const base::Stop&)>;

/// Calls the engine for one database with everything around it: progress, status.json, report.json, the
/// result on standard output. `run_dir` is where the engine keeps the run's state.
DatabaseResult run_engine(const Invocation& invocation, const RunOptions& options,
                          const copy::Options& database, const std::string& command,
                          const std::filesystem::path& run_dir, const EngineCall& call);

/// Writes report.json, or what else `name` says, into a run directory that this process was the last to lock.
/// A report that cannot be kept does not change the result, which is printed anyway.
void keep_report(const std::filesystem::path& run_dir, const Json& report,
                 const std::string& name = "report.json");
/// The same of any text.
void keep_text(const std::filesystem::path& run_dir, const std::string& text, const std::string& name);

}  // namespace cli
