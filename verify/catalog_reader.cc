#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "pg/provider.h"
#include "pg/quote.h"
#include "verify/catalog.h"
#include "verify/catalog_query.h"
#include "verify/catalog_text.h"

namespace verify {
namespace {

using base::ErrorKind;

/// A refused query must not end the caller's transaction, nor may two queries see two states. So there is a
/// savepoint before each, in the caller's transaction or in one of our own.
class Transaction {
 public:
  explicit Transaction(pg::Connection& connection) : connection_(connection) {
    try {
      connection_.exec("SAVEPOINT cutover_catalog");
    } catch (const base::Error& error) {
      if (error.sqlstate() != "25P01") throw;  // no_active_sql_transaction
      own_.emplace(connection_, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      connection_.exec("SAVEPOINT cutover_catalog");
    }
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void undo() { connection_.exec("ROLLBACK TO SAVEPOINT cutover_catalog"); }
  void end() {
    connection_.exec("RELEASE SAVEPOINT cutover_catalog");
    if (own_) own_->commit();
  }

 private:
  pg::Connection& connection_;
  std::optional<pg::Transaction> own_;
};

std::string joined(std::vector<std::string> elements) {
  std::ranges::sort(elements);
  std::string out;
  for (const auto& element : elements) {
    if (!out.empty()) out += ", ";
    out += element.find(", ") == std::string::npos ? element : pg::quote_literal(element);
  }
  return out;
}

void add(CatalogObject& object, const PropertyColumn& column, const pg::Result& rows, int row, int at) {
  if (rows.is_null(row, at)) return;
  auto& properties = object.properties;
  switch (column.form) {
    case Form::text:
      properties.push_back({column.name, rows.string(row, at)});
      break;
    case Form::sql:
      properties.push_back({column.name, normalised_sql(rows.text(row, at))});
      break;
    case Form::list:
      if (auto text = joined(rows.array(row, at)); !text.empty())
        properties.push_back({column.name, std::move(text)});
      break;
    case Form::options:
      for (const auto& option : rows.array(row, at)) {
        const auto middle = std::min(option.find('='), option.size() - 1);
        properties.push_back({column.name + " " + option.substr(0, middle), option.substr(middle + 1)});
      }
      break;
    case Form::entries:
      for (const std::string_view entry : rows.array(row, at)) {
        const auto middle = entry.find('\x03');
        properties.push_back({column.name + " " + normalised_sql(entry.substr(0, middle)),
                              normalised_sql(entry.substr(std::min(middle, entry.size() - 1) + 1))});
      }
      break;
  }
}

class Reader {
 public:
  explicit Reader(pg::Connection& connection) : connection_(connection) {}

  Catalog read() {
    Transaction transaction(connection_);
    catalog_.server_version = connection_.server_version();
    catalog_.vendor_schemas = pg::read_vendor_schemas(connection_);
    for (const auto& group : {relation_queries(), type_queries(), routine_queries(), search_queries(),
                              database_queries(), privilege_queries()})
      for (const auto& query : group) try_read(query, transaction);
    note_hidden_options();
    transaction.end();
    return std::move(catalog_);
  }

 private:
  // A transient error would come back with any other query, and a stop is the user's: both end the reading.
  void try_read(const ObjectQuery& query, Transaction& transaction) {
    if (connection_.major() < query.since || connection_.major() > query.until) return;
    try {
      add(query, connection_.exec(query.sql(connection_.major())));
    } catch (const base::Error& error) {
      if (error.kind() != ErrorKind::permanent || error.sqlstate().empty() || !connection_.alive()) throw;
      transaction.undo();
      for (const auto& kind : query.kinds) catalog_.unreadable_kinds.emplace(kind, error.message());
    }
  }

  void add(const ObjectQuery& query, const pg::Result& rows) {
    const auto columns = query.columns(connection_.major());
    for (int row = 0; row < rows.rows(); ++row) {
      const auto [place, is_new] = catalog_.objects.insert(read_object(columns, rows, row));
      // Names are unique in the catalog. Two objects under one of ours would hide each other.
      if (!is_new)
        catalog_.unchecked.push_back(
            {place->first.kind + " " + place->first.name, "there are two of that name", place->first});
    }
  }

  // The view shows no options of mappings that this role may not see, and not that it hides them.
  void note_hidden_options() {
    const auto rows = connection_.exec(hidden_user_mappings_sql());
    for (int row = 0; row < rows.rows(); ++row) {
      auto name = normalised_sql(rows.text(row, 0));
      catalog_.unchecked.push_back({"options of user mapping " + with_roles(name, {}),
                                    "only a superuser sees them, or whom the mapping is for",
                                    {"user mapping", std::move(name)},
                                    "option *"});
    }
  }

  pg::Connection& connection_;
  Catalog catalog_;
};

}  // namespace

const std::string* CatalogObject::find(std::string_view property) const {
  const auto found = std::ranges::find(properties, property, &CatalogProperty::name);
  return found == properties.end() ? nullptr : &found->value;
}

std::pair<CatalogKey, CatalogObject> read_object(const std::vector<PropertyColumn>& columns,
                                                 const pg::Result& rows, int row) {
  CatalogObject object;
  object.schema = rows.string(row, 2);
  object.relation = rows.string(row, 3);
  object.other_schema = rows.string(row, 4);
  object.other_relation = rows.string(row, 5);
  int at = kFixedColumns;
  for (const auto& column : columns) add(object, column, rows, row, at++);
  CatalogKey key{rows.string(row, 0), normalised_sql(rows.text(row, 1))};
  return {std::move(key), std::move(object)};
}

Catalog read_catalog(pg::Connection& connection) {
  return base::during("read the catalog", [&] { return Reader(connection).read(); });
}

}  // namespace verify
