#include "verify/catalog_side.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "pg/provider.h"
#include "verify/catalog_text.h"

namespace verify {
namespace {

constexpr std::string_view kGrantProperty = "privileges of ";
constexpr std::string_view kOwnersGrants = "privileges of the owner";
constexpr std::string_view kGrantOption = " WITH GRANT OPTION";
constexpr std::string_view kSystemGrants = "privileges on ";  // how the kinds of such grants start

/// Not a role of PostgreSQL's own, like pg_monitor: what the user granted to it counts.
bool names_vendor_role(std::string_view text) {
  const auto role = marked_role(text);
  return role && !role->starts_with("pg_") && pg::is_vendor_role(*role);
}

bool is_grant_kind(std::string_view kind) {
  return kind == "default privileges" || kind.starts_with(kSystemGrants);
}

bool belongs_to_provider(const CatalogKey& key, const CatalogObject& object,
                         const std::set<std::string>& schemas, const CatalogOptions& options) {
  if (schemas.contains(object.schema)) return !options.own_schemas.contains(object.schema);
  if (key.kind == "extension") return pg::is_vendor_extension(key.name);
  if (key.kind == "event trigger" || key.kind == "publication") {
    const auto* owner = object.find("owner");
    return owner && names_vendor_role(*owner);
  }
  if (key.kind.starts_with(kSystemGrants))
    return std::ranges::all_of(object.properties,
                               [](const auto& property) { return names_vendor_role(property.name); });
  return names_vendor_role(key.name);  // a setting for a role, a role's default privileges or user mapping
}

/// "INSERT, SELECT WITH GRANT OPTION" of both.
std::string all_privileges(std::string_view one, std::string_view other) {
  std::map<std::string, bool, std::less<>> privileges;  // name, and whether it may be granted on
  for (auto list : {one, other})
    while (!list.empty()) {
      auto privilege = list.substr(0, list.find(", "));
      list.remove_prefix(std::min(privilege.size() + 2, list.size()));
      const bool grantable = privilege.ends_with(kGrantOption);
      if (grantable) privilege.remove_suffix(kGrantOption.size());
      privileges[std::string(privilege)] |= grantable;
    }
  std::string out;
  for (const auto& [name, grantable] : privileges)
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", name, grantable ? kGrantOption : "");
  return out;
}

/// Roles that were told apart may have become one, and perhaps the owner.
void merge_grants(std::vector<CatalogItem::Property>& properties) {
  const auto owner = std::ranges::find(properties, "owner", &CatalogItem::Property::name);
  const auto owner_name = owner == properties.end() ? std::string() : owner->value;
  std::vector<CatalogItem::Property> merged;
  for (auto& property : properties) {
    if (property.name.starts_with(kGrantProperty) && !owner_name.empty()) {
      if (const auto grantor = " from " + owner_name; property.name.ends_with(grantor))
        property.name.resize(property.name.size() - grantor.size());
      if (property.name.substr(kGrantProperty.size()) == owner_name) property.name = kOwnersGrants;
    }
    const auto twin = std::ranges::find(merged, property.name, &CatalogItem::Property::name);
    if (twin == merged.end()) {
      merged.push_back(std::move(property));
    } else if (property.name.starts_with(kGrantProperty)) {
      twin->value = all_privileges(twin->value, property.value);
    }
  }
  properties = std::move(merged);
}

bool is_selected(const CatalogKey& key, const CatalogObject& object, const CatalogOptions& options) {
  if (key.kind == "sequence" && options.selects_sequence)
    return options.selects_sequence(object.schema, object.relation);
  if (!options.selects || object.schema.empty()) return true;
  if (!options.selects(object.schema, object.relation)) return false;
  return object.other_schema.empty() || options.selects(object.other_schema, object.other_relation);
}

// A sequence of which another table takes values is there without the table that owns it.
bool names_what_is_left_out(std::string_view property, const CatalogObject& object,
                            const CatalogOptions& options) {
  return property == "owned by" && options.selects &&
         !options.selects(object.other_schema, object.other_relation);
}

CatalogItem resolve(const CatalogObject& object, const CatalogOptions& options,
                    const std::map<std::string, std::string>& roles) {
  CatalogItem item{&object, {}};
  for (const auto& [name, value] : object.properties) {
    const bool is_owner = name == "owner";
    if (names_what_is_left_out(name, object, options)) continue;
    if (!options.grants && name.starts_with(kGrantProperty)) continue;
    if (!options.owners && (is_owner || name == kOwnersGrants)) continue;
    item.properties.push_back({with_roles(name, roles), is_owner ? with_roles(value, roles) : value,
                               names_vendor_role(name) || (is_owner && names_vendor_role(value))});
  }
  if (!roles.empty()) merge_grants(item.properties);
  std::ranges::sort(item.properties, {}, &CatalogItem::Property::name);
  return item;
}

}  // namespace

CatalogSide prepare_side(const Catalog& catalog, const CatalogOptions& options,
                         const std::map<std::string, std::string>& roles,
                         const std::set<std::string>& unreadable) {
  CatalogSide side;
  for (const auto& [key, object] : catalog.objects) {
    if (unreadable.contains(key.kind) || (!options.grants && is_grant_kind(key.kind))) continue;
    CatalogKey resolved{key.kind, with_roles(key.name, roles)};
    if (belongs_to_provider(key, object, catalog.vendor_schemas, options)) {
      // What lies in a schema of the provider's is covered by that schema. Default privileges lie in none.
      if (key.kind == "schema" || object.schema.empty() || key.kind == "default privileges")
        side.of_provider.insert(std::move(resolved));
      continue;
    }
    if (!is_selected(key, object, options)) {
      side.excluded.insert(std::move(resolved));
      continue;
    }
    const auto [place, is_new] = side.items.emplace(std::move(resolved), resolve(object, options, roles));
    if (!is_new)
      side.unchecked.push_back({fmt::format("{} {}", place->first.kind, place->first.name),
                                "the role map makes one of two: only one of them was compared",
                                place->first});
  }
  return side;
}

}  // namespace verify
