#include "verify/options.h"

namespace verify {

std::optional<std::string> Options::why_left_out(std::span<const pg::QualifiedName> names,
                                                 const pg::Catalog* side) const {
  const auto& schema = names.front().schema;
  if (side && side->vendor_schemas.contains(schema) && !catalog.own_schemas.contains(schema))
    return "it belongs to the provider";
  return skip ? skip(names) : std::nullopt;
}

}  // namespace verify
