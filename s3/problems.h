#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "s3/keys.h"
#include "s3/options.h"
#include "s3/progress.h"
#include "s3/upload_state.h"

namespace s3 {

/// Collects problems; the first thousand of each kind are kept, all are counted. Thread-safe.
class Problems {
 public:
  explicit Problems(Progress& progress) : progress_(progress) {}

  void add(Problem::Kind kind, std::string_view path, std::string what) {
    auto shared = shared_.lock();
    if (kind == Problem::Kind::failed) ++shared->failed;
    if (kind == Problem::Kind::different) ++shared->different;
    if (kind != Problem::Kind::note) progress_.problems.fetch_add(1);
    constexpr size_t kMostKept = 1000;
    if (auto& kept = shared->kept_of[static_cast<size_t>(kind)]; kept < kMostKept) {
      ++kept;
      shared->kept.push_back({kind, printable(path), std::move(what)});
    }
  }
  void failed(std::string_view path, std::string what) { add(Problem::Kind::failed, path, std::move(what)); }
  /// What a walk could not take. A run walks several times: the same finding counts once.
  void unwalkable(const std::string& path, const std::string& why) {
    if (shared_.lock()->walked.insert(path_hash(path + '\0' + why)).second) failed(path, why);
  }
  /// A file that was missing when the directory was walked or the file was to be read, and is there again:
  /// nobody has looked at it.
  void unseen(const std::string& path);
  /// For the visitor of any walk.
  std::function<void(const std::string&, const std::string&)> of_walk() {
    return [this](const std::string& path, const std::string& why) { unwalkable(path, why); };
  }
  void different(std::string_view path, std::string what) {
    add(Problem::Kind::different, path, std::move(what));
  }
  void note(std::string_view path, std::string what) { add(Problem::Kind::note, path, std::move(what)); }

  uint64_t failures() { return shared_.lock()->failed; }
  uint64_t differences() { return shared_.lock()->different; }
  std::vector<Problem> kept() { return shared_.lock()->kept; }

 private:
  struct Shared {
    std::vector<Problem> kept;
    std::array<size_t, 3> kept_of{};                       // by kind
    std::unordered_set<base::uint128, PathHasher> walked;  // a tree may have a million of them: hashes
    uint64_t failed = 0;
    uint64_t different = 0;
  };
  Progress& progress_;
  base::Guarded<Shared> shared_;
};

}  // namespace s3
