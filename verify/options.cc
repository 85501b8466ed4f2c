#include "verify/options.h"

namespace verify {

std::optional<std::string> Options::why_left_out(const pg::Catalog& side,
                                                 const pg::QualifiedName& name) const {
  if (side.vendor_schemas.contains(name.schema) &&
      !(catalog.insists && catalog.insists(name.schema, name.name)))
    return "it belongs to the provider";
  return skip ? skip(name) : std::nullopt;
}

}  // namespace verify
