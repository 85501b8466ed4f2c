#include "copy/toc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "copy/sql_lexer.h"
#include "pg/quote.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::fail;
using Item = StatementReader::Item;
using Tokens = std::span<const Token>;

// ---- The comment block above an entry --------------------------------------------------------------------

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, uint32_t& number) {
  const auto [behind, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(behind - text.data()));
  return true;
}

/// "217 (class 1259 OID 16391)"
std::optional<TocEntry> parse_ids(std::string_view text) {
  TocEntry entry;
  const bool ok = take_number(text, entry.id) && take_prefix(text, " (class ") &&
                  take_number(text, entry.catalog) && take_prefix(text, " OID ") &&
                  take_number(text, entry.oid) && text == ")";
  return ok ? std::optional(std::move(entry)) : std::nullopt;
}

/// " 5 214"
std::optional<std::vector<uint32_t>> parse_dependencies(std::string_view text) {
  std::vector<uint32_t> ids;
  while (!text.empty()) {
    uint32_t id = 0;
    if (!take_prefix(text, " ") || !take_number(text, id)) return std::nullopt;
    ids.push_back(id);
  }
  return ids;
}

std::string or_empty(std::string_view field) { return field == "-" ? std::string() : std::string(field); }

bool is_description(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c == ' ' || (c >= 'A' && c <= 'Z'); });
}

/// pg_dump is asked to quote every name, and does so in what it calls comments and grants: TABLE "orders".
std::string without_needless_quotes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto end = text.front() == '"' ? text.find('"', 1) : std::string_view::npos;
    while (end != std::string_view::npos && text.substr(end + 1).starts_with('"'))
      end = text.find('"', end + 2);
    const auto piece = text.substr(0, end == std::string_view::npos ? 1 : end + 1);
    const auto name = piece.size() > 2 ? piece.substr(1, piece.size() - 2) : std::string_view();
    out += !name.empty() && pg::display_identifier(name) == name ? name : piece;
    text.remove_prefix(piece.size());
  }
  return out;
}

/// "orders; Type: TABLE; Schema: public; Owner: app[; Tablespace: fast]". Any name may hold these very words.
/// The fields are looked for from the right, because the name on the left is the one whose words are most
/// free, and a split counts only when what becomes the type looks like one.
bool parse_name_line(std::string_view text, TocEntry& entry) {
  constexpr std::string_view kType = "; Type: ";
  constexpr std::string_view kSchema = "; Schema: ";
  constexpr std::string_view kOwner = "; Owner: ";
  const auto before = [&](std::string_view word, size_t end) {
    return end < word.size() ? std::string_view::npos : text.rfind(word, end - word.size());
  };
  const size_t owner = before(kOwner, text.size());
  if (owner == std::string_view::npos) return false;
  for (size_t schema = before(kSchema, owner); schema != std::string_view::npos;
       schema = before(kSchema, schema)) {
    const size_t type = before(kType, schema);
    if (type == std::string_view::npos) return false;
    const auto field = [&](size_t at, std::string_view word, size_t end) {
      return text.substr(at + word.size(), end - at - word.size());
    };
    const std::string_view description = field(type, kType, schema);
    if (!is_description(description)) continue;
    const std::string_view tail = text.substr(owner + kOwner.size());
    entry.name = text.substr(0, type);
    entry.description = description;
    if (description == "COMMENT" || description == "ACL" || description == "SECURITY LABEL")
      entry.name = without_needless_quotes(entry.name);
    entry.schema = or_empty(field(schema, kSchema, owner));
    entry.owner = or_empty(tail.substr(0, tail.rfind("; Tablespace: ")));
    return true;
  }
  return false;
}

// ---- The script ------------------------------------------------------------------------------------------

/// Settings that pg_restore writes before an entry's comment block, and only where they change.
enum class Setting : uint8_t { tablespace, access_method, authorization };

std::optional<Setting> setting_of(Tokens tokens) {
  if (tokens.size() < 3 || !tokens[0].is("SET")) return std::nullopt;
  if (tokens[1].is("DEFAULT_TABLESPACE")) return Setting::tablespace;
  if (tokens[1].is("DEFAULT_TABLE_ACCESS_METHOD")) return Setting::access_method;
  if (tokens[1].is("SESSION") && tokens[2].is("AUTHORIZATION")) return Setting::authorization;
  return std::nullopt;
}

bool has_access_method(const TocEntry& entry) {
  return entry.description == "TABLE" || entry.description == "MATERIALIZED VIEW";
}

