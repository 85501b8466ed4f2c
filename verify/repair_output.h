#pragma once

#include <string>

#include "base/file.h"
#include "pg/connection.h"
#include "verify/progress.h"

namespace verify {

/// Where the statements of a repair go: to the target, into a script for psql, or to both.
class RepairOutput {
 public:
  /// Either may be null.
  RepairOutput(pg::Connection* target, base::FileSink* script) : target_(target), script_(script) {}

  void statement(const std::string& sql);
  /// COMMIT, before which the script is finished: what fails then fails while nothing is changed. Throws
  /// Error{in_doubt} when the server's answer was lost.
  void commit();
  /// A line for whoever reads the script.
  void comment(const std::string& text);
  /// A command of psql's own, for the script only.
  void psql_command(const std::string& text);
  /// `sql` is COPY … FROM STDIN in text; its rows are what `query`, COPY … TO STDOUT in text, gives at
  /// the source.
  void copy_rows(const std::string& sql, pg::Connection& source, const std::string& query,
                 Progress::Scope& scope);

 private:
  void write(std::string_view text);
  /// Rows for the script. Throws Error{corrupt} for one that psql would take for the end of the rows, and
  /// what follows for commands: a server that means well sends none.
  void write_rows(base::Bytes bytes);

  pg::Connection* target_;
  base::FileSink* script_;
  size_t column_ = 0;  // of the row that is being written
  bool after_backslash_ = false;
};

}  // namespace verify
