#include "cli/upload_section.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/report_chart.h"
#include "cli/text.h"

namespace cli {
namespace {

constexpr size_t kMostProblemsInText = 20;

std::string bytes_of(const Json& report, const char* member) {
  return base::human_bytes(report.value(member, uint64_t{0}));
}

/// Nothing for 0.
void add_amount(std::vector<std::string>& parts, const Json& report, const char* member,
                std::string_view what) {
  if (report.value(member, uint64_t{0}) > 0)
    parts.push_back(fmt::format("{} {}", amount(report, member), what));
}

std::string left_out(const Json& walked) {
  std::vector<std::string> parts;
  add_amount(parts, walked, "filtered", "by --include and --exclude");
  if (walked.value("symlinks_skipped", uint64_t{0}) > 0)
    parts.push_back(amount(walked, "symlinks_skipped", "symbolic link"));
  add_amount(parts, walked, "empty_directories", "empty directories, which S3 does not know");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string uploaded_text(const Json& report) {
  if (report.value("integrity", Json()).is_null()) return {};  // nothing was to be uploaded
  auto out = fmt::format("{} ({}), {} unchanged", amount(report, "uploaded"), bytes_of(report, "bytes_sent"),
                         amount(report, "unchanged"));
  if (report.value("adopted", uint64_t{0}) > 0)
    out += fmt::format(", {} were there", amount(report, "adopted"));
  return out;
}

std::string verification_text(const Json& verified) {
  const auto level = verified.value("level", "none");
  if (level == "none") return "not done";
  // Without a journal what lies outside of a sample is compared by checksum.
  const bool is_download = level == "download" && verified.contains("downloaded");
  const bool is_mixed =
      is_download && verified.value("equal", uint64_t{0}) > verified.value("downloaded", uint64_t{0});
  std::vector<std::string> parts{
      fmt::format("{} equal by {}{}", amount(verified, "equal"), level, is_mixed ? " or checksum" : "")};
  if (is_download) parts.push_back(amount(verified, "downloaded") + " downloaded");
  add_amount(parts, verified, "listed", "equal by list");
  add_amount(parts, verified, "missing", "missing");
  add_amount(parts, verified, "different", "different");
  add_amount(parts, verified, "unverified", "not verified");
  add_amount(parts, verified, "vanished", "deleted meanwhile");
  add_amount(parts, verified, "extra", "without a file");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string references_text(const Json& references) {
  if (references.is_null()) return {};
  auto out = fmt::format("{} by the database, {} of them missing", amount(references, "mentioned", "path"),
                         amount(references, "missing"));
  if (references.value("elsewhere", uint64_t{0}) > 0)
    out += fmt::format(", {} elsewhere", amount(references, "elsewhere", "value"));
  if (references.value("unmentioned", uint64_t{0}) > 0)
    out += fmt::format("; {} by nobody", amount(references, "unmentioned", "file"));
  if (const auto silent = references.value("silent", std::vector<std::string>()); !silent.empty())
    out += fmt::format("; none by {}", fmt::join(silent, ", "));
  return out;
}

/// `all`: how many there are, of which the document has the first thousand.
ReportList first_problems(const Json& report, std::string_view kind, std::string title, Tone tone,
                          uint64_t all) {
  auto out = problem_list(report, kind, std::move(title), tone);
  out.most_in_text = kMostProblemsInText;
  out.not_kept = all > out.items.size() ? all - out.items.size() : 0;
  return out;
}

uint64_t all_notes(const Json& report) {
  const auto references = report.value("references", Json());
  return report.at("verification").value("extra", uint64_t{0}) +
         (references.is_null() ? 0 : references.value("unmentioned", uint64_t{0}));
}

}  // namespace

std::string upload_line(const Json& report) {
  const auto& walked = report.at("walked");
  const auto verdict = report.at("verdict").get<std::string>();
  return fmt::format("{}{}: {}, {} in {}", base::upper_case(verdict),
                     verdict == "uploaded" ? " (not compared)" : "", amount(walked, "files", "file"),
                     bytes_of(walked, "bytes"), duration_text(report.value("seconds", Json(0.0))));
}

ReportSection upload_section(const Json& report) {
  ReportSection out;
  const auto code = report.at("exit_code").get<int>();
  out.headline = upload_line(report);
  out.tone = tone_of(code);
  add_fact(out, "from", report.value("directory", ""));
  add_fact(out, "to", report.value("bucket", ""));
  add_fact(out, "uploaded", uploaded_text(report));
  if (report.value("removed", uint64_t{0}) > 0) add_fact(out, "deleted", amount(report, "removed", "object"));
  if (report.value("vanished", uint64_t{0}) > 0)
    add_fact(out, "vanished", amount(report, "vanished", "file") + " were deleted while the upload ran");
  add_fact(out, "left out", left_out(report.at("walked")));
  if (const auto integrity = report.value("integrity", Json()); integrity.is_string())
    add_fact(out, "checked", "by the server as it came, with " + integrity.get<std::string>());
  add_fact(out, "verified", verification_text(report.at("verification")));
  add_fact(out, "mentioned", references_text(report.value("references", Json())));
  add_list(out, first_problems(report, "failed", "failed", Tone::bad, report.value("failures", uint64_t{0})));
  add_list(out, first_problems(report, "different", "different", Tone::bad,
                               report.value("differences", uint64_t{0})));
  add_list(out, first_problems(report, "note", "to know", Tone::plain, all_notes(report)));
  add_throughput(out, report, "files");
  if (code != kEqual) out.next = "mend what is listed, then run again: " + report.value("again", "");
  return out;
}

std::string dry_run_text(const Json& plan) {
  const auto& walked = plan.at("walked");
  ReportSection out;
  out.headline =
      fmt::format("{} of {}, {} of {}, would be uploaded", amount(plan, "files"),
                  amount(walked, "files", "file"), bytes_of(plan, "bytes"), bytes_of(walked, "bytes"));
  add_fact(out, "left out", left_out(walked));
  if (plan.value("in_parts", uint64_t{0}) > 0)
    add_fact(
        out, "in parts",
        amount(plan, "in_parts", "file") +
            ": a server keeps and bills the parts of an upload that is never completed; a lifecycle rule "
            "of the bucket that aborts incomplete uploads after some days takes care of them");
  add_list(out, first_problems(plan, "failed", "cannot be uploaded", Tone::bad,
                               walked.value("problems", uint64_t{0})));
  return section_text(out, false);
}

}  // namespace cli