bool has_tablespace(const TocEntry& entry) {
  return has_access_method(entry) || entry.description == "INDEX" || entry.description == "CONSTRAINT";
}

/// Does the script give this setting more than one value? What a function's body holds counts too, which does
/// no harm.
bool varies(std::string_view script, std::string_view setting) {
  std::string_view first;
  for (auto at = script.find(setting); at != std::string_view::npos; at = script.find(setting, at + 1)) {
    StatementReader reader(script.substr(at));
    reader.next();
    if (first.empty()) first = reader.text();
    if (reader.text() != first) return true;
  }
  return false;
}

/// One of the settings that hold until they change. Entries may be left out or applied by several
/// connections, so when a script gives such a setting more than one value, every entry that it is meant for
/// gets the statement.
class Standing {
 public:
  Standing(std::string_view script, std::string_view setting, bool (*is_meant_for)(const TocEntry&))
      : varies_(varies(script, setting)), is_meant_for_(is_meant_for) {}

  /// Written before the next entry, or within the current one.
  void change(std::string_view statement) {
    if (!varies_ && !statement_.empty() && statement_ != statement)
      fail(ErrorKind::corrupt, "pg_restore's script changes a setting in an unknown way: {}", statement);
    statement_ = statement;
    written_ = true;
  }
  void begin_entry() { missing_ = std::exchange(written_, false) ? std::string_view() : statement_; }
  void begin_statement() { written_ = false; }
  void complete(TocEntry& entry) const {
    if (varies_ && !missing_.empty() && is_meant_for_(entry))
      entry.sql.insert(0, std::string(missing_) + ";\n");
  }

 private:
  bool varies_;
  bool (*is_meant_for_)(const TocEntry&);
  std::string_view statement_;  ///< in force at this place of the script
  bool written_ = false;        ///< just before this place
  std::string_view missing_;    ///< in force at the current entry, but not written before it
};

constexpr std::string_view kEntryStart = "-- TOC entry ";

class ScriptParser {
 public:
  ScriptParser(std::string_view script, const std::function<void(TocEntry)>& visit)
      : reader_(script),
        visit_(visit),
        tablespace_(script, "SET default_tablespace", has_tablespace),
        access_method_(script, "SET default_table_access_method", has_access_method) {}

  void parse() {
    for (Item item = reader_.next(); item != Item::end; item = reader_.next()) {
      if (!reader_.terminated()) fail_truncated();
      if (item == Item::comment) read_comment();
      if (item == Item::statement) read_statement();
    }
    if (in_header_) fail_header("the script ends");
    if (!in_entry_ && !complete_) fail(ErrorKind::corrupt, "pg_restore's script has no entry and no end");
    if (in_entry_) entry_.sql += pending_;
    end_entry();
  }

 private:
  void read_comment() {
    std::string_view line = reader_.text();
    if (!reader_.at_line_start()) return;
    if (take_prefix(line, kEntryStart)) {
      if (in_header_) fail_header(reader_.text());
      start_entry(line);
    } else if (in_header_) {
      read_header_line(line);
    } else if (line == "-- PostgreSQL database dump complete") {
      complete_ = true;
    }
  }

  void start_entry(std::string_view ids) {
    auto entry = parse_ids(ids);
    if (!entry) fail(ErrorKind::corrupt, "pg_restore's script: cannot read \"{}\"", reader_.text());
    end_entry();
    entry_ = std::move(*entry);
    in_entry_ = true;
    entry_.sql = std::exchange(pending_, {});
    tablespace_.begin_entry();
    access_method_.begin_entry();
    in_header_ = true;
  }

  void end_entry() {
    if (!std::exchange(in_entry_, false)) return;
    tablespace_.complete(entry_);
    access_method_.complete(entry_);
    visit_(std::move(entry_));
  }

  void read_header_line(std::string_view line) {
    if (line == "--") {
      if (entry_.description.empty()) fail_header("it has no name");
      in_header_ = false;
    } else if (take_prefix(line, "-- Dependencies:")) {
      auto ids = parse_dependencies(line);
      if (!ids) fail_header(reader_.text());
      entry_.dependencies = std::move(*ids);
    } else if (take_prefix(line, "-- Name: ") || take_prefix(line, "-- Statistics for Name: ")) {
      if (!parse_name_line(line, entry_)) fail_header(reader_.text());
    } else if (line.starts_with("-- Data for Name: ")) {
      fail_header("it holds rows, and only a script without data can be split");
    }
  }

