#include "cli/verify_options.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "cli/connection_options.h"
#include "cli/upload_options.h"

namespace cli {
namespace {

constexpr unsigned kMostRechecks = 1000;
constexpr unsigned kMostRowsShown = 1'000'000;
constexpr unsigned kMostDifferences = 4'000'000'000;
constexpr uint64_t kLeastRowMemory = 256 << 10;

void add_connections(OptionSet& set, VerifyOptions& options) {
  set.group("Connections and state");
  add_source_option(set, options.run);
  add_target_option(set, options.run);
  set.value(
      "--run-dir", "DIR",
      "the run directory of a finished copy: the target is compared with what left the source then, and the "
      "source is not read. Of an upload: its directory is compared with its bucket. Empty: none, whatever "
      "the environment and cutover.toml say",
      "both sides are read", [&options](const std::string& text) {
        options.run_dir.reset();
        if (!text.empty()) options.run_dir = text;
      });
  set.flag("--independent", "read the source too, although --run-dir has a copy's digests",
           options.independent);
  set.value(
      "--resume", "FILE",
      "keep in this file what was found equal: an interrupted comparison of both sides goes on from there, "
      "unless a transaction began on either since",
      "", [&options](const std::string& text) {
        options.resume.reset();
        if (!text.empty()) options.resume = text;
      });
  add_databases_option(set, options.run);
}

void add_depth(OptionSet& set, VerifyOptions& options) {
  set.group("How deep");
  set.value("--level", "catalog|counts|digests|rows",
            "catalog: definitions, owners and grants alone; counts: rows per table, and sequences; digests: "
            "every row of every table; rows: and which rows and "
            "columns, where digests differ",
            "rows", [&options](const std::string& text) {
              using verify::Level;
              options.level = parse_choice<Level>(text, {{"catalog", Level::catalog},
                                                         {"counts", Level::counts},
                                                         {"digests", Level::digests},
                                                         {"rows", Level::rows}});
            });
  set.value("--objects", "list|checksum|download[=N%]",
            "of an upload: compare sizes and ETags, the server's checksums with the files read again, or the "
            "objects byte by byte, or a share of them",
            options.objects, [&options](const std::string& text) {
              s3::UploadOptions unused;
              set_verification(unused, text);
              if (unused.verify == s3::VerifyLevel::none)
                throw base::Error(base::ErrorKind::usage, "\"none\" compares nothing",
                                  "use list, checksum or download");
              options.objects = text;
            });
  set.flag("--strong", "hash rows by HMAC-SHA-256 instead of XXH3-128: slower; not with a copy's digests",
           options.strong);
  set.flag(
      "--server-side",
      "let the servers digest their rows, and read only tables that differ: for where what leaves a server "
      "is dear. It takes them about twice the time; not with a copy's digests",
      options.server_side);
  set.value(
      "--recheck", "N",
      "look at the rows that differ up to N times more, two seconds apart: what was only on its way does not "
      "differ twice",
      "0", [&options](const std::string& text) { options.recheck = parse_number(text, 0, kMostRechecks); });
  add_comparison_selection(set, options.run);
  add_reading_options(set, options.run);
}

void add_result(OptionSet& set, VerifyOptions& options) {
  set.group("Result");
  set.value(
      "--max-rows", "N", "differing rows shown for each table", std::to_string(options.max_rows),
      [&options](const std::string& text) { options.max_rows = parse_number(text, 0, kMostRowsShown); });
  set.flag("--show-values",
           "show the values of differing columns (of each the first 4,096 bytes); without it, only keys and "
           "names of columns",
           options.show_values);
  set.value("--differences", "FILE", "write all differing rows to this file, one JSON object per line",
            "DIR/differences.jsonl with --run-dir",
            [&options](const std::string& text) { options.differences_file = text; });
  set.value("--max-differences", "N",
            "differing rows looked for in each table. Where more differ, the result says so",
            std::to_string(options.max_differences), [&options](const std::string& text) {
              options.max_differences = parse_number(text, 1, kMostDifferences);
            });
  set.value(
      "--row-memory", "SIZE",
      "memory for finding the rows of a table that differ; with less of it, the table is read more often",
      "64MB", [&options](const std::string& text) {
        options.row_memory = base::parse_bytes(text);
        if (options.row_memory < kLeastRowMemory)
          throw base::Error(base::ErrorKind::usage, fmt::format("{} is too little", text),
                            "use 256kB or more");
      });
  add_result_files(set, options, "verify-report.json");
}

}  // namespace

void add_result_files(OptionSet& set, VerifyOptions& options, const std::string& kept) {
  set.value("--report", "FILE", "write the result as JSON to this file", "DIR/" + kept + " with --run-dir",
            [&options](const std::string& text) { options.report_file = text; })
      .is_written();
  set.value("--html", "FILE", "write the result as a page of its own, which loads nothing, to this file", "",
            [&options](const std::string& text) { options.page_file = text; })
      .is_written();
  set.flag("--report-json", "the result as JSON instead of text on standard output", options.run.json);
}

void add_catalog_options(OptionSet& set, VerifyOptions& options) {
  add_role_options(set, options.run);
  set.group("What may differ");
  set.list("--waive", "WAIVER",
           "accept a difference of definitions, written as it is reported: KIND NAME [PROPERTY], with * and "
           "?. With nothing else, the exit code is 5",
           [&options](const std::string& text) {
             options.waivers.push_back(verify::CatalogWaiver::parse(text));
           })
      .in("verify");
}

void add_verify_options(OptionSet& set, VerifyOptions& options) {
  add_connections(set, options);
  add_depth(set, options);
  add_catalog_options(set, options);
  add_result(set, options);
}

}  // namespace cli
