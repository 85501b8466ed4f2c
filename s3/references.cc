#include "s3/references.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "pg/quote.h"
#include "pg/session.h"

namespace s3 {
namespace {

using base::Error;
using base::ErrorKind;

/// The SQLSTATEs of tables, columns and schemas that do not exist.
constexpr std::array<std::string_view, 3> kUnknownName = {"42P01", "42703", "3F000"};
/// So many of the files that nobody mentions are named.
constexpr uint64_t kMostNamed = 100;

bool is_select(std::string_view query) {
  constexpr std::string_view kWord = "select";
  return query.size() > kWord.size() && std::isspace(static_cast<unsigned char>(query[kWord.size()])) != 0 &&
         std::ranges::equal(query.substr(0, kWord.size()), kWord, [](char given, char wanted) {
           return std::tolower(static_cast<unsigned char>(given)) == wanted;
         });
}

/// The names between the dots; what stands in double quotes is taken as it is, the rest folded as Postgres
/// does.
std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      names.emplace_back();
    } else {
      names.back() += quoted ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return names;
}

/// The alias of a SELECT names its first column: a second one would be passed over in silence.
void check_columns(pg::Connection& database, const std::string& query) {
  if (!is_select(query)) return;
  const auto columns = database.exec(fmt::format("SELECT * FROM ({}) AS r LIMIT 0", query)).columns();
  if (columns != 1)
    throw Error(ErrorKind::usage, fmt::format("the SELECT has {} columns", columns),
                "select the paths alone; for several columns give --refs several times");
}

class ReferenceCheck {
 public:
  ReferenceCheck(const UploadOptions& options, const Root& root, const std::vector<ExpectedFile>& files,
                 const Verification& verification, Problems& problems)
      : options_(options),
        root_(root),
        files_(files),
        verification_(verification),
        problems_(problems),
        mentioned_(files.size(), false) {}

  void read(pg::Connection& database, const std::string& query, const base::Stop& stop) {
    const auto mentioned_before = result_.mentioned;
    base::during("--refs " + query, [&] {
      try {
        const pg::Transaction transaction(database, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        check_columns(database, query);
        database.exec("DECLARE refs NO SCROLL CURSOR FOR " + reference_sql(query));
        for (;;) {
          stop.check();
          const auto rows = database.exec("FETCH 10000 FROM refs");
          for (int row = 0; row < rows.rows(); ++row) visit(query, rows.text(row, 0));
          if (rows.rows() == 0) break;
        }
      } catch (Error& error) {
        if (error.kind() == ErrorKind::permanent) error.kind(ErrorKind::usage);
        if (std::ranges::find(kUnknownName, error.sqlstate()) != kUnknownName.end() && error.hint().empty())
          error.hint(R"(names with upper case stand in double quotes: '"Document"."filePath"')");
        throw;
      }
    });
    const bool has_others = result_.mentioned > mentioned_before;
    if (!has_others && elsewhere_here_ == 0) note_silent(query);
    note_elsewhere(query, has_others);
  }

  References finish(const base::Stop& stop) {
    result_.unmentioned = static_cast<uint64_t>(std::ranges::count(mentioned_, false));
    uint64_t named = 0;
    const WalkVisitor visitor{.file =
                                  [&](const WalkedFile& walked) {
                                    const auto* file = find_file(files_, walked.path);
                                    if (file == nullptr || mentioned_[index_of(file)] || ++named > kMostNamed)
                                      return;
                                    problems_.note(walked.path, "is not mentioned by the database");
                                  },
                              .problem = problems_.of_walk()};
    if (result_.unmentioned > 0) walk(root_, options_.walk, visitor, stop);
    return result_;
  }

 private:
  size_t index_of(const ExpectedFile* file) const { return static_cast<size_t>(file - files_.data()); }

  void note_silent(const std::string& query) {
    problems_.note("", query + " mentions no path: nothing of it was checked");
    result_.silent.push_back(query);
  }

  /// Where no value is about this directory, the prefix is a wrong one: nothing was checked.
  void note_elsewhere(const std::string& query, bool has_others) {
    if (elsewhere_here_ == 0) return;
    const auto& prefix = options_.references.prefix;
    if (has_others) {
      problems_.note("", fmt::format(R"({} of {} do not begin with "{}", such as "{}")", elsewhere_here_,
                                     query, prefix, printable(example_)));
    } else {
      problems_.failed("", fmt::format(R"(none of the values of {} begins with "{}", such as "{}": nothing )"
                                       "was checked (--refs-prefix)",
                                       query, prefix, printable(example_)));
    }
    result_.elsewhere += std::exchange(elsewhere_here_, 0);
  }

  void visit(const std::string& query, std::string_view value) {
    const auto& prefix = options_.references.prefix;
    auto path = value;
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
    if (prefix.empty() && path.starts_with('/')) path.remove_prefix(1);
    if (!value.starts_with(prefix) || path.empty()) {
      if (elsewhere_here_++ == 0) example_ = value;
      return;
    }
    ++result_.mentioned;
    const auto* file = find_file(files_, path);
    if (file != nullptr) mentioned_[index_of(file)] = true;
    if (file != nullptr && verification_.is_equal[index_of(file)]) return;
    ++result_.missing;
    problems_.different(path, fmt::format("{} mentions it, and {}", query,
                                          file == nullptr ? "there is no such file"
                                                          : "its object is missing or not the same"));
  }

  const UploadOptions& options_;
  const Root& root_;
  const std::vector<ExpectedFile>& files_;
  const Verification& verification_;
  Problems& problems_;
  std::vector<bool> mentioned_;
  uint64_t elsewhere_here_ = 0;
  std::string example_;
  References result_;
};

}  // namespace

std::string reference_sql(std::string_view query) {
  // Under another collation values that differ may count as duplicates.
  if (is_select(query))
    return fmt::format(
        "SELECT DISTINCT r.path::text COLLATE \"C\" FROM ({}) AS r(path) WHERE r.path IS NOT NULL", query);
  const auto names = names_in(query);
  if (names.size() < 2 || names.size() > 3 || std::ranges::count(names, std::string()) > 0)
    throw Error(ErrorKind::usage, fmt::format("\"{}\" names no column", query),
                "write it as table.column, schema.table.column or as a SELECT of one column");
  const auto column = pg::quote_identifier(names.back());
  auto table = pg::quote_identifier(names[0]);
  if (names.size() == 3) table += "." + pg::quote_identifier(names[1]);
  return fmt::format("SELECT DISTINCT {0}::text COLLATE \"C\" FROM {1} WHERE {0} IS NOT NULL", column, table);
}

References check_references(const UploadOptions& options, const Root& root,
                            const std::vector<ExpectedFile>& files, const Verification& verification,
                            Problems& problems, const base::Stop& stop) {
  auto database =
      pg::open_first_session(options.references.database, {.application_name = "cutover refs"}, stop);
  // Names mean what they mean to the application.
  database.exec("RESET search_path");
  ReferenceCheck check(options, root, files, verification, problems);
  for (const auto& query : options.references.queries) check.read(database, query, stop);
  return check.finish(stop);
}

}  // namespace s3
