#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/stop.h"
#include "s3/client.h"
#include "s3/directories.h"
#include "s3/options.h"
#include "s3/problems.h"
#include "s3/progress.h"
#include "s3/upload_journal.h"

namespace s3 {

/// How far directory and bucket agree.
struct Verification {
  VerifyLevel level = VerifyLevel::none;
  uint64_t equal = 0;
  uint64_t downloaded = 0;  ///< of those: byte by byte
  uint64_t listed = 0;      ///< outside of a sample: only size (and ETag) were compared, and are equal
  uint64_t missing = 0;     ///< files without an object
  uint64_t different = 0;
  uint64_t extra = 0;       ///< objects without a file
  uint64_t unverified = 0;  ///< nothing to compare with, or the file was changed meanwhile
  uint64_t vanished = 0;    ///< files that were deleted before they could be compared
  /// For each of the files: it was compared with its object, and they are equal.
  std::vector<bool> is_equal;
};

/// A file of the directory as it is to be found again, without its path: a million of them are 32 MB.
struct ExpectedFile {
  base::uint128 path = 0;  ///< hash
  uint64_t size = 0;
  uint64_t state = 0;  ///< hash of its FileState; 0 right behind the upload, when the journal has it
};

/// When a comparison is made. What comes to the directory right behind an upload belongs to the next one; a
/// comparison alone has to say that it has not looked at it.
enum class Moment { behind_upload, later };

/// Compares the files of the directory with the objects under the prefix; each disagreement becomes a
/// problem. With a journal, an object's ETag must be the one that its upload had; without, the listing only
/// has sizes to compare. Extra objects are notes. `files` are as sort() leaves them. Every one of them ends
/// in exactly one of the numbers of the result; otherwise that is a problem, too, and so is every file that
/// was not verified. Right behind an upload, the journal forgets the objects that are not there any more, or
/// are others.
Verification verify(const UploadOptions& options, const Root& root, const std::shared_ptr<Session>& session,
                    UploadJournal* journal, const std::vector<ExpectedFile>& files, Moment moment,
                    Problems& problems, Progress& progress, const base::Stop& stop);

/// The files of the directory, as sort() leaves them.
std::vector<ExpectedFile> expected_files(const UploadOptions& options, const Root& root,
                                         Directories& directories, Problems& problems,
                                         const base::Stop& stop);
/// By `path`, each one once: a directory that changes while it is read can name a file twice.
void sort(std::vector<ExpectedFile>& files);
const ExpectedFile* find_file(const std::vector<ExpectedFile>& files, std::string_view path);

/// Calls `visit` for every object under the prefix; its key without the prefix.
void for_each_object(Client& client, const UploadOptions& options, const base::Stop& stop,
                     const std::function<void(std::string_view path, const ListedObject&)>& visit);

}  // namespace s3
