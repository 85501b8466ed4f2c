#include "cli/upload_options.h"

#include <charconv>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "cli/authentication.h"
#include "cli/connection_options.h"
#include "cli/option_values.h"
#include "s3/references.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;
using s3::Glob;

OptionSet::Set append_to(std::vector<Glob>& globs) {
  return [&globs](const std::string& text) { globs.emplace_back(text); };
}

void set_encryption(s3::ObjectSettings& settings, const std::string& text) {
  const auto colon = text.find(':', std::string_view("aws:").size());
  const auto name = text.starts_with("aws:") ? text.substr(0, colon) : text;
  if (name != "AES256" && name != "aws:kms")
    throw Error(ErrorKind::usage, "there is no encryption \"" + text + "\"",
                "use AES256, aws:kms or aws:kms:KEY");
  settings.encryption = name;
  if (name != text) settings.kms_key = text.substr(colon + 1);
}

void add_tag(s3::ObjectSettings& settings, const std::string& text) {
  const auto [key, value] = parse_pair(text, "KEY=VALUE");
  s3::add_tag(settings, key, value);
}

void add_bucket_options(OptionSet& set, UploadCommand& command) {
  set.group("Bucket and state");
  set.value("--endpoint-url", "URL", "an S3 server other than AWS: MinIO, R2, Ceph; implies --path-style",
            "AWS", [&command](const std::string& text) { command.endpoint_url = text; });
  set.value("--region", "REGION", "the bucket's region",
            "AWS_REGION, the profile's, then what the bucket says",
            [&command](const std::string& text) { command.region = text; });
  set.value("--profile", "NAME", "of ~/.aws/config and ~/.aws/credentials", "AWS_PROFILE",
            [&command](const std::string& text) { command.profile = text; });
  set.flag("--path-style", "the bucket's name in the path instead of the host's name", command.path_style);
  set.flag("--fips", "AWS's endpoints with validated cryptography", command.fips);
  set.flag("--dualstack", "AWS's endpoints that have IPv6 addresses, too", command.dualstack);
  set.flag("--requester-pays", "agree to pay for the requests", command.requester_pays);
  set.value("--run-dir", "DIR", "where the upload keeps its journal and report. The same command resumes",
            "./" + command.upload.run_dir.string(),
            [&command](const std::string& text) { command.upload.run_dir = text; });
}

void add_file_options(OptionSet& set, UploadCommand& command) {
  auto& options = command.upload;
  set.group("What is uploaded");
  set.list("--include", "GLOB", "upload only these; patterns as in a .gitignore file",
           append_to(options.walk.filter.include));
  set.list("--exclude", "GLOB", "leave these out; wins over --include. A leading ! takes back an earlier one",
           append_to(options.walk.filter.exclude));
  set.value("--symlinks", "error|follow|skip",
            "symbolic links: report each one, upload what it points to (also outside of the directory), or "
            "leave them out",
            "error", [&options](const std::string& text) {
              options.walk.symlinks = parse_choice<s3::Symlinks>(text, {{"error", s3::Symlinks::error},
                                                                        {"follow", s3::Symlinks::follow},
                                                                        {"skip", s3::Symlinks::skip}});
            });
  set.flag("--overwrite",
           "objects that this run directory did not write may be replaced, if their content differs",
           options.overwrite);
  set.flag("--delete",
           "delete the objects under the prefix that have no file; only after an upload without problems",
           options.remove)
      .not_in_file();
}

void add_object_options(OptionSet& set, UploadCommand& command) {
  auto& settings = command.upload.settings;
  set.group("Objects");
  set.list("--content-type", "[GLOB=]TYPE", "instead of the one by the file's extension",
           [&settings](const std::string& text) { s3::add_content_type(settings.content_type, text); });
  set.list("--cache-control", "[GLOB=]VALUE", "the header Cache-Control; the last one that matches counts",
           [&settings](const std::string& text) { s3::add_cache_control(settings.cache_control, text); });
  set.value("--storage-class", "CLASS", "STANDARD_IA, GLACIER_IR and so on", "the bucket's",
            [&settings](const std::string& text) { settings.storage_class = text; });
  set.list("--tag", "KEY=VALUE", "a tag of every object",
           [&settings](const std::string& text) { add_tag(settings, text); });
  set.value("--sse", "AES256|aws:kms[:KEY]", "server-side encryption", "the bucket's",
            [&settings](const std::string& text) { set_encryption(settings, text); });
}

void add_work_options(OptionSet& set, UploadCommand& command) {
  auto& options = command.upload;
  constexpr unsigned kMostTransfers = 512;
  set.group("How");
  set.value("--concurrency", "N", "transfers at once, at most; fewer when more make it slower",
            std::to_string(options.concurrency), [&options](const std::string& text) {
              options.concurrency = parse_number(text, 1, kMostTransfers);
            });
  set.value("--memory", "SIZE", "for what is being sent", "256MB", [&options](const std::string& text) {
    options.memory = base::parse_bytes(text);
    if (options.memory < uint64_t{32} << 20)
      throw Error(ErrorKind::usage, "\"" + text + "\" is too little", "a file may need 32 MB at once");
  });
  set.value("--bwlimit", "SIZE", "bytes per second, at most", "none",
            [&options](const std::string& text) { options.bytes_per_second = base::parse_bytes(text); });
  set.value("--retry-for", "DURATION", "how long a failing request is tried again", "5min",
            [&options](const std::string& text) { options.retry.give_up_after = parse_duration(text); });
}

