#include "base/crash_point.h"

#ifdef CUTOVER_CRASH_POINTS

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "base/error.h"

namespace base {
namespace {

struct Plan {
  std::string name;
  uint64_t pass = 1;
  std::atomic<uint64_t> passed{0};
};

void parse(std::string_view text, Plan& plan) {
  const auto colon = text.find(':');
  plan.name = text.substr(0, colon);
  if (colon == std::string_view::npos) return;
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), plan.pass);
  // A mistyped plan must not look like a run that survived its crash.
  if (error != std::errc{} || end != digits.data() + digits.size() || plan.pass == 0)
    fail(ErrorKind::usage, "CUTOVER_CRASH_AT={} is not NAME or NAME:N", text);
}

Plan& plan_of_this_process() {
  static Plan plan;
  [[maybe_unused]] static const bool parsed = [] {
    const char* text = std::getenv("CUTOVER_CRASH_AT");  // NOLINT(concurrency-mt-unsafe)
    if (text != nullptr) parse(text, plan);
    return true;
  }();
  return plan;
}

}  // namespace

void crash_point(std::string_view name) {
  auto& plan = plan_of_this_process();
  if (plan.name.empty() || name != plan.name || ++plan.passed != plan.pass) return;
  kill(getpid(), SIGKILL);
  // The kernel may take another thread first; this one must not run past the point.
  for (;;) pause();
}

}  // namespace base

#endif
