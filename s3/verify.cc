#include "s3/verify.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/format.h"
#include "base/thread_group.h"
#include "s3/compare.h"
#include "s3/local_file.h"
#include "s3/retry.h"

namespace s3 {
namespace {

/// Compares what is written to it with a file, byte by byte.
class ComparingSink : public base::ByteSink {
 public:
  explicit ComparingSink(const LocalFile& file) : file_(file) {}
  void write(base::Bytes bytes) override {
    while (!bytes.empty() && equal_) {
      const auto piece = std::span(buffer_).first(std::min(bytes.size(), buffer_.size()));
      equal_ = file_.read_at(size_, piece) == piece.size() &&
               std::equal(piece.begin(), piece.end(), bytes.begin());
      size_ += piece.size();
      bytes = bytes.subspan(piece.size());
    }
  }
  void finish() override {}
  bool equal(uint64_t size) const { return equal_ && size_ == size; }

 private:
  const LocalFile& file_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(size_t{256} << 10);
  uint64_t size_ = 0;
  bool equal_ = true;
};

Retries retries_of(const UploadOptions& options, Progress& progress, const base::Stop& stop) {
  return {options.retry, stop, [&progress](const base::Error&, int) { progress.retries.fetch_add(1); }};
}

/// Which files are compared how. A sample is drawn by the path's hash: the same one in every run, as long as
/// the files are the same. However few they are, it has one.
class Sample {
 public:
  Sample(const UploadOptions& options, const UploadJournal* journal, const std::vector<ExpectedFile>& files)
      : level_(options.verify),
        has_journal_(journal != nullptr),
        below_(options.download_share * static_cast<double>(kRange)) {
    if (files.empty()) return;
    const auto least = std::ranges::min(files, {}, [](const auto& file) { return place_of(file.path); });
    below_ = std::max(below_, static_cast<double>(place_of(least.path) + 1));
  }

  bool is_downloaded(base::uint128 path) const { return level_ == VerifyLevel::download && is_drawn(path); }

  /// Whether the content is compared, and not only what a listing tells. That is enough for a file outside of
  /// the sample if its upload is known, with the object's ETag: the size alone proves nothing.
  bool is_of_contents(base::uint128 path) const {
    return level_ != VerifyLevel::list &&
           (!has_journal_ || level_ != VerifyLevel::download || is_drawn(path));
  }

 private:
  static constexpr uint64_t kRange = 1'000'000;
  static uint64_t place_of(base::uint128 path) { return static_cast<uint64_t>(path) % kRange; }
  bool is_drawn(base::uint128 path) const { return static_cast<double>(place_of(path)) < below_; }

  VerifyLevel level_;
  bool has_journal_;
  double below_;
};

/// What the comparison disproves is to be uploaded again; only an upload may say so.
void disprove(Problems& problems, UploadJournal* journal, std::string_view path, const ExpectedFile& file,
              std::string what) {
  problems.different(path, std::move(what));
  if (journal != nullptr && file.state == 0 && journal->find(path)) journal->record_removed(path);
}

/// The comparison with listings: of every file, or of those that the comparison of contents leaves out.
class Listing {
 public:
  Listing(const UploadOptions& options, const Root& root, UploadJournal* journal,
          const std::vector<ExpectedFile>& files, const Sample& sample, Problems& problems, base::Stop stop)
      : options_(options),
        root_(root),
        journal_(journal),
        files_(files),
        sample_(sample),
        problems_(problems),
        stop_(std::move(stop)),
        seen_(files.size(), false) {
    result_.is_equal.resize(files.size(), false);
  }

  /// `file` is that of the path.
  void visit(std::string_view path, const ExpectedFile& file, const ListedObject& object) {
    const auto index = static_cast<size_t>(&file - files_.data());
    if (seen_[index]) return;
    seen_[index] = true;
    if (!is_mine(file)) return;
    const auto before = result_.equal;
    compare(path, file, object);
    result_.is_equal[index] = result_.equal > before;
  }

  /// Names the files that were not listed, with a second walk: only their hashes are known. What it does not
  /// find has to be missing a second time to count as deleted.
  Verification finish() {
    const auto name = [&](const WalkedFile& walked) {
      const auto* file = find_file(files_, walked.path);
      if (file == nullptr || !is_mine(*file)) return;
      const auto index = static_cast<size_t>(file - files_.data());
      if (seen_[index]) return;
      seen_[index] = true;
      ++result_.missing;
      disprove(problems_, journal_, walked.path, *file, "there is no object for it");
    };
    for (int i = 0; i < 2 && std::ranges::count(seen_, false) > 0; ++i)
      walk(root_, options_.walk, {.file = name, .problem = problems_.of_walk()}, stop_);
    for (size_t index = 0; index < files_.size(); ++index)
      if (!seen_[index] && is_mine(files_[index])) ++result_.vanished;
    return result_;
  }

