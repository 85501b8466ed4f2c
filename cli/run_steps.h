#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/declared.h"

/// A move by `cutover run`, as data: which commands, in which order, and where each keeps its state. The
/// run's root directory holds
///
///   run.json            the timeline and the verdict (cli/run_timeline.h)
///   run-report.json     the same with every result, when the run has ended; report.html, as a page
///   check-report.json   the result of the last `cutover check`
///   database/           the run directory of the copy, with one for each of --databases below it
///   upload/             that of the upload; upload-1/, upload-2/ of several
namespace cli {

struct MoveStep {
  std::string name;                    ///< "copy"
  std::vector<std::string> arguments;  ///< of the command, without the program's name
};

/// What is to be moved, and how.
struct Move {
  std::filesystem::path root;
  bool databases = false;
  std::vector<DeclaredUpload> uploads;
  bool smoke_tests = false;
  /// Behind the verify of a copy: sets back what is declared of [verify] and a copy's digests cannot have.
  std::vector<std::string> verify_plainly = {};
  bool final = false;  ///< the night: nobody writes any more
  bool fence = true;   ///< false: the writers are stopped by other means
  bool end_sessions = false;
  bool yes = false;
  bool again = false;  ///< after a GO: the application has not moved, and the target is nobody's
};

/// What earlier runs have left in the root.
struct MoveState {
  bool copy_begun = false;
  bool copied = false;    ///< and proven equal
  bool verified = false;  ///< since it was copied
  bool repaired = false;  ///< since it was copied: the target is no longer what the copy has recorded
  /// The last check said GO, and nothing was changed since: the application may use the target.
  bool went = false;
  std::vector<bool> sent = {};  ///< of each upload: it has come to its end, with differences maybe
};

/// The commands that a move may run, each once.
std::vector<std::string_view> commands_of(const Move& move);

std::filesystem::path database_dir(const std::filesystem::path& root);
std::filesystem::path upload_dir(const Move& move, size_t index);

/// The rehearsal: fence rights, plan, copy, upload, verify, smoke tests. The final run: what of these is missing, then
/// fence, repair, upload, check. A finished copy is not copied again; what is compared and tried is, always.
/// After a GO the final run only checks, and a rehearsal only compares: a repair or an upload would take away
/// what the application writes to the target.
std::vector<MoveStep> steps_of(const Move& move, const MoveState& state);

}  // namespace cli
