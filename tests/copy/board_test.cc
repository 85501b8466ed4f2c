#include "copy/board.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::test::throws;

/// A plan of `relations` tables with random numbers of chunks and indexes; some share a proof unit.
struct Work {
  explicit Work(unsigned seed) : random(seed) {
    const auto pick = [&](uint32_t most) { return std::uniform_int_distribution<uint32_t>(0, most)(random); };
    plan.relations.resize(1 + pick(30));
    for (uint32_t i = 0; i < plan.relations.size(); ++i) {
      plan.relations[i].chunks = 1 + pick(9);
      // A resumed run finds some chunks done.
      for (uint32_t k = 0; k < plan.relations[i].chunks; ++k)
        if (pick(9) > 0) chunks.push_back({i, k});
      for (uint32_t k = pick(3); k > 0; --k)
        indexes.push_back({i, static_cast<uint32_t>(indexes.size()), pick(1000)});
    }
    for (uint32_t i = 0; i < plan.relations.size();) {
      ProofUnit unit;
      const auto end = std::min<uint32_t>(i + 1 + (pick(4) == 0 ? pick(3) : 0),
                                          static_cast<uint32_t>(plan.relations.size()));
      for (; i < end; ++i) unit.relations.push_back(i);
      units.push_back(unit);
      unproven.push_back(pick(4) > 0);
    }
  }
  std::mt19937 random;
  Plan plan;
  std::vector<ProofUnit> units;
  std::vector<Board::Chunk> chunks;
  std::vector<Board::IndexTask> indexes;
  std::vector<bool> unproven;
};

/// What the workers did, and whether each thing was allowed then.
struct Diary {
  std::mutex mutex;
  std::map<std::pair<uint32_t, uint32_t>, int> chunks;
  std::map<uint32_t, int> indexes;
  std::map<uint32_t, int> cuts;
  std::map<std::pair<uint32_t, uint32_t>, int> slices;
  std::map<uint32_t, int> analyzes;
  std::set<uint32_t> failed;
  std::vector<uint32_t> chunks_left;
  std::vector<uint32_t> indexes_left;
  int running = 0;
  int most_running = 0;

  void begin() { most_running = std::max(most_running, ++running); }
};

void data_worker(Board& board, Diary& diary, const Work& work, const base::Stop& stop, unsigned seed,
                 bool failures) {
  std::mt19937 random(seed);
  while (const auto task = board.take_data(stop)) {
    {
      const std::lock_guard lock(diary.mutex);
      diary.begin();
    }
    if (random() % 4 == 0) std::this_thread::yield();
    {
      const std::lock_guard lock(diary.mutex);
      --diary.running;
    }
    if (task->chunk) {
      const auto [relation, chunk, may_postpone] = *task->chunk;
      if (may_postpone && random() % 10 == 0) {
        board.postpone(*task->chunk);
        continue;
      }
      const bool fails = failures && random() % 20 == 0;
      {
        const std::lock_guard lock(diary.mutex);
        ++diary.chunks[{relation, chunk}];
        if (fails) {
          diary.failed.insert(relation);
        } else {
          --diary.chunks_left[relation];
        }
      }
      if (fails) {
        board.relation_failed(relation);
      } else {
        board.chunk_done(relation, 1);
      }
    } else if (task->proof->slice) {
      {
        const std::lock_guard lock(diary.mutex);
        ++diary.slices[{task->proof->unit, *task->proof->slice}];
      }
      board.slice_done();
    } else {
      const auto unit = task->proof->unit;
      {
        const std::lock_guard lock(diary.mutex);
        ++diary.cuts[unit];
        for (const auto relation : work.units[unit].relations)
          EXPECT_EQ(diary.chunks_left[relation], 0U) << "proof too early";
      }
      board.add_slices(unit, unit % 4);
    }
  }
}

void index_worker(Board& board, Diary& diary, const Work& work, const base::Stop& stop) {
  while (const auto task = board.take_target(stop)) {
    {
      const std::lock_guard lock(diary.mutex);
      diary.begin();
    }
    std::this_thread::yield();
    {
      const std::lock_guard lock(diary.mutex);
      --diary.running;
    }
    if (task->index) {
      {
        const std::lock_guard lock(diary.mutex);
        ++diary.indexes[task->index->item];
        --diary.indexes_left[task->index->relation];
        EXPECT_EQ(diary.chunks_left[task->index->relation], 0U) << "index too early";
        EXPECT_EQ(work.indexes[task->index->item].relation, task->index->relation);
      }
      board.index_done(task->index->relation);
    } else {
      {
        const std::lock_guard lock(diary.mutex);
        ++diary.analyzes[task->analyze->relation];
        EXPECT_EQ(diary.indexes_left[task->analyze->relation], 0U) << "ANALYZE too early";
      }
      board.analyze_done();
    }
  }
}

