#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pg/provider.h"
#include "verify/catalog.h"
#include "verify/catalog_rules.h"
#include "verify/catalog_text.h"

namespace verify {
namespace {

constexpr const char* kProvider = "it belongs to the provider";
constexpr std::string_view kGrantProperty = "privileges of ";
constexpr std::string_view kOwnersGrants = "privileges of the owner";
constexpr std::string_view kGrantOption = " WITH GRANT OPTION";

bool is_relation_kind(std::string_view kind) {
  static constexpr std::array<std::string_view, 4> kKinds = {"table", "view", "materialized view",
                                                             "foreign table"};
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

bool is_grant_kind(std::string_view kind) {
  return kind == "default privileges" || kind.starts_with("privileges on ");
}

/// An object as it is compared: its roles have the target's names, and what is not asked for is gone.
struct Item {
  struct Property {
    std::string name;
    std::string value;
    bool of_provider = false;  ///< a grant to, or the ownership of, one of the provider's roles
  };
  const CatalogObject* object = nullptr;
  std::vector<Property> properties;  ///< by name

  std::vector<CatalogProperty> plain() const {
    std::vector<CatalogProperty> out;
    for (const auto& property : properties) out.push_back({property.name, property.value});
    return out;
  }
};

using Items = std::map<CatalogKey, Item>;
using Relation = std::pair<std::string, std::string>;  // schema and name

/// Not a role of PostgreSQL's own, like pg_monitor: what the user granted to it counts.
bool names_vendor_role(std::string_view text) {
  const auto role = marked_role(text);
  return role && !role->starts_with("pg_") && pg::is_vendor_role(*role);
}

bool belongs_to_provider(const CatalogKey& key, const CatalogObject& object) {
  if (pg::is_vendor_schema(object.schema)) return true;
  if (key.kind == "extension") return pg::is_vendor_extension(key.name);
  if (key.kind == "event trigger") {
    const auto* owner = object.find("owner");
    return owner && names_vendor_role(*owner);
  }
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
void merge_grants(std::vector<Item::Property>& properties) {
  const auto owner = std::ranges::find(properties, "owner", &Item::Property::name);
  const auto owner_name = owner == properties.end() ? std::string() : owner->value;
  std::vector<Item::Property> merged;
  for (auto& property : properties) {
    if (property.name.starts_with(kGrantProperty) && !owner_name.empty()) {
      if (const auto grantor = " from " + owner_name; property.name.ends_with(grantor))
        property.name.resize(property.name.size() - grantor.size());
      if (property.name.substr(kGrantProperty.size()) == owner_name) property.name = kOwnersGrants;
    }
    const auto twin = std::ranges::find(merged, property.name, &Item::Property::name);
    if (twin == merged.end()) {
      merged.push_back(std::move(property));
    } else if (property.name.starts_with(kGrantProperty)) {
      twin->value = all_privileges(twin->value, property.value);
    }
  }
  properties = std::move(merged);
}

class Comparison {
 public:
  Comparison(const Catalog& source, const Catalog& target, const CatalogOptions& options)
      : source_(source), target_(target), options_(options), used_(options.waivers.size()) {}

  CatalogComparison run() {
    note_unreadable();
    const auto source = prepare(source_, options_.role_map);
    const auto target = prepare(target_, {});
    note_missing(source, target);
    // Both are in the same order: one pass meets every object of either side.
    auto s = source.begin();
    auto t = target.begin();
    while (s != source.end() || t != target.end()) {
      const bool in_source = s != source.end() && (t == target.end() || s->first <= t->first);
      const bool in_target = t != target.end() && (s == source.end() || t->first <= s->first);
      const auto& key = in_source ? s->first : t->first;
      ++result_.compared[key.kind];
      if (in_source && in_target) {
        compare_properties(key, s->second, t->second);
      } else {
        add_missing(key, in_source ? s->second : t->second, in_source);
      }
      if (in_source) ++s;
      if (in_target) ++t;
    }
    count_parts();
    for (size_t i = 0; i < used_.size(); ++i)
      if (!used_[i]) result_.unused_waivers.push_back(options_.waivers[i]);
    return std::move(result_);
  }

 private:
  void note_unreadable() {
    for (const auto& [catalog, side] : {std::pair(&source_, "source"), std::pair(&target_, "target")}) {
      for (const auto& [kind, reason] : catalog->unreadable_kinds)
        result_.unchecked.push_back({fmt::format("every {} at the {}", kind, side), reason});
      for (const auto& unchecked : catalog->unchecked)
        result_.unchecked.push_back({fmt::format("{} at the {}", unchecked.what, side), unchecked.reason});
    }
  }

  bool is_selected(const CatalogObject& object) const {
    if (!options_.selects || object.schema.empty()) return true;
    if (!options_.selects(object.schema, object.relation)) return false;
    return object.other_schema.empty() || options_.selects(object.other_schema, object.other_relation);
  }

  bool is_compared(const CatalogKey& key, const CatalogObject& object) {
    if (source_.unreadable_kinds.contains(key.kind) || target_.unreadable_kinds.contains(key.kind))
      return false;
    if (!options_.grants && is_grant_kind(key.kind)) return false;
    if (!is_selected(object)) {
      ++result_.excluded;
      return false;
    }
    return true;
  }

  Items prepare(const Catalog& catalog, const std::map<std::string, std::string>& roles) {
    Items items;
    const bool is_source = &catalog == &source_;
    for (const auto& [key, object] : catalog.objects) {
      if (!is_compared(key, object)) continue;
      CatalogKey resolved{key.kind, with_roles(key.name, roles)};
      if (belongs_to_provider(key, object)) {
        // What lies in a schema of the provider's is covered by that schema.
        if (key.kind == "schema" || object.schema.empty())
          result_.waived.push_back(
              {{resolved.kind, resolved.name, {}, present(is_source), present(!is_source), 0}, kProvider});
        continue;
      }
      auto item = resolve(object, roles);
      if (!roles.empty()) merge_grants(item.properties);
      std::ranges::sort(item.properties, {}, &Item::Property::name);
      items.emplace(std::move(resolved), std::move(item));
    }
    return items;
  }

  Item resolve(const CatalogObject& object, const std::map<std::string, std::string>& roles) const {
    Item item{&object, {}};
    for (const auto& [name, value] : object.properties) {
      const bool is_owner = name == "owner";
      if (!options_.grants && name.starts_with(kGrantProperty)) continue;
      if (!options_.owners && (is_owner || name == kOwnersGrants)) continue;
      item.properties.push_back({with_roles(name, roles), is_owner ? with_roles(value, roles) : value,
                                 names_vendor_role(name) || (is_owner && names_vendor_role(value))});
    }
    return item;
  }

  static std::optional<std::string> present(bool is_there) {
    return is_there ? std::optional<std::string>("present") : std::nullopt;
  }

  // ------------------------------------------------------------------------------------- missing objects

  // A missing table is one difference, not one for each of its columns and indexes; and so is a schema.
  void note_missing(const Items& source, const Items& target) {
    std::set<Relation> relations[2];
    std::set<std::string> schemas[2];
    for (const auto& [side, items] : {std::pair(0, &source), std::pair(1, &target)})
      for (const auto& [key, item] : *items) {
        if (is_relation_kind(key.kind)) relations[side].emplace(item.object->schema, item.object->relation);
        if (key.kind == "schema") schemas[side].insert(item.object->schema);
      }
    for (const int side : {0, 1}) {
      std::ranges::set_difference(relations[1 - side], relations[side],
                                  std::inserter(missing_relations_[side], missing_relations_[side].end()));
      std::ranges::set_difference(schemas[1 - side], schemas[side],
                                  std::inserter(missing_schemas_[side], missing_schemas_[side].end()));
    }
  }

  void add_missing(const CatalogKey& key, const Item& item, bool in_source) {
    const size_t side = in_source ? 1 : 0;  // the one that lacks it
    const auto& [schema, relation] = std::tie(item.object->schema, item.object->relation);
    if (key.kind != "schema" && missing_schemas_[side].contains(schema)) {
      ++parts_[side][{schema, ""}];
    } else if (!is_relation_kind(key.kind) && missing_relations_[side].contains({schema, relation})) {
      ++parts_[side][{schema, relation}];
    } else {
      const auto place = add({key.kind, key.name, {}, present(in_source), present(!in_source), 0}, item);
      if (place && (key.kind == "schema" || is_relation_kind(key.kind)))
        places_[side].emplace(Relation(schema, relation), *place);
    }
  }

  void count_parts() {
    for (const size_t side : {0U, 1U})
      for (const auto& [relation, count] : parts_[side])
        if (const auto place = places_[side].find(relation); place != places_[side].end())
          difference_at(place->second).parts = count;
  }

  // ------------------------------------------------------------------------------------------ properties

  void compare_properties(const CatalogKey& key, const Item& source, const Item& target) {
    auto s = source.properties.begin();
    auto t = target.properties.begin();
    while (s != source.properties.end() || t != target.properties.end()) {
      const bool in_source =
          s != source.properties.end() && (t == target.properties.end() || s->name <= t->name);
      const bool in_target =
          t != target.properties.end() && (s == source.properties.end() || t->name <= s->name);
      if (!in_source || !in_target || s->value != t->value) {
        CatalogDifference difference{key.kind,     key.name,     in_source ? s->name : t->name,
                                     std::nullopt, std::nullopt, 0};
        if (in_source) difference.source = s->value;
        if (in_target) difference.target = t->value;
        // The copy leaves out what names the provider's roles; on the target, an owner is never left out.
        const bool is_grant = difference.property != "owner";
        if ((in_source && s->of_provider) || (in_target && is_grant && t->of_provider)) {
          result_.waived.push_back({std::move(difference), kProvider});
        } else {
          add(std::move(difference), source);
        }
      }
      if (in_source) ++s;
      if (in_target) ++t;
    }
  }

  using Place = std::pair<bool, size_t>;  // among the waived ones? and where
  CatalogDifference& difference_at(const Place& place) {
    return place.first ? result_.waived[place.second].difference : result_.differences[place.second];
  }

  /// Where it went; none when a rule explains it.
  std::optional<Place> add(CatalogDifference difference, const Item& item) {
    const auto properties = item.plain();
    if (const auto* rule = find_rule({difference, properties, source_.major(), target_.major()})) {
      if (rule->verdict == CatalogRule::Verdict::same) {
        ++result_.normalised[rule->reason];
      } else {
        result_.expected.push_back({std::move(difference), rule->reason});
      }
      return std::nullopt;
    }
    for (size_t i = 0; i < options_.waivers.size(); ++i) {
      const auto& waiver = options_.waivers[i];
      if (!matches_glob(waiver.kind, difference.kind) || !matches_glob(waiver.name, difference.object) ||
          !matches_glob(waiver.property, difference.property))
        continue;
      used_[i] = true;
      result_.waived.push_back({std::move(difference), waiver.reason});
      return Place(true, result_.waived.size() - 1);
    }
    result_.differences.push_back(std::move(difference));
    return Place(false, result_.differences.size() - 1);
  }

  const Catalog& source_;
  const Catalog& target_;
  const CatalogOptions& options_;
  std::vector<bool> used_;  // by waiver
  CatalogComparison result_;
  // By side: 0 what the source lacks, 1 what the target lacks. A schema has an empty relation's name.
  std::array<std::set<Relation>, 2> missing_relations_;
  std::array<std::set<std::string>, 2> missing_schemas_;
  std::array<std::map<Relation, uint64_t>, 2> parts_;
  std::array<std::map<Relation, Place>, 2> places_;
};

}  // namespace

CatalogComparison compare(const Catalog& source, const Catalog& target, const CatalogOptions& options) {
  return Comparison(source, target, options).run();
}

}  // namespace verify
