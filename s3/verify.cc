#include "s3/verify.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>

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

/// A sample is drawn by the path's hash: the same one in every run.
bool is_sampled(const UploadOptions& options, std::string_view path) {
  if (options.verify != VerifyLevel::download) return true;
  constexpr uint64_t kRange = 1'000'000;
  return static_cast<double>(static_cast<uint64_t>(path_hash(path)) % kRange) <
         options.download_share * static_cast<double>(kRange);
}

/// The comparison with listings: of every file, or of those that the comparison of contents leaves out.
class Listing {
 public:
  Listing(const UploadOptions& options, UploadJournal* journal, const std::vector<ExpectedFile>& files,
          Problems& problems)
      : options_(options), journal_(journal), files_(files), problems_(problems), seen_(files.size(), false) {
    result_.is_equal.resize(files.size(), false);
  }

  /// `file` is that of the path.
  void visit(std::string_view path, const ExpectedFile& file, const ListedObject& object) {
    const auto index = static_cast<size_t>(&file - files_.data());
    seen_[index] = true;
    result_.is_equal[index] = true;  // until something is found
    if (!is_mine(path)) return;
    const auto before = result_.equal;
    compare(path, file, object);
    result_.is_equal[index] = result_.equal > before;
  }

  /// Names the files that were not listed, with a second walk: only their hashes are known.
  Verification finish(const base::Stop& stop) {
    if (std::ranges::count(seen_, false) == 0) return result_;
    const WalkVisitor visitor{.file = [&](const WalkedFile& walked) {
      const auto* file = find_file(files_, walked.path);
      if (file == nullptr || seen_[static_cast<size_t>(file - files_.data())] || !is_mine(walked.path))
        return;
      ++result_.missing;
      problems_.different(walked.path, "there is no object for it");
    }};
    walk(options_.directory, options_.walk, visitor, stop);
    return result_;
  }

 private:
  bool is_mine(std::string_view path) const {
    return options_.verify == VerifyLevel::list || !is_sampled(options_, path);
  }

  void compare(std::string_view path, const ExpectedFile& file, const ListedObject& object) {
    const auto known = journal_ != nullptr ? journal_->find(path) : std::nullopt;
    // Right behind an upload the journal is what the files are, and a file that it lacks is a problem
    // already.
    const bool is_later = file.state != 0;
    if (journal_ != nullptr && (!known || (is_later && known->state != file.state))) {
      ++result_.unverified;
      if (is_later)
        problems_.failed(path,
                         "was made or changed after its upload: only a comparison by checksum can tell");
      return;
    }
    const auto size = known ? known->size : file.size;
    if (object.size != size) {
      differs(path, fmt::format("the object has {} bytes, the file {}", object.size, size));
    } else if (known && known->etag != hash_of(object.etag)) {
      differs(path, "the object is not the one that was uploaded: its ETag is another");
    } else {
      ++result_.equal;
    }
  }

  void differs(std::string_view path, std::string what) {
    ++result_.different;
    problems_.different(path, std::move(what));
  }

  const UploadOptions& options_;
  UploadJournal* journal_;
  const std::vector<ExpectedFile>& files_;
  Problems& problems_;
  std::vector<bool> seen_;
  Verification result_;
};

/// The comparison of contents, file by file, in several threads.
class Contents {
 public:
  /// Adds to `listed`.
  Contents(const UploadOptions& options, const std::shared_ptr<Session>& session,
           const std::vector<ExpectedFile>& files, Verification listed, Problems& problems,
           Progress& progress)
      : options_(options), session_(session), files_(files), problems_(problems), progress_(progress) {
    listed.listed = std::exchange(listed.equal, 0);
    *result_.lock() = std::move(listed);
  }

  Verification run(const base::Stop& stop) {
    base::ThreadGroup group(stop);
    const auto workers = std::min(options_.concurrency, kMostWorkers);
    for (unsigned i = 0; i < workers; ++i) group.start("s3-verify", [&] { work(group.stop()); });
    const WalkVisitor visitor{.file = [&](const WalkedFile& file) { add(file, group.stop()); }};
    group.start("s3-walk", [&] {
      walk(options_.directory, options_.walk, visitor, group.stop());
      queue_.lock()->closed = true;
      queue_.notify_all();
    });
    group.join();
    return *result_.lock();
  }

