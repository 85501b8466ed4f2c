#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "s3/buffer_pool.h"
#include "s3/client.h"
#include "s3/governor.h"
#include "s3/object_headers.h"
#include "s3/options.h"
#include "s3/problems.h"
#include "s3/progress.h"
#include "s3/retry.h"
#include "s3/root.h"
#include "s3/upload_journal.h"

namespace s3 {

/// What the workers of an upload share. Everything in it is thread-safe or constant while they run.
struct Context {
  const UploadOptions& options;
  const Root& root;
  std::shared_ptr<Session> session;
  const ObjectHeaders& headers;
  UploadJournal& journal;
  Capabilities capabilities;
  /// Objects may be there that this run directory knows nothing about: look before writing one.
  std::atomic<bool> may_have_others{true};
  BufferPool& buffers;
  Governor& governor;
  Problems& problems;
  Progress& progress;
  base::Stop stop;

  /// How this server is found to take the ETag of an If-Match, on a PUT and on the completion of an upload.
  struct Match {
    enum class Form {
      quoted,  ///< as HTTP has it
      bare,    ///< as Ceph's gateway compares it
      never,   ///< it does not know the header, or not here
    };
    std::atomic<Form> form{Form::quoted};
    /// A request with it was carried out: a later refusal is about the object.
    std::atomic<bool> works{false};
  };
  Match put_match;
  Match complete_match;
  /// False once the server has said that it knows no conditions on the completion of an upload.
  std::atomic<bool> may_complete_on_condition{true};
  /// The server has let this process write: what is denied concerns a file, not all of them.
  std::atomic<bool> may_write{false};

  std::atomic<uint64_t> uploaded{0};
  std::atomic<uint64_t> unchanged{0};
  std::atomic<uint64_t> adopted{0};  ///< found on the server with the right content
  /// Of those, which have not the headers that were asked for.
  std::atomic<uint64_t> other_headers{0};
  std::atomic<uint64_t> failed{0};  ///< files that are not uploaded; each has a problem

  /// Paths that a walk has seen, and where nothing was when the file was to be read.
  base::Guarded<std::vector<std::string>> vanished{};

  void fail(std::string_view path, std::string what) {
    failed.fetch_add(1);
    problems.failed(path, std::move(what));
  }

  /// An ETag need not be an MD5.
  bool may_be_kms() const { return capabilities.is_kms || !options.settings.encryption.empty(); }
  std::string key_of(std::string_view path) const { return options.target.prefix + std::string(path); }
  Retries retries() {
    return {options.retry, stop,
            [this](const base::Error& error, int) {
              progress.retries.fetch_add(1);
              if (is_slow_down(error)) governor.slow_down();
            },
            &governor};
  }
};

/// How often a file that changes while it is read is begun again.
constexpr int kMostAttempts = 3;

/// Calls `body`, which reads what it sends, again when something else has arrived: it may have been damaged
/// in memory as well as on the way.
template <typename Body>
auto reading_again(Body&& body) {
  for (int attempt = 1;; ++attempt) {
    try {
      return body();
    } catch (const S3Error& error) {
      if (attempt == kMostAttempts || !is_digest_mismatch(error)) throw;
    }
  }
}

}  // namespace s3
