#include "cli/report_page.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/format.h"
#include "cli/report_chart.h"
#include "cli/text.h"

namespace cli {
namespace {

// No colour alone says anything: every state is a word too.
constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --page: #fbfbfa; --card: #fff; --ink: #1d1f22; --soft: #62666d; --line: #e3e3e0;
  --chart: #7a9cc6; --good: #177343; --bad: #b3261e; --unsure: #8a5a00; --good-bg: #e7f4ec; --bad-bg: #fbeae9; --unsure-bg: #fbf1de; }
@media (prefers-color-scheme: dark) { :root { --page: #141517; --card: #1c1e21; --ink: #e8e8e6; --soft: #9a9fa7;
  --line: #303338; --chart: #4f74a3; --good: #6fd39b; --bad: #ff9a92; --unsure: #f0c270; --good-bg: #17301f; --bad-bg: #3a1b19; --unsure-bg: #35290f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 84rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
header { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: baseline; color: var(--soft); margin-bottom: 1rem; }
header strong { color: var(--ink); font-size: 1.05rem; }
nav a { color: inherit; margin-right: .9rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.2rem 1.4rem; margin: 0 0 1.4rem; }
h2 { font-size: .85rem; font-weight: 600; color: var(--soft); margin: 0 0 .5rem; text-transform: none; }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
.verdict { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline; border-radius: 8px; padding: .7rem .9rem; font-size: 1.1rem; }
.verdict b { letter-spacing: .03em; }
.good { color: var(--good); } .bad { color: var(--bad); } .unsure { color: var(--unsure); }
.verdict.good { background: var(--good-bg); } .verdict.bad { background: var(--bad-bg); } .verdict.unsure { background: var(--unsure-bg); }
.verdict span { color: var(--ink); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: 1rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; }
ul { margin: 0; padding-left: 1.1rem; } li { margin: .2rem 0; }
.hint, .rest, .note { color: var(--soft); } .hint { display: block; }
pre { margin: .35rem 0; padding: .5rem .7rem; background: var(--page); border: 1px solid var(--line); border-radius: 6px; overflow-x: auto;
  font: 13px/1.45 ui-monospace, monospace; max-height: 26rem; }
.scroll { overflow: auto; max-height: 44rem; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { position: sticky; top: 0; background: var(--card); color: var(--soft); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
th { white-space: normal; overflow-wrap: normal; vertical-align: bottom; } .number { text-align: right; }
.prose, .digest { white-space: normal; min-width: 11rem; } .digest { font: 12px ui-monospace, monospace; color: var(--soft); }
figure { margin: 0; color: var(--soft); font-size: .9rem; } figure svg { display: block; width: 100%; height: 5rem; border-bottom: 1px solid var(--line); }
figure path { fill: var(--chart); } .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 1.4rem; margin-top: 1.2rem; }
.axis { display: flex; justify-content: space-between; }
details { margin-top: .6rem; } summary { cursor: pointer; } footer { color: var(--soft); font-size: .9rem; }
@media (max-width: 40rem) { main { padding: 1rem .6rem 3rem; } section { padding: .9rem; } .prose, .digest { min-width: 18rem; } }
@media print { details::details-content { content-visibility: visible; } h2, h3, summary { break-after: avoid; } tr, li, figure { break-inside: avoid; }
  .scroll, pre { max-height: none; overflow: visible; } section { border: 0; padding: 0; } th { position: static; }
  th, td { white-space: normal; overflow-wrap: anywhere; padding: .2rem .4rem; min-width: 0; } pre { white-space: pre-wrap; } }
)css";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : sanitized_line(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view class_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "good";
    case Tone::bad:
      return "bad";
    case Tone::unsure:
      return "unsure";
    case Tone::plain:
      break;
  }
  return "plain";
}

class Page {
 public:
  std::string run(std::span<const ReportSection> sections, unsigned refresh_seconds) {
    begin(sections, refresh_seconds);
    for (size_t i = 0; i < sections.size(); ++i) add(sections[i], i);
    out_ += "<footer>Made by cutover " CUTOVER_VERSION
            ". A result is about the moment it was made: any later write voids "
            "it.</footer>\n</main></body></html>\n";
    return std::move(out_);
  }

 private:
  void begin(std::span<const ReportSection> sections, unsigned refresh_seconds) {
    out_ +=
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">"
        "<title>cutover report</title>";
    if (refresh_seconds > 0)
      out_ += fmt::format(R"(<meta http-equiv="refresh" content="{}">)", refresh_seconds);
    out_ += "<style>";
    out_ += kStyle;
    out_ += "</style></head><body><main>\n<header><strong>cutover report</strong>";
    if (sections.size() > 1) {
      out_ += "<nav>";
      for (size_t i = 0; i < sections.size(); ++i)
        out_ += fmt::format("<a href=\"#s{}\">{}</a>", i, escaped(sections[i].title));
      out_ += "</nav>";
    }
    out_ += "</header>\n";
  }

