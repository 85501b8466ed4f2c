#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "s3/local_file.h"
#include "tests/s3/fixture.h"
#include "tests/s3/program.h"
#include "tests/support/relay.h"

// kill -9 at random moments. A few in every test run; `./dev soak s3` does it by the hundred, on a larger
// tree.

namespace s3 {
namespace {

using test::random_text;

/// From the environment: CUTOVER_SOAK_KILLS and so on.
size_t setting(const std::string& name, size_t otherwise) {
  return std::stoul(test::variable(("CUTOVER_SOAK_" + name).c_str(), std::to_string(otherwise)));
}

constexpr unsigned kWorkers = 8;
/// What a worker may have had on its way.
constexpr uint64_t kPart = uint64_t{16} << 20;
/// Heads of requests and listings, for each file and in all.
constexpr uint64_t kOverheadOfFile = 4096;
constexpr uint64_t kOverhead = uint64_t{1} << 20;

/// Compares what is downloaded with a file of the tree.
class ComparedDownload : public base::ByteSink {
 public:
  explicit ComparedDownload(const LocalFile& file) : file_(file) {}
  void write(base::Bytes bytes) override {
    buffer_.resize(std::max(buffer_.size(), bytes.size()));
    const auto ours = std::span(buffer_).first(bytes.size());
    equal = equal && file_.read_at(size, ours) == ours.size() && std::ranges::equal(ours, bytes);
    size += bytes.size();
  }
  void finish() override {}

  bool equal = true;
  uint64_t size = 0;

 private:
  const LocalFile& file_;
  std::vector<std::byte> buffer_;
};

class Kills : public test::UploadProgram {
 protected:
  Kills() : relay_(std::stoi(server_.substr(server_.rfind(':') + 1))), first_prefix_(prefix_) {
    server_ = fmt::format("http://127.0.0.1:{}", relay_.port());
    endpoint_.url = server_ + "/" + endpoint_.bucket;
  }

