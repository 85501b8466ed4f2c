#include "copy/entry_file.h"

#include <span>

#include "base/codec.h"
#include "base/error.h"

namespace copy {
namespace {

constexpr size_t kMostUnwritten = size_t{64} << 10;

void encode(const TocEntry& entry, base::Encoder& out) {
  out.number(entry.id).number(entry.catalog).number(entry.oid);
  out.text(entry.description).text(entry.schema).text(entry.name).text(entry.owner).text(entry.sql);
  for (const auto dependency : entry.dependencies) out.number(dependency);
}

TocEntry decode(std::string_view bytes) {
  base::Decoder in(base::bytes_of(bytes));
  const auto number = [&] { return static_cast<uint32_t>(in.number()); };
  TocEntry entry;
  entry.id = number();
  entry.catalog = number();
  entry.oid = number();
  for (auto* text : {&entry.description, &entry.schema, &entry.name, &entry.owner, &entry.sql})
    *text = in.text();
  while (!in.at_end()) entry.dependencies.push_back(number());
  return entry;
}

}  // namespace

EntryFile::EntryFile(const std::filesystem::path& directory)
    : file_(base::File::create_anew(directory / kName)) {
  std::filesystem::remove(file_.path());
}

StoredEntry EntryFile::add(const TocEntry& entry) {
  base::Encoder out;
  encode(entry, out);
  const StoredEntry stored{.id = entry.id,
                           .oid = entry.oid,
                           .is_index = entry.description == "INDEX",
                           .size = static_cast<uint32_t>(out.str().size()),
                           .offset = written_ + unwritten_.size()};
  unwritten_ += out.str();
  if (unwritten_.size() >= kMostUnwritten) {
    file_.write_all(unwritten_);
    written_ += unwritten_.size();
    unwritten_.clear();
  }
  return stored;
}

TocEntry EntryFile::read(const StoredEntry& stored) const {
  if (stored.offset >= written_)
    return decode(std::string_view(unwritten_).substr(stored.offset - written_, stored.size));
  std::string bytes(stored.size, '\0');
  if (file_.read_at(stored.offset, std::as_writable_bytes(std::span(bytes))) != bytes.size())
    base::fail(base::ErrorKind::corrupt, "{} was cut off by somebody else", file_.path().string());
  return decode(bytes);
}

}  // namespace copy
