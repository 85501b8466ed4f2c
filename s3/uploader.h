#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/stop.h"
#include "s3/client.h"
#include "s3/options.h"
#include "s3/progress.h"
#include "s3/references.h"
#include "s3/upload_state.h"
#include "s3/verify.h"
#include "s3/walk.h"

/// Uploads a directory to a bucket. The table of contents of a run is upload() in uploader.cc.
namespace s3 {

struct Outcome {
  WalkCounts walked;
  std::optional<Capabilities> capabilities;
  uint64_t uploaded = 0;   ///< objects written
  uint64_t unchanged = 0;  ///< known to be there, no request made
  uint64_t adopted = 0;    ///< found there with the right content
  uint64_t vanished = 0;   ///< files deleted while the upload ran
  uint64_t removed = 0;    ///< objects deleted because they have no file
  uint64_t bytes_sent = 0;
  uint64_t requests = 0;
  uint64_t retries = 0;
  uint64_t failures = 0;  ///< all of them; `problems` has the first thousand
  uint64_t differences = 0;
  std::vector<Problem> problems;
  Verification verification;
  std::optional<References> references;  ///< if they were asked for
  std::chrono::milliseconds elapsed{0};
};

/// What a dry run says: how much would be uploaded.
struct DryRun {
  WalkCounts walked;
  uint64_t files = 0;  ///< to be uploaded
  uint64_t bytes = 0;
  uint64_t in_parts = 0;  ///< of the files: those too large for one PUT
  std::vector<Problem> problems;
};

/// Uploads what is not there yet, deletes what has no file any more if that is asked for, and verifies. The
/// same call after an interruption goes on where the last one stopped. A directory without any file is a
/// failure where the journal or the prefix has objects of it. Throws what ends the run: Error{usage}
/// for the directory, Error{cancelled}, and for the server and the credentials what the client throws.
Outcome upload(const UploadOptions& options, const std::shared_ptr<Session>& session, Progress& progress,
               const base::Stop& stop);

/// Only compares directory and bucket, and writes nothing. `with_journal` says that the run directory has the
/// journal of their upload, so that a listing has ETags to compare.
Outcome verify_only(const UploadOptions& options, const std::shared_ptr<Session>& session, Progress& progress,
                    const base::Stop& stop, bool with_journal = false);

/// Sends no request.
DryRun dry_run(const UploadOptions& options, const Endpoint& endpoint, const base::Stop& stop);

}  // namespace s3