  void make_tree() {
    const std::vector<std::string> odd{"plain",     "with space", "ünï/cödé",
                                       "100% +&#?", "quote'\"<>", "~tilde$!*()"};
    const auto add = [&](std::string path, size_t size, uint64_t seed) {
      write(path, random_text(size, seed));
      files_of_tree_.push_back(std::move(path));
      tree_bytes_ += size;
    };
    const auto small = setting("SMALL", 200);
    for (size_t i = 0; i < small; ++i)
      add(fmt::format("d{}/{} {}", i % 17, odd[i % odd.size()], i), random_() % 40'000, i);
    const auto large = setting("LARGE", 3);
    const auto least = setting("LEAST_MB", 36);
    const auto most = setting("MOST_MB", 40);
    for (size_t i = 0; i < large; ++i)
      add(fmt::format("large/{} {}", odd[i % odd.size()], i),
          (least << 20) + random_() % ((most - least + 1) << 20), 1'000'000 + i);
  }

  std::vector<std::string> call(unsigned workers) const {
    return arguments({"--concurrency", std::to_string(workers), "--no-progress"});
  }

  void start_over() {
    prefix_ = fmt::format("{}/{}", first_prefix_, runs_++);
    std::filesystem::remove_all(home_ / "run");
    if (fake_) fake_->reset_counts();
  }

  /// Kills it when it has sent so many bytes. False when the upload has ended before.
  bool kill_once(uint64_t bytes, unsigned workers = kWorkers) {
    const auto before = relay_.bytes();
    support::Process process(support::cutover_program(), call(workers), {.environment = environment()});
    const auto wanted = before + bytes;
    const auto pause = std::chrono::steady_clock::now() + std::chrono::microseconds(random_() % 50'000);
    while (process.running() && (relay_.bytes() < wanted || std::chrono::steady_clock::now() < pause))
      std::this_thread::yield();
    const bool alive = process.running();
    if (alive) process.kill(SIGKILL);
    const auto result = process.wait();
    EXPECT_EQ(result.exit_code, alive ? 128 + SIGKILL : 0) << result.error;
    // What the dead have sent arrives before the next one asks what is there.
    if (fake_) fake_->wait_until_idle();
    if (alive) sent_before_kills_ += relay_.bytes() - before;
    return alive;
  }

  void resume(unsigned workers = kWorkers) {
    const auto resumed = support::cutover(call(workers), {.environment = environment()});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  }

  /// What all processes of a run may send but for what the kills cost.
  uint64_t due(size_t kills) const {
    return tree_bytes_ + kOverhead * (kills + 1) + kOverheadOfFile * files_of_tree_.size();
  }

  /// Of what the server had accepted nothing came again, except for objects whose records died with the
  /// process.
  void expect_nothing_again(size_t kills) const {
    if (!fake_) return;
    size_t objects = 0;
    for (const auto& what : fake_->sent_again()) {
      if (what.find(".cutover-probe-") != std::string::npos) continue;
      EXPECT_EQ(what.find(", part "), std::string::npos) << what;
      ++objects;
    }
    EXPECT_LE(objects, kills * kWorkers);
  }

  /// Every object has its file's content, no other object and no unfinished upload is there.
  void expect_equal() {
    Client client(session(), base::Stop());
    for (const auto& left : unfinished_uploads(client, {}, prefix_))
      ADD_FAILURE() << left.key << " is still under way, as " << left.upload_id << " since "
                    << left.initiated;
    for (const auto& path : files_of_tree_) {
      const auto file = LocalFile::open(Root(files()), path, Symlinks::error);
      ASSERT_TRUE(file);
      ComparedDownload comparison(*file);
      client.get_object(prefix_ + "/" + path, comparison);
      EXPECT_TRUE(comparison.equal && comparison.size == file->state().size) << path;
    }
    std::vector<std::string> keys;
    std::string token;
    do {
      const auto page = client.list_objects(prefix_ + "/", token);
      for (const auto& object : page.objects) keys.push_back(object.key);
      token = page.next_token;
    } while (!token.empty());
    EXPECT_EQ(keys.size(), files_of_tree_.size());
    for (size_t i = 0; i < keys.size(); i += 1000) {
      const auto end = std::min(keys.size(), i + 1000);
      client.delete_objects(
          {keys.begin() + static_cast<std::ptrdiff_t>(i), keys.begin() + static_cast<std::ptrdiff_t>(end)});
    }
  }

  support::Relay relay_;
  std::string first_prefix_;
  std::mt19937_64 random_{setting("SEED", 4711)};
  std::vector<std::string> files_of_tree_;
  uint64_t tree_bytes_ = 0;
  uint64_t sent_before_kills_ = 0;  ///< by the processes that were killed
  size_t runs_ = 0;
};

TEST_F(Kills, LoseNothingAndSendNothingTwice) {
  make_tree();
  const auto wanted = setting("KILLS", 6);
  const auto in_one_run = setting("KILLS_IN_ONE_RUN", 6);
  size_t kills = 0;
  uint64_t sent_again = 0;
  uint64_t most_again = 0;
  while (kills < wanted) {
    start_over();
    const auto before = relay_.bytes();
    size_t here = 0;
    while (here < in_one_run && kills + here < wanted &&
           kill_once(random_() % (2 * tree_bytes_ / (in_one_run + 1))))
      ++here;
    kills += here;
    resume();
    expect_nothing_again(here);
    const auto sent = relay_.bytes() - before;
    EXPECT_LE(sent, due(here) + here * kWorkers * kPart) << here << " kills";
    const auto again = sent > tree_bytes_ ? sent - tree_bytes_ : 0;
    sent_again += again;
    if (here > 0) most_again = std::max(most_again, again / here);
    expect_equal();
  }
  // Where there is room for parts between the kills most of them are kept.
  if (sent_before_kills_ > kills * (uint64_t{40} << 20)) {
    EXPECT_LE(sent_again, sent_before_kills_ / 2);
  }
  fmt::print(
      "{} kills in {} runs over a tree of {} files, {} MB: {:.1f} MB sent beyond the tree for each kill "
      "(most: {:.1f}), at most {} MB were on their way\n",
      kills, runs_, files_of_tree_.size(), tree_bytes_ / 1'000'000,
      static_cast<double>(sent_again) / 1e6 / static_cast<double>(kills),
      static_cast<double>(most_again) / 1e6, kWorkers * kPart / 1'000'000);
}

// On any server: what a program sends that begins anew is more than what was on its way.
TEST_F(Kills, LateCostNoMoreThanWhatWasOnItsWay) {
  constexpr unsigned kFew = 2;
  constexpr size_t kKills = 2;
  make_tree();
  const auto between = tree_bytes_ / 100 * 42;
  ASSERT_GT(between, kFew * kPart + kOverhead + kOverheadOfFile * files_of_tree_.size())
      << "the bound could not fail";
  start_over();
  const auto before = relay_.bytes();
  for (size_t i = 0; i < kKills; ++i) ASSERT_TRUE(kill_once(between, kFew));
  resume(kFew);
  expect_nothing_again(kKills);
  EXPECT_LE(relay_.bytes() - before, due(kKills) + kKills * kFew * kPart);
  expect_equal();
}

}  // namespace
}  // namespace s3
