#include <fmt/format.h>

#include "base/text.h"
#include "verify/catalog.h"

namespace verify {
namespace {

constexpr size_t kLongestValue = 100;

/// On one line, and short enough to be read.
std::string shown(const std::string& value) {
  if (value.empty()) return "\"\"";
  std::string out(base::beginning_of(value, kLongestValue));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return out.size() < value.size() ? out + "…" : out;
}

}  // namespace

std::string describe(const CatalogDifference& difference) {
  const auto& [kind, object, property, source, target, parts] = difference;
  const auto subject = fmt::format("{} {}", kind, object);
  if (property.empty())
    return fmt::format(
        "{} {}{}", subject, target ? "is on the target only" : "is missing on the target",
        parts == 0 ? "" : fmt::format(", with {} {} of it", parts, parts == 1 ? "part" : "parts"));
  if (!source && !target)
    return fmt::format("{}{}{} not compared", subject, property == "*" ? "" : ": ",
                       property == "*" ? "" : property);
  if (!source) return fmt::format("{}: {} is {} on the target only", subject, property, shown(*target));
  if (!target) return fmt::format("{}: {} is not {} any more", subject, property, shown(*source));
  if (shown(*source) == shown(*target)) return fmt::format("{}: {} differs", subject, property);
  return fmt::format("{}: {} is {} instead of {}", subject, property, shown(*target), shown(*source));
}

}  // namespace verify
