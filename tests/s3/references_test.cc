#include "s3/references.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace s3 {
namespace {

TEST(References, AreColumnsOrQueries) {
  EXPECT_EQ(
      reference_sql("documents.file_path"),
      "SELECT DISTINCT \"file_path\"::text COLLATE \"C\" FROM \"documents\" WHERE \"file_path\" IS NOT NULL");
  EXPECT_EQ(
      reference_sql("App.\"Odd.Table\".Path"),
      "SELECT DISTINCT \"path\"::text COLLATE \"C\" FROM \"app\".\"Odd.Table\" WHERE \"path\" IS NOT NULL");
  EXPECT_EQ(reference_sql("select j->>'file' from t"),
            "SELECT DISTINCT r.path::text COLLATE \"C\" FROM (select j->>'file' from t) AS r(path) WHERE "
            "r.path IS NOT NULL");
}

TEST(References, AreRefusedWhenTheyNameNoColumn) {
  for (const auto* text : {"", "documents", "a.b.c.d", "a.", ".b", "selection"})
    EXPECT_THROW(reference_sql(text), base::Error) << text;
}

}  // namespace
}  // namespace s3
