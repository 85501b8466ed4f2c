#pragma once

#include <span>
#include <string>

#include "cli/report_section.h"

namespace cli {

/// What is listed of each list and table at most, what differs first; the rest is counted, and in the JSON
/// document. So a page stays one that a browser likes, whatever the result.
inline constexpr size_t kMostOnPage = 3000;
/// Differing rows, in all.
inline constexpr size_t kMostRowsOnPage = 5000;

/// One HTML page of its own: no scripts, nothing loaded from anywhere, light and dark as the reader's system
/// is. Everything is escaped; control characters and those that reorder text are dropped.
/// `refresh_seconds`: the browser asks for it again so often; 0: never.
std::string report_page(std::span<const ReportSection> sections, unsigned refresh_seconds = 0);

}  // namespace cli
