#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "verify/catalog.h"
#include "verify/catalog_rules.h"
#include "verify/catalog_side.h"
#include "verify/catalog_text.h"

namespace verify {
namespace {

constexpr const char* kProvider = "it belongs to the provider";

bool is_relation_kind(std::string_view kind) {
  static constexpr std::array<std::string_view, 4> kKinds = {"table", "view", "materialized view",
                                                             "foreign table"};
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

using Items = std::map<CatalogKey, CatalogItem>;
using Relation = std::pair<std::string, std::string>;  // schema and name

/// Values that may be secrets are compared and never said. A setting is named by its object.
bool may_be_secret(const CatalogDifference& difference) {
  std::string name = difference.kind == "setting" ? difference.object : difference.property;
  if (difference.kind != "setting" && !name.starts_with("option ")) return false;
  // How somebody logs in is what a user mapping is for, whatever its wrapper calls it.
  if (difference.kind == "user mapping") return true;
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  static constexpr std::array<std::string_view, 7> kParts = {"pass", "pwd",  "secret", "token",
                                                             "key",  "cred", "auth"};
  return std::ranges::any_of(kParts, [&](auto part) { return name.find(part) != std::string::npos; });
}

void hide_secrets(CatalogDifference& difference) {
  if (difference.property.empty() || !may_be_secret(difference)) return;
  for (auto* value : {&difference.source, &difference.target})
    if (*value) *value = "(hidden)";
}

class Comparison {
 public:
  Comparison(const Catalog& source, const Catalog& target, const CatalogOptions& options)
      : source_(source), target_(target), options_(options), used_(options.waivers.size()) {}

  CatalogComparison run() {
    note_unreadable();
    const auto source_side = prepare(source_, options_.role_map, "source");
    const auto target_side = prepare(target_, {}, "target");
    note_provider(source_side.of_provider, target_side.of_provider);
    const auto& source = source_side.items;
    const auto& target = target_side.items;
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
      for (const auto& [kind, reason] : catalog->unreadable_kinds) {
        unreadable_.insert(kind);
        add_unchecked({fmt::format("every {} at the {}", kind, side), reason, {kind, "*"}, "*"});
      }
      const bool is_source = catalog == &source_;
      for (auto unchecked : catalog->unchecked) {
        unchecked.what += fmt::format(" at the {}", side);
        unchecked.key.name =
            with_roles(unchecked.key.name, is_source ? options_.role_map : decltype(options_.role_map)());
        unchecked_.emplace(unchecked.key, unchecked.property);
        add_unchecked(std::move(unchecked));
      }
    }
  }

  /// What nobody looked at may be accepted like a difference.
  void add_unchecked(CatalogUnchecked unchecked) {
    const auto& [kind, name] = unchecked.key;
    if (const auto* waiver = kind.empty() ? nullptr : waiver_of(kind, name, unchecked.property))
      result_.waived.push_back(
          {{kind, name, unchecked.property, std::nullopt, std::nullopt, 0}, waiver->reason});
    else
      result_.unchecked.push_back(std::move(unchecked));
  }

  const CatalogWaiver* waiver_of(const std::string& kind, const std::string& object,
                                 const std::string& property) {
    for (size_t i = 0; i < options_.waivers.size(); ++i) {
      const auto& waiver = options_.waivers[i];
      if (!base::glob_match(waiver.kind, kind) || !base::glob_match(waiver.name, object) ||
          !base::glob_match(waiver.property, property))
        continue;
      used_[i] = true;
      return &waiver;
    }
    return nullptr;
  }

  CatalogSide prepare(const Catalog& catalog, const std::map<std::string, std::string>& roles,
                      std::string_view name) {
    auto side = prepare_side(catalog, options_, roles, unreadable_);
    result_.excluded.merge(side.excluded);
    for (auto& unchecked : side.unchecked) {
      unchecked.what += fmt::format(" at the {}", name);
      add_unchecked(std::move(unchecked));
    }
    return side;
  }

  void note_provider(const std::set<CatalogKey>& source, const std::set<CatalogKey>& target) {
    auto all = source;
    all.insert(target.begin(), target.end());
    for (const auto& key : all)
      result_.of_provider.push_back(
          {{key.kind, key.name, {}, present(source.contains(key)), present(target.contains(key)), 0},
           kProvider});
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
    for (const size_t side : {0U, 1U}) {
      std::ranges::set_difference(relations[1 - side], relations[side],
                                  std::inserter(missing_relations_[side], missing_relations_[side].end()));
      std::ranges::set_difference(schemas[1 - side], schemas[side],
                                  std::inserter(missing_schemas_[side], missing_schemas_[side].end()));
    }
  }

  void add_missing(const CatalogKey& key, const CatalogItem& item, bool in_source) {
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

  void compare_properties(const CatalogKey& key, const CatalogItem& source, const CatalogItem& target) {
    auto s = source.properties.begin();
    auto t = target.properties.begin();
    while (s != source.properties.end() || t != target.properties.end()) {
      const bool in_source =
          s != source.properties.end() && (t == target.properties.end() || s->name <= t->name);
      const bool in_target =
          t != target.properties.end() && (s == source.properties.end() || t->name <= s->name);
      const bool differs = !in_source || !in_target || s->value != t->value;
      if (differs && !is_unchecked(key, in_source ? s->name : t->name)) {
        CatalogDifference difference{key.kind,     key.name,     in_source ? s->name : t->name,
                                     std::nullopt, std::nullopt, 0};
        if (in_source) difference.source = s->value;
        if (in_target) difference.target = t->value;
        // The copy leaves out what names the provider's roles; on the target, an owner is never left out.
        const bool is_grant = difference.property != "owner";
        if ((in_source && s->of_provider) || (in_target && is_grant && t->of_provider)) {
          result_.of_provider.push_back({std::move(difference), kProvider});
        } else {
          add(std::move(difference), source);
        }
      }
      if (in_source) ++s;
      if (in_target) ++t;
    }
  }

  /// Known on one side only, or on neither.
  bool is_unchecked(const CatalogKey& key, const std::string& property) const {
    const auto [begin, end] = unchecked_.equal_range(key);
    return std::any_of(begin, end, [&](const auto& one) { return base::glob_match(one.second, property); });
  }

  using Place = std::pair<bool, size_t>;  // among the waived ones? and where
  CatalogDifference& difference_at(const Place& place) {
    return place.first ? result_.waived[place.second].difference : result_.differences[place.second];
  }

  /// Where it went; none when a rule explains it.
  std::optional<Place> add(CatalogDifference difference, const CatalogItem& item) {
    hide_secrets(difference);
    if (const auto* rule = find_rule({difference, *item.object, source_, source_.major(), target_.major()})) {
      if (rule->verdict == CatalogRule::Verdict::same) {
        ++result_.normalised[rule->reason];
      } else {
        result_.expected.push_back({std::move(difference), rule->reason});
      }
      return std::nullopt;
    }
    if (const auto* waiver = waiver_of(difference.kind, difference.object, difference.property)) {
      result_.waived.push_back({std::move(difference), waiver->reason});
      return Place(true, result_.waived.size() - 1);
    }
    result_.differences.push_back(std::move(difference));
    return Place(false, result_.differences.size() - 1);
  }

  const Catalog& source_;
  const Catalog& target_;
  const CatalogOptions& options_;
  std::vector<bool> used_;                            // by waiver
  std::set<std::string> unreadable_;                  // kinds, on either side
  std::multimap<CatalogKey, std::string> unchecked_;  // properties that a side does not show, with *
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
