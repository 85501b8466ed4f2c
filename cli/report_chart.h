#pragma once

#include <functional>
#include <string>

#include "cli/report_section.h"

namespace cli {

/// The charts of a document's "throughput" ([[seconds, bytes, items]]): bytes and `items` ("rows") per
/// second. None where too little was seen of it.
void add_throughput(ReportSection& section, const Json& report, const std::string& items);

/// As an HTML figure with an inline SVG; it follows the page's width and colours.
std::string chart_figure(const ReportChart& chart,
                         const std::function<std::string(std::string_view)>& escaped);

}  // namespace cli
