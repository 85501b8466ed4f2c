#include "s3/directories.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"

namespace s3 {
namespace {

/// Of a path; empty for what lies in the root.
std::string_view directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

}  // namespace

WalkVisitor Directories::watch(WalkVisitor visitor) {
  auto mount = [this](const std::string& path, const FileIdentity& identity) {
    mounts_.insert_or_assign(path, identity);
  };
  auto file = [this, inner = std::move(visitor.file)](const WalkedFile& walked) {
    add(walked.path);
    if (inner) inner(walked);
  };
  return {.file = std::move(file), .problem = std::move(visitor.problem), .mount = std::move(mount)};
}

void Directories::add(std::string_view path) {
  ++count_;
  const auto directory = directory_of(path);
  const auto known = files_.find(directory);
  if (known == files_.end()) {
    files_.emplace(directory, 1);
  } else {
    ++known->second;
  }
}

class DirectoryCheck {
 public:
  DirectoryCheck(const Root& root, const WalkOptions& options, const Walks& walks, Problems& problems)
      : root_(root), options_(options), walks_(walks), problems_(problems) {}

  void run(const base::Stop& stop) {
    if (walks_.first.files() > 0 && walks_.second.files() == 0)
      return problems_.failed(
          "", fmt::format("there were {} files in {} when the run began, and then none any more",
                          base::human_count(walks_.first.files()), printable(root_.path().native())));
    for (const auto& [path, identity] : walks_.first.mounts_)
      at(path, &DirectoryCheck::check_mount, identity);
    for (const auto& [path, files] : walks_.first.files_) {
      stop.check();
      at(path, &DirectoryCheck::check_directory, files);
    }
    if (!unseen_.empty()) look_again(stop);
  }

 private:
  /// What cannot be looked at is a failure of that directory, and not of the run.
  template <typename Check, typename Value>
  void at(const std::string& path, Check check, const Value& value) {
    try {
      (this->*check)(path, value);
    } catch (const base::Error& error) {
      fail(path, error.message());
    }
  }

  void check_mount(const std::string& path, const FileIdentity& identity) {
    const auto& second = walks_.second.mounts_;
    const auto seen = second.find(path);
    const bool stayed = seen != second.end() && seen->second == identity;
    if (stayed && root_.directory_at(path, options_.symlinks) == identity) return;
    fail(path,
         "was a file system of its own when the run began, and was not all the time since: was it unmounted? "
         "Its files may be missing; run again");
  }

  void check_directory(const std::string& path, uint64_t files) {
    if (is_below_failed(path)) return;
    if (!path.empty() && !root_.directory_at(path, options_.symlinks)) {
      fail(path,
           fmt::format("had {} files when the run began, and is not there any more: was it unmounted or "
                       "moved? If it was deleted, run again; what comes and goes is left out with "
                       "--exclude",
                       base::human_count(files)));
    } else if (!walks_.second.files_.contains(path)) {
      unseen_.insert(path);
    }
  }

  bool is_below_failed(std::string_view path) const {
    for (auto above = path; !above.empty(); above = directory_of(above))
      if (failed_.contains(above)) return true;
    return false;
  }

  void look_again(const base::Stop& stop) {
    const auto begun = std::chrono::duration_cast<std::chrono::nanoseconds>(walks_.begun.time_since_epoch());
    const auto take = [&](const WalkedFile& file) {
      // What is younger belongs to the next run.
      if (unseen_.contains(directory_of(file.path)) &&
          file.state.ctime_ns < static_cast<uint64_t>(begun.count()))
        problems_.unseen(file.path);
    };
    walk(root_, options_, {.file = take, .problem = problems_.of_walk()}, stop);
  }

  void fail(const std::string& path, const std::string& why) {
    problems_.unwalkable(path, why);
    failed_.insert(path);
  }

  const Root& root_;
  const WalkOptions& options_;
  const Walks& walks_;
  Problems& problems_;
  std::set<std::string, std::less<>> failed_;
  std::set<std::string, std::less<>> unseen_;  // the second walk saw none of their files
};

void check_directories(const Root& root, const WalkOptions& options, const Walks& walks, Problems& problems,
                       const base::Stop& stop) {
  DirectoryCheck(root, options, walks, problems).run(stop);
}

}  // namespace s3
