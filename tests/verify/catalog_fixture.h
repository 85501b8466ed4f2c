#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stop.h"
#include "pg/session.h"
#include "tests/support/build.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "verify/catalog.h"

namespace verify::test {

using support::data_file;

inline pg::Connection open(const std::string& url) {
  return pg::open_session(pg::Conninfo::parse(url), {.client_encoding = "UTF8"}, base::Stop());
}

inline Catalog read(const std::string& url) {
  auto connection = open(url);
  return read_catalog(connection);
}

inline std::string text(const CatalogDifference& difference) {
  return fmt::format("{} {} {}: {} -> {}", difference.kind, difference.object, difference.property,
                     difference.source.value_or("-"), difference.target.value_or("-"));
}

/// Everything that stands against "equal": differences, and what was not looked at.
inline std::vector<std::string> objections(const CatalogComparison& comparison) {
  std::vector<std::string> out;
  for (const auto& difference : comparison.differences) out.push_back(text(difference));
  for (const auto& unchecked : comparison.unchecked)
    out.push_back(fmt::format("unchecked {}: {}", unchecked.what, unchecked.reason));
  return out;
}

/// "column public.t.a type", for lists of expectations.
inline std::vector<std::string> places(const CatalogComparison& comparison) {
  std::vector<std::string> out;
  for (const auto& [kind, object, property, source, target, parts] : comparison.differences)
    out.push_back(fmt::format("{} {}{}{}", kind, object, property.empty() ? "" : " ", property));
  for (const auto& unchecked : comparison.unchecked)
    out.push_back(fmt::format("unchecked {}: {}", unchecked.what, unchecked.reason));
  return out;
}

}  // namespace verify::test
