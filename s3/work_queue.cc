#include "s3/work_queue.h"

#include <algorithm>
#include <chrono>

namespace s3 {
namespace {

constexpr size_t kMostSmall = 4096;
/// Large files under way at once: enough that one file's completion does not leave the line idle.
constexpr size_t kMostActive = 4;

bool is_smaller(const WalkedFile& left, const WalkedFile& right) {
  return left.state.size < right.state.size;
}

}  // namespace

void WorkQueue::add_small(WalkedFile file, const base::Stop& stop) {
  {
    auto shared = shared_.lock();
    while (!shared.wait_for(base::kStopCheck, [&] { return shared->small.size() < kMostSmall; }))
      stop.check();
    shared->small.push_back(std::move(file));
  }
  // One file is one worker's: to wake all that are idle for each would take more time than the files do.
  shared_.notify_one();
}

void WorkQueue::add_large(WalkedFile file) {
  {
    auto shared = shared_.lock();
    shared->large.push_back(std::move(file));
    std::ranges::push_heap(shared->large, is_smaller);
  }
  shared_.notify_all();
}

void WorkQueue::grown(WalkedFile file) {
  {
    auto shared = shared_.lock();
    --shared->in_hand;
    shared->large.push_back(std::move(file));
    std::ranges::push_heap(shared->large, is_smaller);
  }
  shared_.notify_all();
}

void WorkQueue::done() {
  bool is_last = false;
  {
    auto shared = shared_.lock();
    is_last = --shared->in_hand == 0 && shared->closed;
  }
  if (is_last) shared_.notify_all();
}

void WorkQueue::close() {
  shared_.lock()->closed = true;
  shared_.notify_all();
}

std::optional<WorkQueue::Task> WorkQueue::take_small(Shared& shared) {
  if (shared.small.empty()) return std::nullopt;
  Task task{Task::Kind::small, std::move(shared.small.front()), nullptr, 0};
  shared.small.pop_front();
  ++shared.in_hand;
  return task;
}

std::optional<WorkQueue::Task> WorkQueue::take_large(Shared& shared) {
  // The workers spread over the files that are begun: one that comes to its end slowly holds up no other.
  auto ready = shared.active.end();
  for (auto active = shared.active.begin(); active != shared.active.end(); ++active)
    if (active->next < active->todo.size() &&
        (ready == shared.active.end() || active->in_hand() < ready->in_hand()))
      ready = active;
  const bool may_begin = !shared.large.empty() && shared.active.size() + shared.beginning < kMostActive;
  if (ready != shared.active.end() && !may_begin)
    return Task{Task::Kind::part, {}, ready->upload, ready->todo[ready->next++]};
  if (!may_begin) return std::nullopt;
  std::ranges::pop_heap(shared.large, is_smaller);
  Task task{Task::Kind::begin, std::move(shared.large.back()), nullptr, 0};
  shared.large.pop_back();
  ++shared.beginning;
  return task;
}

std::optional<WorkQueue::Task> WorkQueue::take(bool prefers_large, const base::Stop& stop) {
  std::optional<Task> task;
  bool has_room = false;
  {
    auto shared = shared_.lock();
    const auto try_take = [&] {
      task = prefers_large ? take_large(*shared) : take_small(*shared);
      if (!task) task = prefers_large ? take_small(*shared) : take_large(*shared);
      return task || (shared->closed && shared->small.empty() && shared->large.empty() &&
                      shared->active.empty() && shared->beginning == 0 && shared->in_hand == 0);
    };
    while (!shared.wait_for(base::kStopCheck, try_take)) stop.check();
    has_room = task && task->kind == Task::Kind::small && shared->small.size() == kMostSmall / 2;
  }
  // For the walk, which may wait in add_small().
  if (has_room) shared_.notify_all();
  return task;
}

void WorkQueue::began(std::shared_ptr<LargeUpload> upload) {
  {
    auto shared = shared_.lock();
    --shared->beginning;
    const auto todo = upload->todo();
    shared->active.push_back({std::move(upload), todo, 0, todo.size()});
  }
  shared_.notify_all();
}

void WorkQueue::dropped() {
  --shared_.lock()->beginning;
  shared_.notify_all();
}

bool WorkQueue::sent(const std::shared_ptr<LargeUpload>& upload) {
  auto shared = shared_.lock();
  const auto found = std::ranges::find(shared->active, upload, &Active::upload);
  return found != shared->active.end() && --found->unfinished == 0;
}

void WorkQueue::finished(const std::shared_ptr<LargeUpload>& upload, bool again) {
  {
    auto shared = shared_.lock();
    const auto found = std::ranges::find(shared->active, upload, &Active::upload);
    if (again) {
      found->todo = upload->todo();
      found->next = 0;
      found->unfinished = found->todo.size();
    } else {
      shared->active.erase(found);
    }
  }
  shared_.notify_all();
}

}  // namespace s3
