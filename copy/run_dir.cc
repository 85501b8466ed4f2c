#include "copy/run_dir.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/codec.h"
#include "base/crash_point.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/zstd.h"

namespace copy {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;

constexpr std::string_view kCheckpointMagic = "cutover checkpoint 1";
constexpr uint64_t kCompactAbove = 16 << 20;

// checkpoint = zstd frame of: text(magic) number(generation) text(record)*
void write_checkpoint_file(const fs::path& path, const RunState& state, uint64_t generation) {
  base::FileSink file(path);
  base::ZstdSink out(file);
  const auto write = [&](const base::Encoder& piece) { out.write(base::bytes_of(piece.str())); };
  write(base::Encoder().text(kCheckpointMagic).number(generation));
  state.for_each_record([&](std::string_view record) { write(base::Encoder().text(record)); });
  out.finish();
}

uint64_t decode_checkpoint(const fs::path& path, std::string_view frame, RunState& state) {
  return base::during(fmt::format("read the checkpoint {}", path.string()), [&] {
    const auto content = base::zstd_decompress(frame);
    base::Decoder in(std::as_bytes(std::span(content)));
    if (in.text() != kCheckpointMagic)
      base::fail(ErrorKind::corrupt, "it is not a checkpoint of this format");
    const auto generation = in.number();
    while (!in.at_end()) {
      const auto record = in.text();
      state.apply(std::as_bytes(std::span(record)));
    }
    return generation;
  });
}

fs::path checkpoint_path(const fs::path& directory) { return directory / "checkpoint.zst"; }

}  // namespace

RunDir::RunDir(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw base::system_error("create the run directory", path_.string(), error.value());
  lock_.emplace(path_);
  load();
}

fs::path RunDir::journal_path(uint64_t generation) const {
  return path_ / fmt::format("journal.{}", generation);
}

void RunDir::load() {
  if (const auto frame = base::read_file_if_exists(checkpoint_path(path_)))
    generation_ = decode_checkpoint(checkpoint_path(path_), *frame, state_);
  base::Journal::Opened opened;
  journal_.emplace(
      journal_path(generation_), [this](base::Bytes record) { state_.apply(record); }, &opened);
  torn_bytes_ = opened.torn_bytes;
  // Left over by a crash between two steps of write_checkpoint().
  std::error_code ignored;
  fs::remove(journal_path(generation_ + 1), ignored);
  if (generation_ > 0) fs::remove(journal_path(generation_ - 1), ignored);
}

RunState RunDir::peek(const fs::path& path) {
  RunState state;
  uint64_t generation = 0;
  // A checkpoint may be renamed into place between the two reads; then the pair does not fit and is read
  // again.
  for (int attempt = 0;; ++attempt) {
    state = RunState();
    generation = 0;
    if (const auto frame = base::read_file_if_exists(checkpoint_path(path)))
      generation = decode_checkpoint(checkpoint_path(path), *frame, state);
    const auto journal = path / fmt::format("journal.{}", generation);
    if (!fs::exists(journal)) {
      if (attempt < 3) continue;
      throw base::Error(ErrorKind::usage, fmt::format("{} is not a run directory", path.string()),
                        "give the directory that --run-dir named when the copy was started");
    }
    base::Journal::read(journal, [&](base::Bytes record) { state.apply(record); });
    return state;
  }
}

void RunDir::record(const std::string& payload) {
  const auto bytes = std::as_bytes(std::span(payload));
  const std::lock_guard lock(mutex_);
  base::crash_point("journal_append.before");
  journal_->append(bytes);
  state_.apply(bytes);
  base::crash_point("journal_append.after");
  const auto now = std::chrono::steady_clock::now();
  if (now - last_sync_ >= std::chrono::seconds(1)) {
    journal_->sync();
    last_sync_ = now;
  }
  if (journal_->size() > kCompactAbove) write_checkpoint();
}

bool RunDir::has_chunk(uint32_t relation, uint32_t chunk) {
  const std::lock_guard lock(mutex_);
  return state_.chunk(relation, chunk) != nullptr;
}

void RunDir::sync() {
  const std::lock_guard lock(mutex_);
  journal_->sync();
}

void RunDir::checkpoint() {
  const std::lock_guard lock(mutex_);
  write_checkpoint();
}

void RunDir::write_checkpoint() {
  const auto next = generation_ + 1;
  base::Journal journal(journal_path(next), [](base::Bytes) {});
  journal.sync();
  base::crash_point("checkpoint_rename.before");
  write_checkpoint_file(checkpoint_path(path_), state_, next);
  base::crash_point("checkpoint_rename.after");
  journal_ = std::move(journal);
  std::error_code ignored;
  fs::remove(journal_path(generation_), ignored);
  generation_ = next;
}

void RunDir::store_plan(const Plan& plan) const {
  base::FileSink file(path_ / "plan.json.zst");
  constexpr int kLevel = 3;
  base::ZstdSink frame(file, kLevel);
  plan.write(frame);
  frame.finish();
}

std::optional<Plan> RunDir::load_plan() const {
  if (!fs::exists(path_ / "plan.json.zst")) return std::nullopt;
  return load_plan(path_);
}

Plan RunDir::load_plan(const fs::path& path) {
  const auto file = path / "plan.json.zst";
  if (!fs::exists(file)) base::fail(ErrorKind::usage, "{} is missing", file.string());
  base::FileSource content(file);
  base::ZstdSource lines(content);
  return base::during(fmt::format("read {}", file.string()), [&] { return Plan::read(lines); });
}

