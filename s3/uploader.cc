#include "s3/uploader.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/thread_group.h"
#include "s3/context.h"
#include "s3/file_limit.h"
#include "s3/layout.h"
#include "s3/probe.h"
#include "s3/small_upload.h"
#include "s3/unfinished.h"
#include "s3/upload_run.h"
#include "s3/work_queue.h"

namespace s3 {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;

RunIdentity identity_of(const UploadOptions& options, const Endpoint& endpoint) {
  std::error_code error;
  const auto directory = fs::canonical(options.directory, error);
  if (error)
    throw base::system_error("open the directory", options.directory.native(), error.value())
        .kind(ErrorKind::usage)
        .hint("check that it is the right one and mounted");
  return {directory.native(), endpoint.name, options.target.bucket, options.target.prefix};
}

/// The journal changes while it is uploaded: it must not be among the files.
void check_run_dir(const UploadOptions& options) {
  const auto run_dir = fs::weakly_canonical(fs::absolute(options.run_dir));
  const auto directory = fs::canonical(options.directory);
  const auto relative = run_dir.lexically_relative(directory);
  if (relative.empty() || *relative.begin() == "..") return;
  if (!options.walk.filter.wants_directory(relative.native())) return;
  throw base::Error(ErrorKind::usage,
                    fmt::format("the run directory {} lies in the directory to upload", run_dir.native()),
                    "give --run-dir a place outside of it");
}

Selection selection_of(const WalkOptions& walk) {
  Selection out{.symlinks = walk.symlinks};
  for (const auto& glob : walk.filter.include) out.include.push_back(glob.text());
  for (const auto& glob : walk.filter.exclude) out.exclude.push_back(glob.text());
  return out;
}

ObjectHeaders headers_of(const UploadOptions& options) {
  auto types = ContentTypes::from_system();
  if (types.empty())
    spdlog::warn(
        "every object becomes application/octet-stream: there is no /etc/mime.types (package media-types)");
  return {options.settings, std::move(types)};
}

/// What is there to do and what can be done of it, before anything is sent.
WalkCounts look_through(const UploadOptions& options, Problems& problems, Progress& progress,
                        const base::Stop& stop) {
  progress.set_phase("walk");
  const WalkVisitor visitor{.file =
                                [&](const WalkedFile& file) {
                                  progress.files_total.fetch_add(1);
                                  progress.bytes_total.fetch_add(file.state.size);
                                },
                            .problem = problems.of_walk()};
  return walk(options.directory, options.walk, visitor, stop);
}

/// --delete takes what has no file for gone. That is wrong where files are left out that have an object.
void check_removal(const UploadOptions& options, const WalkCounts& walked, Problems& problems) {
  if (walked.files == 0 && problems.failures() == 0)
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("there is no file in {}: --delete would remove every object", options.directory.native()),
        "check that the directory is the right one and mounted");
  if (walked.symlinks_skipped > 0)
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} symbolic links are skipped: --delete would remove their objects",
                                  walked.symlinks_skipped),
                      "give --symlinks follow, or leave the links out with --exclude");
}

Capabilities find_capabilities(Client& client, const Retries& retries, UploadJournal& journal,
                               const UploadOptions& options) {
  if (auto known = journal.capabilities()) {
    // That was before the first run, and others can have written since: where a PUT does not find that out
    // each object has to be looked at.
    known->was_empty = known->was_empty && known->conditional_put;
    return *known;
  }
  base::HttpHeaders headers{{"Content-Type", "text/plain"}};
  if (!options.settings.encryption.empty())
    headers.add("x-amz-server-side-encryption", options.settings.encryption);
  if (!options.settings.kms_key.empty())
    headers.add("x-amz-server-side-encryption-aws-kms-key-id", options.settings.kms_key);
  const auto page =
      with_retries(client, retries, [&] { return client.list_objects(options.target.prefix, "", 1); });
  auto found = probe(client, retries, options.target.prefix, headers);
  found.was_empty = page.objects.empty();
  journal.record(found);
  return found;
}

/// The walk of the upload itself: unchanged files end here, the others go to the workers. Returns how many
/// there were; `files` are sorted then, and each is there once.
uint64_t feed(Context& context, WorkQueue& queue, std::vector<ExpectedFile>& files, const base::Stop& stop) {
  const auto take = [&](const WalkedFile& file) {
    files.push_back({path_hash(file.path), file.state.size});
    const auto settings = context.headers.settings_hash(file.path);
    if (context.journal.lookup(file.path, file.state, settings) == UploadJournal::Known::current) {
      context.unchanged.fetch_add(1);
      context.progress.files_done.fetch_add(1);
      context.progress.bytes_done.fetch_add(file.state.size);
    } else if (file.state.size > kLargestPut) {
      queue.add_large(file);
    } else {
      queue.add_small(file, stop);
    }
  };
  const WalkVisitor visitor{.file = take, .problem = context.problems.of_walk()};
  walk(context.options.directory, context.options.walk, visitor, stop);
  queue.close();
  const auto count = files.size();
  sort(files);
  return count;
}

