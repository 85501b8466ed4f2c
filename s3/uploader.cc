#include "s3/uploader.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/format.h"
#include "base/thread_group.h"
#include "s3/context.h"
#include "s3/directories.h"
#include "s3/file_limit.h"
#include "s3/keys.h"
#include "s3/layout.h"
#include "s3/probe.h"
#include "s3/removal.h"
#include "s3/small_upload.h"
#include "s3/unfinished.h"
#include "s3/upload_run.h"
#include "s3/work_queue.h"

namespace s3 {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;

RunIdentity identity_of(const UploadOptions& options, const Root& root, const Endpoint& endpoint) {
  return {root.canonical().native(), endpoint.name, options.target.bucket, options.target.prefix};
}

/// The journal changes while it is uploaded: it must not be among the files.
void check_run_dir(const UploadOptions& options, const Root& root) {
  const auto run_dir = fs::weakly_canonical(fs::absolute(options.run_dir));
  const auto relative = run_dir.lexically_relative(root.canonical());
  if (relative.empty() || *relative.begin() == "..") return;
  if (!options.walk.filter.wants_directory(relative.native())) return;
  throw base::Error(ErrorKind::usage,
                    fmt::format("the run directory {} lies in the directory to upload", run_dir.native()),
                    "give --run-dir a place outside of it");
}

Selection selection_of(const WalkOptions& walk, const Endpoint& endpoint) {
  Selection out{.symlinks = walk.symlinks, .requester_pays = endpoint.requester_pays};
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
WalkCounts look_through(const UploadOptions& options, const Root& root, Directories& directories,
                        Problems& problems, Progress& progress, const base::Stop& stop) {
  progress.set_phase("walk");
  const auto count = [&](const WalkedFile& file) {
    progress.files_total.fetch_add(1);
    progress.bytes_total.fetch_add(file.state.size);
  };
  const auto visitor = directories.watch({.file = count, .problem = problems.of_walk()});
  return walk(root, options.walk, visitor, stop);
}

Capabilities find_capabilities(Client& client, const Retries& retries, UploadJournal& journal,
                               const UploadOptions& options) {
  if (auto known = journal.capabilities()) {
    if (!known->checks_parts) {  // the journal of an older version
      const auto was_empty = known->was_empty;
      known = probe(client, retries, options, journal);
      known->was_empty = was_empty;
      journal.record(*known);
    }
    // That was before the first run, and others can have written since: where a PUT does not find that out
    // each object has to be looked at.
    known->was_empty = known->was_empty && known->conditional_put;
    return *known;
  }
  const auto page =
      with_retries(client, retries, [&] { return client.list_objects(options.target.prefix, "", 1); });
  auto found = probe(client, retries, options, journal);
  found.was_empty = page.objects.empty();
  journal.record(found);
  return found;
}

/// The walk of the upload itself: unchanged files end here, the others go to the workers. Returns how many
/// there were; `files` are sorted then, and each is there once.
uint64_t feed(Context& context, WorkQueue& queue, std::vector<ExpectedFile>& files, Directories& directories,
              const base::Stop& stop) {
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
  const auto visitor = directories.watch({.file = take, .problem = context.problems.of_walk()});
  walk(context.root, context.options.walk, visitor, stop);
  queue.close();
  const auto count = files.size();
  sort(files);
  return count;
}

/// False: it is over. A resumed upload may have all its parts already, and nothing to send.
bool begin(LargeUpload& upload, Client& client) {
  bool is_begun = upload.begin(client);
  while (is_begun && upload.todo().empty()) is_begun = !upload.finish(client) && upload.begin(client);
  return is_begun;
}

void do_task(Context& context, Client& client, WorkQueue& queue, WorkQueue::Task& task) {
  using Kind = WorkQueue::Task::Kind;
  if (task.kind == Kind::small) {
    if (upload_small(context, client, task.file)) return queue.done();
    queue.grown(std::move(task.file));
  } else if (task.kind == Kind::begin) {
    auto upload = std::make_shared<LargeUpload>(context, std::move(task.file));
    if (!begin(*upload, client)) return queue.dropped();
    queue.began(std::move(upload));
  } else {
    task.upload->send(client, task.part);
    if (!queue.sent(task.upload)) return;
    const bool again = !task.upload->finish(client) && begin(*task.upload, client);
    queue.finished(task.upload, again);
  }
}

/// Every file has come to one of its ends: one that came to none would be missing in silence.
void check_all_handled(Context& context, uint64_t files) {
  const auto handled = context.unchanged + context.uploaded + context.adopted + context.failed +
                       context.vanished.lock()->size();
  if (handled == files) return;
  context.problems.failed(
      "", fmt::format("of {} files {} were dealt with: this is a defect of cutover", files, handled));
}

/// What was not there when it was to be read is no file of this run any more; if it is there again, nobody
/// has read it. Returns how many are gone for good.
uint64_t settle_vanished(Context& context, std::vector<ExpectedFile>& files) {
  uint64_t gone = 0;
  std::unordered_set<base::uint128, PathHasher> missing;
  for (const auto& path : *context.vanished.lock()) {
    missing.insert(path_hash(path));
    try {
      if (!context.root.mode_of(path, context.options.walk.symlinks)) {
        ++gone;
      } else {
        context.problems.unseen(path);
      }
    } catch (const base::Error& error) {
      context.problems.failed(path, error.message());
    }
  }
  std::erase_if(files, [&](const ExpectedFile& file) { return missing.contains(file.path); });
  return gone;
}

/// A run is about one directory, from its begin to its end.
void check_in_place(const Root& root, Problems& problems) {
  if (root.is_in_place()) return;
  problems.unwalkable("",
                      fmt::format("{} is not the directory any more that it was when the run began: another "
                                  "one was put in its place, or it was mounted or unmounted; run again",
                                  printable(root.path().native())));
}

/// Returns the files that the walk has seen.
std::vector<ExpectedFile> transfer(Context& context, Directories& directories) {
  context.progress.set_phase("upload");
  std::vector<ExpectedFile> files;
  WorkQueue queue;
  base::ThreadGroup group(context.stop);
  const auto parent = std::exchange(context.stop, group.stop());
  uint64_t fed = 0;
  group.start("s3-walk", [&] { fed = feed(context, queue, files, directories, group.stop()); });
  for (unsigned i = 0; i < context.options.concurrency; ++i)
    group.start(fmt::format("s3-{}", i), [&context, &queue, &group, i] {
      std::optional<Client> client;
      for (;;) {
        context.governor.admit(i, group.stop());
        auto task = queue.take(i % 2 == 0, group.stop());
        if (!task) return context.governor.close();
        if (!client) client.emplace(context.session, group.stop());
        do_task(context, *client, queue, *task);
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
/// what has turned up since. A server can carry out a request long after who sent it is gone: `for_good` is
/// as late as it can be.
void abort_unknown(Context& context, Client& client, bool for_good) {
  for (const auto& [path, since] : context.journal.intended()) {
    std::string doubt;
    try {
      doubt = abort_unknown_uploads(context.journal, context.options.target.prefix, path, since, client,
                                    context.retries())
                  .doubt;
    } catch (const base::Error& error) {
      const bool is_ours = dynamic_cast<const JournalError*>(&error) != nullptr;
      if (context.stop.requested() || is_ours || (!for_good && ends_the_run(error))) throw;
      doubt = error.in_one_line();
    }
    if (!for_good) continue;
    // No file is missing for it; what stays are parts that cost money. A later run looks again.
    if (doubt.empty()) context.journal.record_cleared(path);
    if (!doubt.empty()) context.problems.note(path, "an unfinished upload of it may be left: " + doubt);
  }
}

/// What another run directory has begun, perhaps one of this directory that is lost: it may still be at work,
/// so it is not aborted.
void note_unfinished(Context& context, Client& client) {
  const auto& target = context.options.target;
  try {
    const auto left = unfinished_uploads(client, context.retries(), target.prefix);
    if (left.empty()) return;
    const auto& first = left.front();
    context.problems.note(
        "",
        fmt::format("{} unfinished uploads are under {} that this run directory has not begun, such as {}{}: "
                    "their parts are billed. If nobody works on them, abort them: aws s3api "
                    "list-multipart-uploads names them, aws s3api abort-multipart-upload aborts one; a "
                    "lifecycle rule of the bucket does it by itself",
                    base::human_count(left.size()), target.display(), printable(first.key),
                    first.initiated.empty() ? "" : " since " + printable(first.initiated)));
  } catch (const S3Error& error) {
    if (ends_the_run(error)) throw;
    context.problems.note("", "unfinished uploads of others could not be looked for: " + error.message());
  }
}

/// That nothing is missing says nothing where there are no files: an empty directory may be one that is not
/// mounted, and a glob with a slip in it leaves everything out.
void expect_files(const UploadOptions& options, UploadJournal* journal, const WalkCounts& walked,
                  uint64_t objects, Problems& problems) {
  if (walked.files == 0 && walked.filtered > 0)
    return problems.failed(
        "", fmt::format("no file is left of {}: --include and --exclude leave out {} files and directories, "
                        "and there is nothing else; check them, and whether it is mounted",
                        options.directory.native(), base::human_count(walked.filtered)));
  const auto known = journal != nullptr ? journal->object_count() : 0;
  if (objects == 0 && known == 0) return;
  problems.failed("", fmt::format("there is no file in {} to compare, and {}: is it the right directory, and "
                                  "mounted?",
                                  options.directory.native(),
                                  objects > 0 ? fmt::format("the bucket has {} objects of it", objects)
                                              : fmt::format("{} were uploaded from it", known)));
}

void note_other_headers(Context& context) {
  if (context.other_headers == 0) return;
  context.problems.note(
      "",
      fmt::format(
          "{} objects were there already with the right content, and keep other headers than were asked "
          "for, or may do so, where that cannot be seen, as of tags and an alias of a key: --overwrite with "
          "another --run-dir sends them again",
          base::human_count(context.other_headers)));
}

/// The comparison, and what rests on it.
void compare_all(Outcome& outcome, const UploadOptions& options, const Root& root,
                 const std::shared_ptr<Session>& session, UploadJournal* journal,
                 const std::vector<ExpectedFile>& files, Moment moment, Problems& problems,
                 Progress& progress, const base::Stop& stop) {
  progress.set_phase("verify");
  outcome.verification = verify(options, root, session, journal, files, moment, problems, progress, stop);
  if (files.empty()) expect_files(options, journal, outcome.walked, outcome.verification.extra, problems);
  if (!options.references.queries.empty()) {
    progress.set_phase("references");
    outcome.references = check_references(options, root, files, outcome.verification, problems, stop);
  }
  check_in_place(root, problems);
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
  const Root root(options.directory);
  const auto identity = identity_of(options, root, session->endpoint());
  check_run_dir(options, root);
  allow_open_files(uint64_t{2} * options.concurrency);
  UploadJournal journal(options.run_dir, identity);
  journal.begin(selection_of(options.walk, session->endpoint()));
  const auto headers = headers_of(options);
  Problems problems(progress);
  BufferPool buffers(options.memory);
  Governor governor({.most = options.concurrency, .bytes_per_second = options.bytes_per_second});
  Context context{options, root,    session,  headers,  journal,  {},
                  true,    buffers, governor, problems, progress, stop};
  Client client(session, stop);
  Outcome outcome;

  const bool is_new = !journal.capabilities();
  context.capabilities = find_capabilities(client, context.retries(), journal, options);
  context.may_write = is_new;
  context.may_have_others = !context.capabilities.was_empty;
  outcome.capabilities = context.capabilities;
  Walks walks;
  outcome.walked = look_through(options, root, walks.first, problems, progress, stop);
  if (options.remove) check_removal(options, outcome.walked, problems);
  abort_unknown(context, client, false);
  if (is_new) note_unfinished(context, client);
  auto files = transfer(context, walks.second);
  check_in_place(root, problems);
  check_directories(root, options.walk, walks, problems, stop);
  outcome.vanished = settle_vanished(context, files);
  // Whose file is gone or has failed in a way that leaves no hope.
  abort_open_uploads(journal, options.target.prefix, client, context.retries());
  abort_unknown(context, client, false);
  journal.sync();
  if (options.remove) outcome.removed = remove_extra(context, client, files);
  compare_all(outcome, options, root, session, &journal, files, Moment::behind_upload, problems, progress,
              stop);
  abort_unknown(context, client, true);
  note_other_headers(context);
  journal.record(Finished{problems.failures(), problems.differences()});
  outcome.uploaded = context.uploaded;
  outcome.unchanged = context.unchanged;
  outcome.adopted = context.adopted;
  fill(outcome, problems, progress, *session);
  return outcome;
}

Outcome verify_only(const UploadOptions& options, const std::shared_ptr<Session>& session, Progress& progress,
                    const base::Stop& stop, bool with_journal) {
  const Root root(options.directory);
  const auto identity = identity_of(options, root, session->endpoint());
  std::optional<UploadJournal> journal;
  if (with_journal) journal.emplace(options.run_dir, identity);
  Problems problems(progress);
  Outcome outcome;
  Walks walks;
  outcome.walked = look_through(options, root, walks.first, problems, progress, stop);
  const auto files = expected_files(options, root, walks.second, problems, stop);
  check_directories(root, options.walk, walks, problems, stop);
  compare_all(outcome, options, root, session, journal ? &*journal : nullptr, files, Moment::later, problems,
              progress, stop);
  fill(outcome, problems, progress, *session);
  return outcome;
}

DryRun dry_run(const UploadOptions& options, const Endpoint& endpoint, const base::Stop& stop) {
  const Root root(options.directory);
  const auto identity = identity_of(options, root, endpoint);
  check_run_dir(options, root);
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
            if (file.state.size > kLargestPut) ++out.in_parts;
            out.bytes += file.state.size;
          },
      .problem = problems.of_walk()};
  out.walked = walk(root, options.walk, visitor, stop);
  out.problems = problems.kept();
  return out;
}

}  // namespace s3
