#include "verify/repair_output.h"

#include <optional>
#include <span>
#include <vector>

#include "pg/copy_stream.h"

namespace verify {

void RepairOutput::write(std::string_view text) {
  if (script_) script_->write(std::as_bytes(std::span(text)));
}

void RepairOutput::statement(const std::string& sql) {
  write(sql + ";\n");
  if (target_) target_->exec(sql);
}

void RepairOutput::commit() {
  write("COMMIT;\n");
  if (script_) script_->finish();
  if (!target_) return;
  try {
    // The server answers COMMIT of a failed transaction with success and the tag ROLLBACK.
    if (target_->exec("COMMIT").tag() != "COMMIT")
      throw base::Error(base::ErrorKind::permanent, "the server rolled the transaction back");
  } catch (base::Error& error) {
    if (!target_->alive() || error.kind() == base::ErrorKind::cancelled ||
        error.kind() == base::ErrorKind::transient)
      error.kind(base::ErrorKind::in_doubt)
          .during("the reply to the commit was lost")
          .hint("whether the target was changed is not known: compare again");
    throw;
  }
}

void RepairOutput::psql_command(const std::string& text) { write("\\" + text + "\n"); }

void RepairOutput::write_rows(base::Bytes bytes) {
  if (!script_) return;
  for (const auto byte : bytes) {
    const auto c = static_cast<char>(byte);
    if (column_ == 1 && after_backslash_ && c == '.')
      throw base::Error(base::ErrorKind::corrupt, "the source sends a row that begins with \\.",
                        "no script is made of it: it could hold commands");
    after_backslash_ = c == '\\';
    column_ = c == '\n' ? 0 : column_ + 1;
  }
  script_->write(bytes);
}

void RepairOutput::comment(const std::string& text) { write("-- " + text + "\n"); }

void RepairOutput::copy_rows(const std::string& sql, pg::Connection& source, const std::string& query,
                             Progress::Scope& scope) {
  write(sql + ";\n");
  std::optional<pg::CopyWriter> writer;
  if (target_) writer.emplace(*target_, sql);
  std::vector<std::byte> buffer(pg::kCopyBatch);
  pg::CopyReader reader(source, query);
  while (const auto size = reader.read(buffer)) {
    const auto bytes = base::Bytes(buffer).first(size);
    if (writer) writer->write(bytes);
    write_rows(bytes);
    scope.add_bytes(size);
  }
  if (writer) writer->finish();
  if (column_ != 0) throw base::Error(base::ErrorKind::corrupt, "the source's rows end within a line");
  write("\\.\n");
}

}  // namespace verify