void do_task(Context& context, Client& client, WorkQueue& queue, WorkQueue::Task& task) {
  using Kind = WorkQueue::Task::Kind;
  if (task.kind == Kind::small) {
    if (upload_small(context, client, task.file)) return queue.done();
    queue.grown(std::move(task.file));
  } else if (task.kind == Kind::begin) {
    auto upload = std::make_shared<LargeUpload>(context, std::move(task.file));
    bool has_parts = upload->begin(client);
    // A resumed upload may have all its parts already.
    while (has_parts && upload->todo().empty()) has_parts = !upload->finish(client) && upload->begin(client);
    if (!has_parts) return queue.dropped();
    queue.began(std::move(upload));
  } else {
    task.upload->send(client, task.part);
    if (!queue.sent(task.upload)) return;
    const bool again = !task.upload->finish(client) && task.upload->begin(client);
    queue.finished(task.upload, again);
  }
}

/// Every file has come to one of its ends: one that came to none would be missing in silence.
void check_all_handled(Context& context, uint64_t files) {
  const auto handled =
      context.unchanged + context.uploaded + context.adopted + context.vanished + context.failed;
  if (handled == files) return;
  context.problems.failed(
      "", fmt::format("of {} files {} were dealt with: this is a defect of cutover", files, handled));
}

/// Returns the files that the walk has seen.
std::vector<ExpectedFile> transfer(Context& context) {
  context.progress.set_phase("upload");
  std::vector<ExpectedFile> files;
  WorkQueue queue;
  base::ThreadGroup group(context.stop);
  const auto parent = std::exchange(context.stop, group.stop());
  uint64_t fed = 0;
  group.start("s3-walk", [&] { fed = feed(context, queue, files, group.stop()); });
  for (unsigned i = 0; i < context.options.concurrency; ++i)
    group.start(fmt::format("s3-{}", i), [&context, &queue, &group, i] {
      Client client(context.session, group.stop());
      for (;;) {
        context.governor.admit(i, group.stop());
        auto task = queue.take(i % 2 == 0, group.stop());
        if (!task) return context.governor.close();
        do_task(context, client, queue, *task);
        context.progress.concurrency = context.governor.limit();
        context.progress.requests = context.session->requests();
      }
    });
  group.join();
  context.stop = parent;
  check_all_handled(context, fed);
  return files;
}

/// Before anything is begun: what the last process may have left. And when nothing is under way any more:
/// what has turned up since, then for good.
void abort_unknown(Context& context, Client& client, bool for_good) {
  for (const auto& [path, since] : context.journal.intended()) {
    try {
      abort_unknown_uploads(context.journal, context.options.target.prefix, path, since, client,
                            context.retries());
    } catch (const S3Error& error) {
      if (!is_denied(error)) throw;
      // No file is missing for it; what stays are parts that cost money.
      if (for_good)
        context.problems.note(
            path, "an unfinished upload of it may be left: " + error.message() + " (" + error.hint() + ")");
      continue;
    }
    if (for_good) context.journal.record_cleared(path);
  }
}

/// Deletes the objects under the prefix that have no file. Only after a walk and an upload without problems:
/// what could not be read is not known to be gone.
uint64_t remove_extra(Context& context, Client& client, const std::vector<ExpectedFile>& files) {
  context.progress.set_phase("delete");
  if (files.empty()) context.problems.failed("", "there was no file any more");
  if (context.problems.failures() > 0) {
    context.problems.note("", "nothing was deleted, because of the problems");
    return 0;
  }
  constexpr size_t kMostAtOnce = 1000;
  const auto prefix_size = context.options.target.prefix.size();
  uint64_t removed = 0;
  std::vector<std::string> batch;
  const auto flush = [&] {
    if (batch.empty()) return;
    const auto failures =
        with_retries(client, context.retries(), [&] { return client.delete_objects(batch); });
    for (const auto& failure : failures)
      context.problems.failed(failure.key, "cannot be deleted: " + failure.why);
    for (const auto& key : batch) {
      if (std::ranges::find(failures, key, &DeleteFailure::key) != failures.end()) continue;
      ++removed;
      const auto path = key.substr(prefix_size);
      if (context.journal.find(path)) context.journal.record_removed(path);
    }
    batch.clear();
  };
  const auto& filter = context.options.walk.filter;
  for_each_object(client, context.options, context.stop,
                  [&](std::string_view path, const ListedObject& object) {
                    // What the filter leaves out is none of our business at either end.
                    if (find_file(files, path) != nullptr || !filter.wants_file(path)) return;
                    batch.push_back(object.key);
                    if (batch.size() == kMostAtOnce) flush();
                  });
  flush();
  return removed;
}

