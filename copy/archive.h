#pragma once

#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/zstd.h"
#include "copy/run_dir.h"

namespace copy {

/// A directory with a database's rows as COPY streams: a run directory (plan, schema, key, journal of chunks)
/// plus
///   data/RELATION/CHUNK.zst   the chunk's COPY bytes, one zstd frame with a content checksum
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

  static std::filesystem::path chunk_path(const std::filesystem::path& archive, uint32_t relation,
                                          uint32_t chunk);

 private:
  std::unique_ptr<RunDir> own_;
  RunDir* dir_;
};

}  // namespace copy
