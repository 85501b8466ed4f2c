#include "verify/progress.h"

#include <utility>

namespace verify {

Progress::Scope::Scope(Progress& progress, std::string what) : progress_(progress) {
  auto entries = progress_.entries_.lock();
  entry_ = entries->emplace(entries->end());
  entry_->what = std::move(what);
  entry_->since = Clock::now();
}

Progress::Scope::~Scope() { progress_.entries_.lock()->erase(entry_); }

std::vector<Progress::Activity> Progress::activities() {
  std::vector<Activity> out;
  auto entries = entries_.lock();
  for (const auto& entry : *entries)
    out.push_back({entry.what, entry.bytes.load(std::memory_order_relaxed), entry.since});
  return out;
}

}  // namespace verify
