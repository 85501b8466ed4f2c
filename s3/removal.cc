#include "s3/removal.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/format.h"

namespace s3 {
namespace {

class Removal {
 public:
  Removal(Context& context, Client& client) : context_(context), client_(client) {}

  void add(std::string key) {
    batch_.push_back(std::move(key));
    if (batch_.size() == kMostAtOnce) flush();
  }

  /// Returns how many objects were deleted.
  uint64_t finish() {
    flush();
    for (const auto& [directory, count] : unmounted_)
      context_.problems.failed(
          directory,
          fmt::format("is an empty directory, and the bucket has {} objects of it, which stay: is something "
                      "to be mounted there? If it is meant to be empty, remove the directory",
                      base::human_count(count)));
    return removed_;
  }

 private:
  static constexpr size_t kMostAtOnce = 1000;

  std::string path_of(const std::string& key) const {
    return key.substr(context_.options.target.prefix.size());
  }

  void flush() {
    empty_.clear();
    std::erase_if(batch_, [&](const std::string& key) { return !is_gone(path_of(key)); });
    if (!batch_.empty()) delete_batch();
    batch_.clear();
  }

  /// A walk can miss what is renamed or made anew meanwhile, and what is under a directory that is not
  /// mounted.
  bool is_gone(const std::string& path) {
    try {
      const auto mode = context_.root.mode_of(path, context_.options.walk.symlinks);
      if (mode && !S_ISDIR(*mode)) {
        context_.problems.unseen(path);
        return false;
      }
      const auto& directory = empty_directory_above(path);
      if (!directory.empty()) ++unmounted_[directory];
      return directory.empty();
    } catch (const base::Error& error) {
      context_.problems.failed(path, error.message() + ": its object stays");
      return false;
    }
  }

  /// Asked once for each directory of a batch.
  const std::string& empty_directory_above(const std::string& path) {
    const auto directory = path.substr(0, path.rfind('/') + 1);
    const auto known = empty_.find(directory);
    if (known != empty_.end()) return known->second;
    return empty_.emplace(directory, context_.root.empty_directory_above(path)).first->second;
  }

  void delete_batch() {
    const auto failures =
        with_retries(client_, context_.retries(), [&] { return client_.delete_objects(batch_); });
    for (const auto& failure : failures)
      context_.problems.failed(failure.key, "cannot be deleted: " + failure.why);
    for (const auto& key : batch_) {
      if (std::ranges::find(failures, key, &DeleteFailure::key) != failures.end()) continue;
      ++removed_;
      const auto path = path_of(key);
      if (context_.journal.find(path)) context_.journal.record_removed(path);
    }
  }

  Context& context_;
  Client& client_;
  std::vector<std::string> batch_;             // keys
  std::map<std::string, std::string> empty_;   // by directory: empty_directory_above()
  std::map<std::string, uint64_t> unmounted_;  // by directory: how many objects of it stay
  uint64_t removed_ = 0;
};

}  // namespace

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

uint64_t remove_extra(Context& context, Client& client, const std::vector<ExpectedFile>& files) {
  context.progress.set_phase("delete");
  if (files.empty()) context.problems.failed("", "there was no file any more");
  if (context.problems.failures() > 0) {
    context.problems.note("", "nothing was deleted, because of the problems");
    return 0;
  }
  Removal removal(context, client);
  const auto& filter = context.options.walk.filter;
  for_each_object(client, context.options, context.stop,
                  [&](std::string_view path, const ListedObject& object) {
                    // What the filter leaves out is none of our business at either end.
                    if (find_file(files, path) == nullptr && filter.wants_file(path)) removal.add(object.key);
                  });
  return removal.finish();
}

}  // namespace s3
