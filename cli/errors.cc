#include "cli/errors.h"

#include <algorithm>
#include <array>
#include <exception>
#include <new>

namespace cli {

int exit_code_of(const base::Error& error) {
  switch (error.kind()) {
    case base::ErrorKind::usage:
      return kUsage;
    case base::ErrorKind::cancelled:
      return kIncomplete;
    default:
      return kFailed;
  }
}

int worse(int left, int right) {
  static constexpr std::array kOrder{kEqual, kWaived, kIncomplete, kUsage, kDifferent};
  // Any other code is a failure, which is the worst.
  const auto rank = [](int code) { return std::ranges::find(kOrder, code) - kOrder.begin(); };
  return rank(left) >= rank(right) ? left : right;
}

int reporting_errors(Log& log, const std::function<int()>& body) {
  try {
    return body();
  } catch (const base::Error& error) {
    log.report(error);
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    log.report({base::ErrorKind::permanent, "out of memory", "use fewer --jobs"});
  } catch (const std::exception& error) {
    log.report({base::ErrorKind::permanent, std::string("unexpected: ") + error.what()});
  }
  return kFailed;
}

}  // namespace cli
