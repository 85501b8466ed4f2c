#include "verify/repair_output.h"

#include <optional>
#include <span>

#include "pg/copy_stream.h"

namespace verify {

void RepairOutput::write(std::string_view text) {
  if (script_) script_->write(std::as_bytes(std::span(text)));
}

void RepairOutput::statement(const std::string& sql) {
  write(sql + ";\n");
  if (target_) target_->exec(sql);
}

void RepairOutput::comment(const std::string& text) { write("-- " + text + "\n"); }

void RepairOutput::copy_rows(const std::string& sql, pg::Connection& source,
                             const std::vector<std::string>& queries, Progress::Scope& scope) {
  write(sql + ";\n");
  std::optional<pg::CopyWriter> writer;
  if (target_) writer.emplace(*target_, sql);
  std::vector<std::byte> buffer(pg::kCopyBatch);
  for (const auto& query : queries) {
    pg::CopyReader reader(source, query);
    while (const auto size = reader.read(buffer)) {
      const auto bytes = base::Bytes(buffer).first(size);
      if (writer) writer->write(bytes);
      if (script_) script_->write(bytes);
      scope.add_bytes(size);
    }
  }
  if (writer) writer->finish();
  write("\\.\n");
}

}  // namespace verify
