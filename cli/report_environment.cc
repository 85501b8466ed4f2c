#include "cli/report_environment.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/text.h"

namespace cli {
namespace {

class Environment {
 public:
  void add(const Json& report) {
    if (!report.is_object()) return;
    add_program(report);
    for (const auto* side : {"source", "target"}) add_server(report, side);
    if (report.contains("bucket")) add_bucket(report);
    for (const auto* part : {"before", "after"}) add(report.value(part, Json()));
    for (const auto& document : report.value("documents", Json::array())) add(document);
  }
  ReportList list() && { return std::move(list_); }

 private:
  void put(std::string text) {
    const auto known =
        std::ranges::any_of(list_.items, [&](const ReportItem& item) { return item.text == text; });
    if (!known) list_.items.push_back({std::move(text)});
  }
  void add_program(const Json& report) {
    const auto host = report.value("host", Json::object());
    if (host.empty()) return;
    put(fmt::format("cutover {} on {}, {}", report.value("tool_version", ""), host.value("system", ""),
                    counted(host.value("cores", uint64_t{0}), "core")));
  }
  // A comparison has an object for each side, a copy its name and beside it the version.
  void add_server(const Json& report, const std::string& side) {
    const auto server = report.value(side, Json());
    const auto name = server.is_object()   ? server.value("database", "")
                      : server.is_string() ? server.get<std::string>()
                                           : std::string();
    const auto version =
        server.is_object() ? server.value("version", "") : report.value(side + "_version", "");
    if (!name.empty() && !version.empty()) put(fmt::format("{} {}: PostgreSQL {}", side, name, version));
  }
  void add_bucket(const Json& report) {
    const auto endpoint = report.value("endpoint", "");
    if (endpoint.empty()) return;
    put(fmt::format("{}: {}, region {}", report.value("bucket", ""),
                    endpoint == "aws" ? "Amazon S3" : "the S3 server " + endpoint,
                    report.value("region", "")));
  }

  ReportList list_{.title = "environment", .tone = Tone::plain, .items = {}, .in_text = false};
};

}  // namespace

ReportList environment_of(const Json& report) {
  Environment environment;
  environment.add(report);
  return std::move(environment).list();
}

}  // namespace cli
