#include "copy/archive.h"

#include <fmt/format.h>

#include "base/error.h"

namespace copy {

namespace fs = std::filesystem;

Archive::Archive(const fs::path& path, const std::string& run_id)
    : own_(std::make_unique<RunDir>(path)), dir_(own_.get()) {
  if (dir_->has_run() && dir_->state().run_id != run_id)
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the archive {} belongs to another run", path.string()),
                      "name an empty directory, or resume that run with the run directory it was made with");
}

namespace {

constexpr const char* kSchema = "schema.dump.zst";
constexpr const char* kEndState = "end_state.json.zst";

std::string read_compressed(const fs::path& file) {
  return base::during(fmt::format("read {}", file.string()),
                      [&] { return base::zstd_decompress(base::read_file(file)); });
}

}  // namespace

void Archive::begin(const RunDir& run, const Plan& plan, const pg::DigestKey& key) {
  if (dir_->has_run()) return;
  dir_->store_plan(plan);
  dir_->store_key(key);
  if (plan.schema == SchemaMode::dump) store_schema(run.schema_dump());
  dir_->record(record::run(run.state()));
  for (uint32_t i = 0; i < run.state().snapshots.size(); ++i)
    dir_->record(record::snapshot(i, run.state().snapshots[i]));
  dir_->sync();
}

void Archive::store_schema(const fs::path& dump) const {
  base::replace_file(dir_->path() / kSchema, base::zstd_compress(base::read_file(dump)));
}

std::string Archive::load_schema(const fs::path& archive) { return read_compressed(archive / kSchema); }

void Archive::store_end_state(const fs::path& directory,
                              const std::function<void(const EndVisitor& store)>& write) {
  base::FileSink file(directory / kEndState);
  base::ZstdSink out(file);
  write([&](const EndRecord& record) { write_end_record(record, out); });
  out.finish();
}

void Archive::for_each_end_record(const fs::path& directory, const EndVisitor& visit) {
  base::FileSource file(directory / kEndState);
  base::ZstdSource in(file);
  EndRecords records(in);
  // What goes wrong with a record that was read is no error of the file.
  const auto reading = fmt::format("read {}", (directory / kEndState).string());
  while (const auto record = base::during(reading, [&] { return records.next(); })) visit(*record);
}

bool Archive::has_end_state(const fs::path& directory) { return fs::exists(directory / kEndState); }

fs::path Archive::chunk_path(const fs::path& archive, uint32_t relation, uint32_t chunk) {
  return archive / "data" / std::to_string(relation) / fmt::format("{}.zst", chunk);
}

std::unique_ptr<Archive::ChunkSink> Archive::chunk_sink(uint32_t relation, uint32_t chunk) {
  const auto path = chunk_path(dir_->path(), relation, chunk);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) throw base::system_error("create", path.parent_path().string(), error.value());
  return std::make_unique<ChunkSink>(path);
}

}  // namespace copy
