#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.h"

namespace verify {

// Level 0 of the verifier: what the two databases are made of, compared by name and definition in both
// directions. Never by OID, never by position where a position means nothing.
//
//   auto source = read_catalog(source_connection);
//   auto target = read_catalog(target_connection);
//   auto found = compare(source, target, options);
//   for (const auto& difference : found.differences) … describe(difference) …
//
// found.unchecked asks for exit code 3, found.differences for 1, found.waived for 5; the other lists are for
// the report.

/// "table", "public.orders". The name is how SQL would write it with an empty search_path, quoted only where
/// a name is not plain lower case; what belongs to a table carries the table's name first:
/// column public.orders.id, constraint public.orders.orders_pkey.
struct CatalogKey {
  std::string kind;
  std::string name;
  auto operator<=>(const CatalogKey&) const = default;  // NOLINT(modernize-use-nullptr): a bug of 14
};

struct CatalogProperty {
  std::string name;
  std::string value;
};

/// One object. A property that has its default, or that the server's version does not know, is absent: so a
/// version without a feature equals a newer one that does not use it.
///
/// Roles stand between \x01 and \x02, in names as in values, so that a role map finds them wherever they are.
struct CatalogObject {
  std::string schema;    ///< the bare name; empty for what is in none
  std::string relation;  ///< the bare name of the relation that it is or belongs to; empty for the rest
  /// The other relation without which it makes no sense: what a foreign key refers to, what owns a sequence.
  std::string other_schema;
  std::string other_relation;
  std::vector<CatalogProperty> properties;

  const std::string* find(std::string_view property) const;
};

/// Something that could not be looked at, and why. Never to be taken for "equal".
struct CatalogUnchecked {
  std::string what;  ///< "publications at the target"
  std::string reason;
  /// What a waiver has to name; a whole kind has the name "*" and the property "*". Properties that the
  /// pattern names are not compared.
  CatalogKey key = {};
  std::string property = {};
};

/// Everything that compare() needs of one database. Plain data, so that it can be kept and compared later.
struct Catalog {
  int server_version = 0;                ///< 150018 is 15.18
  std::set<std::string> vendor_schemas;  ///< see pg/provider.h
  std::map<CatalogKey, CatalogObject> objects;
  /// Kinds whose query failed: they are not compared at all.
  std::map<std::string, std::string> unreadable_kinds;
  std::vector<CatalogUnchecked> unchecked;

  int major() const { return server_version / 10000; }
};

/// Differences that the user accepts.
struct CatalogWaiver {
  std::string kind = "*";      ///< with * and ?
  std::string name = "*";      ///< with * and ?
  std::string property = "*";  ///< with * and ?; a missing object has the property ""
  std::string reason;

  /// "KIND NAME [PROPERTY]", as a report prints a difference: "index public.*", "table app.t owner",
  /// "column * comment". A name's blanks count only inside quotes or parentheses. Error{usage}.
  static CatalogWaiver parse(std::string_view text);
  bool operator==(const CatalogWaiver&) const = default;
};

struct CatalogOptions {
  /// Is this relation to be compared? Asked with an empty relation about a schema, and for what lies in it
  /// without being a table, a view or a sequence. Empty: everything is.
  std::function<bool(std::string_view schema, std::string_view relation)> selects;
  /// Is this sequence, which may go with a table? Empty: as `selects` says of its name.
  std::function<bool(std::string_view schema, std::string_view sequence)> selects_sequence;
  /// Schemas that are the user's although a provider uses their names.
  std::set<std::string> own_schemas;
  std::map<std::string, std::string> role_map;  ///< role at the source -> role at the target
  bool owners = true;
  bool grants = true;
  std::vector<CatalogWaiver> waivers;
};

struct CatalogDifference {
  std::string kind;
  std::string object;
  std::string property;               ///< empty: the object itself is on one side only
  std::optional<std::string> source;  ///< nullopt: absent, or its default; both: it was not compared
  std::optional<std::string> target;
  /// Of an object that is missing: how many parts of it (columns, indexes, …) are not listed one by one. Of
  /// large objects that are too many to be named: how many.
  uint64_t parts = 0;
};

/// One line for people: "column app.t.id: type is bigint instead of integer". Long values are cut.
std::string describe(const CatalogDifference& difference);

struct WaivedDifference {
  CatalogDifference difference;
  std::string reason;
};

struct CatalogComparison {
  std::map<std::string, uint64_t> compared;  ///< objects per kind, those of either side
  std::set<CatalogKey> excluded;             ///< what CatalogOptions::selects left out, of either side
  std::vector<CatalogDifference> differences;
  std::vector<WaivedDifference> waived;       ///< by CatalogOptions::waivers; also what was not compared
  std::vector<WaivedDifference> of_provider;  ///< what a provider owns: neither copied nor compared
  /// True differences that come with a move and say nothing against it: the database's own locale and owner,
  /// versions of extensions and collations between two majors.
  std::vector<WaivedDifference> expected;
  /// Written differently by two versions and the same: how often, by reason.
  std::map<std::string, uint64_t> normalised;
  std::vector<CatalogUnchecked> unchecked;
  std::vector<CatalogWaiver> unused_waivers;
};

/// Reads everything at once, in some forty queries however many objects there are. The session is one of
/// pg::open_session, whose settings decide how definitions are written, and both sides need the same
/// client_encoding; inside a transaction it reads that
/// transaction's snapshot, else one of its own. A query that the server refuses makes its kinds unreadable;
/// a lost connection and a stop are thrown.
Catalog read_catalog(pg::Connection& connection);

/// Differences come in the order of kinds and names.
CatalogComparison compare(const Catalog& source, const Catalog& target, const CatalogOptions& options = {});

}  // namespace verify
