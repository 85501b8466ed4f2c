#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "s3/context.h"
#include "s3/layout.h"
#include "s3/local_file.h"
#include "s3/small_upload.h"
#include "s3/walk.h"

namespace s3 {

/// A file above kLargestPut on its way: one multipart upload, whose parts several workers send. begin() comes
/// first, then send() for every part in todo(), then finish() once; all of them may throw what ends the run.
///
/// An upload that the journal knows is taken up again when the file is still the same: parts that the server
/// and the journal agree about stay; one that only the server has (its answer was lost with the process)
/// stays if the local bytes have the same MD5.
class LargeUpload {
 public:
  LargeUpload(Context& context, WalkedFile file) : context_(context), file_(std::move(file)) {}
  LargeUpload(const LargeUpload&) = delete;
  LargeUpload& operator=(const LargeUpload&) = delete;

  const WalkedFile& file() const { return file_; }

  /// False when there is nothing to send: it is done, or its problem is noted.
  bool begin(Client& client);
  /// The parts that are to be sent, in order. Constant after begin().
  const std::vector<uint32_t>& todo() const { return todo_; }
  /// After a failure the other parts need not be sent any more.
  void send(Client& client, uint32_t number);
  bool failed() { return shared_.lock()->failed; }
  /// False when the file has changed meanwhile: then everything is to be done again, with begin().
  bool finish(Client& client);

 private:
  struct Shared {
    bool failed = false;
    bool changed = false;
    std::map<uint32_t, PartRecord> parts;
  };

  bool begin_or_resume(Client& client);
  bool begin_again(Client& client);
  void count_attempt();
  /// It is not any more what it was when it was opened: what was read of it since may be of either state.
  bool has_changed() const { return local_->state() != state_; }
  bool is_unchanged();
  void create(Client& client);
  bool resume(Client& client, const OpenUpload& known);
  void adopt(Client& client, const OpenUpload& known);
  bool has_sum(uint32_t number, const std::string& sum) const;
  bool has_md5(uint32_t number, const std::string& etag, std::string& checksum) const;
  bool is_finished_already(Client& client, const OpenUpload& known);
  bool send_once(Client& client, uint32_t number);
  Found look(Client& client, std::optional<Head>& head);
  bool complete(Client& client);
  bool complete_once(Client& client, const std::vector<CompletedPart>& list, const BodySum& sum,
                     CompleteResult& result);
  bool matches(const Head& head, const std::string& sum, bool confirmed, const CompleteResult& made);
  void abort(Client& client, const std::string& upload_id);
  void record(std::string etag, std::string version, std::string checksum);
  void count_done();
  std::vector<PartSum> part_sums(const std::map<uint32_t, PartRecord>& parts) const;

  Context& context_;
  WalkedFile file_;
  std::string key_;
  std::optional<LocalFile> local_;
  FileState state_;
  bool young_ = false;
  uint64_t settings_ = 0;
  Layout layout_;
  std::string upload_id_;
  std::vector<uint32_t> todo_;
  uint64_t counted_ = 0;  // bytes that progress counts as done for this file
  int attempts_ = 0;
  base::Guarded<Shared> shared_;
};

}  // namespace s3