 private:
  bool is_mine(const ExpectedFile& file) const { return !sample_.is_of_contents(file.path); }

  /// False for a file whose times could hide a change since its upload, and whose content is another.
  bool has_settled(std::string_view path, uint64_t size) {
    const auto sum = journal_->young_checksum(path);
    const auto capabilities = journal_->capabilities();
    if (!sum || !capabilities) return !sum;
    try {
      const auto file = LocalFile::open(root_, std::string(path), options_.walk.symlinks);
      const auto read = [&](uint64_t offset, std::span<std::byte> buffer) {
        return file->read_at(offset, buffer);
      };
      return file && journal_checksum(capabilities->integrity, size, read, stop_) == sum;
    } catch (const base::Error& error) {
      if (stop_.requested()) throw;
      return false;
    }
  }

  void compare(std::string_view path, const ExpectedFile& file, const ListedObject& object) {
    const auto known = journal_ != nullptr ? journal_->find(path) : std::nullopt;
    // Right behind an upload the journal is what the files are, and a file that it lacks is a problem
    // already.
    const bool is_later = file.state != 0;
    if (journal_ != nullptr &&
        (!known || (is_later && (known->state != file.state || !has_settled(path, file.size))))) {
      ++result_.unverified;
      if (is_later)
        problems_.failed(path,
                         "was made or changed after its upload: only a comparison by checksum can tell");
      return;
    }
    const auto size = known ? known->size : file.size;
    if (object.size != size) {
      differs(path, file, fmt::format("the object has {} bytes, the file {}", object.size, size));
    } else if (known && known->etag != hash_of(object.etag)) {
      differs(path, file, "the object is not the one that was uploaded: its ETag is another");
    } else {
      ++result_.equal;
    }
  }

  void differs(std::string_view path, const ExpectedFile& file, std::string what) {
    ++result_.different;
    disprove(problems_, journal_, path, file, std::move(what));
  }

  const UploadOptions& options_;
  const Root& root_;
  UploadJournal* journal_;
  const std::vector<ExpectedFile>& files_;
  const Sample& sample_;
  Problems& problems_;
  base::Stop stop_;
  std::vector<bool> seen_;
  Verification result_;
};

/// The comparison of contents, file by file, in several threads.
class Contents {
 public:
  /// Adds to `listed`.
  Contents(const UploadOptions& options, const Root& root, const std::shared_ptr<Session>& session,
           UploadJournal* journal, const std::vector<ExpectedFile>& files, const Sample& sample,
           Moment moment, Verification listed, Problems& problems, Progress& progress)
      : options_(options),
        root_(root),
        session_(session),
        journal_(journal),
        files_(files),
        sample_(sample),
        moment_(moment),
        problems_(problems),
        progress_(progress),
        reached_(std::vector<bool>(files.size(), false)) {
    listed.listed = std::exchange(listed.equal, 0);
    *result_.lock() = std::move(listed);
  }

  Verification run(const base::Stop& stop) {
    base::ThreadGroup group(stop);
    const auto workers = std::min(options_.concurrency, kMostWorkers);
    for (unsigned i = 0; i < workers; ++i) group.start("s3-verify", [&] { work(group.stop()); });
    const WalkVisitor visitor{.file = [&](const WalkedFile& file) { add(file, group.stop()); },
                              .problem = problems_.of_walk()};
    group.start("s3-walk", [&] {
      walk(root_, options_.walk, visitor, group.stop());
      queue_.lock()->closed = true;
      queue_.notify_all();
    });
    group.join();
    if (unreached() > 0) look_again(stop);
    auto result = *result_.lock();
    result.vanished += unreached();
    return result;
  }

 private:
  static constexpr unsigned kMostWorkers = 16;
  static constexpr size_t kMostQueued = 1024;
  struct Queue {
    std::deque<WalkedFile> files;
    bool closed = false;
  };

  bool is_mine(const ExpectedFile& file) const { return sample_.is_of_contents(file.path); }

  /// How many of its files have not been compared.
  uint64_t unreached() {
    auto reached = reached_.lock();
    uint64_t out = 0;
    for (size_t index = 0; index < files_.size(); ++index)
      if (!(*reached)[index] && is_mine(files_[index])) ++out;
    return out;
  }