  void read_statement() {
    if (in_header_) fail_header("a statement follows too early");
    const auto setting = setting_of(reader_.tokens());
    if (setting) {
      note(*setting);
      pending_.append(reader_.text()).append(";\n");
      return;
    }
    if (in_entry_) {
      entry_.sql.append(pending_).append(reader_.text()).append(";\n");
    } else {
      check_preamble();
    }
    pending_.clear();
    tablespace_.begin_statement();
    access_method_.begin_statement();
  }

  void note(Setting setting) {
    if (setting == Setting::tablespace) tablespace_.change(reader_.text());
    if (setting == Setting::access_method) access_method_.change(reader_.text());
  }

  /// Settings, and nothing that belongs to an object: otherwise the script was written without --verbose.
  void check_preamble() const {
    const auto& tokens = reader_.tokens();
    if (!tokens[0].is("SET") && !tokens[0].is("SELECT")) {
      fail(ErrorKind::corrupt, "pg_restore's script has a statement before its first entry: {}",
           reader_.text().substr(0, 60));
    }
    if (tokens.size() == 4 && tokens[1].is("STANDARD_CONFORMING_STRINGS") && tokens[3].is("OFF")) {
      throw base::Error(ErrorKind::usage, "the dump was made with standard_conforming_strings = off",
                        "run pg_dump with PGOPTIONS='-c standard_conforming_strings=on'");
    }
  }

  [[noreturn]] void fail_truncated() const {
    const std::string where = in_entry_ ? "in " + entry_.name : "before its first entry";
    fail(ErrorKind::corrupt, "pg_restore's script ends inside a statement {}", where);
  }

  [[noreturn]] void fail_header(std::string_view what) const {
    fail(ErrorKind::corrupt, "pg_restore's script: cannot read the head of entry {}: {}", entry_.id, what);
  }

  StatementReader reader_;
  const std::function<void(TocEntry)>& visit_;
  TocEntry entry_;  ///< the current one
  bool in_entry_ = false;
  bool in_header_ = false;
  bool complete_ = false;
  std::string pending_;  ///< settings that may turn out to belong to the next entry
  Standing tablespace_;
  Standing access_method_;
};

// ---- Roles -----------------------------------------------------------------------------------------------

/// One or two words before a list of roles, e.g. OWNER TO.
struct Lead {
  std::string_view first;
  std::string_view second = {};

  size_t size() const { return second.empty() ? 1 : 2; }
};

bool starts_with(Tokens tokens, Lead lead) {
  return tokens.size() >= lead.size() && tokens[0].is(lead.first) &&
         (lead.second.empty() || tokens[1].is(lead.second));
}

/// What leads to a role in this kind of statement. None of these words can be a name there: they are reserved
/// (an identifier would be quoted), or they come in pairs that no name can form.
std::span<const Lead> leads_of(Tokens tokens) {
  static constexpr auto kGrant = std::to_array<Lead>({{"TO"}, {"FROM"}, {"GRANTED", "BY"}});
  static constexpr auto kDefaultPrivileges =
      std::to_array<Lead>({{"FOR", "ROLE"}, {"FOR", "USER"}, {"TO"}, {"FROM"}, {"GRANTED", "BY"}});
  static constexpr auto kPolicy = std::to_array<Lead>({{"TO"}});
  static constexpr auto kUserMapping = std::to_array<Lead>({{"FOR"}});
  static constexpr auto kAuthorization = std::to_array<Lead>({{"AUTHORIZATION"}});
  static constexpr auto kSetRole = std::to_array<Lead>({{"ROLE"}});
  static constexpr auto kOwner = std::to_array<Lead>({{"OWNER", "TO"}});
  if (tokens.size() < 3) return {};
  if (tokens[0].is("GRANT") || tokens[0].is("REVOKE")) return kGrant;
  if (starts_with(tokens, {"SET", "SESSION"})) return kAuthorization;
  if (starts_with(tokens, {"SET", "ROLE"})) return kSetRole;
  if (starts_with(tokens, {"ALTER", "DEFAULT"})) return kDefaultPrivileges;
  const bool is_alter = tokens[0].is("ALTER");
  if (!is_alter && !tokens[0].is("CREATE") && !tokens[0].is("DROP")) return {};
  if (starts_with(tokens.subspan(1), {"USER", "MAPPING"})) return kUserMapping;
  if (tokens[1].is("POLICY")) return kPolicy;
  if (is_alter) return kOwner;
  return tokens[1].is("SCHEMA") ? std::span<const Lead>(kAuthorization) : std::span<const Lead>();
}

