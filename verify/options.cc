#include "verify/options.h"

namespace verify {

std::optional<std::string> Options::why_left_out(const pg::Catalog& side,
                                                 std::span<const pg::QualifiedName> names) const {
  const auto& schema = names.front().schema;
  if (side.vendor_schemas.contains(schema) && !catalog.own_schemas.contains(schema))
    return "it belongs to the provider";
  return why_skipped(names);
}

}  // namespace verify