/// Without --database it is the target of the move, as whoever runs this command knows it.
void add_reference_options(OptionSet& set, UploadCommand& command) {
  auto& references = command.upload.references;
  set.group("What the database mentions");
  set.list(
      "--refs", "COLUMN|SELECT",
      "every path that the database mentions must be a verified object: table.column, or a SELECT of one "
      "column of paths. Files that nobody mentions are listed",
      [&references](const std::string& text) {
        s3::reference_sql(text);
        references.queries.push_back(text);
      });
  set.value(
      "--refs-prefix", "TEXT",
      "what stands in front of the paths in the database; values that do not begin with it are counted only",
      "", [&references](const std::string& text) { references.prefix = text; });
  set.value("--database", "URL", "the database of --refs", "the target of the move",
            [&references](const std::string& text) { references.database = pg::Conninfo::parse(text); })
      .hidden();
  add_authentication_option(set, "database", command.database_authentication);
  set.group("What the database mentions, without --database", [&references] {
    return !references.queries.empty() && references.database.parameters().empty();
  });
  add_target_option(set, command.move);
  add_databases_option(set, command.move);
}

/// A database that nobody names is missed here, and not when everything is uploaded.
void require_references_database(const UploadCommand& command) {
  const auto& references = command.upload.references;
  if (references.queries.empty() || !references.database.parameters().empty() || command.dry_run) return;
  if (command.move.copy.target.parameters().empty())
    throw Error(ErrorKind::usage, "--refs needs a database",
                "give --database URL or set CUTOVER_DATABASE; or name the target of the move: --target, "
                "CUTOVER_TARGET or [target] url");
  if (command.move.databases.size() > 1)
    throw Error(ErrorKind::usage, "--refs needs one database, and several are declared",
                "name it with --database URL, or as database in [upload]");
}

}  // namespace

void set_verification(s3::UploadOptions& options, const std::string& text) {
  using s3::VerifyLevel;
  if (const std::string_view prefix = "download="; text.starts_with(prefix)) {
    double percent = 0;
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + prefix.size(), end, percent);
    if (error != std::errc() || std::string_view(at, end) != "%" || percent <= 0 || percent > 100)
      throw Error(ErrorKind::usage, "\"" + text + "\" is no share", "write it as download=5%");
    options.verify = VerifyLevel::download;
    options.download_share = percent / 100;
    return;
  }
  options.verify = parse_choice<VerifyLevel>(text, {{"none", VerifyLevel::none},
                                                    {"list", VerifyLevel::list},
                                                    {"checksum", VerifyLevel::checksum},
                                                    {"download", VerifyLevel::download}});
}

void add_upload_options(OptionSet& set, UploadCommand& command) {
  set.repeatable("--run-dir");
  set.group("From and to");
  set.positional("DIR", "the directory", "",
                 [&command](const std::string& text) { command.directory = text; })
      .at("upload.from");
  set.positional("S3_URI", "s3://BUCKET or s3://BUCKET/PREFIX", "",
                 [&command](const std::string& text) { command.target = text; })
      .at("upload.to");
  add_bucket_options(set, command);
  add_file_options(set, command);
  add_object_options(set, command);
  add_work_options(set, command);
  add_reference_options(set, command);
  set.group("Result");
  set.value("--verify", "none|list|checksum|download[=N%]",
            "how the bucket is compared afterwards: by listing; by the server's checksums, reading the files "
            "again; by "
            "reading the objects, or a share of them, back",
            "list", [&command](const std::string& text) {
              set_verification(command.upload, text);
              command.level_given = true;
            });
  set.flag(
         "--verify-only",
         "upload nothing, only compare (by checksum, unless --verify says otherwise); needs no run directory",
         command.verify_only)
      .not_in_file();
  set.flag("--dry-run", "say what would be uploaded; sends nothing", command.dry_run).not_in_file();
  set.flag("--report-json",
           "the result as JSON instead of text on standard output; it is in DIR/report.json anyway",
           command.json);
}

void complete_upload_options(UploadCommand& command) {
  if (command.directory.empty() || command.target.empty())
    throw Error(ErrorKind::usage, "directory and bucket are needed", "cutover upload DIR s3://BUCKET/PREFIX");
  command.upload.directory = command.directory;
  command.upload.target = s3::parse_uri(command.target);
  command.upload.walk.prefix = command.upload.target.prefix;
  // Without the journal of an upload a listing only has sizes to compare: that must be asked for.
  if (command.verify_only && !command.level_given) command.upload.verify = s3::VerifyLevel::checksum;
  if (command.verify_only && command.upload.verify == s3::VerifyLevel::none)
    throw Error(ErrorKind::usage, "--verify-only with --verify none does nothing", "leave one of them out");
  const auto& references = command.upload.references;
  if (!references.queries.empty() && command.upload.verify == s3::VerifyLevel::none)
    throw Error(ErrorKind::usage, "--refs needs verified objects", "leave --verify none out");
  require_references_database(command);
  if (command.verify_only && command.upload.remove)
    throw Error(ErrorKind::usage, "--verify-only deletes nothing", "leave --delete out");
}

}  // namespace cli