  void add(const ReportSection& section, size_t number) {
    out_ += fmt::format("<section id=\"s{}\"><h2>{}{}</h2>\n", number, escaped(section.title),
                        section.time.empty() ? "" : " · " + escaped(section.time));
    const auto colon = std::min(section.headline.find(':'), section.headline.size());
    out_ += fmt::format("<div class=\"verdict {}\"><b>{}</b><span>{}</span></div>\n", class_of(section.tone),
                        escaped(section.headline.substr(0, colon)),
                        escaped(section.headline.substr(std::min(colon + 1, section.headline.size()))));
    if (!section.facts.empty()) out_ += "<dl>";
    for (const auto& [name, value] : section.facts)
      out_ += fmt::format("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
    if (!section.facts.empty()) out_ += "</dl>\n";
    for (const auto& list : section.lists)
      if (list.in_text) add(list);
    for (const auto& table : section.tables) add(table);
    add_charts(section);
    if (!section.next.empty()) out_ += fmt::format("<p><b>next:</b> {}</p>\n", escaped(section.next));
    // What only the page has room for comes last.
    for (const auto& list : section.lists)
      if (!list.in_text) add(list);
    out_ += "</section>\n";
  }

  // What is plain is folded away: it is there for who looks for it.
  void add(const ReportList& list) {
    const bool folded = list.tone == Tone::plain && !list.is_advice;
    auto title = escaped(list.title);
    if (!list.is_advice) title += fmt::format(" ({})", base::human_count(list.items.size() + list.not_kept));
    out_ += folded ? fmt::format("<details><summary>{}</summary><ul>\n", title)
                   : fmt::format("<h3 class=\"{}\">{}</h3><ul>\n", class_of(list.tone), title);
    const auto shown = std::min(list.items.size(), kMostOnPage);
    for (size_t i = 0; i < shown; ++i) add(list.items[i]);
    out_ += "</ul>\n";
    add_rest(list.items.size() - shown + list.not_kept);
    if (folded) out_ += "</details>\n";
  }

  void add(const ReportItem& item) {
    out_ += "<li>" + escaped(item.text);
    if (!item.hint.empty()) out_ += "<span class=\"hint\">hint: " + escaped(item.hint) + "</span>";
    const auto shown = std::min(item.details.size(), kMostRowsOnPage - rows_);
    rows_ += shown;
    if (shown > 0) {
      out_ += "<pre>";
      for (size_t i = 0; i < shown; ++i) out_ += escaped(item.details[i]) + "\n";
      out_ += "</pre>";
    }
    add_rest(item.details.size() - shown);
    for (const auto& remark : item.remarks) out_ += "<div class=\"note\">" + escaped(remark) + "</div>";
    out_ += "</li>\n";
  }

  void add(const ReportTable& table) {
    out_ += fmt::format("<h3>{} ({})</h3><div class=\"scroll\"><table><thead><tr>", escaped(table.title),
                        base::human_count(table.rows.size()));
    for (const auto& column : table.columns)
      out_ += fmt::format("<th scope=\"col\"{}>{}</th>", column.numeric ? " class=\"number\"" : "",
                          escaped(column.name));
    out_ += "</tr></thead><tbody>\n";
    const auto shown = std::min(table.rows.size(), kMostOnPage);
    for (size_t i = 0; i < shown; ++i) add(table, table.rows[i]);
    out_ += "</tbody></table></div>\n";
    add_rest(table.rows.size() - shown);
  }

  void add(const ReportTable& table, const ReportTable::Row& row) {
    out_ += "<tr>";
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const auto style = i == table.state_column     ? class_of(row.tone)
                         : table.columns[i].numeric  ? "number"
                         : table.columns[i].prose    ? "prose"
                         : i + 1 == row.cells.size() ? "digest"
                                                     : "plain";
      out_ += fmt::format("<td class=\"{}\">{}</td>", style, escaped(row.cells[i]));
    }
    out_ += "</tr>\n";
  }

  void add_charts(const ReportSection& section) {
    if (section.charts.empty()) return;
    out_ += "<div class=\"charts\">\n";
    for (const auto& chart : section.charts) out_ += chart_figure(chart, escaped);
    out_ += "</div>\n";
  }

  void add_rest(size_t count) {
    if (count > 0)
      out_ +=
          fmt::format("<p class=\"rest\">and {} more, in the JSON document</p>\n", base::human_count(count));
  }

  std::string out_;
  size_t rows_ = 0;
};

}  // namespace

std::string report_page(std::span<const ReportSection> sections, unsigned refresh_seconds) {
  return Page().run(sections, refresh_seconds);
}

}  // namespace cli
