#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/stop.h"
#include "s3/client.h"
#include "s3/options.h"
#include "s3/upload_state.h"

/// The run directory of an upload as other commands see it: status, verify and clean.
namespace s3 {

bool is_upload_run(const std::filesystem::path& directory);

/// What its journal says; a process may be working on it meanwhile. Throws Error{usage} when it is none,
/// Error{corrupt} on damage.
UploadState read_upload_run(const std::filesystem::path& directory);

/// The options with which the run can be compared: directory, bucket, and which files are meant. Throws
/// Error{usage} for a run that has not begun.
UploadOptions options_of(const std::filesystem::path& directory, const UploadState& state);

struct CleanedRun {
  uint64_t aborted = 0;  ///< unfinished uploads on the server
  bool removed = false;  ///< the directory; false when something else is in it, too
};
/// Opens a session for the run's bucket; only called when something is to be aborted there.
using Connect = std::function<std::shared_ptr<Session>()>;
/// Aborts the multipart uploads that the run has begun and not completed, then removes its files. Objects
/// stay. When an upload cannot be aborted nothing is removed: only the journal knows of it. Throws
/// Error{usage} while another process works on it, Error{permanent} that names the file where it cannot be
/// told whether one is left (the others are aborted by then), and what the client throws.
CleanedRun clean_upload_run(const std::filesystem::path& directory, const UploadState& state,
                            const Connect& connect, const base::Stop& stop);

}  // namespace s3
