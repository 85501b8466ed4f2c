#include "cli/metrics.h"

#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace cli {
namespace {

namespace fs = std::filesystem;

struct Metric {
  const char* name;
  const char* type;
  const char* help;
  /// A pointer into status_json().
  const char* value;
};

constexpr std::array kMetrics{
    Metric{"cutover_running", "gauge", "1 while a process works on the run.", "/running"},
    Metric{"cutover_finished", "gauge", "1 when the run has ended with a result.", "/finished"},
    Metric{"cutover_exit_code", "gauge", "Of the finished run: 0 is equal.", "/exit_code"},
    Metric{"cutover_rows_copied", "gauge", "Rows that are committed at the target.", "/rows"},
    Metric{"cutover_bytes", "gauge", "Bytes that are committed at the target, or uploaded.", "/bytes"},
    Metric{"cutover_chunks", "gauge", "Chunks of the plan.", "/chunks_total"},
    Metric{"cutover_chunks_done", "gauge", "Chunks that are committed at the target.", "/chunks_done"},
    Metric{"cutover_tables", "gauge", "Tables of the plan.", "/relations_total"},
    Metric{"cutover_tables_proven", "gauge", "Tables that were read back.", "/proofs_done"},
    Metric{"cutover_tables_equal", "gauge", "Tables that were read back and are equal.", "/proofs_equal"},
    Metric{"cutover_objects", "gauge", "Objects that are uploaded.", "/objects"},
    Metric{"cutover_open_uploads", "gauge", "Multipart uploads that are begun and not complete.",
           "/open_uploads"},
    Metric{"cutover_retries_total", "counter", "Retries of the running process.", "/progress/retries"},
    Metric{"cutover_bytes_per_second", "gauge", "Pace of the running process.", "/progress/bytes_per_second"},
    Metric{"cutover_indexes", "gauge", "Indexes to be built.", "/progress/indexes_total"},
    Metric{"cutover_indexes_done", "gauge", "Indexes that are built.", "/progress/indexes_done"},
};

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::optional<std::string> number_at(const Json& status, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!status.contains(at)) return std::nullopt;
  const auto& value = status.at(at);
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  return value.is_number() ? std::optional(value.dump()) : std::nullopt;
}

struct MeteredRun {
  std::string labels;
  Json status;
};

/// Of the `cutover run` that the others are parts of.
MeteredRun whole_run(const DirectoryStatus& status) {
  const auto& run = *status.run;
  Json figures{{"running", status.running}, {"finished", !status.running}};
  if (!status.running) figures["exit_code"] = run.at("exit_code");
  return {R"(run=".",kind="run")", std::move(figures)};
}

/// What is a word, not a number: a value of 1 with the word as a label.
std::string info(const char* name, const char* help, const char* label, const std::string& word) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0}{{run=\".\",kind=\"run\",{2}=\"{3}\"}} 1\n", name,
                     help, label, label_value(word));
}

std::string words_of(const Json& run) {
  auto out = info("cutover_verdict", "Of the whole move.", "verdict", run.at("verdict").get<std::string>());
  if (const auto& steps = run.at("steps"); !steps.empty())
    out += info("cutover_step", "The last one that has begun.", "step",
                steps.back().at("name").get<std::string>());
  return out;
}

}  // namespace

std::string metrics_text(const fs::path& directory, const DirectoryStatus& all) {
  std::vector<MeteredRun> runs;
  if (all.run) runs.push_back(whole_run(all));
  for (const auto& any : all.all) {
    auto status = status_json(any);
    const auto run = fs::path(status.at("run_dir").get<std::string>()).lexically_relative(directory);
    runs.push_back(
        {fmt::format(R"(run="{}",kind="{}")", label_value(run.string()), status.value("kind", "copy")),
         std::move(status)});
  }
  std::string out;
  for (const auto& metric : kMetrics) {
    std::string values;
    for (const auto& run : runs)
      if (const auto number = number_at(run.status, metric.value))
        values += fmt::format("{}{{{}}} {}\n", metric.name, run.labels, *number);
    if (!values.empty())
      out +=
          fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{3}", metric.name, metric.help, metric.type, values);
  }
  if (all.run) out += words_of(*all.run);
  return out;
}

}  // namespace cli
