#pragma once

#include <string>
#include <vector>

#include "cli/log.h"
#include "cli/progress_meter.h"
#include "cli/screen.h"
#include "copy/progress.h"

/// Progress as text, without knowing where it is shown.
namespace cli {

/// The live lines: an overall bar, a line for each worker, and the counts. None is wider than `width`, and
/// there are at most `height` of them.
std::vector<Line> live_lines(const copy::Progress::Snapshot& snapshot, const Pace& pace,
                             copy::Progress::Clock::time_point now, size_t width, size_t height,
                             bool unicode);
/// One line for a log.
std::string progress_sentence(const copy::Progress::Snapshot& snapshot, const Pace& pace,
                              copy::Progress::Clock::time_point now);
/// Everything, for JSON logs and status.json.
Json progress_json(const copy::Progress::Snapshot& snapshot, const Pace& pace,
                   copy::Progress::Clock::time_point now);

}  // namespace cli
