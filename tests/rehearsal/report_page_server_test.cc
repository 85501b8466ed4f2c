#include <array>

#include "base/file.h"
#include "cli/copy_section.h"
#include "cli/report_page.h"
#include "cli/verify_report.h"
#include "tests/rehearsal/fixture.h"
#include "tests/support/browser.h"

// The pages of a move, as people see them: in a browser, on a desk and on a telephone, by day and by night,
// and on paper.
namespace rehearsal {
namespace {

using support::BrowserView;
using ::testing::IsEmpty;

constexpr std::array kViews{BrowserView{1280, 900, false}, BrowserView{1280, 900, true},
                            BrowserView{390, 800, false}, BrowserView{390, 800, true}};

/// Contrast is that of WCAG 2, between the colour of each text and what is behind it.
constexpr const char* kLook = R"js(
const root = document.documentElement;
const overflow = () => root.scrollWidth - root.clientWidth;
measured.width = innerWidth;
measured.overflow_folded = overflow();
const verdict = document.querySelector('.verdict b');
const place = verdict.getBoundingClientRect();
measured.verdict = verdict.textContent;
measured.verdict_in_sight =
    verdict.checkVisibility() && place.width > 0 && place.top >= 0 && place.bottom <= innerHeight && place.right <= innerWidth;
for (const folded of document.querySelectorAll('details')) folded.open = true;
measured.overflow = overflow();
measured.broken_links = [...document.querySelectorAll('nav a')]
    .filter(link => document.getElementById(link.hash.slice(1)) === null).map(link => link.textContent);
measured.loads = [...document.querySelectorAll('[src], [srcset], link, object, embed, image, use')].map(one => one.tagName);
for (const style of document.querySelectorAll('style'))
  if (/url\(|@import/.test(style.textContent)) measured.loads.push('STYLE');

const parts = colour => colour.match(/[\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]].reduce((sum, [part, weight]) => {
  const c = part / 255;
  return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
}, 0);
const background = element => {
  for (; element; element = element.parentElement) {
    const colour = parts(getComputedStyle(element).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
measured.dark = luminance(background(document.body)) < 0.5;
measured.texts = 0;
const faint = new Set();
const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (nodes.nextNode()) {
  const element = nodes.currentNode.parentElement;
  if (nodes.currentNode.textContent.trim() === '' || element.tagName === 'SCRIPT' || !element.checkVisibility()) continue;
  ++measured.texts;
  const both = [luminance(parts(getComputedStyle(element).color)), luminance(background(element))].sort((a, b) => a - b);
  const contrast = (both[1] + 0.05) / (both[0] + 0.05);
  if (contrast < 4.5) faint.add(`${element.tagName} "${element.className}": ${contrast.toFixed(2)}`);
}
measured.faint = [...faint];
)js";

class PageInBrowser : public testing::Test {
 protected:
  void expect_readable(const std::string& page, const std::string& verdict) const {
    for (const auto& view : kViews) {
      const auto found = browser_.measure(page, kLook, view);
      SCOPED_TRACE(found.dump());
      EXPECT_EQ(found.at("width"), view.width);
      EXPECT_EQ(found.at("dark"), view.dark) << "the scheme was not switched";
      EXPECT_EQ(found.at("verdict"), verdict);
      EXPECT_TRUE(found.at("verdict_in_sight"));
      EXPECT_LE(found.at("overflow_folded"), 0);
      EXPECT_LE(found.at("overflow"), 0);
      EXPECT_GT(found.at("texts"), 10);
      for (const auto* none : {"broken_links", "loads", "faint"})
        EXPECT_THAT(found.at(none), IsEmpty()) << none;
    }
  }
  /// As it is: with its rules for content security.
  void expect_quiet(const std::string& url) const {
    for (const auto& view : {kViews.front(), kViews.back()})
      EXPECT_THAT(browser_.visit(url, view).console, IsEmpty());
  }
  /// Returns how large it is.
  uintmax_t expect_printed(const fs::path& page) const {
    const auto pdf = home_ / "page.pdf";
    browser_.print(support::file_url(page), pdf);
    EXPECT_THAT(base::read_file(pdf).substr(0, 5), "%PDF-");
    return fs::file_size(pdf);
  }
  fs::path written(const std::string& page) const {
    std::ofstream(home_ / "page.html") << page;
    return home_ / "page.html";
  }

  support::Browser browser_;
  support::TempDir home_;
};

TEST_F(PageInBrowser, OfAMoveThatMayGoOnAndOfOneThatMayNot) {
  const Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  application.target.exec("UPDATE order_items SET quantity = quantity + 1 WHERE id <= 100");
  ASSERT_EQ(application.cutover({"run"}).exit_code, 1);
  const auto file = application.directory / "cutover-run/report.html";
  expect_readable(base::read_file(file), "NO-GO");
  expect_quiet(support::file_url(file));

  application.target.exec("UPDATE order_items SET quantity = quantity - 1 WHERE id <= 100");
  const auto go = application.cutover({"run", "--final", "--yes"});
  ASSERT_EQ(go.exit_code, 0) << go.output << go.error;
  const auto page = base::read_file(file);
  for (const auto* part :
       {"the way back", "environment (", "timeline (", "checks (", "PostgreSQL 15", "region us-east-1"})
    EXPECT_THAT(page, HasSubstr(part));
  expect_readable(page, "GO");
  expect_quiet(support::file_url(file));
  expect_printed(file);
}

TEST_F(PageInBrowser, OfMuchWithLongNames) {
  verify::Outcome outcome;
  outcome.source = {
      "postgres://app@" + std::string(60, 'o') + ".example/db", "15.18", {"1", 5, "10:10:", "0/1"}, false};
  outcome.target = {
      "postgres://app@" + std::string(60, 'n') + ".example/db", "17.2", {"2", 6, "20:20:", "0/2"}, false};
  for (int i = 0; i < 400; ++i) {
    verify::TableResult table;
    table.name = fmt::format("\"{}\".\"{}{}\"", std::string(63, 's'), std::string(60, 't'), i);
    table.kind = "table";
    table.state = i % 3 == 0 ? verify::State::different : verify::State::equal;
    table.columns = table.key = {std::string(63, 'k')};
    auto& rows = table.rows.emplace();
    if (i % 3 == 0)
      rows.rows.push_back({verify::RowDifference::Kind::missing, {std::string(500, 'v')}, {}, 1, 0, {}, {}});
    rows.missing = rows.rows.size();
    outcome.tables.push_back(std::move(table));
  }
  outcome.unchecked.push_back(
      {"table " + std::string(126, 'u'), std::string(300, 'w'), std::string(300, 'h')});
  auto comparison = cli::section_of(cli::verify_json(outcome, {}), "test");
  cli::Json copy{{"version", 1},
                 {"command", "copy"},
                 {"verdict", "equal"},
                 {"exit_code", 0},
                 {"run_dir", "/var/lib/" + std::string(200, 'd')},
                 {"throughput", cli::Json::array()}};
  for (int i = 0; i < 120; ++i) copy["throughput"].push_back({i, i * i * 1'000'000, i * 5000});
  const auto page = cli::report_page(std::array{std::move(comparison), cli::section_of(copy, "test")});
  EXPECT_THAT(page, HasSubstr("bytes per second: "));
  expect_readable(page, "UNVERIFIED");
  expect_quiet(support::file_url(written(page)));
  expect_printed(home_ / "page.html");
}

TEST_F(PageInBrowser, OfARunThatGoesOn) {
  const GatedMove move;
  support::Process process(support::cutover_program(), move.arguments({"--serve", "127.0.0.1:0"}),
                           move.options());
  const auto address = GatedMove::address_of(process);
  move.wait_until_it_copies();
  expect_quiet(address);
  expect_readable(get(address).body, "RUNNING");
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().exit_code, 4);
}

// What is folded away on the screen is on the paper.
TEST_F(PageInBrowser, PrintsWhatIsFoldedAway) {
  const auto pages = [&](size_t notes) {
    cli::ReportSection section{.title = "Copy", .headline = "EQUAL: all"};
    cli::ReportList list{.title = "notes", .items = {}};
    for (size_t i = 0; i < notes; ++i) list.items.push_back({fmt::format("note {}", i)});
    section.lists.push_back(std::move(list));
    return expect_printed(written(cli::report_page(std::array{std::move(section)})));
  };
  EXPECT_GT(pages(1000), pages(1) + 20'000);
}

// Else the tests above would show nothing.
TEST_F(PageInBrowser, IsSeenAsItIs) {
  const std::string bad =
      "<!doctype html><html><head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'\"></head>"
      "<body style=\"background: #fff\"><nav><a href=\"#s1\">nowhere</a></nav><p style=\"color: "
      "#999\">faint</p>"
      "<div class=\"verdict\" style=\"margin-top: 3000px; width: 2000px\"><b>GO</b></div>"
      "<img src=\"other.png\" alt=\"\"></body></html>";
  const auto found = browser_.measure(bad, kLook, {.width = 390, .height = 800, .dark = true});
  EXPECT_FALSE(found.at("dark"));
  EXPECT_FALSE(found.at("verdict_in_sight"));
  EXPECT_GT(found.at("overflow"), 1000);
  EXPECT_EQ(found.at("broken_links").size(), 1U);
  EXPECT_EQ(found.at("loads").size(), 1U);
  EXPECT_EQ(found.at("faint"), nlohmann::json::array({"P \"\": 2.85"}));
  EXPECT_THAT(browser_.visit(support::file_url(written(bad))).console, testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace rehearsal
