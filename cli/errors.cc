#include "cli/errors.h"

#include <algorithm>
#include <array>
#include <exception>
#include <new>

namespace cli {

std::span<const ExitCode> exit_codes() {
  static constexpr std::array kCodes{
      ExitCode{kEqual, "done, and everything was compared and is equal"},
      ExitCode{kDifferent, "differences were found"},
      ExitCode{kUsage, "usage or configuration: nothing was done"},
      ExitCode{kFailed, "something failed, or could not be verified"},
      ExitCode{kIncomplete, "interrupted or incomplete: the same command resumes"},
      ExitCode{kWaived, "equal, or GO, except for declared waivers"},
      ExitCode{kInterruptedTwice, "interrupted twice: ended at once; the same command resumes"},
  };
  return kCodes;
}

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

base::Error current_error() {
  try {
    throw;
  } catch (const base::Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {base::ErrorKind::permanent, "out of memory", "use fewer --jobs"};
  } catch (const std::exception& error) {
    return {base::ErrorKind::permanent, std::string("unexpected: ") + error.what()};
  }
}

int reporting_errors(Log& log, const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::exception&) {
    const auto error = current_error();
    log.report(error);
    return exit_code_of(error);
  }
}

}  // namespace cli
