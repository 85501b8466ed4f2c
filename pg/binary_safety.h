#pragma once

#include <map>
#include <string>

#include "pg/connection.h"

namespace pg {

/// Types whose binary COPY form means the same in another database and another major version. Decided from
/// the catalog by an allow-list, never by "has a send function":
///  - a base type of pg_catalog, or of a few well known extensions, that is on the list. Not on it: reg* and
///  other
///    types that carry object ids, xml (its encoding declaration), tsvector and tsquery (older majors
///    disagree on order), types without a binary form;
///  - an enum (sent as its label), a domain over a safe type, a range or multirange of our own over a safe
///  type;
///  - an array only of a built-in type: arrays and composites carry the element type's oid.
class BinarySafety {
 public:
  /// Reads every type of the database; one query.
  explicit BinarySafety(Connection& connection);
  bool is_safe(Oid type) const;

 private:
  struct Type {
    std::string name;
    bool built_in = false;
    char kind = 'b';  // pg_type.typtype
    char category = 'U';
    Oid element = 0;
    Oid base = 0;  // of a domain; the subtype of a range or multirange
  };
  std::map<Oid, Type> types_;
};

}  // namespace pg
