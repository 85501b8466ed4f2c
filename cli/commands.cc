#include "cli/commands.h"

#include <array>

namespace cli {

std::span<const Command> commands() {
  static constexpr std::array kCommands{
      Command{"run", "the whole move that cutover.toml declares, step by step, up to the verdict",
              set_up_run},
      Command{"plan", "look at both sides and say what a copy would do; writes nothing", set_up_plan},
      Command{"copy", "copy the database, or go on where the last run stopped, and prove it equal",
              set_up_copy},
      Command{"export", "copy the database into an archive directory", set_up_export},
      Command{"import", "load an archive into a database, and prove it equal", set_up_import},
      Command{"upload", "upload a directory to an S3 bucket, or what has changed in it, and verify it",
              set_up_upload, true},
      Command{"fence", "make the source refuse writes, show who can still write, undo it", set_up_fence},
      Command{"verify", "compare two databases, or a target with what its copy recorded; writes nothing",
              set_up_verify},
      Command{"repair", "make the rows of the target that differ what the source's are; shows the plan first",
              set_up_repair},
      Command{"report", "show results that were kept: as text, as JSON or as a page", set_up_report},
      Command{"check", "everything that is declared, compared and tried before the switch: GO or NO-GO",
              set_up_check},
      Command{"status", "show how far a run is, from outside", set_up_status},
      Command{"clean", "drop what a run left on the target, and remove its run directory", set_up_clean},
      Command{"config", "check cutover.toml and show what is in force, or print a template of it",
              set_up_config},
      Command{"demo", "see all of it on servers of its own, with a kill in the middle", set_up_demo},
      Command{"completion", "print what makes a shell complete commands and options", set_up_completion},
      Command{"man", "print the manual", set_up_man},
  };
  return kCommands;
}

}  // namespace cli
