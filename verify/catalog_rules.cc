#include "verify/catalog_rules.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/text.h"
#include "verify/catalog_text.h"

namespace verify {
namespace {

using Verdict = CatalogRule::Verdict;

/// "INSERT, MAINTAIN, SELECT" without one of them.
std::string without_privilege(const std::optional<std::string>& privileges, std::string_view name) {
  std::string out;
  std::string_view rest = privileges ? std::string_view(*privileges) : std::string_view();
  while (!rest.empty()) {
    const auto end = std::min(rest.find(", "), rest.size());
    const auto one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    if (one.starts_with(name) && (one.size() == name.size() || one[name.size()] == ' ')) continue;
    if (!out.empty()) out += ", ";
    out += one;
  }
  return out;
}

bool has_privilege(const std::optional<std::string>& privileges, std::string_view name) {
  return privileges && without_privilege(privileges, name) != *privileges;
}

/// All that differs is that the older side's list has the privilege, or that the newer one's has.
bool only_older_has(const RuleFacts& facts, std::string_view name) {
  return has_privilege(facts.older(), name) && !has_privilege(facts.newer(), name) &&
         without_privilege(facts.older(), name) == facts.newer().value_or("");
}
bool only_newer_has(const RuleFacts& facts, std::string_view name) {
  return has_privilege(facts.newer(), name) && !has_privilege(facts.older(), name) &&
         without_privilege(facts.newer(), name) == facts.older().value_or("");
}

/// The numbers of "1.10", in order.
std::vector<int> version_numbers(std::string_view version) {
  std::vector<int> numbers;
  for (size_t at = 0; at < version.size();) {
    int number = 0;
    const auto* begin = version.data() + at;
    const auto [end, error] = std::from_chars(begin, version.data() + version.size(), number);
    if (error == std::errc()) numbers.push_back(number);
    at += std::max<size_t>(1, static_cast<size_t>(end - begin));
  }
  return numbers;
}

// What an older version keeps with the column is checked for every row, and handed down.
bool is_plain_not_null(const RuleFacts& facts) {
  const auto* type = facts.object.find("type");
  const auto* definition = facts.object.find("definition");
  return type && *type == "not null" && (facts.straddles(18) || facts.straddles(17)) &&
         !facts.object.find("not valid") && !(definition && definition->ends_with(" NO INHERIT"));
}

/// What GRANT ALL on a table gave before version 17, with or without the option to grant it on.
bool is_all_on_table(const std::optional<std::string>& privileges) {
  static const std::string all = "DELETE, INSERT, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE";
  static const std::string grantable = [] {
    std::string out;
    for (const char c : all) out += c == ',' ? " WITH GRANT OPTION," : std::string(1, c);
    return out + " WITH GRANT OPTION";
  }();
  return privileges && (*privileges == all || *privileges == grantable);
}

// Granted by itself it is a difference: whoever has it may rewrite the table.
bool maintain_comes_with_all(const RuleFacts& facts) {
  return facts.straddles(17) && only_newer_has(facts, "MAINTAIN") &&
         (facts.difference.property == "privileges of the owner" || is_all_on_table(facts.older()));
}

bool belongs_to_unlogged_table(const RuleFacts& facts) {
  const auto& objects = facts.source.objects;
  for (auto at = objects.lower_bound({"table", {}}); at != objects.end() && at->first.kind == "table"; ++at)
    if (at->second.schema == facts.object.other_schema && at->second.relation == facts.object.other_relation)
      return at->second.find("persistence") != nullptr;
  return false;
}

bool lacks_qualifiers(const RuleFacts& facts) {
  const auto& [source, target] = std::tie(facts.difference.source, facts.difference.target);
  if (!facts.straddles(16) || !source || !target) return false;
  return facts.source_major < 16 ? same_without_qualifiers(*source, *target)
                                 : same_without_qualifiers(*target, *source);
}

bool comes_with_the_major(const RuleFacts& facts) {
  const auto& [source, target] = std::tie(facts.difference.source, facts.difference.target);
  if (facts.source_major == facts.target_major || !source || !target) return false;
  const auto from = version_numbers(*source);
  const auto to = version_numbers(*target);
  return facts.source_major < facts.target_major ? from < to : to < from;
}

// Each with its reason. A new version that writes something else gets its line here, and only here.
constexpr CatalogRule kRules[] = {
    {"constraint", "", Verdict::same, is_plain_not_null,
     "version 18 keeps NOT NULL as a constraint, 17 a domain's; older ones keep it with the column or "
     "domain"},
    {"*", "privileges of *", Verdict::same, maintain_comes_with_all,
     "version 17 has a privilege MAINTAIN, which owners have and ALL includes"},
    {"*view", "definition", Verdict::same, lacks_qualifiers,
     "version 16 writes the columns of a view's only relation without its name"},
    {"sequence", "persistence", Verdict::same,
     [](const RuleFacts& facts) { return facts.straddles(15) && belongs_to_unlogged_table(facts); },
     "from version 15 on, an unlogged table's sequences are unlogged"},
    {"type", "multirange", Verdict::same, [](const RuleFacts& facts) { return facts.straddles(14); },
     "from version 14 on, every range has a multirange"},
    {"sequence", "type", Verdict::expected,
     [](const RuleFacts& facts) {
       const auto* owner = facts.object.find("owned by");
       return owner && owner->starts_with("identity of ");
     },
     "an identity's sequence is made in the type of its column; LIKE may have made another"},
    {"schema", "privileges of PUBLIC", Verdict::expected,
     [](const RuleFacts& facts) {
       return facts.difference.object == "public" && facts.straddles(15) && only_older_has(facts, "CREATE");
     },
     "from version 15 on, PUBLIC may not create in the schema public"},
    {"extension", "version", Verdict::expected, comes_with_the_major,
     "each major version of PostgreSQL brings its own versions of extensions"},
    {"extension", "configuration table *", Verdict::expected,
     [](const RuleFacts& facts) {
       return facts.source_major != facts.target_major && facts.difference.target;
     },
     "each major version of PostgreSQL brings its own versions of extensions"},
    {"extension", "comment", Verdict::expected,
     [](const RuleFacts& facts) { return facts.source_major != facts.target_major; },
     "each major version of PostgreSQL brings its own versions of extensions"},
    {"subscription", "", Verdict::expected, [](const RuleFacts& facts) { return !facts.difference.target; },
     "a subscription would start to pull from its publisher: make it by hand"},
    {"database", "owner", Verdict::expected, nullptr, "the target database was there before the copy"},
    {"database", "privileges of *", Verdict::expected, nullptr,
     "the target database was there before the copy"},
    {"database", "connection limit", Verdict::expected, nullptr,
     "the target database was there before the copy"},
    {"database", "collation version", Verdict::expected, nullptr,
     "the library that sorts text is the server's own"},
    {"collation", "version", Verdict::expected, nullptr, "the library that sorts text is the server's own"},
    {"database", "collate", Verdict::expected, nullptr, "text sorts by the rules of the target database"},
    {"database", "ctype", Verdict::expected, nullptr,
     "letters are told apart by the rules of the target database"},
    {"database", "monetary locale", Verdict::expected, nullptr,
     "how many decimals money has is up to lc_monetary, which is the server's own: check that it is the same "
     "number"},
    {"database", "locale*", Verdict::expected, nullptr, "text sorts by the rules of the target database"},
};

}  // namespace

const CatalogRule* find_rule(const RuleFacts& facts) {
  for (const auto& rule : kRules) {
    const bool is_meant =
        base::glob_match(rule.kind, facts.difference.kind) &&
        (*rule.property == '\0' ? facts.difference.property.empty()
                                : base::glob_match(rule.property, facts.difference.property));
    if (is_meant && (!rule.applies || rule.applies(facts))) return &rule;
  }
  return nullptr;
}

}  // namespace verify
