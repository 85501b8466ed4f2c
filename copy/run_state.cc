#include "copy/run_state.h"

#include "base/codec.h"
#include "base/error.h"

namespace copy {
namespace {

using base::Decoder;
using base::Encoder;

enum class Type : uint64_t {
  run = 1,
  snapshot = 2,
  chunk = 3,
  forgotten = 4,
  relation_digest = 5,
  proof = 6,
  finished = 7,
  schema = 9,
  unproven = 10,
  discarded = 11,
};

Encoder begin(Type type) {
  Encoder out;
  out.number(static_cast<uint64_t>(type));
  return out;
}

void put(Encoder& out, const pg::Digest& digest) { out.number(digest.rows).wide(digest.sum); }

uint64_t milliseconds_of(std::chrono::system_clock::time_point when) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count());
}

std::chrono::system_clock::time_point get_time(Decoder& in) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(static_cast<int64_t>(in.number())));
}

pg::Digest get_digest(Decoder& in) {
  pg::Digest digest;
  digest.rows = in.number();
  digest.sum = in.wide();
  return digest;
}

}  // namespace

namespace record {

std::string run(const RunState& state) {
  return begin(Type::run)
      .text(state.run_id)
      .text(state.tool_version)
      .text(state.source)
      .text(state.target)
      .number(milliseconds_of(state.started))
      .str();
}

std::string snapshot(uint32_t index, const SnapshotRecord& snapshot) {
  return begin(Type::snapshot)
      .number(index)
      .text(snapshot.mark.system_identifier)
      .number(snapshot.mark.database_oid)
      .text(snapshot.mark.transactions)
      .text(snapshot.mark.lsn)
      .text(snapshot.mark.timeline)
      .text(snapshot.mark.server_start)
      .text(snapshot.source_version)
      .str();
}

std::string chunk(uint32_t relation, uint32_t chunk, const ChunkRecord& record) {
  auto out = begin(Type::chunk);
  out.number(relation).number(chunk).number(record.rows).number(record.bytes);
  put(out, record.digest);
  return out.number(record.snapshot).str();
}

std::string forgotten(uint32_t relation, uint32_t chunk) {
  return begin(Type::forgotten).number(relation).number(chunk).str();
}

std::string schema(const SchemaRecord& schema) {
  return begin(Type::schema).number(schema.bytes).number(schema.crc32c).str();
}

std::string relation_digest(uint32_t relation, std::string_view encoded) {
  return begin(Type::relation_digest).number(relation).text(encoded).str();
}

std::string proof(uint32_t unit, const ProofRecord& record) {
  auto out = begin(Type::proof);
  out.number(unit).number(record.equal ? 1 : 0);
  put(out, record.source);
  put(out, record.target);
  return out.str();
}

std::string finished(int exit_code) {
  return begin(Type::finished).number(static_cast<uint64_t>(exit_code)).str();
}
std::string discarded(std::chrono::system_clock::time_point when) {
  return begin(Type::discarded).number(milliseconds_of(when)).str();
}
std::string unproven() { return begin(Type::unproven).str(); }

}  // namespace record

const ChunkRecord* RunState::chunk(uint32_t relation, uint32_t number) const {
  const auto found = chunks.find(chunk_key(relation, number));
  return found == chunks.end() ? nullptr : &found->second;
}

void RunState::apply(base::Bytes bytes) {
  Decoder in(bytes);
  const auto small = [&] { return static_cast<uint32_t>(in.number()); };
  switch (static_cast<Type>(in.number())) {
    case Type::run:
      run_id = in.text();
      tool_version = in.text();
      source = in.text();
      target = in.text();
      started = get_time(in);
      break;
    case Type::snapshot: {
      const auto index = small();
      if (index > snapshots.size()) base::fail(base::ErrorKind::corrupt, "snapshot {} out of order", index);
      if (index == snapshots.size()) snapshots.emplace_back();
      auto& target_record = snapshots[index];
      target_record.mark.system_identifier = in.text();
      target_record.mark.database_oid = small();
      target_record.mark.transactions = in.text();
      target_record.mark.lsn = in.text();
      target_record.mark.timeline = in.text();
      target_record.mark.server_start = in.text();
      target_record.source_version = in.text();
      break;
    }
    case Type::chunk: {
      const auto relation = small();
      const auto number = small();
      ChunkRecord record;
      record.rows = in.number();
      record.bytes = in.number();
      record.digest = get_digest(in);
      record.snapshot = small();
      chunks.insert_or_assign(chunk_key(relation, number), record);
      break;
    }
    case Type::forgotten: {
      const auto relation = small();
      const auto number = small();
      chunks.erase(chunk_key(relation, number));
      relation_digests.erase(relation);
      proofs.clear();
      break;
    }
    case Type::relation_digest: {
      const auto relation = small();
      relation_digests.insert_or_assign(relation, std::string(in.text()));
      break;
    }
    case Type::proof: {
      const auto unit = small();
      ProofRecord record;
      record.equal = in.number() != 0;
      record.source = get_digest(in);
      record.target = get_digest(in);
      proofs.insert_or_assign(unit, record);
      break;
    }
    case Type::schema: {
      SchemaRecord record;
      record.bytes = in.number();
      record.crc32c = small();
      schema = record;
      break;
    }
    case Type::unproven:
      proofs.clear();
      break;
    case Type::finished:
      finished = static_cast<int>(in.number());
      break;
    case Type::discarded:
      discarded = get_time(in);
      break;
    default:
      base::fail(base::ErrorKind::corrupt, "a record of an unknown type");
  }
  if (!in.at_end()) base::fail(base::ErrorKind::corrupt, "a record with something after its end");
}

void RunState::for_each_record(const std::function<void(std::string_view)>& visit) const {
  if (!run_id.empty()) visit(record::run(*this));
  for (uint32_t i = 0; i < snapshots.size(); ++i) visit(record::snapshot(i, snapshots[i]));
  if (schema) visit(record::schema(*schema));
  for (const auto& [key, value] : chunks)
    visit(record::chunk(static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key), value));
  for (const auto& [relation, encoded] : relation_digests) visit(record::relation_digest(relation, encoded));
  for (const auto& [unit, value] : proofs) visit(record::proof(unit, value));
  if (finished) visit(record::finished(*finished));
  if (discarded) visit(record::discarded(*discarded));
}

}  // namespace copy
