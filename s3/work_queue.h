#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/guarded.h"
#include "base/stop.h"
#include "s3/large_upload.h"
#include "s3/walk.h"

namespace s3 {

/// What the workers do next. Large files are begun in the order of their size, the largest first, since what
/// is longest should not start last; small ones run beside them: every second worker prefers them, so that
/// neither the line nor the requests are idle. Small files are taken from the walk as it goes, at most a few
/// thousand wait here. Thread-safe.
class WorkQueue {
 public:
  struct Task {
    enum class Kind {
      small,  ///< upload `file`, then done() or grown()
      begin,  ///< make and begin a LargeUpload of `file`, then began() or dropped()
      part,   ///< send `part` of `upload`; when sent() says so, finish it, then finished()
    };
    Kind kind = Kind::small;
    WalkedFile file;
    std::shared_ptr<LargeUpload> upload;
    uint32_t part = 0;
  };

  /// Waits while too many small files are queued already.
  void add_small(WalkedFile file, const base::Stop& stop);
  void add_large(WalkedFile file);
  /// The file of a small task has grown and goes on as a large one.
  void grown(WalkedFile file);
  /// No more files come from the walk.
  void close();

  /// Waits for a task; nothing when everything is done.
  std::optional<Task> take(bool prefers_large, const base::Stop& stop);

  /// A small task is over.
  void done();
  /// The upload begun for a task has parts to send.
  void began(std::shared_ptr<LargeUpload> upload);
  /// It has none.
  void dropped();
  /// True for the last part of the upload: nobody works on it any more.
  bool sent(const std::shared_ptr<LargeUpload>& upload);
  /// The upload is over; with `again` it was begun anew and all its parts are to be sent once more.
  void finished(const std::shared_ptr<LargeUpload>& upload, bool again);

 private:
  struct Active {
    std::shared_ptr<LargeUpload> upload;
    std::vector<uint32_t> todo;  // a copy: the upload makes its own anew while others look for work here
    size_t next = 0;             // index in todo of the next part to hand out
    size_t unfinished = 0;
    size_t in_hand() const { return next - (todo.size() - unfinished); }
  };
  struct Shared {
    bool closed = false;
    unsigned beginning = 0;
    unsigned in_hand = 0;  // small tasks that workers have: each can still become a large one
    std::deque<WalkedFile> small;
    std::vector<WalkedFile> large;  // a heap, the largest on top
    std::deque<Active> active;
  };
  static std::optional<Task> take_small(Shared& shared);
  static std::optional<Task> take_large(Shared& shared);

  base::Guarded<Shared> shared_;
};

}  // namespace s3