// digest.key = hexadecimal key, space, its CRC-32C in 8 hexadecimal digits, line end. Another key would make
// every comparison a difference, so a damaged one must not be used.
namespace {
std::string key_line(const std::string& hex) {
  return fmt::format("{} {:08x}", hex, base::crc32c(std::as_bytes(std::span(hex))));
}
}  // namespace

void RunDir::store_key(const pg::DigestKey& key) const {
  base::replace_file(path_ / kKeyFile, key_line(key.hex()) + "\n");
}

pg::DigestKey RunDir::load_key() const { return load_key(path_); }

pg::DigestKey RunDir::load_key(const fs::path& path) {
  const auto file = path / kKeyFile;
  const auto line = base::read_file(file);
  return base::during(fmt::format("read {}", file.string()), [&] {
    const auto hex = line.substr(0, line.find(' '));
    if (line != key_line(hex) + "\n") base::fail(ErrorKind::corrupt, "its checksum is wrong");
    return pg::DigestKey::from_hex(hex);
  });
}

namespace {
SchemaRecord schema_record(const fs::path& dump) {
  SchemaRecord record;
  base::FileSource file(dump);
  std::array<std::byte, size_t{16} << 10> piece{};
  while (const auto size = file.read(piece)) {
    record.bytes += size;
    record.crc32c = base::crc32c(base::Bytes(piece).first(size), record.crc32c);
  }
  return record;
}
}  // namespace

void RunDir::record_schema_dump() {
  record(record::schema(schema_record(schema_dump())));
  sync();
}

void RunDir::check_schema_dump() const {
  if (!state_.schema) return;
  const char* problem = nullptr;
  if (!fs::exists(schema_dump())) {
    problem = "is missing";
  } else if (const auto found = schema_record(schema_dump()); found.bytes != state_.schema->bytes) {
    problem = "has another size than when it was written";
  } else if (found.crc32c != state_.schema->crc32c) {
    problem = "is damaged: its checksum is wrong";
  }
  if (problem)
    throw base::Error(ErrorKind::corrupt, fmt::format("{} {}", schema_dump().string(), problem),
                      "start over with --restart");
}

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "name" of "name" and of the temporary file "name.tmp" that comes before it.
std::string final_name(const fs::path& path) {
  return (path.extension() == ".tmp" ? path.stem() : path.filename()).string();
}

bool is_run_file(const fs::path& path) {
  static constexpr std::array<std::string_view, 14> kNames = {
      RunDir::kKeyFile,     "plan.json.zst",      "schema.dump",        "schema.fresh",   "checkpoint.zst",
      "status.json",        "report.json",        "schema.dump.zst",    "verify.journal", "differences.jsonl",
      "end_state.json.zst", "verify-report.json", "repair-report.json", "schema.entries"};
  constexpr std::string_view kJournal = "journal.";
  const auto name = final_name(path);
  return std::ranges::find(kNames, name) != kNames.end() ||
         (name.starts_with(kJournal) && is_number(std::string_view(name).substr(kJournal.size())));
}

bool is_chunk_file(const fs::path& path) {
  const fs::path name = final_name(path);
  return name.extension() == ".zst" && is_number(name.stem().string());
}

// An archive's rows, data/RELATION/CHUNK.zst. fs::remove() leaves directories that hold anything else.
void erase_chunks(const fs::path& data) {
  std::error_code ignored;
  for (const auto& relation : fs::directory_iterator(data, ignored)) {
    if (!relation.is_directory() || !is_number(relation.path().filename().string())) continue;
    for (const auto& chunk : fs::directory_iterator(relation.path(), ignored))
      if (is_chunk_file(chunk.path())) fs::remove(chunk.path());
    fs::remove(relation.path(), ignored);
  }
  fs::remove(data, ignored);
}

}  // namespace

std::vector<fs::path> RunDir::runs_below(const fs::path& path) {
  std::vector<fs::path> runs;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored))
    if (fs::exists(entry.path() / "lock", ignored) && fs::exists(entry.path() / "plan.json.zst", ignored))
      runs.push_back(entry.path());
  std::ranges::sort(runs);
  return runs;
}

void RunDir::record_discard() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  record(record::discarded(std::max<std::chrono::system_clock::time_point>(now, state_.started)));
  sync();
}

std::chrono::system_clock::time_point RunDir::time_to_start() const {
  const auto now = std::chrono::system_clock::now();
  return state_.discarded ? std::max(now, *state_.discarded + std::chrono::milliseconds(1)) : now;
}

void RunDir::erase() {
  const std::lock_guard lock(mutex_);
  RunState rest;
  rest.discarded = state_.discarded;
  state_ = std::move(rest);
  torn_bytes_ = 0;
  write_checkpoint();
  const auto journal = journal_path(generation_);
  for (const auto& entry : fs::directory_iterator(path_))
    if (!entry.is_directory() && is_run_file(entry.path()) && entry.path() != checkpoint_path(path_) &&
        entry.path() != journal)
      fs::remove(entry.path());
  erase_chunks(path_ / "data");
}

bool RunDir::remove() {
  erase();
  const std::lock_guard lock(mutex_);
  journal_.reset();
  std::error_code ignored;
  fs::remove(checkpoint_path(path_), ignored);
  fs::remove(journal_path(generation_), ignored);
  fs::remove(path_ / "lock", ignored);
  return fs::remove(path_, ignored);
}

}  // namespace copy
