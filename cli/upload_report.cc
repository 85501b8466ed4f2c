#include "cli/upload_report.h"

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/text.h"
#include "s3/keys.h"

namespace cli {
namespace {

using base::human_bytes;
using base::human_count;
using s3::VerifyLevel;

std::string_view name_of(VerifyLevel level) {
  switch (level) {
    case VerifyLevel::none:
      return "none";
    case VerifyLevel::list:
      return "list";
    case VerifyLevel::checksum:
      return "checksum";
    case VerifyLevel::download:
      return "download";
  }
  return "none";
}

std::string_view name_of(s3::Problem::Kind kind) {
  switch (kind) {
    case s3::Problem::Kind::failed:
      return "failed";
    case s3::Problem::Kind::different:
      return "different";
    case s3::Problem::Kind::note:
      return "note";
  }
  return "failed";
}

std::string_view upload_verdict(int exit_code) {
  if (exit_code == kEqual) return "equal";
  return exit_code == kDifferent ? "different" : "failed";
}

constexpr size_t kMostShown = 20;

void add_problems(std::string& out, const std::vector<s3::Problem>& problems, s3::Problem::Kind kind,
                  std::string_view title, uint64_t all) {
  size_t shown = 0;
  for (const auto& problem : problems) {
    if (problem.kind != kind) continue;
    if (shown == 0) out += fmt::format("\n{}:\n", title);
    if (++shown > kMostShown) break;
    out += fmt::format("  {}{}{}\n", sanitized_line(problem.path), problem.path.empty() ? "" : ": ",
                       sanitized_line(problem.what));
  }
  if (all > kMostShown && shown > kMostShown)
    out += fmt::format("  … {} in all, see report.json\n", human_count(all));
}

std::string left_out(const s3::WalkCounts& walked) {
  std::vector<std::string> parts;
  if (walked.filtered > 0) parts.push_back(human_count(walked.filtered) + " by --include and --exclude");
  if (walked.symlinks_skipped > 0) parts.push_back(counted(walked.symlinks_skipped, "symbolic link"));
  if (walked.empty_directories > 0)
    parts.push_back(human_count(walked.empty_directories) + " empty directories, which S3 does not know");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string verification_line(const s3::Verification& result) {
  if (result.level == VerifyLevel::none) return "not done";
  auto out = fmt::format("{} equal by {}", human_count(result.equal), name_of(result.level));
  const auto add = [&](uint64_t count, std::string_view what) {
    if (count > 0) out += fmt::format(", {} {}", human_count(count), what);
  };
  add(result.listed, "equal by list");
  add(result.missing, "missing");
  add(result.different, "different");
  add(result.unverified, "not verified");
  add(result.vanished, "deleted meanwhile");
  add(result.extra, "without a file");
  return out;
}

std::string references_line(const s3::References& references) {
  auto out = fmt::format("{} by the database, {} of them missing", counted(references.mentioned, "path"),
                         human_count(references.missing));
  if (references.elsewhere > 0) out += fmt::format(", {} elsewhere", counted(references.elsewhere, "value"));
  if (references.unmentioned > 0)
    out += fmt::format("; {} by nobody", counted(references.unmentioned, "file"));
  return out;
}

Json references_json(const std::optional<s3::References>& references) {
  if (!references) return nullptr;
  return {{"mentioned", references->mentioned},
          {"missing", references->missing},
          {"elsewhere", references->elsewhere},
          {"unmentioned", references->unmentioned}};
}

Json problems_json(const std::vector<s3::Problem>& problems) {
  auto out = Json::array();
  for (const auto& problem : problems)
    out.push_back({{"kind", name_of(problem.kind)}, {"path", problem.path}, {"what", problem.what}});
  return out;
}

Json walked_json(const s3::WalkCounts& walked) {
  return {{"files", walked.files},
          {"bytes", walked.bytes},
          {"filtered", walked.filtered},
          {"symlinks_skipped", walked.symlinks_skipped},
          {"empty_directories", walked.empty_directories},
          {"problems", walked.problems}};
}

}  // namespace

int exit_code_of(const s3::Outcome& outcome) {
  if (outcome.failures > 0) return kFailed;
  return outcome.differences > 0 ? kDifferent : kEqual;
}

std::string upload_text(const s3::Outcome& outcome, const ReportContext& context, bool colours) {
  const auto code = exit_code_of(outcome);
  auto out =
      styled_verdict(fmt::format("{}: {}, {} in {}\n", base::upper_case(upload_verdict(code)),
                                 counted(outcome.walked.files, "file"), human_bytes(outcome.walked.bytes),
                                 base::human_duration(outcome.elapsed)),
                     code, colours);
  if (outcome.capabilities)
    add_fact(
        out, "uploaded",
        fmt::format("{} ({}), {} unchanged{}", human_count(outcome.uploaded), human_bytes(outcome.bytes_sent),
                    human_count(outcome.unchanged),
                    outcome.adopted > 0 ? fmt::format(", {} were there", human_count(outcome.adopted)) : ""));
  if (outcome.removed > 0) add_fact(out, "deleted", counted(outcome.removed, "object"));
  if (outcome.vanished > 0)
    add_fact(out, "vanished", counted(outcome.vanished, "file") + " were deleted while the upload ran");
  add_fact(out, "left out", left_out(outcome.walked));
  if (outcome.capabilities)
    add_fact(out, "checked",
             fmt::format("by the server as it came, with {}", to_string(outcome.capabilities->integrity)));
  add_fact(out, "verified", verification_line(outcome.verification));
  if (outcome.references) add_fact(out, "mentioned", references_line(*outcome.references));
  add_problems(out, outcome.problems, s3::Problem::Kind::failed, "failed", outcome.failures);
  add_problems(out, outcome.problems, s3::Problem::Kind::different, "different", outcome.differences);
  add_problems(out, outcome.problems, s3::Problem::Kind::note, "to know",
               outcome.verification.extra + (outcome.references ? outcome.references->unmentioned : 0));
  if (code != kEqual) out += fmt::format("\nnext: mend what is listed, then run again: {}\n", context.again);
  return out;
}

Json upload_report(const s3::Outcome& outcome, const s3::UploadOptions& options,
                   const ReportContext& context) {
  const auto code = exit_code_of(outcome);
  const auto& verified = outcome.verification;
  auto out = report_header(context, upload_verdict(code), code);
  out.update(
      Json{{"directory", s3::printable(options.directory.native())},
           {"bucket", fmt::format("s3://{}/{}", options.target.bucket, options.target.prefix)},
           {"seconds", base::seconds_of(outcome.elapsed)},
           {"walked", walked_json(outcome.walked)},
           {"uploaded", outcome.uploaded},
           {"unchanged", outcome.unchanged},
           {"adopted", outcome.adopted},
           {"vanished", outcome.vanished},
           {"removed", outcome.removed},
           {"bytes_sent", outcome.bytes_sent},
           {"requests", outcome.requests},
           {"retries", outcome.retries},
           {"integrity", outcome.capabilities ? Json(to_string(outcome.capabilities->integrity)) : Json()},
           {"verification",
            {{"level", name_of(verified.level)},
             {"equal", verified.equal},
             {"listed", verified.listed},
             {"missing", verified.missing},
             {"different", verified.different},
             {"unverified", verified.unverified},
             {"vanished", verified.vanished},
             {"extra", verified.extra}}},
           {"references", references_json(outcome.references)},
           {"failures", outcome.failures},
           {"differences", outcome.differences},
           {"problems", problems_json(outcome.problems)}});
  return out;
}

int exit_code_of(const s3::DryRun& plan) { return plan.walked.problems > 0 ? kFailed : kEqual; }

std::string dry_run_text(const s3::DryRun& plan) {
  auto out = fmt::format("{} of {}, {} of {}, would be uploaded\n", human_count(plan.files),
                         counted(plan.walked.files, "file"), human_bytes(plan.bytes),
                         human_bytes(plan.walked.bytes));
  add_fact(out, "left out", left_out(plan.walked));
  add_problems(out, plan.problems, s3::Problem::Kind::failed, "cannot be uploaded", plan.walked.problems);
  return out;
}

Json dry_run_json(const s3::DryRun& plan) {
  return {{"version", 1},        {"command", "upload --dry-run"}, {"walked", walked_json(plan.walked)},
          {"files", plan.files}, {"bytes", plan.bytes},           {"problems", problems_json(plan.problems)}};
}

}  // namespace cli
