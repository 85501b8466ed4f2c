#pragma once

#include <string>
#include <vector>

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
  /// A line for whoever reads the script.
  void comment(const std::string& text);
  /// `sql` is COPY … FROM STDIN in text; its rows are what each of `queries`, COPY … TO STDOUT in text, gives
  /// at the source.
  void copy_rows(const std::string& sql, pg::Connection& source, const std::vector<std::string>& queries,
                 Progress::Scope& scope);

 private:
  void write(std::string_view text);

  pg::Connection* target_;
  base::FileSink* script_;
};

}  // namespace verify