  /// What was not there when it was to be compared is deleted only if it is still not there.
  void look_again(const base::Stop& stop) {
    const auto take = [&](const WalkedFile& file) {
      const auto* expected = find_file(files_, file.path);
      if (expected == nullptr || !is_mine(*expected) || !reach(file.path)) return;
      ++result_.lock()->unverified;
      problems_.unseen(file.path);
    };
    walk(root_, options_.walk, {.file = take, .problem = problems_.of_walk()}, stop);
  }

  void add(const WalkedFile& file, const base::Stop& stop) {
    const auto* expected = find_file(files_, file.path);
    if (expected == nullptr && moment_ == Moment::later) problems_.unseen(file.path);
    if (expected == nullptr || !is_mine(*expected)) return;
    {
      auto queue = queue_.lock();
      while (!queue.wait_for(base::kStopCheck, [&] { return queue->files.size() < kMostQueued; }))
        stop.check();
      queue->files.push_back(file);
    }
    queue_.notify_all();
  }

  void work(const base::Stop& stop) {
    Client client(session_, stop);
    for (;;) {
      std::optional<WalkedFile> file;
      {
        auto queue = queue_.lock();
        while (!queue.wait_for(base::kStopCheck, [&] { return !queue->files.empty() || queue->closed; }))
          stop.check();
        if (queue->files.empty()) return;
        file = std::move(queue->files.front());
        queue->files.pop_front();
      }
      queue_.notify_all();
      check(client, *file, stop);
      progress_.files_done.fetch_add(1);
      progress_.bytes_done.fetch_add(file->state.size);
    }
  }

  void check(Client& client, const WalkedFile& walked, const base::Stop& stop) {
    try {
      const auto file = LocalFile::open(root_, walked.path, options_.walk.symlinks);
      if (!file) return;  // look_again() sees to it
      const auto state = file->opened();
      const auto key = options_.target.prefix + walked.path;
      const auto retries = retries_of(options_, progress_, stop);
      const auto head = with_retries(client, retries, [&] { return client.head_object(key); });
      auto result =
          !head ? Comparison::different : compare_with(client, *head, walked.path, *file, state.size, stop);
      const bool changed = file->state() != state;
      note(walked.path, head.has_value(), changed ? Comparison::unknown : result, changed);
    } catch (const base::Error& error) {
      if (stop.requested() || ends_the_run(error)) throw;
      if (!reach(walked.path)) return;
      ++result_.lock()->unverified;
      problems_.failed(walked.path, error.message());
    }
  }

  Comparison compare_with(Client& client, const Head& head, const std::string& path, const LocalFile& file,
                          uint64_t size, const base::Stop& stop) {
    const auto read = [&](uint64_t offset, std::span<std::byte> buffer) {
      return file.read_at(offset, buffer);
    };
    if (!sample_.is_downloaded(path_hash(path))) return compare(head, size, read, stop);
    if (head.size != size) return Comparison::different;
    const auto result = with_retries(client, retries_of(options_, progress_, stop), [&] {
      ComparingSink sink(file);
      client.get_object(options_.target.prefix + path, sink);
      return sink.equal(size) ? Comparison::equal : Comparison::different;
    });
    if (result == Comparison::equal) ++result_.lock()->downloaded;
    return result;
  }

  size_t index_of(std::string_view path) const {
    return static_cast<size_t>(find_file(files_, path) - files_.data());
  }

  /// False when its comparison has ended already: a directory that changes can name a file twice.
  bool reach(std::string_view path) {
    auto reached = reached_.lock();
    if ((*reached)[index_of(path)]) return false;
    (*reached)[index_of(path)] = true;
    return true;
  }

  void note(std::string_view path, bool is_there, Comparison comparison, bool changed) {
    if (!reach(path)) return;
    auto result = result_.lock();
    result->is_equal[index_of(path)] = is_there && comparison == Comparison::equal;
    if (!is_there) {
      ++result->missing;
      disprove(problems_, journal_, path, files_[index_of(path)], "there is no object for it");
    } else if (comparison == Comparison::equal) {
      ++result->equal;
    } else if (comparison == Comparison::different) {
      ++result->different;
      disprove(problems_, journal_, path, files_[index_of(path)],
               "the object has other content than the file");
    } else {
      ++result->unverified;
      problems_.failed(path,
                       changed ? "the file was changed while it was compared"
                               : "the server keeps no checksum of the object that could be compared: only a "
                                 "download tells");
    }
  }

