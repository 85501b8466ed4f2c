#include "base/activity.h"

#include <utility>

namespace base {

Activities::Scope::Scope(Activities& activities, std::string what) : activities_(activities) {
  auto entries = activities_.entries_.lock();
  entry_ = entries->emplace(entries->end());
  entry_->what = std::move(what);
  entry_->since = std::chrono::steady_clock::now();
}

Activities::Scope::~Scope() { activities_.entries_.lock()->erase(entry_); }

std::vector<Activity> Activities::activities() {
  std::vector<Activity> out;
  auto entries = entries_.lock();
  for (const auto& entry : *entries)
    out.push_back({entry.what, entry.bytes.load(std::memory_order_relaxed), entry.since, entry.detail});
  return out;
}

void Activities::explain(const std::map<int64_t, std::string>& details) {
  auto entries = entries_.lock();
  for (auto& entry : *entries) {
    const auto detail = details.find(entry.backend.load(std::memory_order_relaxed));
    entry.detail = detail == details.end() ? std::string() : detail->second;
  }
}

}  // namespace base
