#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.h"

namespace copy {

/// One object of a pg_dump archive, as pg_restore writes it.
struct TocEntry {
  uint32_t id = 0;          ///< dump id
  pg::Oid catalog = 0;      ///< the catalog its oid is of (1259 pg_class, 2606 pg_constraint, …); 0: none
  pg::Oid oid = 0;          ///< at the source
  std::string description;  ///< "TABLE", "INDEX", "FK CONSTRAINT", "ACL", …
  std::string schema;       ///< empty for "-"
  std::string name;         ///< pg_restore's tag, e.g. "orders", "orders orders_pkey", "TABLE orders"
  std::string owner;        ///< empty for "-"
  std::vector<uint32_t> dependencies;
  std::string sql;  ///< its statements, each ended by ";\n"; no comments between them; may be empty
};

/// Splits the script that `pg_restore --verbose --file=-` writes into its entries.
///
/// With --verbose each entry starts with a comment block
///     --
///     -- TOC entry 217 (class 1259 OID 16391)
///     -- Dependencies: 5 214
///     -- Name: orders; Type: TABLE; Schema: public; Owner: app
///     --
/// A function's body may contain such lines too. They are only believed at the top level of the SQL: outside
/// string literals, quoted identifiers, dollar quotes, block comments and BEGIN ATOMIC bodies. pg_restore
/// replaces line breaks in names by spaces, so an object whose name has some is known by its oid only.
/// Settings that pg_restore writes between entries (default_tablespace) go with the entry they are meant for.
/// It writes them only where the value changes; when a script changes one, each entry that depends on it gets
/// its own SET, so that entries may be left out or run on several connections. psql's \restrict lines and the
/// preamble are dropped.
///
/// They are handed to `visit` one by one, in the script's order; only one of them is held at a time. A
/// section without objects has none. Throws Error{corrupt} when the script is cut off, has a statement before
/// its first entry (it was written without --verbose), has neither an entry nor pg_dump's last line, or holds
/// rows; Error{usage} when it was made with standard_conforming_strings = off. What was handed over before is
/// of no use then.
void parse_restore_script(std::string_view script, const std::function<void(TocEntry)>& visit);

/// Renames roles in the statements that name them: OWNER TO, GRANT/REVOKE … TO/FROM, FOR ROLE, CREATE/ALTER
/// POLICY … TO, SET SESSION AUTHORIZATION, SET ROLE, AUTHORIZATION, FOR (USER MAPPING). Works on tokens, so
/// strings, comments and other identifiers of the same name stay as they are. New names are always quoted.
/// PUBLIC, CURRENT_USER and the like are not roles; "PUBLIC" in quotes is one. The grantor in SET SESSION
/// AUTHORIZATION 'literal' is renamed too.
std::string map_roles(const TocEntry& entry, const std::map<std::string, std::string>& roles);

/// The entry's SQL without its ALTER … OWNER TO statements.
std::string without_owner(const TocEntry& entry);

/// The entry's SQL without the statements that name a role for which `is_left_out` holds.
std::string without_roles(const TocEntry& entry,
                          const std::function<bool(const std::string& role)>& is_left_out);

/// The statements of a script, split at top-level semicolons (BEGIN ATOMIC … END bodies and a rule's
/// parenthesised actions stay whole). Without the semicolons; comments between statements and empty
/// statements are dropped.
std::vector<std::string> split_statements(std::string_view sql);

}  // namespace copy
