#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/check_report.h"
#include "cli/subcommand.h"

/// A check that is another command of the program: what its results say of what they are about.
namespace cli {

/// Sets the exit code of a check from a result's document, and the problem if the document does not name it.
using CheckJudge = std::function<void(CheckResult& check, const Json& document)>;

/// Of a comparison: what it says itself.
void judge_comparison(CheckResult& check, const Json& document);

/// The same; of databases without tables and sequences nothing was compared.
void judge_databases(CheckResult& check, const Json& document);

/// The same; a directory without files has nothing that could have been compared.
void judge_upload(CheckResult& check, const Json& document);

/// Of a look at the fence: no fence, or one that leaks, is a waiver unless it is `required`.
void judge_fence(CheckResult& check, const Json& document, bool required);

/// Of a look at a fence that is up, and of what the source was told to write until another look `before`:
/// what was written in between is not in what was compared.
void judge_activity(CheckResult& check, const Json& before, const Json& document);

/// One check for each of `names`, what the command has a result for each, and for every result beyond them. A
/// name without a result is unchecked, and so is what the command's exit code says and no result does.
std::vector<CheckResult> judged(const std::string& kind, const std::vector<std::string>& names,
                                const CommandOutcome& outcome, const CheckJudge& judge);

}  // namespace cli
