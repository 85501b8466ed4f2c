#include "verify/sequence_selection.h"

#include <algorithm>

namespace verify {

SequenceSelection::SequenceSelection(const pg::Catalog& catalog, const Options& options)
    : catalog_(catalog), options_(options), tables_(pg::by_oid(catalog.tables)) {
  for (const auto& sequence : catalog.sequences) sequences_.emplace(sequence.name, &sequence);
}

std::optional<std::string> SequenceSelection::why_left_out(const pg::QualifiedName& sequence,
                                                           const pg::QualifiedName& owner) const {
  const auto by_name = [&] {
    return options_.why_left_out(owner.name.empty() ? sequence : owner, &catalog_);
  };
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) return by_name();
  const bool used = std::ranges::any_of(found->second->users, [&](const auto oid) {
    const auto user = tables_.find(oid);
    return user != tables_.end() && !why_left_out(*user->second);
  });
  if (used) return std::nullopt;
  const auto table = tables_.find(found->second->owner);
  return table == tables_.end() ? by_name() : why_left_out(*table->second);
}

std::optional<std::string> SequenceSelection::why_left_out(const pg::Table& table) const {
  return options_.why_left_out(pg::lineage(tables_, table), &catalog_);
}

}  // namespace verify