 private:
  static constexpr unsigned kMostWorkers = 16;
  static constexpr size_t kMostQueued = 1024;
  struct Queue {
    std::deque<WalkedFile> files;
    bool closed = false;
  };

  void add(const WalkedFile& file, const base::Stop& stop) {
    if (!is_sampled(options_, file.path)) return;
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
      const auto file = LocalFile::open(options_.directory, walked.path, options_.walk.symlinks);
      if (!file) return;
      const auto state = file->state();
      const auto key = options_.target.prefix + walked.path;
      const auto retries = retries_of(options_, progress_, stop);
      const auto head = with_retries(client, retries, [&] { return client.head_object(key); });
      auto result = !head ? Comparison::different : compare_with(client, *head, key, *file, state.size, stop);
      const bool changed = file->state() != state;
      note(walked.path, head.has_value(), changed ? Comparison::unknown : result, changed);
    } catch (const base::Error& error) {
      if (stop.requested() || ends_the_run(error)) throw;
      auto result = result_.lock();
      ++result->unverified;
      set_equal(*result, walked.path, false);
      problems_.failed(walked.path, error.message());
    }
  }

  Comparison compare_with(Client& client, const Head& head, const std::string& key, const LocalFile& file,
                          uint64_t size, const base::Stop& stop) {
    const auto read = [&](uint64_t offset, std::span<std::byte> buffer) {
      return file.read_at(offset, buffer);
    };
    if (options_.verify != VerifyLevel::download) return compare(head, size, read, stop);
    if (head.size != size) return Comparison::different;
    return with_retries(client, retries_of(options_, progress_, stop), [&] {
      ComparingSink sink(file);
      client.get_object(key, sink);
      return sink.equal(size) ? Comparison::equal : Comparison::different;
    });
  }

  void set_equal(Verification& result, std::string_view path, bool equal) const {
    if (const auto* file = find_file(files_, path))
      result.is_equal[static_cast<size_t>(file - files_.data())] = equal;
  }

  void note(std::string_view path, bool is_there, Comparison comparison, bool changed) {
    auto result = result_.lock();
    set_equal(*result, path, is_there && comparison == Comparison::equal);
    if (!is_there) {
      ++result->missing;
      problems_.different(path, "there is no object for it");
    } else if (comparison == Comparison::equal) {
      ++result->equal;
    } else if (comparison == Comparison::different) {
      ++result->different;
      problems_.different(path, "the object has other content than the file");
    } else {
      ++result->unverified;
      problems_.failed(path,
                       changed ? "the file was changed while it was compared"
                               : "the server keeps no checksum of the object that could be compared: only a "
                                 "download tells");
    }
  }

  const UploadOptions& options_;
  const std::shared_ptr<Session>& session_;
  const std::vector<ExpectedFile>& files_;
  Problems& problems_;
  Progress& progress_;
  base::Guarded<Queue> queue_;
  base::Guarded<Verification> result_;
};

}  // namespace

std::vector<ExpectedFile> expected_files(const UploadOptions& options, const base::Stop& stop) {
  std::vector<ExpectedFile> files;
  const WalkVisitor visitor{.file = [&](const WalkedFile& file) {
    files.push_back({path_hash(file.path), file.state.size, hash_of(file.state)});
  }};
  walk(options.directory, options.walk, visitor, stop);
  std::ranges::sort(files, {}, &ExpectedFile::path);
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

Verification verify(const UploadOptions& options, const std::shared_ptr<Session>& session,
                    UploadJournal* journal, const std::vector<ExpectedFile>& files, Problems& problems,
                    Progress& progress, const base::Stop& stop) {
  if (options.verify == VerifyLevel::none) return {};
  Client client(session, stop);
  uint64_t extra = 0;
  Listing listing(options, journal, files, problems);
  for_each_object(client, options, stop, [&](std::string_view path, const ListedObject& object) {
    if (const auto* file = find_file(files, path)) {
      listing.visit(path, *file, object);
    } else if (options.walk.filter.wants_file(path)) {
      ++extra;
      problems.note(path, "is an object without a file");
    }
  });
  auto result = listing.finish(stop);
  if (options.verify != VerifyLevel::list)
    result = Contents(options, session, files, std::move(result), problems, progress).run(stop);
  result.extra = extra;
  result.level = options.verify;
  return result;
}

}  // namespace s3