/// An empty directory may be one that is not mounted. That nothing of it is missing says nothing, then.
void expect_files(const UploadOptions& options, UploadJournal* journal, uint64_t objects,
                  Problems& problems) {
  const auto known = journal != nullptr ? journal->object_count() : 0;
  if (objects == 0 && known == 0) return;
  problems.failed("", fmt::format("there is no file in {} to compare, and {}: is it the right directory, and "
                                  "mounted?",
                                  options.directory.native(),
                                  objects > 0 ? fmt::format("the bucket has {} objects of it", objects)
                                              : fmt::format("{} were uploaded from it", known)));
}

/// The comparison, and what rests on it.
void compare_all(Outcome& outcome, const UploadOptions& options, const std::shared_ptr<Session>& session,
                 UploadJournal* journal, const std::vector<ExpectedFile>& files, Problems& problems,
                 Progress& progress, const base::Stop& stop) {
  progress.set_phase("verify");
  outcome.verification = verify(options, session, journal, files, problems, progress, stop);
  if (files.empty()) expect_files(options, journal, outcome.verification.extra, problems);
  if (options.references.queries.empty()) return;
  progress.set_phase("references");
  outcome.references = check_references(options, files, outcome.verification, problems, stop);
}

void fill(Outcome& outcome, Problems& problems, Progress& progress, const Session& session) {
  outcome.requests = session.requests();
  outcome.retries = progress.retries;
  outcome.bytes_sent = progress.bytes_sent;
  outcome.failures = problems.failures();
  outcome.differences = problems.differences();
  outcome.problems = problems.kept();
  outcome.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Progress::Clock::now() -
                                                                          progress.snapshot().started);
  progress.set_phase("done");
}

}  // namespace

Outcome upload(const UploadOptions& options, const std::shared_ptr<Session>& session, Progress& progress,
               const base::Stop& stop) {
  const auto identity = identity_of(options, session->endpoint());
  check_run_dir(options);
  allow_open_files(uint64_t{2} * options.concurrency);
  UploadJournal journal(options.run_dir, identity);
  journal.begin(selection_of(options.walk));
  const auto headers = headers_of(options);
  Problems problems(progress);
  BufferPool buffers(options.memory);
  Governor governor({.most = options.concurrency, .bytes_per_second = options.bytes_per_second});
  Context context{options, session, headers, journal, {}, true, buffers, governor, problems, progress, stop};
  Client client(session, stop);
  Outcome outcome;

  context.capabilities = find_capabilities(client, context.retries(), journal, options);
  context.may_have_others = !context.capabilities.was_empty;
  outcome.capabilities = context.capabilities;
  outcome.walked = look_through(options, problems, progress, stop);
  if (options.remove) check_removal(options, outcome.walked, problems);
  abort_unknown(context, client, false);
  const auto files = transfer(context);
  // Whose file is gone or has failed in a way that leaves no hope.
  abort_open_uploads(journal, options.target.prefix, client, context.retries());
  abort_unknown(context, client, true);
  journal.sync();
  if (options.remove) outcome.removed = remove_extra(context, client, files);
  compare_all(outcome, options, session, &journal, files, problems, progress, stop);
  journal.record(Finished{problems.failures(), problems.differences()});
  outcome.uploaded = context.uploaded;
  outcome.unchanged = context.unchanged;
  outcome.adopted = context.adopted;
  outcome.vanished = context.vanished;
  fill(outcome, problems, progress, *session);
  return outcome;
}

Outcome verify_only(const UploadOptions& options, const std::shared_ptr<Session>& session, Progress& progress,
                    const base::Stop& stop, bool with_journal) {
  const auto identity = identity_of(options, session->endpoint());
  std::optional<UploadJournal> journal;
  if (with_journal) journal.emplace(options.run_dir, identity);
  Problems problems(progress);
  Outcome outcome;
  outcome.walked = look_through(options, problems, progress, stop);
  const auto files = expected_files(options, problems, stop);
  compare_all(outcome, options, session, journal ? &*journal : nullptr, files, problems, progress, stop);
  fill(outcome, problems, progress, *session);
  return outcome;
}

DryRun dry_run(const UploadOptions& options, const Endpoint& endpoint, const base::Stop& stop) {
  const auto identity = identity_of(options, endpoint);
  check_run_dir(options);
  std::optional<UploadJournal> journal;
  if (is_upload_run(options.run_dir)) journal.emplace(options.run_dir, identity);
  const auto headers = headers_of(options);
  Progress progress;
  Problems problems(progress);
  DryRun out;
  const WalkVisitor visitor{
      .file =
          [&](const WalkedFile& file) {
            if (journal && journal->lookup(file.path, file.state, headers.settings_hash(file.path)) !=
                               UploadJournal::Known::no)
              return;
            ++out.files;
            out.bytes += file.state.size;
          },
      .problem = problems.of_walk()};
  out.walked = walk(options.directory, options.walk, visitor, stop);
  out.problems = problems.kept();
  return out;
}

}  // namespace s3
