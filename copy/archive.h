#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/file.h"
#include "base/zstd.h"
#include "copy/end_state.h"
#include "copy/run_dir.h"

namespace copy {

/// A directory with a database's rows as COPY streams: a run directory (plan, schema, key, journal of chunks)
/// plus
///   data/RELATION/CHUNK.zst   the chunk's COPY bytes, one zstd frame with a content checksum
///   schema.dump.zst           in place of schema.dump: pg_dump's file has no checksum of its own
///   end_state.json.zst        what is read at the source last (copy/end_state.h)
/// `cutover export` makes one, `copy --archive` makes one on the way, `cutover import` and a resumed run read
/// it. A chunk is in the archive when its record is in the journal; the file is complete and durable before
/// that.
class Archive {
 public:
  /// Opens or makes it for writing, and locks it. One that belongs to another run is Error{usage}.
  Archive(const std::filesystem::path& path, const std::string& run_id);
  /// An export's: its run directory is the archive. `dir` must outlive this.
  explicit Archive(RunDir& dir) : dir_(&dir) {}

  RunDir& dir() { return *dir_; }
  bool has(uint32_t relation, uint32_t chunk) { return dir_->has_chunk(relation, chunk); }

  /// The sink of one chunk; finish() makes the file complete.
  class ChunkSink : public base::ByteSink {
   public:
    explicit ChunkSink(const std::filesystem::path& path) : file_(path), zstd_(file_) {}
    void write(base::Bytes bytes) override { zstd_.write(bytes); }
    void finish() override { zstd_.finish(); }

   private:
    base::FileSink file_;
    base::ZstdSink zstd_;
  };
  std::unique_ptr<ChunkSink> chunk_sink(uint32_t relation, uint32_t chunk);

  /// Takes over plan, key and schema of the run that begins to write it; one that has them already is left.
  void begin(const RunDir& run, const Plan& plan, const pg::DigestKey& key);
  void store_schema(const std::filesystem::path& dump) const;
  /// pg_dump's file as it was stored. Throws Error{corrupt} naming the file.
  static std::string load_schema(const std::filesystem::path& archive);
  /// The end state of a run or an archive, in its directory. `write` gets a visitor that stores what it is
  /// given.
  static void store_end_state(const std::filesystem::path& directory,
                              const std::function<void(const EndVisitor& store)>& write);
  static void for_each_end_record(const std::filesystem::path& directory, const EndVisitor& visit);
  static bool has_end_state(const std::filesystem::path& directory);

  static std::filesystem::path chunk_path(const std::filesystem::path& archive, uint32_t relation,
                                          uint32_t chunk);

 private:
  std::unique_ptr<RunDir> own_;
  RunDir* dir_;
};

}  // namespace copy