  const UploadOptions& options_;
  const Root& root_;
  const std::shared_ptr<Session>& session_;
  UploadJournal* journal_;
  const std::vector<ExpectedFile>& files_;
  const Sample& sample_;
  const Moment moment_;
  Problems& problems_;
  Progress& progress_;
  base::Guarded<Queue> queue_;
  base::Guarded<Verification> result_;
  base::Guarded<std::vector<bool>> reached_;  // of each file: how it ended is in the result
};

}  // namespace

void sort(std::vector<ExpectedFile>& files) {
  std::ranges::sort(files, {}, &ExpectedFile::path);
  const auto is_same = [](const auto& a, const auto& b) { return a.path == b.path; };
  files.erase(std::unique(files.begin(), files.end(), is_same), files.end());
}

std::vector<ExpectedFile> expected_files(const UploadOptions& options, const Root& root,
                                         Directories& directories, Problems& problems,
                                         const base::Stop& stop) {
  std::vector<ExpectedFile> files;
  const auto take = [&](const WalkedFile& file) {
    files.push_back({path_hash(file.path), file.state.size, hash_of(file.state)});
  };
  const auto visitor = directories.watch({.file = take, .problem = problems.of_walk()});
  walk(root, options.walk, visitor, stop);
  sort(files);
  return files;
}

const ExpectedFile* find_file(const std::vector<ExpectedFile>& files, std::string_view path) {
  const auto hash = path_hash(path);
  const auto found = std::ranges::lower_bound(files, hash, {}, &ExpectedFile::path);
  return found != files.end() && found->path == hash ? &*found : nullptr;
}

void for_each_object(Client& client, const UploadOptions& options, const base::Stop& stop,
                     const std::function<void(std::string_view path, const ListedObject&)>& visit) {
  const auto& prefix = options.target.prefix;
  const Retries retries{options.retry, stop};
  std::string token;
  do {
    stop.check();
    const auto page = with_retries(client, retries, [&] { return client.list_objects(prefix, token); });
    for (const auto& object : page.objects)
      if (object.key.starts_with(prefix) && object.key != prefix)
        visit(std::string_view(object.key).substr(prefix.size()), object);
    if (!token.empty() && page.next_token == token)
      base::fail(base::ErrorKind::permanent, "the server lists the same objects again and again");
    token = page.next_token;
  } while (!token.empty());
}

namespace {

/// An object of which no walk knows a file.
void note_extra(const UploadOptions& options, const Root& root, std::string_view path, Problems& problems) {
  const std::string name(path);
  try {
    if (const auto mode = root.mode_of(name, options.walk.symlinks); mode && S_ISREG(*mode))
      return problems.unseen(name);
    problems.note(path, "is an object without a file");
  } catch (const base::Error& error) {
    problems.failed(path, error.message());
  }
}

/// What is not verified must not pass for equal, nor a file that ended in none of the numbers.
void check_sum(const Verification& result, size_t files, Problems& problems) {
  const auto sum =
      result.equal + result.listed + result.missing + result.different + result.unverified + result.vanished;
  if (result.unverified > 0 && problems.failures() == 0)
    problems.failed("", fmt::format("{} files were not verified", result.unverified));
  if (sum == files) return;
  problems.failed("", fmt::format("of {} files {} were compared: this is a defect of cutover", files, sum));
}

}  // namespace

Verification verify(const UploadOptions& options, const Root& root, const std::shared_ptr<Session>& session,
                    UploadJournal* journal, const std::vector<ExpectedFile>& files, Moment moment,
                    Problems& problems, Progress& progress, const base::Stop& stop) {
  if (options.verify == VerifyLevel::none) return {};
  Client client(session, stop);
  uint64_t extra = 0;
  const Sample sample(options, journal, files);
  Listing listing(options, root, journal, files, sample, problems, stop);
  for_each_object(client, options, stop, [&](std::string_view path, const ListedObject& object) {
    if (const auto* file = find_file(files, path)) {
      listing.visit(path, *file, object);
    } else if (options.walk.filter.wants_file(path)) {
      ++extra;
      note_extra(options, root, path, problems);
    }
  });
  auto result = listing.finish();
  if (options.verify != VerifyLevel::list)
    result = Contents(options, root, session, journal, files, sample, moment, std::move(result), problems,
                      progress)
                 .run(stop);
  check_sum(result, files.size(), problems);
  result.extra = extra;
  result.level = options.verify;
  return result;
}

}  // namespace s3
