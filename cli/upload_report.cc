#include "cli/upload_report.h"

#include "base/format.h"
#include "cli/errors.h"
#include "s3/client.h"
#include "s3/keys.h"

namespace cli {
namespace {

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

/// What is uploaded and not compared is not equal.
std::string_view upload_verdict(int exit_code, VerifyLevel level) {
  if (exit_code == kEqual) return level == VerifyLevel::none ? "uploaded" : "equal";
  return exit_code == kDifferent ? "different" : "failed";
}

Json references_json(const std::optional<s3::References>& references) {
  if (!references) return nullptr;
  return {{"mentioned", references->mentioned},
          {"missing", references->missing},
          {"elsewhere", references->elsewhere},
          {"unmentioned", references->unmentioned},
          {"silent", references->silent}};
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

Json upload_report(const s3::Outcome& outcome, const s3::UploadOptions& options, const s3::Endpoint& endpoint,
                   const ReportContext& context) {
  const auto code = exit_code_of(outcome);
  const auto& verified = outcome.verification;
  auto out = report_header(context, upload_verdict(code, verified.level), code);
  out.update(
      Json{{"directory", s3::printable(options.directory.native())},
           {"bucket", fmt::format("s3://{}/{}", options.target.bucket, options.target.prefix)},
           {"endpoint", endpoint.name},
           {"region", endpoint.region},
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
             {"downloaded", verified.downloaded},
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

Json dry_run_json(const s3::DryRun& plan) {
  return {{"version", 1},
          {"command", "upload --dry-run"},
          {"walked", walked_json(plan.walked)},
          {"files", plan.files},
          {"bytes", plan.bytes},
          {"in_parts", plan.in_parts},
          {"problems", problems_json(plan.problems)}};
}

}  // namespace cli
