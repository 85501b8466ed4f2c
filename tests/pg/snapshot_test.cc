#include "pg/snapshot.h"

#include <gtest/gtest.h>

namespace pg {
namespace {

const SnapshotMark kQuiet{"7000000000000000001",   16384, "100:100:", "0/1", "00000001",
                          "2024-05-01 12:00:00+00"};

TEST(SnapshotMark, TheSameQuietMomentIsUnchanged) {
  auto later = kQuiet;
  later.lsn = "0/2";  // a checkpoint writes WAL too
  EXPECT_TRUE(later.unchanged_since(kQuiet));
}

TEST(SnapshotMark, ATransactionSinceIsAChange) {
  auto later = kQuiet;
  later.transactions = "101:101:";
  EXPECT_FALSE(later.unchanged_since(kQuiet));
}

TEST(SnapshotMark, ATransactionInProgressProvesNothing) {
  for (const char* transactions : {"100:101:100", "99:101:99,100", "99:100:", "100:101:"}) {
    auto mark = kQuiet;
    mark.transactions = transactions;
    EXPECT_FALSE(mark.unchanged_since(mark)) << transactions;
  }
}

TEST(SnapshotMark, AnotherDatabaseOrClusterIsAChange) {
  auto other = kQuiet;
  other.database_oid = 16385;
  EXPECT_FALSE(other.unchanged_since(kQuiet));
  other = kQuiet;
  other.system_identifier = "7000000000000000002";
  EXPECT_FALSE(other.unchanged_since(kQuiet));
}

// After a failover or a crash that lost commits the same transaction ids may stand for other transactions.
TEST(SnapshotMark, AnotherTimelineOrStartOfTheServerIsAChange) {
  auto other = kQuiet;
  other.timeline = "00000002";
  EXPECT_FALSE(other.unchanged_since(kQuiet));
  other = kQuiet;
  other.server_start = "2024-05-01 12:00:01+00";
  EXPECT_FALSE(other.unchanged_since(kQuiet));
  other.timeline.clear();
  EXPECT_FALSE(other.unchanged_since(other)) << "a replica's";
}

TEST(SnapshotMark, WhatIsNotASnapshotProvesNothing) {
  for (const char* transactions : {"", ":", "::", "100", "100:100", "abc"}) {
    auto mark = kQuiet;
    mark.transactions = transactions;
    EXPECT_FALSE(mark.unchanged_since(mark)) << '"' << transactions << '"';
  }
}

TEST(SnapshotMark, ACloneOfAClusterIsAnotherDatabase) {
  auto clone = kQuiet;
  EXPECT_TRUE(clone.same_database(kQuiet));
  clone.transactions = "200:200:";
  EXPECT_TRUE(clone.same_database(kQuiet));
  clone.server_start = "another time";
  EXPECT_FALSE(clone.same_database(kQuiet));
  clone = kQuiet;
  ++clone.database_oid;
  EXPECT_FALSE(clone.same_database(kQuiet));
}

TEST(SnapshotMark, ARestartMakesNoOtherDatabase) {
  auto later = kQuiet;
  later.transactions = "200:200:";
  later.server_start = "another time";
  EXPECT_TRUE(later.same_identity(kQuiet));
  ++later.database_oid;
  EXPECT_FALSE(later.same_identity(kQuiet));
  later = kQuiet;
  later.system_identifier += "1";
  EXPECT_FALSE(later.same_identity(kQuiet));
}

}  // namespace
}  // namespace pg