/// The name that a token stands for as a role; none for PUBLIC and other words that are no names.
std::optional<std::string> role_name(const Token& token) {
  static constexpr auto kPseudo = std::to_array<std::string_view>(
      {"PUBLIC", "CURRENT_USER", "CURRENT_ROLE", "SESSION_USER", "USER", "DEFAULT", "NONE"});
  std::string_view text = token.text;
  std::string name;
  if (token.kind == TokenKind::word) {
    if (std::ranges::any_of(kPseudo, [&](auto word) { return token.is(word); })) return std::nullopt;
    std::ranges::transform(text, std::back_inserter(name), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name;
  }
  const char quote = token.kind == TokenKind::identifier ? '"' : '\'';
  if (text.size() < 2 || text.front() != quote) return std::nullopt;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    name += text[i];
    if (text[i] == quote) ++i;
  }
  return name;
}

/// Calls `visit` for each role of a statement, in order.
template <typename Visit>
void for_each_role(Tokens tokens, const Visit& visit) {
  const std::span<const Lead> leads = leads_of(tokens);
  size_t depth = 0;
  for (size_t i = 1; i < tokens.size() && !leads.empty(); ++i) {
    if (tokens[i].is('(')) ++depth;
    if (tokens[i].is(')') && depth > 0) --depth;
    if (depth > 0 || tokens[i - 1].is('.') || tokens[i - 1].is("RENAME")) continue;
    const auto lead = std::ranges::find_if(leads, [&](Lead l) { return starts_with(tokens.subspan(i), l); });
    if (lead == leads.end()) continue;
    for (i += lead->size(); i < tokens.size(); i += 2) {
      if (tokens[i].is("GROUP")) ++i;
      if (i < tokens.size()) visit(tokens[i]);
      if (i + 1 >= tokens.size() || !tokens[i + 1].is(',')) break;
    }
  }
}

bool is_owner_change(Tokens tokens) {
  return tokens.size() > 4 && tokens[0].is("ALTER") && starts_with(tokens.last(3), {"OWNER", "TO"});
}

}  // namespace

void parse_restore_script(std::string_view script, const std::function<void(TocEntry)>& visit) {
  if (script.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  ScriptParser(script, visit).parse();
}

std::string map_roles(const TocEntry& entry, const std::map<std::string, std::string>& roles) {
  if (roles.empty()) return entry.sql;
  std::string out;
  const char* copied = entry.sql.data();
  const auto rename = [&](const Token& token) {
    const auto name = role_name(token);
    const auto found = name ? roles.find(*name) : roles.end();
    if (found == roles.end()) return;
    out.append(copied, token.text.data());
    out += token.kind == TokenKind::string ? pg::quote_literal(found->second)
                                           : pg::quote_identifier(found->second);
    copied = token.text.data() + token.text.size();
  };
  StatementReader reader(entry.sql);
  for (Item item = reader.next(); item != Item::end; item = reader.next()) {
    if (item == Item::statement) for_each_role(reader.tokens(), rename);
  }
  return out.append(copied, entry.sql.data() + entry.sql.size());
}

std::string without_owner(const TocEntry& entry) {
  std::string out;
  StatementReader reader(entry.sql);
  for (Item item = reader.next(); item != Item::end; item = reader.next()) {
    if (item != Item::statement || is_owner_change(reader.tokens())) continue;
    out.append(reader.text()).append(";\n");
  }
  return out;
}

std::string without_roles(const TocEntry& entry,
                          const std::function<bool(const std::string& role)>& is_left_out) {
  std::string out;
  StatementReader reader(entry.sql);
  for (Item item = reader.next(); item != Item::end; item = reader.next()) {
    if (item != Item::statement) continue;
    bool names_one = false;
    for_each_role(reader.tokens(), [&](const Token& token) {
      const auto name = role_name(token);
      names_one = names_one || (name && is_left_out(*name));
    });
    if (!names_one) out.append(reader.text()).append(";\n");
  }
  return out;
}

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> statements;
  StatementReader reader(sql);
  for (Item item = reader.next(); item != Item::end; item = reader.next()) {
    if (item == Item::statement) statements.emplace_back(reader.text());
  }
  return statements;
}

}  // namespace copy
