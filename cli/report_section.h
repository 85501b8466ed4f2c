#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/log.h"

/// What a kept result (report.json, verify-report.json, …) says, in a form that text and a page both show.
/// Everything is made from the JSON document alone, so that a result looks the same whenever it is shown.
namespace cli {

enum class Tone { good, bad, unsure, plain };

struct ReportItem {
  std::string text;
  std::string hint = {};
  std::vector<std::string> details = {};
  /// What stands under the details in text: how many more there are, a note.
  std::vector<std::string> remarks = {};
};

struct ReportList {
  std::string title;
  Tone tone = Tone::plain;
  std::vector<ReportItem> items;
  size_t most_in_text = SIZE_MAX;
  uint64_t not_kept = 0;  ///< how many more there are than the document holds
  bool in_text = true;
  bool is_advice = false;  ///< on the page neither counted nor, where it is plain, folded away
};

/// On the page, and in text only where it says so: of most, the lists say what matters.
struct ReportTable {
  struct Column {
    std::string name;
    bool numeric = false;
    bool prose = false;   ///< sentences
    bool in_text = true;  ///< where the table is shown in text
  };
  struct Row {
    Tone tone = Tone::plain;
    std::vector<std::string> cells;
  };
  std::string title;
  std::vector<Column> columns;
  std::vector<Row> rows;
  size_t state_column = 1;  ///< is shown in the row's tone
  bool in_text = false;
};

/// On the page alone: how fast something went, as steps.
struct ReportChart {
  struct Step {
    double from = 0;  ///< seconds since the start
    double to = 0;
    double rate = 0;  ///< per second
  };
  std::string title;
  std::string summary = {};
  double seconds = 0;  ///< the whole
  std::vector<Step> steps = {};
};

/// One result.
struct ReportSection {
  std::string title;     ///< "Comparison"
  std::string headline;  ///< "EQUAL: 11 tables, …"; what precedes the colon is the verdict
  Tone tone = Tone::plain;
  std::string time;
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<ReportList> lists;
  std::vector<ReportTable> tables;
  std::vector<ReportChart> charts;
  std::string next;
};

/// Of any result of this program. Throws Error{usage} for what is none, or is of a version that we do not
/// know; `name` is what the document is called in messages.
ReportSection section_of(const Json& report, const std::string& name);
/// With those of the results that it is made of behind it (its "documents"), and where all of it comes from.
std::vector<ReportSection> sections_of(const Json& report, const std::string& name);

/// By command; they expect a document of ours and throw Json::exception otherwise.
ReportSection verify_section(const Json& report);
ReportSection repair_section(const Json& report);
ReportSection copy_section(const Json& report);
ReportSection upload_section(const Json& report);

/// The items of the lists in that tone, each behind its list's title: "rows differ: public.orders: …".
std::vector<std::string> said_in(const ReportSection& section, Tone tone);

std::string section_text(const ReportSection& section, bool colours);

// For those who make sections.

Tone tone_of(int exit_code);
/// [{object, message, hint}] or [{…, fix}]
ReportList remark_list(const Json& remarks, std::string title, Tone tone = Tone::plain);
/// Of [{kind, object, message, hint}], the member "problems"; an upload's have path and what.
ReportList problem_list(const Json& report, std::string_view kind, std::string title, Tone tone);
/// A number, 0 without one, with its noun if there is one: "1,234 tables".
std::string amount(const Json& report, const char* member, std::string_view noun = {});
/// "1.4 s", of seconds; empty for null.
std::string duration_text(const Json& seconds);
/// Leaves out what is empty.
void add_fact(ReportSection& section, std::string name, std::string value);
/// Leaves out an empty one.
void add_list(ReportSection& section, ReportList list);

}  // namespace cli
