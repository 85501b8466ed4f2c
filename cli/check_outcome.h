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

/// What the source was told to write, as documents of activity_json(); null from a look without one.
struct ActivityLooks {
  Json before;  ///< anything was compared
  Json end;     ///< of the comparison
  Json now;     ///< the same look, or one after it
};

/// What was written in between is not in what was compared. Where nobody can tell it is a waiver, unless the
/// fence is `required`: then it is unchecked. False: a later look may tell.
bool judge_activity(CheckResult& check, const ActivityLooks& looks, bool required);

/// Longer, with a second between two of them, than any session keeps what it wrote from the counters that
/// comes to the end of its transactions (pg/activity.h).
inline constexpr int kMostLooks = 75;

/// Calls `look` until it says so, and `pause` in between; kMostLooks times at most.
void look_until_told(const std::function<bool()>& look, const std::function<void()>& pause);

/// One check for each of `names`, what the command has a result for each, and for every result beyond them. A
/// name without a result is unchecked, and so is what the command's exit code says and no result does.
std::vector<CheckResult> judged(const std::string& kind, const std::vector<std::string>& names,
                                const CommandOutcome& outcome, const CheckJudge& judge);

}  // namespace cli
