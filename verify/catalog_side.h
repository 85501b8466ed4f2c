#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "verify/catalog.h"

namespace verify {

// One side of a comparison: a catalog as the options want it to be seen.

struct CatalogItem {
  struct Property {
    std::string name;
    std::string value;
    bool of_provider = false;  ///< a grant to, or the ownership of, one of the provider's roles
  };
  const CatalogObject* object = nullptr;
  std::vector<Property> properties;  ///< by name; roles have the names that they should have on the target
};

struct CatalogSide {
  std::map<CatalogKey, CatalogItem> items;
  std::set<CatalogKey> of_provider;  ///< neither copied nor compared
  std::set<CatalogKey> excluded;     ///< CatalogOptions::selects left them out
  std::vector<CatalogUnchecked> unchecked;
};

/// `roles` is the role map, empty for the target. Kinds in `unreadable` are left out. `catalog` must outlive
/// the result.
CatalogSide prepare_side(const Catalog& catalog, const CatalogOptions& options,
                         const std::map<std::string, std::string>& roles,
                         const std::set<std::string>& unreadable);

}  // namespace verify
