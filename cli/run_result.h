#pragma once

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "cli/log.h"

/// What the root of a `cutover run` keeps to be handed on: run-report.json, and report.html, the same as a
/// page. They are of a moment at which nothing was at work. Who begins something that may make them untrue
/// takes them away first: whatever becomes of it, no GO is left that is none any more.
namespace cli {

/// Throws Error{permanent} when one of them is there and cannot be removed.
void withdraw_run_result(const std::filesystem::path& root);

/// As run_document() says it now; the document is returned. The caller has locked the root. What cannot be
/// kept is not there afterwards, with a warning.
Json keep_run_result(const std::filesystem::path& root);

/// While a command works by hand in a run directory below a root, that root has no result, and nobody else
/// makes one: the root is locked.
class RunResultAside {
 public:
  /// Does nothing for a directory that is none of a root's copies. Throws Error{usage} while somebody works
  /// in the root: a verdict that is being made would be about what is no longer there.
  explicit RunResultAside(const std::filesystem::path& run_dir);
  RunResultAside(const RunResultAside&) = delete;
  RunResultAside& operator=(const RunResultAside&) = delete;
  /// Keeps the result as it is now.
  ~RunResultAside();

 private:
  std::optional<std::filesystem::path> root_;
  std::optional<base::DirectoryLock> lock_;
};

}  // namespace cli