void play(unsigned seed, bool failures, Work& work, Diary& diary) {
  diary.chunks_left.assign(work.plan.relations.size(), 0);
  diary.indexes_left.assign(work.plan.relations.size(), 0);
  for (const auto& chunk : work.chunks) ++diary.chunks_left[chunk.relation];
  for (const auto& index : work.indexes) ++diary.indexes_left[index.relation];
  const Board::Limits limits{2 + seed % 3, 1 + seed % 3};
  Board board(work.plan, work.units, work.chunks, work.indexes, work.unproven, true, limits);
  const base::Stop stop;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 1 + seed % 4; ++i)
      threads.emplace_back([&, i] { data_worker(board, diary, work, stop, seed * 10 + i, failures); });
    for (unsigned i = 0; i < 1 + seed % 3; ++i)
      threads.emplace_back([&] { index_worker(board, diary, work, stop); });
  }
  EXPECT_TRUE(board.all_read());
  EXPECT_LE(diary.most_running, static_cast<int>(limits.tasks) + 1) << "one stream always runs";
}

TEST(Board, WhatWasPostponedComesAgainAfterTheBuilds) {
  Plan plan;
  plan.relations.resize(2);
  const std::vector<ProofUnit> units{{{0}}, {{1}}};
  Board board(plan, units, {{0, 0}, {1, 0}}, {{1, 7, 1}}, {false, false}, false, {4, 1});
  const base::Stop stop;
  const auto postponed = board.take_data(stop, true)->chunk;
  ASSERT_TRUE(postponed && postponed->relation == 0 && postponed->may_postpone);
  board.postpone(*postponed);
  EXPECT_EQ(board.take_data(stop, true)->chunk->relation, 1U);
  board.chunk_done(1, 0.1);
  EXPECT_FALSE(board.take_data(stop, true)->chunk) << "the index is not built yet";
  EXPECT_FALSE(board.all_read());
  ASSERT_TRUE(board.take_target(stop)->index);
  board.index_done(1);
  const auto again = board.take_data(stop, true)->chunk;
  ASSERT_TRUE(again && again->relation == 0 && again->may_postpone);
  board.postpone(*again);
  const auto last = board.take_data(stop, true)->chunk;
  ASSERT_TRUE(last && last->relation == 0);
  EXPECT_FALSE(last->may_postpone) << "nothing was built in between";
  board.relation_failed(0);
  EXPECT_TRUE(board.all_read());
  EXPECT_FALSE(board.take_data(stop, false));
  EXPECT_FALSE(board.take_target(stop));
}

TEST(Board, WhoHasASourceSessionEndsItWhenNoChunkIsLeft) {
  Plan plan;
  plan.relations.resize(1);
  plan.relations[0].chunks = 2;
  const std::vector<ProofUnit> units{{{0}}};
  Board board(plan, units, {{0, 0}, {0, 1}}, {}, {true}, false, {4, 1});
  const base::Stop stop;
  ASSERT_TRUE(board.take_data(stop, false)->chunk);
  ASSERT_TRUE(board.take_data(stop, true)->chunk);
  board.chunk_done(0, 0.1);
  // The other chunk is still read, so there is no proof yet: without the hint this would wait for it.
  const auto task = board.take_data(stop, true);
  ASSERT_TRUE(task);
  EXPECT_FALSE(task->chunk || task->proof);
  board.chunk_done(0, 0.1);
  EXPECT_TRUE(board.take_data(stop)->proof);
}

