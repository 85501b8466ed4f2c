#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "verify/repair.h"
#include "verify/side.h"

namespace verify {

/// Values of a key's columns, as text.
using KeyText = std::vector<std::string>;

/// The differing rows of one table, as a comparison tells them.
struct DifferingKeys {
  /// Each once, although several rows may have it.
  std::set<KeyText> keys;
  bool too_many = false;  ///< more than kMostRowsHeld: not kept
  void add(const RowDifference& row);
};
using KeysByTable = std::map<std::string, DifferingKeys>;

/// What is done to the rows of one table.
struct TableWork {
  const pg::Table* source = nullptr;
  const pg::Table* target = nullptr;
  bool whole_tree = false;
  bool all_rows = false;
  std::string condition;             ///< of the comparison; empty: all rows
  std::vector<std::string> columns;  ///< that are put in; the server computes the generated ones
  std::vector<std::string> key;
  DifferingKeys rows;

  /// "ONLY public.t"; a tree by its root.
  static std::string from(const pg::Table& table, bool whole_tree);
  /// The rows that have one of the keys, as it follows WHERE: each once, however many of the keys mean it.
  std::string has_key(const pg::Table& table) const;
};

/// Decides what is done about each table that differs: fills Repair::steps, Repair::left and
/// Repair::suspicious.
std::vector<TableWork> plan_tables(const RepairOptions& options, Side& source, Side& target, KeysByTable keys,
                                   Repair& repair);

}  // namespace verify