TEST(Board, EveryTaskIsHandedOutExactlyOnceAndInOrder) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Work work(seed);
    Diary diary;
    play(seed, false, work, diary);
    EXPECT_EQ(diary.chunks.size(), work.chunks.size());
    EXPECT_TRUE(std::ranges::all_of(diary.chunks, [](const auto& c) { return c.second == 1; }));
    EXPECT_EQ(diary.indexes.size(), work.indexes.size());
    EXPECT_TRUE(std::ranges::all_of(diary.indexes, [](const auto& i) { return i.second == 1; }));
    EXPECT_EQ(diary.analyzes.size(), work.plan.relations.size());
    EXPECT_TRUE(std::ranges::all_of(diary.analyzes, [](const auto& a) { return a.second == 1; }));
    for (uint32_t unit = 0; unit < work.units.size(); ++unit) {
      EXPECT_EQ(diary.cuts[unit], work.unproven[unit] ? 1 : 0);
      for (uint32_t slice = 0; slice < 5; ++slice)
        EXPECT_EQ((diary.slices[{unit, slice}]), work.unproven[unit] && slice < unit % 4 ? 1 : 0);
    }
    if (HasFailure()) return;
  }
}

TEST(Board, OfAFailedRelationNothingMoreIsHandedOut) {
  for (unsigned seed = 1000; seed < 1200; ++seed) {
    SCOPED_TRACE(seed);
    Work work(seed);
    Diary diary;
    play(seed, true, work, diary);
    for (const auto& [chunk, times] : diary.chunks) EXPECT_EQ(times, 1);
    for (const auto& index : work.indexes) {
      if (diary.failed.contains(index.relation)) {
        EXPECT_EQ(diary.indexes[index.item], 0);
      }
    }
    for (uint32_t unit = 0; unit < work.units.size(); ++unit) {
      const bool failed =
          std::ranges::any_of(work.units[unit].relations, [&](auto r) { return diary.failed.contains(r); });
      EXPECT_EQ(diary.cuts[unit], work.unproven[unit] && !failed ? 1 : 0);
      if (failed) continue;
      for (const auto relation : work.units[unit].relations) EXPECT_EQ(diary.analyzes[relation], 1);
    }
    if (HasFailure()) return;
  }
}

TEST(Board, TheLongestIndexComesFirst) {
  Plan plan;
  plan.relations.resize(1);
  const std::vector<ProofUnit> units{{{0}}};
  Board board(plan, units, {}, {{0, 0, 5}, {0, 1, 50}, {0, 2, 20}}, {false}, false, {2, 2});
  const base::Stop stop;
  std::vector<uint64_t> costs;
  while (const auto task = board.take_target(stop)) {
    costs.push_back(task->index->cost);
    board.index_done(0);
  }
  EXPECT_EQ(costs, (std::vector<uint64_t>{50, 20, 5}));
}

TEST(Board, AStreamOverASlowLineLeavesRoomForBuilds) {
  Plan plan;
  plan.relations.resize(2);
  const std::vector<ProofUnit> units{{{0}}, {{1}}};
  const std::vector<Board::Chunk> chunks{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}};
  const auto helpers_beside_a_stream = [&](double target_share) {
    Board board(plan, units, chunks, {{1, 0, 5}}, {false, false}, false, {4, 4});
    const base::Stop stop;
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(board.take_data(stop)->chunk);
      board.chunk_done(0, target_share);
    }
    EXPECT_TRUE(board.take_data(stop)->chunk);
    return board.take_target(stop)->helpers;
  };
  EXPECT_EQ(helpers_beside_a_stream(1), 2U);
  EXPECT_EQ(helpers_beside_a_stream(0), 3U);
}

TEST(Board, OfNothingIsDoneAtOnce) {
  const Plan plan;
  const std::vector<ProofUnit> units;
  Board board(plan, units, {}, {}, {}, true, {2, 2});
  EXPECT_FALSE(board.take_data({}));
  EXPECT_FALSE(board.take_target({}));
  EXPECT_TRUE(board.all_read());
}

TEST(Board, AStopWakesThoseWhoWait) {
  Plan plan;
  plan.relations.resize(1);
  const std::vector<ProofUnit> units{{{0}}};
  Board board(plan, units, {{0, 0}}, {}, {true}, true, {2, 2});
  const base::Stop stop;
  ASSERT_TRUE(board.take_data(stop));
  std::jthread waiting([&] { EXPECT_THAT([&] { board.take_data(stop); }, throws(ErrorKind::cancelled)); });
  std::jthread also([&] { EXPECT_THAT([&] { board.take_target(stop); }, throws(ErrorKind::cancelled)); });
  stop.request();
}

}  // namespace
}  // namespace copy
